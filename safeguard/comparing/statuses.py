"""One status an entry: on the old side per route and over all routes, on the new side per system.

Reads what the partitions carried, and their counts of what they did not; writes `status(rid, r, rank)`
for due entries that are not kept, and `told(nid, r, status)` for new entries without a partner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safeguard.comparing.entries import key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, NOT_COMPARED
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import same
from safeguard.contract.model import Routing
from safeguard.findings.words import NewStatus, OldStatus
from safeguard.planning.layout import ContentPlan

RANKED = (
    OldStatus.MISATTRIBUTED,
    OldStatus.MISROUTED,
    OldStatus.LOST,
    OldStatus.ORPHANED,
    OldStatus.CHANGED,
    OldStatus.MOVED,
    OldStatus.NOT_COMPARED,
    OldStatus.KEPT,
)
BESIDE = "(old BOOLEAN, r UTINYINT, number BIGINT)"
"""Entries that a later look found, and that were not in the first snapshots: they have findings, but no
place in sums that add up to the first counts."""
RANK = {status: i for i, status in enumerate(RANKED)}


def rank_old(exchange: Exchange, plan: ContentPlan) -> None:
    """Write `status`: every (entry, route) that is due and not simply kept."""
    parts = [
        f"SELECT rid, r, {RANK[OldStatus.MISATTRIBUTED]} AS rank FROM found WHERE kind = 'misattributed'",
        f"SELECT rid, r, {RANK[OldStatus.MISROUTED]} FROM found WHERE kind = 'misrouted'",
        f"SELECT rid, r, {RANK[OldStatus.LOST]} FROM absent",
        f"SELECT rid, r, {RANK[OldStatus.ORPHANED]} FROM ownerless",
        f"SELECT rid, r, {RANK[OldStatus.CHANGED]} FROM judged WHERE code = {CHANGED} AND cls = {DUE}",
        f"SELECT rid, r, {RANK[OldStatus.MOVED]} FROM moved",
        (
            f"SELECT rid, r, {RANK[OldStatus.NOT_COMPARED]} FROM judged "
            f"WHERE code = {NOT_COMPARED} AND cls = {DUE}"
        ),
        f"SELECT rid, r, {RANK[OldStatus.NOT_COMPARED]} FROM unkeyed",
    ]
    exchange.create(
        "status",
        f"AS SELECT rid, r, min(rank) AS rank FROM ({' UNION ALL '.join(parts)}) s "
        f"WHERE NOT {_beside('TRUE', 's.r', 's.rid')} GROUP BY rid, r",
    )


def live(alias: str = "o") -> str:
    """Not deleted, and not later than `as_of`."""
    return f"(NOT {alias}.d AND NOT {alias}.late)"


def due_in(plan: ContentPlan, route: int, alias: str = "o") -> str:
    """Due in a route; under one_of and any_of every route is due everything."""
    return f"({live(alias)} AND {alias}.r{route})"


def route_statuses(exchange: Exchange, counts: Mapping[str, int], route: int) -> dict[str, int]:
    """Due entries of one route by status."""
    ranks = exchange.rows(f"SELECT rank, count(*) FROM status WHERE r = {route} GROUP BY rank")
    return _with_kept(counts[f"due_{route}"], ranks)


def content_statuses(
    exchange: Exchange, plan: ContentPlan, counts: Mapping[str, int]
) -> dict[str, int]:
    """All old entries by status: each has one, the first of its routes; they add up to all."""
    ranks = exchange.rows(
        f"""SELECT rank, count(*) FROM (SELECT rid, min(rank) AS rank FROM (
            SELECT rid, rank FROM status UNION ALL
            SELECT o.rid, {RANK[OldStatus.LOST]} FROM old o WHERE {unreceived(plan)}
            AND o.rid NOT IN (SELECT number FROM beside WHERE old)) GROUP BY rid)
        GROUP BY rank"""
    )
    found = _with_kept(counts["live"] - counts["overlapped"], ranks)
    found[OldStatus.DELETED] = counts["deleted"]
    found[OldStatus.NOT_DUE] = counts["not_due"]
    found[OldStatus.OVERLAPPED] = counts["overlapped"]
    return found


def unreceived(plan: ContentPlan) -> str:
    """SQL over o: a live old entry that no route receives; it is lost wherever one looks."""
    received = " OR ".join(f"o.r{r}" for r in range(len(plan.new)))
    return f"({live()} AND NOT ({received}))"


def overlapped(plan: ContentPlan) -> str:
    """SELECT of the entries that another stands for in every route that receives them."""
    if is_pooled(plan):
        return "SELECT DISTINCT rid FROM overlapped"
    received = " + ".join(f"CAST(o.r{r} AS INTEGER)" for r in range(len(plan.new)))
    return f"""SELECT o.rid FROM old o JOIN overlapped v ON v.rid = o.rid
        GROUP BY o.rid, {received} HAVING count(*) = {received}"""


def _with_kept(due: int, ranks: Sequence[tuple[int, int]]) -> dict[str, int]:
    found = {str(status): 0 for status in RANKED}
    found |= {str(RANKED[rank]): count for rank, count in ranks}
    found[OldStatus.KEPT] = due - sum(count for _, count in ranks)
    return found


def find_met(exchange: Exchange, plan: ContentPlan, route: int, old: str) -> None:
    """Record in `met` which surplus entries have the key of an old one, and whether of a live one."""
    if not exchange.number(f"SELECT count(*) FROM surplus WHERE r = {route}"):
        return
    exchange.run(
        f"""INSERT INTO met SELECT n.nid, {route}, bool_or(NOT o.d)
        FROM surplus x JOIN new_{route} n ON n.nid = x.nid
        JOIN {old} o ON {same(key_columns(plan), "o", "n")}
        WHERE x.r = {route} AND NOT n.u AND n.kb = 0 AND o.kb = 0 AND NOT o.u GROUP BY n.nid"""
    )


def tell_new(exchange: Exchange, route: int, ownerless: str, stranger: str) -> None:
    """Classify the surplus entries of one route into `told`.

    `ownerless` is SQL over n: its owner is no customer of the new system. `stranger`: nor was it
    known among the old customers, so that it is no orphan.
    """
    exchange.run(
        f"""INSERT INTO told SELECT n.nid, {route}, CASE
            WHEN n.kb > 0 OR n.nid IN (SELECT nid FROM unsettled WHERE r = {route})
            THEN '{NewStatus.NOT_COMPARED}'
            WHEN n.late THEN '{NewStatus.NOT_DUE}'
            WHEN NOT met.alive THEN '{NewStatus.RESURRECTED}'
            WHEN met.alive THEN '{NewStatus.DUPLICATED}'
            WHEN {ownerless} AND NOT {stranger} THEN '{NewStatus.ORPHANED}'
            ELSE '{NewStatus.EXTRA}' END
        FROM surplus x JOIN new_{route} n ON n.nid = x.nid
        LEFT JOIN met ON met.nid = n.nid AND met.r = {route}
        WHERE x.r = {route}"""
    )


def new_statuses(exchange: Exchange, route: int, paired: int, deleted: int) -> dict[str, int]:
    """New entries of one system by status. `paired` were counted as they were paired, so that the
    sum says something."""
    found = {str(status): 0 for status in NewStatus}
    found |= dict(
        exchange.rows(
            f"SELECT status, count(*) FROM told t WHERE r = {route} "
            f"AND NOT {_beside('FALSE', 't.r', 't.nid')} GROUP BY status"
        )
    )
    elsewhere = exchange.number(
        f"SELECT count(DISTINCT nid) FROM found f WHERE s = {route} "
        f"AND NOT {_beside('FALSE', 'f.s', 'f.nid')}"
    )
    found[NewStatus.PARTNER] = paired + elsewhere
    found[NewStatus.DELETED] = deleted
    return found


def _beside(old: str, route: str, number: str) -> str:
    test = f"b.old = {old} AND b.r = {route} AND b.number = {number}"
    return f"EXISTS (SELECT 1 FROM beside b WHERE {test})"


def is_pooled(plan: ContentPlan) -> bool:
    """One route `*` over all new systems."""
    return plan.contract.routing is not Routing.BY_RECEIVES
