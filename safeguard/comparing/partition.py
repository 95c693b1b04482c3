"""A join task: one partition of owners, both sides beside each other.

What is plainly kept is counted here and goes no further. What is left over is *carried*: the tables
in CARRIED, with the entries that they speak of, are what the content's result is made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from safeguard.comparing.buckets import BucketFile, Buckets
from safeguard.comparing.crosswalks import old_view
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.elsewhere import FOUND, find_misrouted
from safeguard.comparing.entries import (
    Shape,
    definition,
    new_shape,
    old_shape,
    standing_new,
    standing_old,
)
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, NOT_COMPARED, FieldRule, rule_for
from safeguard.comparing.judging import JUDGED, Judge, judges_documents
from safeguard.comparing.order import judge_order
from safeguard.comparing.owners import Owners
from safeguard.comparing.pairing import DUE, Pairing
from safeguard.comparing.sql import columns, key_text, literal
from safeguard.comparing.statuses import due_in, find_met, is_pooled, live, overlapped, unreceived
from safeguard.comparing.tolerance import count_folded, count_tolerated
from safeguard.contract.model import Routing
from safeguard.planning.layout import ContentPlan

CARRIED = {
    "absent": "(rid BIGINT, r UTINYINT)",
    "surplus": "(nid BIGINT, r UTINYINT)",
    "met": "(nid BIGINT, r UTINYINT, alive BOOLEAN)",
    "moved": "(rid BIGINT, nid BIGINT, r UTINYINT)",
    "unkeyed": "(rid BIGINT, r UTINYINT)",
    "ownerless": "(rid BIGINT, r UTINYINT)",
    "found": FOUND,
    "unsettled": "(nid BIGINT, r UTINYINT)",
    "unequal": "(rid BIGINT, nid BIGINT, r UTINYINT, cls UTINYINT, single BOOLEAN)",
    "judged": JUDGED,
    "tolerated": "(form VARCHAR, n BIGINT)",
    "with_content": "(content VARCHAR, id VARCHAR)",
}
"""What a partition hands on beside its left-over entries, `old` and `new_R`."""
_OWN = {"overlapped": "(rid BIGINT, r UTINYINT)", "hit_old": "(rid BIGINT)"}


@dataclass(frozen=True)
class SourceFiles:
    """The files of every source of a content, by its index."""

    old: Mapping[int, tuple[BucketFile, ...]]
    new: Mapping[int, tuple[BucketFile, ...]]

    @property
    def every(self) -> tuple[BucketFile, ...]:
        return tuple(f for side in (self.old, self.new) for files in side.values() for f in files)


@dataclass(frozen=True)
class JoinDone:
    """What a join task left: numbers that add up over partitions, and the file of each table that
    is not empty."""

    counts: Mapping[str, int]
    files: Mapping[str, str]
    customers: str = ""
    """What the customers were when it was done, see `crosswalks.digest`: orphans hang on them."""


def numbers_from(bucket: int) -> int:
    """Entries of the partition that begins with this bucket are numbered from here on, so that those
    carried from all partitions are told apart, and the partition of each is known."""
    return bucket << 40


def first_bucket_of(number: int) -> int:
    """The bucket with which the partition of an entry begins."""
    return number >> 40


class Partition:
    """Compares one partition after the other; the tables of the last one stay until the next."""

    def __init__(
        self, exchange: Exchange, plan: ContentPlan, book: CustomerBook, reveal: bool
    ) -> None:
        self.exchange, self.plan, self.book, self.reveal = exchange, plan, book, reveal
        self.routes = range(len(plan.new))
        self.rules: dict[int, tuple[FieldRule, ...]] = {
            r: tuple(rule_for(f, r) for f in plan.fields) for r in self.routes
        }
        self.counts: Counter[str] = Counter()
        self._tables = 0

    def compare(
        self, buckets: Buckets, files: SourceFiles, first: int, last: int, name: str
    ) -> JoinDone:
        """Compare the buckets first..last; what is carried goes into files that begin with `name`."""
        self.load(buckets, files, first, last)
        with self.exchange.apart():
            self._compare()
            return JoinDone(dict(self.counts), self._carry(buckets, name))

    def load(self, buckets: Buckets, files: SourceFiles, first: int, last: int) -> None:
        """Fill `old` and `new_R` of the partition, and nothing else."""
        exchange, plan = self.exchange, self.plan
        exchange.forget()
        self.counts = Counter()
        olds, number = [], numbers_from(first)
        for old in plan.old:
            for rows in buckets.read(files.old.get(old.index, ()), first, last):
                olds.append(standing_old(plan, old, self._show(rows, number)))
                number += rows.num_rows
        self._stand("old", old_shape(plan), olds)
        for new in plan.new:
            news, number = [], numbers_from(first)
            for rows in buckets.read(files.new.get(new.index, ()), first, last):
                news.append(standing_new(plan, new, self._show(rows, number)))
                number += rows.num_rows
            self._stand(f"new_{new.index}", new_shape(plan, new.index), news)

    def _show(self, rows: pa.Table, first: int) -> str:
        """Let SQL see stored rows, numbered from `first`; the name that it sees them by."""
        self._tables += 1
        name = f"stored_{self._tables}"
        numbers = pa.array(np.arange(first, first + rows.num_rows))
        self.exchange.show(name, rows.append_column("rid", numbers))
        return name

    def _stand(self, table: str, shape: Shape, queries: Sequence[str]) -> None:
        with self.exchange.apart():
            if queries:
                self.exchange.run(f"CREATE VIEW {table} AS {' UNION ALL '.join(queries)}")
            else:
                self.exchange.create(table, definition(shape))

    # -- comparing --------------------------------------------------------------------------

    def _compare(self) -> None:
        for table, body in (CARRIED | _OWN).items():
            self.exchange.create(table, body)
        self.olds = {r: old_view(self.exchange, self.plan, r) for r in self.routes}
        self.owners = Owners(self.exchange, self.plan, self.book)
        for route in self.routes:
            self._unkeyed(route)
            pairing = Pairing(self.exchange, self.plan, route, self.olds[route], self.rules[route])
            pairing.pair(self._still_free())
            self._after_pairing(route)
        if is_pooled(self.plan):
            self._absent_everywhere()
        else:
            find_misrouted(self.exchange, self.plan, self.olds)
        for route in self.routes:
            find_met(self.exchange, self.plan, route, self.olds[route])
        if not judges_documents(self.plan):
            self._judge()
        self._count()

    def _still_free(self) -> str:
        """Under one_of, an old entry that was found in one new system is not looked for in the next;
        one that another stands for is looked for in none."""
        if not is_pooled(self.plan):
            return "TRUE"
        standing = "NOT EXISTS (SELECT 1 FROM overlapped v WHERE v.rid = o.rid)"
        if self.plan.contract.routing is Routing.ANY_OF:
            return standing
        return f"{standing} AND NOT EXISTS (SELECT 1 FROM hit_old h WHERE h.rid = o.rid)"

    def _unkeyed(self, route: int) -> None:
        """What can't be keyed is not paired: due old entries are absent (an id without a new one) or
        not compared (a bad or ambiguous key); new ones are surplus or not compared."""
        old, run = self.olds[route], self.exchange.run
        due = due_in(self.plan, route)
        run(f"INSERT INTO absent SELECT rid, {route} FROM {old} o WHERE {due} AND o.u AND o.kb = 0")
        run(f"INSERT INTO unkeyed SELECT rid, {route} FROM {old} o WHERE {due} AND o.kb > 0")
        run(f"INSERT INTO surplus SELECT nid, {route} FROM new_{route} n WHERE n.u OR n.kb > 0")

    def _after_pairing(self, route: int) -> None:
        run = self.exchange.run
        pairs = "rid IS NOT NULL AND nid IS NOT NULL"
        ((paired, due),) = self.exchange.rows(
            f"SELECT count(*), count(*) FILTER (WHERE cls = {DUE}) FROM m WHERE {pairs}"
        )
        self.counts[f"paired_{route}"] += paired
        self.counts[f"paired_due_{route}"] += due
        run(f"INSERT INTO surplus SELECT nid, {route} FROM m WHERE rid IS NULL")
        run(f"INSERT INTO absent SELECT rid, {route} FROM m WHERE nid IS NULL AND cls = {DUE}")
        run(
            f"INSERT INTO unequal SELECT rid, nid, {route}, cls, single FROM m "
            f"WHERE {pairs} AND NOT eq"
        )
        if is_pooled(self.plan):
            run(f"INSERT INTO hit_old SELECT rid FROM m WHERE {pairs}")
        self.owners.find_ownerless(route)
        if self.plan.order is not None:
            self.counts["renumbered"] += judge_order(self.exchange, self.plan, route)
        count_folded(self.exchange, self.rules[route])

    def _absent_everywhere(self) -> None:
        """With one route over all new systems, an entry is absent that none of them has."""
        self.exchange.create(
            "absent",
            """AS SELECT rid, min(r) AS r FROM absent
            WHERE rid NOT IN (SELECT rid FROM hit_old) GROUP BY rid""",
        )
        self.exchange.create("unkeyed", "AS SELECT rid, min(r) AS r FROM unkeyed GROUP BY rid")

    def _judge(self) -> None:
        judge = Judge(self.exchange, self.plan, self.reveal)
        for route in self.routes:
            judge.judge(route, self.olds[route], self.rules[route])
        count_tolerated(self.exchange)
        self.exchange.run("DELETE FROM unequal")

    # -- counting ---------------------------------------------------------------------------

    def _count(self) -> None:
        """Every number that the result needs of entries that are not carried."""
        name, plan = literal(self.plan.contract.content), self.plan
        wanted = {
            "live": live(),
            "deleted": "o.d",
            "not_due": "NOT o.d AND o.late",
            "kb_1_old": "o.kb = 1",
            "kb_2_old": "o.kb = 2",
            "unread_old": self._unread("o"),
            **{f"due_{r}": due_in(plan, r) for r in self.routes},
        }
        self._count_in("old o", wanted)
        for r in self.routes:
            self._count_in(
                f"new_{r} n",
                {
                    f"kb_1_new_{r}": "n.kb = 1",
                    f"kb_2_new_{r}": "n.kb = 2",
                    f"unread_new_{r}": self._unread("n"),
                },
            )
            self.counts[f"due_{r}"] -= self.exchange.number(
                f"SELECT count(DISTINCT v.rid) FROM overlapped v JOIN old o USING (rid) "
                f"WHERE v.r = {r} AND {due_in(plan, r)}"
            )
        self.counts["overlapped"] += self.exchange.number(
            f"SELECT count(*) FROM ({overlapped(plan)})"
        )
        self.counts["strangers"] += self.owners.strangers()
        self.counts["ties"] += self._ties()
        if is_pooled(plan):
            self.counts["pool"] += self._pool()
        self.exchange.run(
            f"""INSERT INTO with_content SELECT {name}, {key_text(plan.owners, "o")} FROM (
                SELECT DISTINCT {columns(k.slot for k in plan.owners)} FROM old WHERE NOT d) o
            WHERE {key_text(plan.owners, "o")} IS NOT NULL"""
        )

    def _count_in(self, table: str, wanted: Mapping[str, str]) -> None:
        chosen = ", ".join(f"count(*) FILTER (WHERE {test})" for test in wanted.values())
        (row,) = self.exchange.rows(f"SELECT {chosen} FROM {table}")
        self.counts.update(dict(zip(wanted, row, strict=True)))

    def _unread(self, alias: str) -> str:
        """Positions and conditions that did not parse, and positions that can't be put in order."""
        bad = f"{alias}.bad"
        slots = ["d", *(f"r{r}" for r in self.routes)]
        if self.plan.cutoff is not None:
            slots.append(self.plan.cutoff.slot)
        tests = []
        if self.plan.order is not None:
            slots.append("p")
            tests.append(f"({alias}.p IS NOT NULL AND {alias}.po IS NULL)")
        tests += [f"json_extract_string({bad}, '$.{s}') IS NOT NULL" for s in slots]
        return " OR ".join(tests)

    def _ties(self) -> int:
        """Live old entries that share their position with another, or have none."""
        if self.plan.order is None:
            return 0
        lists = columns(["src", *(k.slot for k in (*self.plan.owners, *self.plan.lists))])
        return self.exchange.number(
            f"""SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM old o WHERE NOT d
            GROUP BY {lists}, po HAVING count(*) > 1 OR any_value(po) IS NULL)"""
        )

    def _pool(self) -> int:
        """With one route over all new systems: live entries that were found somewhere, or not."""
        return self.exchange.number(
            """SELECT count(DISTINCT rid) FROM (SELECT rid FROM absent UNION ALL
            SELECT rid FROM found UNION ALL SELECT rid FROM unkeyed UNION ALL
            SELECT rid FROM overlapped UNION ALL
            SELECT h.rid FROM hit_old h JOIN old o ON o.rid = h.rid WHERE NOT o.late)"""
        )

    # -- carrying ---------------------------------------------------------------------------

    def _carry(self, buckets: Buckets, name: str) -> dict[str, str]:
        queries = {table: f"SELECT * FROM {table}" for table in CARRIED}
        # By which forms a difference is tolerated has been counted.
        queries["judged"] = "SELECT * REPLACE (NULL::VARCHAR[] AS forms) FROM judged"
        queries["judged"] += f" WHERE code IN ({CHANGED}, {NOT_COMPARED}) AND cls = {DUE}"
        queries["old"] = self._left("old o", "rid", ("absent", "moved", "unkeyed", "ownerless"))
        queries["old"] += f" OR {unreceived(self.plan)}"
        for r in self.routes:
            queries[f"new_{r}"] = self._left(f"new_{r} n", "nid", ("surplus", "moved"), r)
        found = {}
        for table, query in queries.items():
            rows = self.exchange.table(query)
            if rows.num_rows:
                found[table] = f"{name}-{table}.arrow"
                buckets.write_table(found[table], rows)
        return found

    def _left(
        self, table: str, number: str, tables: Sequence[str], route: int | None = None
    ) -> str:
        """The entries of one side that some carried table speaks of."""
        alias = table.split()[1]
        here = "" if route is None else f" AND r = {route}"
        parts = [f"SELECT {number} FROM {t} WHERE TRUE{here}" for t in (*tables, "unequal")]
        parts.append(
            f"SELECT {number} FROM judged "
            f"WHERE code IN ({CHANGED}, {NOT_COMPARED}) AND cls = {DUE}{here}"
        )
        there = "" if route is None else f" WHERE s = {route}"
        parts.append(f"SELECT {number} FROM found{there}")
        return f"SELECT * FROM {table} WHERE {alias}.{number} IN ({' UNION ALL '.join(parts)})"
