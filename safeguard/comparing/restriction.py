"""A comparison of some owners only, each with everything that is theirs: a customer is never cut in
two, for order and repeated entries are told by whole lists."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from safeguard.comparing.entries import kin_joins, unknown, walk_table
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import COLUMN_TYPE, columns
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.planning.narrowing import MOST_OWNERS, narrowed
from safeguard.systems.interface import Selection


@dataclass(frozen=True)
class Restriction:
    """The owners to compare: one column an owner slot, canonical, in the space both sides share."""

    owners: pa.Table

    def install(self, exchange: Exchange, plan: ContentPlan, kin: frozenset[str]) -> None:
        """Leave `wanted`: the owners, and all that are one with them in some new system."""
        slots = [k.slot for k in plan.owners]
        kinds = ", ".join(f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in plan.owners)
        exchange.create("wanted", f"({kinds})")
        heads = ", ".join(_head(s, "s", kin) for s in slots)
        joins = kin_joins(plan, "s", kin)
        query = f"SELECT DISTINCT {heads} FROM incoming s {joins}"
        exchange.insert("wanted", self.owners.select(slots), query)
        for source in plan.new:
            for walk in source.crosswalks:
                if walk.slot in slots:
                    self._add_translated(
                        exchange, plan, walk_table("new", source, walk.slot), walk.slot
                    )

    def _add_translated(self, exchange: Exchange, plan: ContentPlan, table: str, slot: str) -> None:
        """An id that a crosswalk did not know when it was asked for may be known now."""
        slots = [k.slot for k in plan.owners]
        found = ", ".join("w.there" if s == slot else f"s.{s}" for s in slots)
        query = f"SELECT {found} FROM incoming s JOIN {table} w ON s.{slot} = {unknown('w.here')}"
        exchange.insert("wanted", self.owners.select(slots), query)

    def selection(
        self, plan: ContentPlan, source: SourcePlan, dialect: str, kin: frozenset[str]
    ) -> Selection | None:
        """What to ask the source's system for; None where it must be read whole."""
        if kin or self.owners.num_rows > MOST_OWNERS:
            return None
        rows = self.owners.select([k.slot for k in plan.owners]).to_pylist()
        return narrowed(plan, source, [tuple(row.values()) for row in rows], dialect)


def among_wanted(plan: ContentPlan, kin: frozenset[str]) -> str:
    """SELECT over `incoming` s, stored rows: those of wanted owners. NULL is an owner too."""
    slots = [k.slot for k in plan.owners]
    same = " AND ".join(f"w.{s} IS NOT DISTINCT FROM {_head(s, 's', kin)}" for s in slots)
    return (
        f"SELECT s.* FROM incoming s {kin_joins(plan, 's', kin)} "
        f"WHERE EXISTS (SELECT 1 FROM wanted w WHERE {same})"
    )


def wanted_owners(exchange: Exchange, plan: ContentPlan, query: str) -> Restriction:
    """The owners that a query gives, each once."""
    slots = columns(k.slot for k in plan.owners)
    return Restriction(exchange.table(f"SELECT DISTINCT {slots} FROM ({query})"))


def _head(slot: str, alias: str, kin: frozenset[str]) -> str:
    return f"coalesce(q{slot}.head, {alias}.{slot})" if slot in kin else f"{alias}.{slot}"
