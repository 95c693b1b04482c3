"""One content compared, from first read to result: read, pair, judge, look elsewhere, tell, count."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from safeguard.comparing.crosswalks import load_walk, old_view
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.doubt import withdraw_uncertain
from safeguard.comparing.elsewhere import FOUND, find_misattributed, find_misrouted
from safeguard.comparing.exchange import (
    Exchange,
    create_new,
    create_old,
    load_new,
    load_old,
)
from safeguard.comparing.fields import FieldRule, rule_for
from safeguard.comparing.judging import Judge
from safeguard.comparing.order import judge_order
from safeguard.comparing.owners import Owners
from safeguard.comparing.pairing import DUE, Pairing, partitions
from safeguard.comparing.resulting import Compared, build_result
from safeguard.comparing.sql import literal
from safeguard.comparing.statuses import due_in, is_pooled, rank_old, tell_new
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import count_tolerated
from safeguard.contract.model import Routing
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import ContentResult
from safeguard.planning.layout import ContentPlan, NewPlan, OldPlan, SourcePlan
from safeguard.systems.interface import Session


class ContentComparison:
    """Compares one content. Every table it makes is gone when `compare` returns."""

    def __init__(
        self,
        exchange: Exchange,
        plan: ContentPlan,
        sessions: Mapping[str, Session],
        book: CustomerBook,
        progress: ProgressListener,
        reveal: bool,
    ) -> None:
        self.exchange, self.plan, self.sessions = exchange, plan, sessions
        self.book, self.progress, self.reveal = book, progress, reveal
        self.tally = Tally()
        self.rules: dict[int, tuple[FieldRule, ...]] = {
            r: tuple(rule_for(f, r) for f in plan.fields) for r in range(len(plan.new))
        }

    def compare(self) -> ContentResult:
        """The result. Raises SystemProblem when a system goes away on the way."""
        began = time.monotonic()
        self._create()
        self._read()
        self.olds = {r: old_view(self.exchange, self.plan, r) for r in range(len(self.plan.new))}
        self.owners = Owners(self.exchange, self.plan, self.book)
        self._pair()
        self._look_elsewhere()
        withdraw_uncertain(self.exchange, self.plan, self.tally)
        rank_old(self.exchange, self.plan)
        teller = Teller(self.exchange, self.plan, self.book)
        teller.tell()
        result = build_result(
            Compared(
                self.exchange, self.plan, self.book, self.owners, teller, self.tally, self.rules
            )
        )
        self._drop()
        return replace(result, seconds=time.monotonic() - began)

    def abandon(self) -> None:
        """Take back what a comparison that did not end has left."""
        name = literal(self._name)
        for table in ("finding", "affected", "with_content"):
            self.exchange.run(f"DELETE FROM {table} WHERE content = {name}")
        self._drop()

    # -- reading ----------------------------------------------------------------------------

    def _create(self) -> None:
        create_old(self.exchange, self.plan)
        for route, _ in enumerate(self.plan.new):
            create_new(self.exchange, self.plan, route)
        for table, body in _TABLES.items():
            self.exchange.create(table, body)

    def _read(self) -> None:
        for source in (*self.plan.old, *self.plan.new):
            self._read_crosswalks(source)
        for old in self.plan.old:
            self._read_old(old)
        for new in self.plan.new:
            self._read_new(new)

    def _read_crosswalks(self, source: SourcePlan) -> None:
        side = "new" if isinstance(source, NewPlan) else "old"
        for walk in source.crosswalks:
            batches = self.sessions[walk.spec.system].stream(walk.selection)
            report = load_walk(self.exchange, side, source, walk, batches)
            self.tally.reasons += report.reasons(walk)

    def _read_old(self, source: OldPlan) -> None:
        read, first = 0, sum(self.tally.old_read.values())
        for rows in load_old(self.exchange, self.plan, source, self._started(source), first):
            read += rows
            self.progress.advanced(self._name, source.system, rows)
        self.tally.old_read[source.index] = read
        self.tally.old_counted[source.index] = self._counted(source, read)

    def _read_new(self, source: NewPlan) -> None:
        read = deleted = 0
        for rows, gone in load_new(self.exchange, self.plan, source, self._started(source)):
            read, deleted = read + rows, deleted + gone
            self.progress.advanced(self._name, source.system, rows)
        self.tally.new_read[source.index], self.tally.new_deleted[source.index] = read, deleted
        self.tally.new_counted[source.index] = self._counted(source, read)

    @property
    def _name(self) -> str:
        return self.plan.contract.content

    def _started(self, source: SourcePlan) -> Iterator[pa.RecordBatch]:
        session = self.sessions[source.system]
        self.progress.started(self._name, source.system, None)
        return session.stream(source.selection)

    def _counted(self, source: SourcePlan, read: int) -> int:
        """Rows by the server's own count in the same snapshot; what `where` leaves out is noted."""
        selection = source.selection
        name = f"{source.system}.{selection.relation}"
        every, wanted = self.sessions[source.system].count(
            selection.relation, None, selection.where
        )
        self.progress.finished(self._name, source.system)
        if every > wanted:
            self.tally.left_out += every - wanted
            self.tally.notes.append(
                f"{every - wanted} rows of {name} are left out by `where: {selection.where}`"
            )
        if read != wanted:
            self.tally.reasons.append(f"{name}: {read} entries were read, but {wanted} counted")
        return wanted

    # -- comparing --------------------------------------------------------------------------

    def _pair(self) -> None:
        judge = Judge(self.exchange, self.plan, self.reveal)
        parts = partitions(self.exchange, self.plan)
        for route, _ in enumerate(self.plan.new):
            self._unkeyed(route)
            self.tally.paired[route] = self.tally.paired_due[route] = 0
            pairing = Pairing(self.exchange, self.plan, route, self.olds[route], self.rules[route])
            for _part in pairing.pair(parts, self._still_free()):
                self._after_partition(route, judge)
        if is_pooled(self.plan):
            self._absent_everywhere()

    def _still_free(self) -> str:
        """Under one_of, an old entry that was found in one new system is not looked for in the next;
        one that another stands for is looked for in none."""
        if not is_pooled(self.plan):
            return "TRUE"
        standing = "NOT EXISTS (SELECT 1 FROM overlapped v WHERE v.rid = o.rid)"
        if self.plan.contract.routing is Routing.ANY_OF:
            return standing
        return f"{standing} AND NOT EXISTS (SELECT 1 FROM hit_old h WHERE h.rid = o.rid)"

    def _after_partition(self, route: int, judge: Judge) -> None:
        run = self.exchange.run
        pairs = "rid IS NOT NULL AND nid IS NOT NULL"
        self.tally.paired[route] += self.exchange.number(f"SELECT count(*) FROM m WHERE {pairs}")
        self.tally.paired_due[route] += self.exchange.number(
            f"SELECT count(*) FROM m WHERE {pairs} AND cls = {DUE}"
        )
        run(f"INSERT INTO surplus SELECT nid, {route} FROM m WHERE rid IS NULL")
        run(f"INSERT INTO absent SELECT rid, {route} FROM m WHERE nid IS NULL AND cls = {DUE}")
        if is_pooled(self.plan):
            run(f"INSERT INTO hit_old SELECT rid FROM m WHERE {pairs}")
        judge.judge(route, self.olds[route], self.rules[route])
        self.owners.find_ownerless(route)
        if self.plan.order is not None:
            self.tally.renumbered += judge_order(self.exchange, self.plan, route)
        count_tolerated(self.exchange, self.rules[route])

    def _unkeyed(self, route: int) -> None:
        """What can't be keyed is not paired: due old entries are absent (an id without a new one) or
        not compared (a bad or ambiguous key); new ones are surplus or not compared."""
        old, run = self.olds[route], self.exchange.run
        due = due_in(self.plan, route)
        run(f"INSERT INTO absent SELECT rid, {route} FROM {old} o WHERE {due} AND o.u AND o.kb = 0")
        run(f"INSERT INTO unkeyed SELECT rid, {route} FROM {old} o WHERE {due} AND o.kb > 0")
        run(f"INSERT INTO surplus SELECT nid, {route} FROM new_{route} n WHERE n.u OR n.kb > 0")

    def _absent_everywhere(self) -> None:
        """With one route over all new systems, an entry is absent that none of them has."""
        self.exchange.create(
            "absent",
            """AS SELECT rid, min(r) AS r FROM absent
            WHERE rid NOT IN (SELECT rid FROM hit_old) GROUP BY rid""",
        )
        self.exchange.create("unkeyed", "AS SELECT rid, min(r) AS r FROM unkeyed GROUP BY rid")

    def _look_elsewhere(self) -> None:
        if not is_pooled(self.plan):
            find_misrouted(self.exchange, self.plan, self.olds)
        for route, _ in enumerate(self.plan.new):
            find_misattributed(
                self.exchange,
                self.plan,
                route,
                self.olds[route],
                self.rules[route],
                self.owners.ownerless(route),
            )
        for route, _ in enumerate(self.plan.new):
            tell_new(
                self.exchange,
                self.plan,
                route,
                self.olds[route],
                self.owners.ownerless(route),
                self.owners.stranger(),
            )

    def _drop(self) -> None:
        routes = range(len(self.plan.new))
        self.exchange.drop(
            "old",
            *_TABLES,
            "status",
            "judged",
            "unequal",
            *(f"new_{r}" for r in routes),
            *(f"old_{r}" for r in routes),
        )


_TABLES = {
    "overlapped": "(rid BIGINT, r UTINYINT)",
    "absent": "(rid BIGINT, r UTINYINT)",
    "surplus": "(nid BIGINT, r UTINYINT)",
    "moved": "(rid BIGINT, nid BIGINT, r UTINYINT)",
    "unkeyed": "(rid BIGINT, r UTINYINT)",
    "ownerless": "(rid BIGINT, r UTINYINT)",
    "hit_old": "(rid BIGINT)",
    "found": FOUND,
    "unsettled": "(nid BIGINT, r UTINYINT)",
    "told": "(nid BIGINT, r UTINYINT, status VARCHAR)",
    "swapped": "(pairs BIGINT)",
    "tolerated": "(form VARCHAR, n BIGINT)",
}
