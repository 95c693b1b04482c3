"""What is not certain is not called lost: it becomes not compared, and the verdict undecided.

A lost entry is certain when the new side was read to its end and agrees with its count; a surplus
needs the old side's. Entries whose key can't be read could be anybody's partner.
"""

from __future__ import annotations

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.statuses import is_pooled
from safeguard.comparing.tally import Tally
from safeguard.findings.words import NewStatus
from safeguard.planning.layout import ContentPlan


def withdraw_uncertain(exchange: Exchange, plan: ContentPlan, tally: Tally) -> None:
    """Turn what could be explained by something that was not read into not compared."""
    counts = tally.counts
    for route, _ in enumerate(plan.new):
        unread = counts[f"kb_1_new_{route}"] + counts[f"kb_2_new_{route}"]
        missing = exchange.number(f"SELECT count(*) FROM absent WHERE r = {route}")
        pooled = is_pooled(plan) and not all(tally.new_agrees(r) for r, _ in enumerate(plan.new))
        if not tally.new_agrees(route) or pooled or 0 < missing <= unread:
            _withdraw_absent(exchange, route)
    unkeyed = counts["kb_1_old"] + counts["kb_2_old"]
    surplus = exchange.number(f"SELECT count(*) FROM told WHERE status = '{NewStatus.EXTRA}'")
    if not tally.old_agrees or 0 < surplus <= unkeyed:
        doubtful = (
            [NewStatus.EXTRA] if tally.old_agrees else [NewStatus.EXTRA, NewStatus.DUPLICATED]
        )
        listed = ", ".join(f"'{status}'" for status in doubtful)
        exchange.run(
            f"UPDATE told SET status = '{NewStatus.NOT_COMPARED}' WHERE status IN ({listed})"
        )


def _withdraw_absent(exchange: Exchange, route: int) -> None:
    exchange.run(f"INSERT INTO unkeyed SELECT rid, r FROM absent WHERE r = {route}")
    exchange.run(f"INSERT INTO unkeyed SELECT rid, r FROM found WHERE r = {route}")
    exchange.run(f"DELETE FROM absent WHERE r = {route}")
    exchange.run(f"DELETE FROM found WHERE r = {route}")
