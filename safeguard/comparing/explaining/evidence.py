"""The entries that an explanation is made of: found ones where they are carried, kept ones in one pass
over the partitions, a sample first and then, of the few best rules, the exact number.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from safeguard.comparing.entries import LATER_NEW, LATER_OLD, key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.explaining.borders import Form
from safeguard.comparing.explaining.conditions import Column, Rule
from safeguard.comparing.explaining.mining import Sample
from safeguard.comparing.explaining.passes import Passes
from safeguard.comparing.explaining.traits import CUSTOMER, PLACE, Trait
from safeguard.comparing.fields import CHANGED
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import columns, key_text, literal, same
from safeguard.comparing.statuses import live, unreceived
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan

MOST_SAMPLED = 20_000
"""Entries of a sample, of the found ones and of the kept ones each."""


@dataclass(frozen=True)
class Side:
    """One side's entries: the table that holds them, and which of them count."""

    table: str
    number: str
    found: str
    """SQL of the number of an entry from a row f of `finding`."""
    mine: str
    """SQL over f: it is a finding of this side."""
    due: str
    """SQL over e."""
    marked: str
    """SELECT of the numbers of entries that are not simply kept."""
    later: int
    """From here on entries are numbered that a later look put in the place of first ones."""


def old_side(plan: ContentPlan) -> Side:
    """The old entries that are due somewhere."""
    routes = " OR ".join(f"e.r{r}" for r in range(len(plan.new)))
    marked = f"SELECT rid FROM status UNION ALL SELECT o.rid FROM old o WHERE {unreceived(plan)}"
    due = f"{live('e')} AND ({routes})"
    return Side("old", "rid", "f.entry", "f.entry >= 0", due, marked, LATER_OLD)


def new_side(route: int) -> Side:
    """The entries of one new system."""
    marked = (
        f"SELECT nid FROM told WHERE r = {route} UNION ALL SELECT nid FROM found WHERE s = {route}"
    )
    return Side(
        f"new_{route}", "nid", "((-1 - f.entry) >> 8)", f"f.entry < 0 AND f.r = {route}",
        "NOT e.late", marked, LATER_NEW,
    )  # fmt: skip


