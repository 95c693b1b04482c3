"""Crosswalks: tables of old and new ids, checked themselves before anything is translated by them.

A crosswalk becomes `walk_*(here, there, ambiguous)` with one row an id of the side being read.
`ambiguous` are ids that are not one-to-one (nor declared merges): what they own is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from safeguard.comparing.entries import kin_table, walk_table
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.reading import canonical
from safeguard.planning.layout import ContentPlan, CrosswalkPlan, SourcePlan


@dataclass(frozen=True)
class WalkReport:
    """What a crosswalk's own check says. Counts are of ids."""

    rows: int
    unreadable: int
    old_with_two_new: int
    new_with_two_old: int

    def reasons(self, walk: CrosswalkPlan) -> tuple[str, ...]:
        """Plain sentences, for what forbids a PASS."""
        name = f"the crosswalk {walk.spec.system}.{walk.spec.table}"
        said = []
        if self.unreadable:
            said.append(f"{self.unreadable} rows of {name} hold an id that can't be read")
        if self.old_with_two_new:
            said.append(f"{self.old_with_two_new} old ids have two new ids in {name}")
        if self.new_with_two_old and not walk.spec.merges:
            said.append(
                f"{self.new_with_two_old} new ids have two old ids in {name}; "
                "say `merges: true` if accounts were merged"
            )
        return tuple(said)


def load_walk(
    exchange: Exchange,
    side: str,
    source: SourcePlan,
    walk: CrosswalkPlan,
    batches: Iterable[pa.RecordBatch],
) -> WalkReport:
    """Read one crosswalk of one source into its exchange table, and check it.

    Also leaves `<table>_old(old, rep, ambiguous)`: for old ids that are merged (rep is the least
    of those that share a new id) or have two new ids.
    """
    table = walk_table(side, source, walk.slot)
    exchange.create("walk_raw", "(old VARCHAR, new VARCHAR, bad VARCHAR)")
    for batch in batches:
        exchange.insert(
            "walk_raw", canonical(batch, walk.columns), "SELECT old, new, bad FROM incoming"
        )
    unreadable = exchange.number("SELECT count(*) FROM walk_raw WHERE bad IS NOT NULL")
    exchange.create(
        "walk_pair",
        "AS SELECT DISTINCT old, new FROM walk_raw WHERE old IS NOT NULL AND new IS NOT NULL",
    )
    exchange.create("walk_split", "AS SELECT old FROM walk_pair GROUP BY old HAVING count(*) > 1")
    exchange.create(
        "walk_merged",
        "AS SELECT new, min(old) AS rep FROM walk_pair GROUP BY new HAVING count(*) > 1",
    )
    _leave(exchange, table, walk)
    report = WalkReport(
        rows=exchange.number("SELECT count(*) FROM walk_raw"),
        unreadable=unreadable,
        old_with_two_new=exchange.number("SELECT count(*) FROM walk_split"),
        new_with_two_old=exchange.number("SELECT count(*) FROM walk_merged"),
    )
    exchange.drop("walk_raw", "walk_pair", "walk_split", "walk_merged")
    return report


def _leave(exchange: Exchange, table: str, walk: CrosswalkPlan) -> None:
    clash = "FALSE" if walk.spec.merges else "m.new IS NOT NULL"
    here, there = ("old", "new") if walk.forward else ("new", "coalesce(m.rep, p.old)")
    if not walk.forward and not walk.spec.merges:
        there = "p.old"
    exchange.create(
        table,
        f"""AS SELECT p.{here} AS here, min({"p.new" if walk.forward else there}) AS there,
            bool_or({clash} OR s.old IS NOT NULL) AS ambiguous
        FROM walk_pair p LEFT JOIN walk_merged m ON m.new = p.new LEFT JOIN walk_split s ON s.old = p.old
        GROUP BY p.{here}""",
    )
    exchange.create(
        f"{table}_old",
        f"""AS SELECT p.old, min(coalesce(m.rep, p.old)) AS rep,
            bool_or({clash} OR s.old IS NOT NULL) AS ambiguous
        FROM walk_pair p LEFT JOIN walk_merged m ON m.new = p.new LEFT JOIN walk_split s ON s.old = p.old
        WHERE m.new IS NOT NULL OR s.old IS NOT NULL GROUP BY p.old""",
    )


