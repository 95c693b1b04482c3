"""The changes of a column of times in sentences: how far they are shifted, and when; cut to what."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from safeguard.comparing.changed_column import Column, as_sides
from safeguard.comparing.doubting import apart
from safeguard.comparing.rounding import MICROSECONDS, floored, time_cut
from safeguard.comparing.seasons import Shifts, conversion, in_words, ranked, season
from safeguard.contract.types import TypeName
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause

_MOST = 3
_DAY = 86_400


def describe_times(column: Column) -> Iterator[Pattern]:
    """Patterns of shifted, cut and rounded times."""
    if column.rule.name is TypeName.TIMESTAMP:
        yield from _shifted(column)
        yield from _cut(column, Cause.TIME_TRUNCATED, "cut")
        yield from _cut(column, Cause.ROUNDED, "rounded")
    elif column.rule.name is TypeName.DATE:
        yield from _days(column)
        yield from _day_for_month(column)


def _shifted(column: Column) -> Iterator[Pattern]:
    shifts = _shifts(column)
    if shifts is None:
        return
    every = int(shifts.counts.sum())
    if zone := conversion(shifts):
        said = " or ".join(in_words(seconds) for seconds, _ in ranked(shifts))
        yield column.pattern(
            Cause.TIME_SHIFT, every, f"are as far off as {zone} is from UTC: {said}"
        )
        return
    distances = ranked(shifts)
    if len(distances) == 1:
        when = season(shifts) if every < column.due else ""
        said = f"are {in_words(distances[0][0])}"
        yield column.pattern(Cause.TIME_SHIFT, every, f"{said}, all {when}" if when else said)
        return
    for seconds, count in distances[:_MOST]:
        yield column.pattern(Cause.TIME_SHIFT, count, f"are {in_words(seconds)}")


def _shifts(column: Column) -> Shifts | None:
    rule = column.rule
    second = 1_000_000 * rule.per_microsecond
    hour = MICROSECONDS["hour"] * rule.per_microsecond
    sql = f"""SELECT ({floored(f"o.{rule.slot}", hour)} // {hour})::BIGINT AS hour,
            ({apart(rule)} // {second})::BIGINT AS far, count(*) AS n
        FROM (SELECT {as_sides(rule, "o", "n")} FROM changes WHERE cause = '{Cause.TIME_SHIFT}')
        GROUP BY 1, 2"""
    batches = list(column.exchange.batches(sql))
    if not sum(batch.num_rows for batch in batches):
        return None
    hours, far, counts = (
        np.concatenate([batch[i].to_numpy() for batch in batches]) for i in range(3)
    )
    field = rule.field
    return Shifts(hours, far, counts, field.clocks, field.as_written)


def _cut(column: Column, cause: Cause, verb: str) -> Iterator[Pattern]:
    """The coarsest unit that all of them are cut to."""
    rule = column.rule
    sides = f"SELECT n AS made, {as_sides(rule, 'o', 'n')} FROM changes WHERE cause = '{cause}'"
    for unit in ("day", "hour", "minute", "second", "millisecond"):
        size = MICROSECONDS[unit] * rule.per_microsecond
        test = f"made % {size} = 0"
        if cause == Cause.TIME_TRUNCATED:
            both = (f"o.{rule.slot}", f"n.{rule.slot}")
            test = time_cut(*both, unit, rule.per_microsecond, rule.field.zone)
        ((every, held),) = column.exchange.rows(
            f"SELECT count(*), count(*) FILTER (WHERE {test}) FROM ({sides})"
        )
        if held == every > 0:
            yield column.pattern(cause, every, f"are {verb} to whole {unit}s")
            return


def _days(column: Column) -> Iterator[Pattern]:
    rows = column.exchange.rows(
        f"""SELECT {apart(column.rule)} AS far, count(*)
        FROM (SELECT {as_sides(column.rule, "o", "n")} FROM changes
            WHERE cause = '{Cause.TIME_SHIFT}') GROUP BY far ORDER BY 2 DESC, 1"""
    )
    for days, count in rows:
        yield column.pattern(Cause.TIME_SHIFT, count, f"are {in_words(days * _DAY)}")


def _day_for_month(column: Column) -> Iterator[Pattern]:
    """Read as day.month where month.day was written: only days up to the 12th can be."""
    turned = r"regexp_replace(o, '^(\d{4})-(\d\d)-(\d\d)$', '\1-\3-\2')"
    ((count, olds),) = column.exchange.rows(
        f"SELECT count(*), count(DISTINCT o) FROM changes WHERE cause = '{Cause.OTHER}' AND {turned} = n"
    )
    if olds > 1:
        yield column.pattern(Cause.OTHER, count, "have day and month swapped")