class Evidence:
    """Of one content and one side."""

    def __init__(
        self,
        exchange: Exchange,
        plan: ContentPlan,
        side: Side,
        traits: Sequence[Trait],
        passes: Passes,
    ) -> None:
        self.exchange, self.plan, self.side = exchange, plan, side
        self.traits, self.passes = tuple(traits), passes
        self.one_in = max(1, passes.rows_read // MOST_SAMPLED)
        self.lists = [k.slot for k in (*plan.owners, *plan.lists)]

    @property
    def is_all(self) -> bool:
        """Whether the sample of kept entries is all of them."""
        return self.one_in == 1 and self.passes.is_whole

    @property
    def is_exact(self) -> bool:
        """Whether kept entries can be counted."""
        return self.passes.is_whole

    def gather(self) -> None:
        """Take the sample of kept entries, and note where the others stand in their lists."""
        side, create = self.side, self.exchange.create
        create("marked", f"AS SELECT DISTINCT number FROM ({side.marked}) m(number)")
        create("again", f"AS SELECT * FROM {side.table} WHERE {side.number} >= {side.later}")
        self._again = self.exchange.number("SELECT count(*) FROM again") > 0
        po = "po" if self.plan.order else "NULL"
        create(
            "place",
            f"AS SELECT 0::BIGINT AS number, {po} AS lo, {po} AS hi, 0::BIGINT AS n "
            f"FROM {side.table} LIMIT 0",
        )
        wanted = self._asked(range(len(self.traits)))
        create("mined", f"AS SELECT {wanted} FROM {self._carried()} WHERE FALSE")
        needs = {t.needs for t in self.traits}
        chosen = f"{self._kept()} AND {self._sampled(self.one_in)}"
        statements = [
            f"INSERT INTO main.mined SELECT {wanted} FROM {self._loaded(needs)} WHERE {chosen}"
        ]
        if PLACE in needs:
            marked = f"e.{side.number} IN (SELECT number FROM main.marked)"
            statements.append(
                f"INSERT INTO main.place SELECT e.{side.number}, l.lo, l.hi, l.n "
                f"FROM {self._loaded({PLACE})} WHERE {marked}"
            )
        self.passes.run(*statements)
        self._mined = self.exchange.table("SELECT * FROM mined")

    def count(self, kind: str) -> int:
        """Findings of a kind, of this side."""
        return self.exchange.number(f"SELECT count(*) FROM ({self._numbers(kind)})")

    def sample(self, kind: str) -> Sample:
        """Found entries of a kind beside kept ones."""
        total = self.count(kind)
        one_in = max(1, total // MOST_SAMPLED)
        chosen = self._sampled(one_in)
        if one_in > 1:
            chosen = f"({chosen} OR e.{self.side.number} IN ({self._extremes(kind)}))"
        wanted = self._asked(range(len(self.traits)))
        here = self.exchange.table(
            f"SELECT {wanted} FROM {self._carried()} WHERE {self._of(kind)} AND {chosen}"
        )
        rows = pa.concat_tables([here, self._mined]).combine_chunks()
        found = tuple(
            Column.of(self._plain(kind, trait), i, rows.column(f"t{i}").combine_chunks())
            for i, trait in enumerate(self.traits)
        )
        whose = rows.column("whose").combine_chunks()
        owners = pc.index_in(whose, value_set=pc.unique(whose)).to_numpy(False).astype(np.int64)
        read = max(self.passes.rows_read, 1)
        kept = self._mined.num_rows * self.one_in * self.passes.rows // read
        return Sample(found, owners, here.num_rows, total, kept)

    def count_found(self, kind: str, rules: Sequence[Rule]) -> list[int]:
        """Found entries of a kind for which each rule holds."""
        tests = ", ".join(f"count(*) FILTER (WHERE {r.sql})" for r in rules)
        asked = self._asked({p.place for rule in rules for p in rule.parts})
        ((*found,),) = self.exchange.rows(
            f"SELECT {tests} FROM (SELECT {asked} FROM {self._carried()} WHERE {self._of(kind)})"
        )
        return found

    def count_kept(self, rules: Sequence[Rule]) -> tuple[list[int], int]:
        """Kept entries for which each rule holds, and all of them, in one more pass."""
        tests = ", ".join(["count(*)", *(f"count(*) FILTER (WHERE {r.sql})" for r in rules)])
        asked = {p.place for rule in rules for p in rule.parts}
        needs = {self.traits[i].needs for i in asked}
        names = [f"n{i}" for i in range(len(rules) + 1)]
        self.exchange.create("counted", f"({', '.join(f'{name} BIGINT' for name in names)})")
        self.passes.run(
            f"INSERT INTO main.counted SELECT {tests} FROM (SELECT {self._asked(asked)} "
            f"FROM {self._loaded(needs)} WHERE {self._kept()})"
        )
        sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT" for name in names)
        ((every, *found),) = self.exchange.rows(f"SELECT {sums} FROM counted")
        return found, every

    def drop(self) -> None:
        """Give the room back."""
        self.exchange.drop("marked", "again", "place", "mined", "counted")

    # -- SQL --------------------------------------------------------------------------------

    def _asked(self, places: Iterable[int]) -> str:
        """The columns of these traits, and whose the entry is."""
        traits = [
            f"CAST({self.traits[i].sql} AS {_HELD[self.traits[i].form]}) AS t{i}" for i in places
        ]
        return ", ".join(
            [*traits, f"hash({columns((k.slot for k in self.plan.owners), 'e')}) AS whose"]
        )

    def _customer(self) -> str:
        return f" LEFT JOIN customer c ON c.id = {key_text(self.plan.owners, 'e')}"

    def _carried(self) -> str:
        """Entries that comparing handed on."""
        place = f" LEFT JOIN place l ON l.number = e.{self.side.number}"
        return f"{self.side.table} e{self._customer()}{place}"

    def _loaded(self, needs: Container[str]) -> str:
        """Entries of the partition that is loaded."""
        joins = self._customer() if CUSTOMER in needs else ""
        if PLACE in needs:
            lists = columns(self.lists, "e")
            joins += f""" LEFT JOIN (SELECT {lists}, min(e.po) AS lo, max(e.po) AS hi, count(*) AS n
                FROM {self.side.table} e WHERE {self.side.due} GROUP BY ALL) l
                ON {same(self.lists, "l", "e")}"""
        return f"{self.side.table} e{joins}"

    def _kept(self) -> str:
        number = f"e.{self.side.number}"
        tests = [self.side.due, f"{number} NOT IN (SELECT number FROM main.marked)"]
        if self._again:
            keys = same(key_columns(self.plan), "a", "e")
            tests.append(f"NOT EXISTS (SELECT 1 FROM main.again a WHERE {keys})")
        return " AND ".join(tests)

    def _sampled(self, one_in: int) -> str:
        """The same entries whenever the same data is read."""
        return f"hash({columns(key_columns(self.plan), 'e')}) % {one_in} = 0"

    def _numbers(self, kind: str) -> str:
        return f"""SELECT DISTINCT {self.side.found} AS number FROM finding f
            WHERE f.content = {literal(self.plan.contract.content)} AND f.kind = {literal(kind)}
            AND {self.side.mine}"""

    def _of(self, kind: str) -> str:
        return f"e.{self.side.number} IN (SELECT number FROM ({self._numbers(kind)}))"

    def _extremes(self, kind: str) -> str:
        """Numbers of the found entries with the least and the greatest value of each trait: a border
        that leaves out a few of them says "nearly all" of what is true of all."""
        ends = ", ".join(
            f"arg_min(number, t{i}), arg_max(number, t{i})" for i in range(len(self.traits))
        )
        wanted = self._asked(range(len(self.traits)))
        return f"""SELECT unnest([{ends}]) FROM (SELECT e.{self.side.number} AS number, {wanted}
            FROM {self._carried()} WHERE {self._of(kind)})"""

    def _plain(self, kind: str, trait: Trait) -> Trait:
        """What a changed field has is no reason that it changed: that there is a value goes without
        saying."""
        if kind == Kind.CHANGED and trait.presence in self._changed:
            return replace(trait, lacking="")
        return trait

    @cached_property
    def _changed(self) -> frozenset[str]:
        names = {f.slot: f.name for f in self.plan.fields}
        rows = self.exchange.rows(
            f"SELECT DISTINCT slot FROM judged WHERE code = {CHANGED} AND cls = {DUE}"
        )
        return frozenset(names[slot] for (slot,) in rows)


_HELD = {
    Form.WHOLE: "BIGINT",
    Form.LENGTH: "BIGINT",
    Form.REAL: "DOUBLE",
    Form.MOMENT: "BIGINT",
    Form.DAY: "BIGINT",
    Form.WORD: "VARCHAR",
    Form.FLAG: "BOOLEAN",
}