def digest(exchange: Exchange, tables: Iterable[str]) -> str:
    """What the crosswalks of a content say, in a few letters; "" of none. Rows that were translated by
    crosswalks of another digest are of no use."""
    said = []
    for table in tables:
        ((rows, total),) = exchange.rows(f"SELECT count(*), sum(hash(t)) FROM {table} t")
        said.append(f"{table} {rows} {total or 0}")
    return ", ".join(said)


def load_kin(exchange: Exchange, plan: ContentPlan) -> frozenset[str]:
    """Old owners whom some new system merges are one customer, whom no partition may cut in two:
    leaves `kin_SLOT(id, head)` with one head for all of them. Returns the slots that have it.

    Routes may merge different ids, so that kin is what any of them joins, directly or by a third.
    """
    found = []
    for key in plan.owners:
        pairs = [
            pair
            for source in plan.new
            for walk in source.crosswalks
            if walk.slot == key.slot and walk.spec.merges
            for pair in exchange.rows(
                f"SELECT old, rep FROM {walk_table('new', source, walk.slot)}_old WHERE old <> rep"
            )
        ]
        if pairs:
            heads = _heads(sorted(pairs))  # the same in every try of a run
            exchange.create(kin_table(key.slot), "(id VARCHAR, head VARCHAR)")
            rows = {"id": list(heads), "head": list(heads.values())}
            exchange.insert(kin_table(key.slot), pa.table(rows))
            found.append(key.slot)
    return frozenset(found)


def crosswalk_tables(plan: ContentPlan, kin: frozenset[str]) -> tuple[str, ...]:
    """Every table that the crosswalks of a content left."""
    found = [kin_table(slot) for slot in sorted(kin)]
    for side, sources in (("old", plan.old), ("new", plan.new)):
        for source in sources:
            for walk in source.crosswalks:
                table = walk_table(side, source, walk.slot)
                found += [table, f"{table}_old"]
    return tuple(found)


def _heads(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Union-find with path halving (Tarjan and van Leeuwen 1984): id -> one id for all joined."""
    above: dict[str, str] = {}

    def head(one: str) -> str:
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    for one, other in pairs:
        above[head(one)] = head(other)
    return {one: head(one) for one in list(above)}


def old_view(exchange: Exchange, plan: ContentPlan, route: int) -> str:
    """`old` as route R sees it: merged ids by their representative, ambiguous ones marked in kb."""
    source = plan.new[route]
    walks = source.crosswalks
    if not any(
        exchange.number(f"SELECT count(*) FROM {walk_table('new', source, w.slot)}_old")
        for w in walks
    ):
        return "old"
    replaced, joins, clash = [], [], []
    for walk in walks:
        table = f"{walk_table('new', source, walk.slot)}_old"
        alias = f"a{walk.slot}"
        joins.append(f"LEFT JOIN {table} {alias} ON {alias}.old = o.{walk.slot}")
        clash.append(f"coalesce({alias}.ambiguous, FALSE)")
        if walk.spec.merges:
            replaced.append(f"coalesce({alias}.rep, o.{walk.slot}) AS {walk.slot}")
    replaced.append(
        f"CASE WHEN o.kb > 0 THEN o.kb WHEN {' OR '.join(clash)} THEN 2 ELSE 0 END AS kb"
    )
    raw = ", ".join(f"o.{w.slot} AS y{w.slot}" for w in walks)
    exchange.create(
        f"old_{route}",
        f"AS SELECT o.* REPLACE ({', '.join(replaced)}), {raw} FROM old o {' '.join(joins)}",
    )
    return f"old_{route}"
