"""What differs, as units that can be found again at a later look: by key, not by number.

A unit is an entry's key, with whatever is wrong with it on either side and in any route; or a list,
with all in it that moved: which entry of a list is said to have moved may change with the others.
So a unit agrees only when nothing at all is said of it any more.

    ill      old (side), r, number (rid or nid), u (an id of it is not translated), tag (entry or
             order), key slots, what (a hash)
    differs  tag, key slots, evidence: a hash of all its `what`, from the values themselves; old_u and
             new_u: an id of an old or new entry of it is not translated
"""

from __future__ import annotations

from collections.abc import Iterator

from safeguard.comparing.entries import field_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, NOT_COMPARED
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import COLUMN_TYPE
from safeguard.comparing.statuses import unreceived
from safeguard.findings.words import NewStatus
from safeguard.planning.layout import ContentPlan, Role

ENTRY, ORDER = "entry", "order"
NO_ROUTE = 255
"""Stands for r where a live old entry is received by no new system."""


def unit(plan: ContentPlan) -> tuple[str, ...]:
    """The columns that name a unit."""
    return ("tag", *(k.slot for k in plan.keys))


def find_differing(exchange: Exchange, plan: ContentPlan) -> None:
    """Leave `ill` and `differs` of a comparison that has looked, and told what is surplus."""
    kinds = ", ".join(f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in plan.keys)
    exchange.create(
        "ill",
        f"(old BOOLEAN, r UTINYINT, number BIGINT, u BOOLEAN, tag VARCHAR, {kinds}, what UBIGINT)",
    )
    for query in (*_old(plan), *_moved(plan), *_new(plan)):
        exchange.run(f"INSERT INTO ill {query}")
    names = ", ".join(unit(plan))
    exchange.create(
        "differs",
        f"""AS SELECT {names}, hash(list_sort(list(what))) AS evidence,
            bool_or(u AND old) AS old_u, bool_or(u AND NOT old) AS new_u
        FROM ill GROUP BY {names}""",
    )


# -- private -------------------------------------------------------------------------------------


def _keys(plan: ContentPlan, alias: str) -> str:
    return ", ".join(f"{alias}.{k.slot}" for k in plan.keys)


def _values(plan: ContentPlan, alias: str) -> str:
    return "".join(f", {alias}.{slot}" for slot in field_columns(plan))


def _old(plan: ContentPlan) -> Iterator[str]:
    """Old entries that are absent, elsewhere, without an owner, not compared or changed. What can't
    be keyed is no unit: it is not compared, whatever comes."""
    keys, values = _keys(plan, "o"), _values(plan, "o")
    for table, what in (
        ("absent", f"hash('lost', o.src, x.r{values})"),
        ("found", f"hash('misrouted', o.src, x.r, x.s{values})"),
        ("ownerless", "hash('orphaned', o.src, x.r)"),
        ("unkeyed", "hash('unkeyed', o.src, x.r)"),
    ):
        yield (
            f"SELECT DISTINCT TRUE, x.r, x.rid, o.u, '{ENTRY}', {keys}, {what} "
            f"FROM {table} x JOIN old o ON o.rid = x.rid WHERE o.kb = 0"
        )
    yield (
        f"SELECT TRUE, {NO_ROUTE}, o.rid, o.u, '{ENTRY}', {keys}, hash('unreceived', o.src) "
        f"FROM old o WHERE o.kb = 0 AND {unreceived(plan)}"
    )
    slots = field_columns(plan)
    both = " ".join(f"WHEN '{s}' THEN hash(o.{s}, n.{s})" for s in slots)
    for route, _ in enumerate(plan.new):
        if slots:
            yield f"""SELECT TRUE, x.r, x.rid, o.u, '{ENTRY}', {keys},
                hash('judged', x.code, o.src, x.r, x.field, CASE x.slot {both} END)
            FROM judged x JOIN old o ON o.rid = x.rid JOIN new_{route} n ON n.nid = x.nid
            WHERE x.r = {route} AND x.code IN ({CHANGED}, {NOT_COMPARED}) AND x.cls = {DUE}"""


def _moved(plan: ContentPlan) -> Iterator[str]:
    if plan.order is None:
        return
    items = "".join(f", o.{k.slot}" for k in plan.items)
    lists = ", ".join("NULL" if k.role is Role.ITEM else f"o.{k.slot}" for k in plan.keys)
    for route, _ in enumerate(plan.new):
        yield f"""SELECT TRUE, x.r, x.rid, FALSE, '{ORDER}', {lists},
            hash('moved', o.src, x.r, o.p, n.p{items})
        FROM moved x JOIN old o ON o.rid = x.rid JOIN new_{route} n ON n.nid = x.nid
        WHERE x.r = {route}"""


def _new(plan: ContentPlan) -> Iterator[str]:
    """New entries without a partner, and those that stand where they are not due."""
    keys, values = _keys(plan, "n"), _values(plan, "n")
    for route, _ in enumerate(plan.new):
        yield f"""SELECT FALSE, {route}, n.nid, n.u, '{ENTRY}', {keys}, hash(t.status, {route}{values})
        FROM told t JOIN new_{route} n ON n.nid = t.nid
        WHERE t.r = {route} AND n.kb = 0 AND t.status <> '{NewStatus.NOT_DUE}'"""
        yield f"""SELECT DISTINCT FALSE, {route}, n.nid, n.u, '{ENTRY}', {keys}, hash('stray', {route})
        FROM found f JOIN new_{route} n ON n.nid = f.nid WHERE f.s = {route}"""
