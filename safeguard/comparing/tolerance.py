"""What a contract tolerates is counted and shown, never hidden."""

from __future__ import annotations

from collections.abc import Sequence

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import TOLERATED, FieldRule
from safeguard.comparing.pairing import DUE


def count_folded(exchange: Exchange, rules: Sequence[FieldRule]) -> None:
    """Count entries of the route just paired whose value a lossy map folded with another."""
    for rule in rules:
        if rule.is_lossy:
            exchange.run(
                f"""INSERT INTO tolerated SELECT 'mapped', count(*)
                FROM m JOIN side_old o ON o.rid = m.rid
                WHERE m.nid IS NOT NULL AND m.eq AND m.cls = {DUE} AND {rule.folded()}"""
            )


def count_tolerated(exchange: Exchange) -> None:
    """Count the differences in `judged` that were accepted, by form."""
    exchange.run(
        f"""INSERT INTO tolerated SELECT form, count(*) FROM (SELECT unnest(forms) AS form
        FROM judged WHERE code = {TOLERATED} AND cls = {DUE}) GROUP BY form"""
    )


def tolerated(exchange: Exchange, renumbered: int) -> dict[str, int]:
    """Tolerated differences by form; one field may count under several."""
    found = dict(
        exchange.rows(
            """SELECT form, sum(n)::BIGINT FROM tolerated
            GROUP BY form HAVING sum(n) > 0 ORDER BY form"""
        )
    )
    return found | ({"renumbered": renumbered} if renumbered else {})
