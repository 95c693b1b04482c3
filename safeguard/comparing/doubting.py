"""A cause that values which have nothing to do with each other would show as often is none.

Of five stars, one in ten random pairs is "rounded"; of dates within one year, one in 180 is a day off.
So the pairs of a column are mixed, old values with the new values of others, as in a permutation test
(R. A. Fisher, The Design of Experiments, 1935): what the mixed pairs show is chance. What
became of another entry with the same old value is no stranger to it: such pairs are not mixed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from safeguard.comparing.changed_column import as_sides
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import FieldRule
from safeguard.contract.types import TypeName
from safeguard.findings.words import Cause

LEAST_PAIRS, LEAST_VALUES = 20, 5
"""Of fewer different pairs, or of fewer values on one side, mixing tells nothing."""
_MOST_PAIRS = 3_000
_STEPS = tuple(range(1, 11))
_TIMES_CHANCE, _MARGIN = 3, 3
_DOUBTED = frozenset(
    {
        Cause.TRUNCATED,
        Cause.CASE,
        Cause.GARBLED,
        Cause.TIME_SHIFT,
        Cause.TIME_TRUNCATED,
        Cause.ROUNDED,
        Cause.RESCALED,
        Cause.OVERFLOWED,
    }
)


@dataclass(frozen=True)
class Seen:
    """How many different pairs show a cause (of shifts: the same one), and how many of the mixed."""

    cause: str
    apart: int | None
    found: int
    mixed: float

    @property
    def is_chance(self) -> bool:
        """Whether no more of it was found than unrelated values show."""
        return self.found <= _TIMES_CHANCE * self.mixed + _MARGIN


def doubt(exchange: Exchange, rule: FieldRule) -> None:
    """Call `other` in the table `changes` what chance explains."""
    if rule.mapping is not None or not _has_doubted(exchange):
        return
    exchange.create("pairs", _pairs(rule))
    try:
        ((pairs, olds, news),) = exchange.rows(
            "SELECT count(*), count(DISTINCT o), count(DISTINCT n) FROM pairs"
        )
        if pairs >= LEAST_PAIRS and min(olds, news) >= LEAST_VALUES:
            for seen in _seen(exchange, rule, pairs):
                if seen.is_chance:
                    _withdraw(exchange, rule, seen)
    finally:
        exchange.drop("pairs")


def apart(rule: FieldRule) -> str:
    """How far two times are from each other, in the unit that they are kept in; else NULL."""
    if rule.name is TypeName.TIMESTAMP:
        return f"(n.{rule.slot}::HUGEINT - o.{rule.slot})"
    if rule.name is TypeName.DATE:
        return f"(TRY_CAST(n.{rule.slot} AS DATE) - TRY_CAST(o.{rule.slot} AS DATE))"
    return "NULL"


def _has_doubted(exchange: Exchange) -> bool:
    names = ", ".join(f"'{c}'" for c in sorted(_DOUBTED))
    return bool(exchange.number(f"SELECT count(*) FROM changes WHERE cause IN ({names})"))


def _pairs(rule: FieldRule) -> str:
    """Different pairs, numbered in an order that is the same however they were read."""
    return f"""AS SELECT row_number() OVER (ORDER BY hash(o, n), o, n) - 1 AS i, cause, o, n
        FROM (SELECT any_value(cause) AS cause, o, n FROM changes
            WHERE o IS NOT NULL AND n IS NOT NULL AND cause <> '{Cause.SWAPPED_FIELDS}'
            GROUP BY o, n ORDER BY hash(o, n), o, n LIMIT {_MOST_PAIRS})"""


def _seen(exchange: Exchange, rule: FieldRule, pairs: int) -> list[Seen]:
    """Each doubted cause, with what was found of it; shifts one by one where chance shows any."""
    steps = ", ".join(map(str, _STEPS))
    mixed = _counted(
        exchange,
        f"""SELECT {rule.cause()} AS cause, {apart(rule)} AS apart FROM (
            SELECT {as_sides(rule, "a.o", "b.n")} FROM pairs a, (SELECT unnest([{steps}]) AS step)
            JOIN pairs b ON b.i = (a.i + step) % {pairs}
            WHERE a.o IS DISTINCT FROM b.n AND a.o IS DISTINCT FROM b.o)""",
    )
    found = _counted(
        exchange,
        f"""SELECT cause, {apart(rule)} AS apart
        FROM (SELECT cause, {as_sides(rule, "o", "n")} FROM pairs)""",
    )
    if not mixed:
        return []
    share = pairs / mixed.total()
    by_cause: Counter[str] = Counter()
    for (cause, _), count in mixed.items():
        by_cause[cause] += count
    return [
        Seen(cause, distance, count, mixed[cause, distance] * share)
        for (cause, distance), count in sorted(found.items(), key=str)
        if cause in _DOUBTED and by_cause[cause]
    ]


def _counted(exchange: Exchange, pairs: str) -> Counter[tuple[str, int | None]]:
    rows = exchange.rows(
        f"""SELECT cause, CASE WHEN cause = '{Cause.TIME_SHIFT}' THEN apart::HUGEINT END AS far,
        count(*) FROM ({pairs}) GROUP BY ALL"""
    )
    return Counter({(cause, far): count for cause, far, count in rows})


def _withdraw(exchange: Exchange, rule: FieldRule, seen: Seen) -> None:
    same = ""
    if seen.apart is not None:
        sides = as_sides(rule, "o", "n")
        same = f"""AND (o, n) IN (SELECT (x, y) FROM (
            SELECT o AS x, n AS y, {sides} FROM changes) WHERE {apart(rule)} = {seen.apart})"""
    exchange.run(f"UPDATE changes SET cause = '{Cause.OTHER}' WHERE cause = '{seen.cause}' {same}")
