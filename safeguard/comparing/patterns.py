"""What a whole column tells of its changes, when all its partitions are joined.

One field of one route after the other: its changed pairs go into the table `changes`; causes that
chance explains are withdrawn (doubting.py), those that the column tells better are corrected; what is
left is told in sentences. Pairs stay in the exchange, which spills; only sums of them come here.

The tables that this reads are carried from every partition, so it is the same however the content was
read, and whether or not the run was resumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from safeguard.comparing.changed_column import Column
from safeguard.comparing.correcting import correct
from safeguard.comparing.describing import describe
from safeguard.comparing.doubting import doubt
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, FieldRule
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import literal
from safeguard.contract.types import TypeName
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause
from safeguard.planning.layout import ContentPlan

_TELLING = f"j.code = {CHANGED} AND j.cls = {DUE} AND j.single"


def find_patterns(
    exchange: Exchange,
    plan: ContentPlan,
    rules: Mapping[int, Sequence[FieldRule]],
    due: Mapping[int, int],
    reveal: bool,
) -> tuple[Pattern, ...]:
    """The patterns of a content; its causes in `judged` are corrected. `due` is how many pairs each
    route has."""
    found: list[Pattern] = []
    for route, of_route in rules.items():
        partners = _doubt_swapped(exchange, route, of_route)
        system = plan.new[route].system if len(plan.new) > 1 else None
        for rule in of_route:
            swapped = tuple(partners.get(rule.slot, ()))
            column = Column(exchange, rule, system, due[route], reveal, swapped)
            if rule.name is TypeName.JSON and rule.mapping is None:
                found += _paths(column, route)
            else:
                found += _of_field(column, route)
    order = {f.name: place for place, f in enumerate(plan.fields)}
    return tuple(sorted(found, key=lambda p: (order[p.field], -p.count, p.text)))


def _of_field(column: Column, route: int) -> Iterator[Pattern]:
    exchange, rule = column.exchange, column.rule
    where = f"j.r = {route} AND j.slot = {literal(rule.slot)} AND {_TELLING}"
    if not exchange.number(f"SELECT count(*) FROM judged j WHERE {where}"):
        return
    exchange.create(
        "changes",
        f"""AS SELECT j.rid, j.nid, j.cause, o.{rule.slot} AS o, n.{rule.slot} AS n
        FROM judged j JOIN old o ON o.rid = j.rid JOIN new_{route} n ON n.nid = j.nid
        WHERE {where}""",
    )
    doubt(exchange, rule)
    correct(exchange, rule)
    exchange.run(
        f"""UPDATE judged SET cause = c.cause FROM changes c
        WHERE judged.rid = c.rid AND judged.nid = c.nid AND judged.r = {route}
        AND judged.slot = {literal(rule.slot)} AND judged.cause <> c.cause"""
    )
    yield from describe(column)
    exchange.drop("changes")


def _paths(column: Column, route: int) -> Iterator[Pattern]:
    """Parts that many documents have lost or won, the numbers of array elements left out."""
    slot, begin = literal(column.rule.slot), len(column.rule.field.name) + 1
    rows = column.exchange.rows(
        rf"""SELECT cause, regexp_replace(field[{begin}:], '\[\d+\]', '[]', 'g'),
            count(DISTINCT rid) FROM judged j WHERE r = {route} AND slot = {slot} AND {_TELLING}
            AND cause IN ('{Cause.DROPPED}', '{Cause.ADDED}') GROUP BY ALL HAVING count(DISTINCT rid) > 1
            ORDER BY 3 DESC, 2 LIMIT 3"""
    )
    for cause, path, count in rows:
        said = "have lost" if cause == Cause.DROPPED else "have won"
        yield column.pattern(Cause(cause), count, f"{said} {path}")


def _doubt_swapped(
    exchange: Exchange, route: int, rules: Sequence[FieldRule]
) -> dict[str, list[str]]:
    """Slot -> names of the fields that it is swapped with.

    Two fields are swapped where most entries in which both changed have them so; truth values never
    tell, for two of them that both changed look swapped or not by the toss of a coin.
    """
    where = f"j.r = {route} AND {_TELLING}"
    slots = exchange.rows(
        f"SELECT DISTINCT slot FROM judged j WHERE {where} AND cause = '{Cause.SWAPPED_FIELDS}'"
    )
    swapped = [rule for rule in rules if (rule.slot,) in slots]
    partners: dict[str, list[str]] = {}
    for one, other in combinations(swapped, 2):
        a, b = one.slot, other.slot
        both = f"""(SELECT j.rid, j.nid, o.{a} = n.{b} AND o.{b} = n.{a} AS is_swapped
            FROM judged j JOIN judged k ON k.rid = j.rid AND k.nid = j.nid AND k.r = j.r
                AND k.slot = {literal(b)} AND k.code = {CHANGED}
            JOIN old o ON o.rid = j.rid JOIN new_{route} n ON n.nid = j.nid
            WHERE {where} AND j.slot = {literal(a)})"""
        ((changed, found),) = exchange.rows(
            f"SELECT count(*), count(*) FILTER (WHERE is_swapped) FROM {both}"
        )
        if found and (2 * found < changed or one.name is TypeName.BOOLEAN):
            exchange.run(
                f"""UPDATE judged SET cause = '{Cause.OTHER}' FROM {both} s
                WHERE judged.rid = s.rid AND judged.nid = s.nid AND s.is_swapped
                AND judged.r = {route} AND judged.slot IN ({literal(a)}, {literal(b)})"""
            )
        elif found:
            partners.setdefault(a, []).append(other.field.name)
            partners.setdefault(b, []).append(one.field.name)
    return partners
