"""Causes that the column tells better than the pair: corrected in the table `changes`."""

from __future__ import annotations

from safeguard.comparing.changed_column import as_sides
from safeguard.comparing.doubting import apart
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import FieldRule
from safeguard.comparing.number_causes import double
from safeguard.comparing.rounding import MICROSECONDS, time_cut
from safeguard.comparing.sql import literal
from safeguard.contract.types import TypeName
from safeguard.findings.words import Cause

_WEAK = (Cause.OTHER, Cause.TIME_SHIFT, Cause.RESCALED)
"""What a default may look like by chance. It takes nothing from a cause that explains the new value:
a text that is cut to nothing much, a time cut to the day, a number at the end of its type."""
LEAST_VALUES, LEAST_FILLED = 5, 20
"""So many different values must have become one; so many empty ones must have been filled with it."""
_SHIFTS_OF_CUTS = 3
_LEAST_RATIOS, _NEARLY_ALL = 5, 0.95


def correct(exchange: Exchange, rule: FieldRule) -> None:
    """Give pairs in `changes` the cause that the whole column tells."""
    if rule.mapping is not None:
        return
    if rule.name is TypeName.TIMESTAMP:
        _shifts_that_are_cuts(exchange, rule)
        _cuts_that_are_rounded(exchange, rule)
    _defaults(exchange)
    if rule.name in (TypeName.INTEGER, TypeName.DECIMAL, TypeName.FLOAT):
        _one_ratio(exchange)


def _shifts_that_are_cuts(exchange: Exchange, rule: FieldRule) -> None:
    """A quarter past ten that became ten may be shifted or cut. Where all are so, and by several
    distances, they are cut."""
    factor = rule.per_microsecond
    for unit in ("hour", "day"):
        cut = time_cut(f"o.{rule.slot}", f"n.{rule.slot}", unit, factor, rule.field.zone)
        ((shifts, cuts, every),) = exchange.rows(
            f"""SELECT count(DISTINCT {apart(rule)}), count(*) FILTER (WHERE {cut}), count(*)
            FROM (SELECT {as_sides(rule, "o", "n")} FROM changes
                WHERE cause IN ('{Cause.TIME_SHIFT}', '{Cause.TIME_TRUNCATED}'))"""
        )
        if every and cuts == every and shifts >= _SHIFTS_OF_CUTS:
            _rename(exchange, f"cause = '{Cause.TIME_SHIFT}'", Cause.TIME_TRUNCATED)


def _cuts_that_are_rounded(exchange: Exchange, rule: FieldRule) -> None:
    """Of times that are rounded half are rounded downwards, which looks like a cut."""
    for unit in ("second", "minute"):
        size = MICROSECONDS[unit] * rule.per_microsecond
        ((up, down),) = exchange.rows(
            f"""SELECT count(*) FILTER (WHERE cause = '{Cause.ROUNDED}'), count(*) FILTER (
                WHERE cause = '{Cause.TIME_TRUNCATED}' AND (o::HUGEINT - n) * 2 > {size})
            FROM changes WHERE n % {size} = 0
            AND cause IN ('{Cause.ROUNDED}', '{Cause.TIME_TRUNCATED}')"""
        )
        if up and not down:
            _rename(
                exchange,
                f"cause = '{Cause.TIME_TRUNCATED}' AND n % {size} = 0 AND (o::HUGEINT - n) < {size}",
                Cause.ROUNDED,
            )


def _defaults(exchange: Exchange) -> None:
    """Many different values became one.

    Two in three of the changes without a better cause must have become it, and five different
    values at least: unrelated values, even of a column where one is far more frequent than all
    others, put that one into no more than half of the changes, for it gives way as often.
    """
    weak = ", ".join(f"'{c}'" for c in _WEAK)
    rows = exchange.rows(
        f"""SELECT hash(n), count(*), count(DISTINCT o), sum(count(*)) OVER () FROM changes
        WHERE cause IN ({weak}) AND o IS NOT NULL GROUP BY n ORDER BY 2 DESC, 1 LIMIT 1"""
    )
    for value, count, olds, every in rows:
        if olds >= LEAST_VALUES and 3 * count >= 2 * every:
            chosen = f"cause IN ({weak}) AND o IS NOT NULL AND hash(n) = {value}::UBIGINT"
            _rename(exchange, chosen, Cause.DEFAULTED)
    rows = exchange.rows(
        f"""SELECT hash(n), count(*), sum(count(*)) OVER () FROM changes
        WHERE cause = '{Cause.OTHER}' AND o IS NULL GROUP BY n ORDER BY 2 DESC, 1 LIMIT 1"""
    )
    for value, count, every in rows:
        if count >= LEAST_FILLED and count >= _NEARLY_ALL * int(every):
            chosen = f"cause = '{Cause.OTHER}' AND o IS NULL AND hash(n) = {value}::UBIGINT"
            _rename(exchange, chosen, Cause.DEFAULTED)


def _one_ratio(exchange: Exchange) -> None:
    """Numbers are on another scale where nearly all are one factor apart, whatever it is."""
    ratio = f"round({double('n')} / nullif({double('o')}, 0), 9)"
    rows = exchange.rows(
        f"""SELECT {ratio}, count(*), count(DISTINCT o), sum(count(*)) OVER () FROM changes
        WHERE cause IN ('{Cause.OTHER}', '{Cause.RESCALED}') AND o IS NOT NULL AND n IS NOT NULL
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"""
    )
    for factor, count, olds, every in rows:
        known = factor is not None and factor not in (0.0, 1.0)
        if known and olds >= _LEAST_RATIOS and count >= _NEARLY_ALL * int(every):
            _rename(
                exchange,
                f"cause = '{Cause.OTHER}' AND {ratio} = {literal(float(factor))}",
                Cause.RESCALED,
            )


def _rename(exchange: Exchange, where: str, cause: Cause) -> None:
    exchange.run(f"UPDATE changes SET cause = '{cause}' WHERE {where}")
