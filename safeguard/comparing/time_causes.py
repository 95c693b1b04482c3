"""Why two times differ, as SQL."""

from __future__ import annotations

from safeguard.comparing.rounding import MICROSECONDS, clock_cut, floored, time_cut
from safeguard.systems.canonical import INFINITY, MINUS_INFINITY, ZERO_DATE

_QUARTER, _MOST_HOURS = 900_000_000, 26
"""Zones are quarters of an hour apart, and no two of them more than 26 hours."""
_ROUNDED = ("millisecond", "second", "minute")
_CUT = ("millisecond", "second", "minute", "hour", "day")
_END_OF_32_BITS = 2**31 - 1
_DEFAULT_SECONDS = (0, -2_208_988_800, -62_135_596_800, 253_402_214_400, 253_402_300_799)
"""1970, 1900 and the year 1, and the last day of 9999 and its last second."""
_DEFAULT_DATES = "'1970-01-01', '1900-01-01', '0001-01-01', '9999-12-31', '0000-00-00'"
_DATE = r"'\d{4}-\d\d-\d\d'"
_CLOCK = r"^(-?\d+):"


def of_instants(old: str, new: str, factor: int, zone: str | None) -> list[tuple[str, str]]:
    """Of two instants; `factor` is 1 for microseconds, 1000 for nanoseconds."""
    finite = f"abs({old}) < {INFINITY - 10} AND abs({new}) < {-MINUS_INFINITY - 10}"
    cut = " OR ".join(time_cut(old, new, u, factor, zone) for u in _CUT)
    apart = f"({new}::HUGEINT - {old})"
    second = 1_000_000 * factor
    defaults = ", ".join(
        str(s * second) for s in _DEFAULT_SECONDS if abs(s * second) < INFINITY - 10
    )
    end = (_END_OF_32_BITS + 1) * second
    # Seconds in 32 bits end on 19 January 2038: what is later stops there, or goes round.
    ended = f"{floored(new, second)} = {_END_OF_32_BITS * second} OR {apart} % {2 * end} = 0"
    return [
        (f"{new} = {ZERO_DATE} AND abs({old}) < {INFINITY - 10}", "defaulted"),
        (f"{finite} AND {old} >= {end} AND ({ended})", "overflowed"),
        (f"{finite} AND {is_shift(apart, factor)}", "time_shift"),
        (f"{finite} AND ({cut})", "time_truncated"),
        (f"{finite} AND ({_rounded_up(old, new, factor)})", "rounded"),
        (f"{new} IN ({defaults}) AND {finite}", "defaulted"),
    ]


def is_shift(apart: str, factor: int) -> str:
    """Whether two instants are as far apart as two zones can be."""
    most = _MOST_HOURS * MICROSECONDS["hour"] * factor
    return f"({apart} % {_QUARTER * factor} = 0 AND abs({apart}) <= {most})"


def _rounded_up(old: str, new: str, factor: int) -> str:
    """Rounded to a unit, upwards: what was rounded downwards can't be told from cut."""
    tests = []
    for unit in _ROUNDED:
        size = MICROSECONDS[unit] * factor
        up = f"{floored(f'({old}::HUGEINT + {size // 2})', size)}"
        tests.append(f"({new} > {old} AND {up} = {new})")
    return " OR ".join(tests)


def of_dates(old: str, new: str) -> list[tuple[str, str]]:
    """Of two dates: midnight in one zone is the day before in another."""
    usual = f"regexp_full_match({old}, {_DATE}) AND regexp_full_match({new}, {_DATE})"
    a, b = (f"TRY_CAST({v} AS DATE)" for v in (old, new))
    return [
        (f"CASE WHEN {usual} THEN abs({a} - {b}) = 1 ELSE FALSE END", "time_shift"),
        (f"{new} IN ({_DEFAULT_DATES})", "defaulted"),
    ]


def of_times(old: str, new: str) -> list[tuple[str, str]]:
    """Of two times of day. Of full hours each is so many hours from any other: that says nothing."""
    cut = " OR ".join(
        f"{clock_cut(old, unit)} = {new}" for unit in ("millisecond", "second", "minute", "hour")
    )
    a, b = (f"regexp_replace({v}, '{_CLOCK}', ':')" for v in (old, new))
    return [
        (f"{a} = {b} AND NOT starts_with({a}, ':00:00')", "time_shift"),
        (cut, "time_truncated"),
    ]
