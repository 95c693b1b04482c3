"""A few customers' lists as they would see them: old and new side by side, for the report."""

from __future__ import annotations

from collections.abc import Callable

from safeguard.comparing.entries import LATER_OLD
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import identity, literal, same, shown
from safeguard.comparing.statuses import RANKED, due_in
from safeguard.comparing.telling import Teller
from safeguard.findings.result import ListLine, ListSample
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan

LISTS_PER_ROUTE = 2
LINES = 40
_TELLING = (Kind.LOST, Kind.MOVED, Kind.MISATTRIBUTED, Kind.MISROUTED)


def sample_lists(
    exchange: Exchange, plan: ContentPlan, teller: Teller, load: Callable[[int], None]
) -> tuple[ListSample, ...]:
    """Lists with the most kinds of findings, short ones first. `load` brings back the partition of an
    old entry, with every entry of its owner."""
    if plan.order is None:
        return ()
    found = []
    for route, _ in enumerate(plan.new):
        for (rid,) in exchange.rows(_candidates(plan, teller, route)):
            load(int(rid))
            with exchange.apart():
                found.append(_one_list(exchange, plan, teller, route, int(rid)))
    return tuple(found)


def _candidates(plan: ContentPlan, teller: Teller, route: int) -> str:
    kinds = ", ".join(f"'{k}'" for k in _TELLING)
    return f"""
        SELECT min(f.entry) FROM finding f
        WHERE f.content = {literal(plan.contract.content)} AND f.r = {route} AND f.kind IN ({kinds})
        AND f.entry < {LATER_OLD}
        GROUP BY f.owner, f."list"
        ORDER BY count(DISTINCT f.kind) DESC, abs(count(*) - 4), f.owner
        LIMIT {LISTS_PER_ROUTE}"""


def _one_list(
    exchange: Exchange, plan: ContentPlan, teller: Teller, route: int, rid: int
) -> ListSample:
    lists = [k.slot for k in (*plan.owners, *plan.lists)]
    owner, which = exchange.rows(
        f"SELECT {teller.old_key(plan.owners)}, {teller.old_key(plan.lists)} FROM old o WHERE rid = {rid}"
    )[0]
    old, new = _old_lines(plan, teller, route, rid, lists), _new_lines(plan, route, rid, lists)
    left, right = (
        [ListLine(*row) for row in exchange.rows(f"{sql} LIMIT {LINES}")] for sql in (old, new)
    )
    # A list may have millions of entries: those that are not shown are only counted.
    entries = sum(exchange.number(f"SELECT count(*) FROM ({sql})") for sql in (old, new))
    return ListSample(
        plan.contract.content,
        plan.new[route].system,
        owner or "(no owner)",
        which,
        tuple(left),
        tuple(right),
        entries - len(left) - len(right),
    )


def _old_lines(plan: ContentPlan, teller: Teller, route: int, rid: int, lists: list[str]) -> str:
    assert plan.order is not None
    kind = plan.order[0]
    ranks = " ".join(f"WHEN {i} THEN '{s}'" for i, s in enumerate(RANKED))
    return f"""
        SELECT {shown("o.p", kind.type.name, kind.nanoseconds)},
            coalesce({teller.old_key(plan.items)}, '(none)'),
            CASE s.rank {ranks} ELSE 'kept' END
        FROM old o JOIN old me ON {same([*lists, "src"], "me", "o")} AND me.rid = {rid}
        LEFT JOIN status s ON s.rid = o.rid AND s.r = {route}
        WHERE {due_in(plan, route)} ORDER BY o.po NULLS LAST, o.rid"""


def _new_lines(plan: ContentPlan, route: int, rid: int, lists: list[str]) -> str:
    assert plan.order is not None
    kind = plan.order[1]
    items = identity([shown(f"n.{k.slot}", k.type.name) for k in plan.items])
    return f"""
        SELECT {shown("n.p", kind.type.name, kind.nanoseconds)}, coalesce({items}, '(none)'),
            coalesce(t.status, CASE WHEN v.nid IS NOT NULL THEN 'moved' ELSE 'partner' END)
        FROM new_{route} n JOIN old me ON {same(lists, "me", "n")} AND me.rid = {rid}
        LEFT JOIN told t ON t.nid = n.nid AND t.r = {route}
        LEFT JOIN (SELECT DISTINCT nid FROM moved WHERE r = {route}) v ON v.nid = n.nid
        ORDER BY n.po NULLS LAST, n.nid"""
