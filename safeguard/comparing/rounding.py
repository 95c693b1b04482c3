"""Values cut to a unit or rounded to a scale, as SQL: exact, and of any size."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from safeguard.contract.types import TypeName

MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
}
_PLACES = {"microsecond": 6, "millisecond": 3, "second": 0}
_WHOLE = {"minute": r"\1:\2:00\5", "hour": r"\1:00:00\5", "day": r"00:00:00\5"}
_MOST_DIGITS = 38
_LAST_YEAR = 2038
_DIGITS_BEFORE = 20
_PLACES_OF_FLOATS = 20


def floored(instant: str, unit: int) -> str:
    """An instant cut to its unit. 128 bits wide: infinity is among the values this is asked of."""
    return f"({instant}::HUGEINT - (({instant} % {unit}) + {unit}) % {unit})"


@cache
def offsets(zone: str | None) -> tuple[int, ...]:
    """Seconds east of UTC, 0 among them, that clocks of a zone have shown since 1970."""
    found = {0}
    if zone is not None:
        here = ZoneInfo(zone)
        for month in range(12 * (_LAST_YEAR - 1970)):
            moment = dt.datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
            found.add(int((moment.astimezone(here).utcoffset() or dt.timedelta()).total_seconds()))
    return tuple(sorted(found))


def time_cut(old: str, new: str, unit: str, factor: int, zone: str | None) -> str:
    """True where `new` is the instant `old` cut to its unit, in UTC or on the clocks of `zone`.

    Less than a unit is ever cut: the 25th hour of the day on which clocks go back is not.
    `factor` is 1 for microseconds, 1000 for nanoseconds.
    """
    size = MICROSECONDS[unit] * factor
    tests = []
    for east in offsets(zone) if unit in ("hour", "day") else (0,):
        here = east * 1_000_000 * factor
        tests.append(f"{floored(f'({old}::HUGEINT + {here})', size)} - {here} = {new}")
    return f"({' OR '.join(tests)})"


def clock_cut(time: str, unit: str) -> str:
    """A time of day (`HH:MM:SS.f+offset`) cut to its unit; the offset stays."""
    if unit in _WHOLE:
        parts = r"^(-?[0-9]+):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(.*)$"
        cut = f"regexp_replace({time}, '{parts}', '{_WHOLE[unit]}')"
    else:
        cut = rf"regexp_replace({time}, '(\.[0-9]{{{_PLACES[unit]}}})[0-9]+', '\1')"
        cut = rf"regexp_replace({cut}, '(\.[0-9]*?)0+($|[+-])', '\1\2')"
        cut = rf"regexp_replace({cut}, '\.($|[+-])', '\1')"
    return f"regexp_replace({cut}, '^-(00:00:00)', '\\1')"


def rounded(old: str, new: str, scale: int, kind: TypeName) -> str:
    """True where `new` is `old` rounded to `scale` places; of a tie, either neighbour."""
    if kind is TypeName.FLOAT:
        half = f"0.5 * pow(10, -{scale})"
        return f"(abs({old} - {new}) <= {half} * 1.000001 AND round({new}, {scale}) = {new})"
    places = min(scale + 3, _MOST_DIGITS)
    before = max(min(_DIGITS_BEFORE, _MOST_DIGITS - places - 1), 0)
    # Of numbers that begin alike only the ends are subtracted: so many digits no type holds.
    head = f"greatest(length({_whole(old)}) - {before}, 0)"
    alike = (
        f"length({_whole(old)}) = length({_whole(new)}) "
        f"AND substring({old}, 1, {head}) = substring({new}, 1, {head})"
    )
    ends = (
        f"CASE WHEN {alike} THEN substring({n}, {head} + 1) "
        f"WHEN length({_whole(n)}) < {_MOST_DIGITS - places} THEN {n} END"
        for n in (old, new)
    )
    a, b = (
        f"TRY_CAST({_sticky(f'({end})', places - 1)} AS DECIMAL({_MOST_DIGITS}, {places}))"
        for end in ends
    )
    half = f"CAST('0.{'0' * scale}5' AS DECIMAL({_MOST_DIGITS}, {places}))"
    return f"({_length(new)} <= {scale} AND abs({a} - {b}) <= {half})"


def within(old: str, new: str, tolerance: Decimal) -> str:
    """True where two floats, as the shortest decimals that mean them, are this near.

    So 0.4 is 0.1 from 0.3, which it is not in binary. Numbers of 18 digits and more before the point
    have no such decimals: they are subtracted as they are.
    """
    exact = f"DECIMAL({_MOST_DIGITS}, {_PLACES_OF_FLOATS})"
    limit = 10 ** (_MOST_DIGITS - _PLACES_OF_FLOATS - 1)
    small = f"abs({old}) < {limit} AND abs({new}) < {limit}"
    a, b = (
        f"TRY_CAST(CASE WHEN {small} THEN CAST({v} AS VARCHAR) END AS {exact})" for v in (old, new)
    )
    binary = f"abs({old} - {new}) <= CAST('{float(tolerance)!r}' AS DOUBLE)"
    if not Decimal(10) ** -_PLACES_OF_FLOATS <= tolerance < limit:
        return f"({binary})"
    return f"CASE WHEN {small} THEN abs({a} - {b}) <= CAST('{tolerance:f}' AS {exact}) ELSE {binary} END"


def _whole(number: str) -> str:
    return f"split_part({number}, '.', 1)"


def _length(number: str) -> str:
    return f"length(split_part({number}, '.', 2))"


def _sticky(number: str, places: int) -> str:
    """The number cut to so many places; a 1 behind them stands for any digits that were cut."""
    cut = f"substring({number}, 1, instr({number}, '.') + {places}) || '1'"
    return f"CASE WHEN {_length(number)} > {places} THEN {cut} ELSE {number} END"
