"""Shifts of time that come and go with summer time: which zone's clocks explain them.

Whole hours are looked at, not moments: zones change their clocks on them, and of hours there are few.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

LEAST = 20
"""Of fewer times, chance may have put all inside summer time: 20 of a year's are once in 50,000."""
_HOUR = 3600
_YEARS = (1900, 2100)
_RULES = (
    "America/New_York",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/Chicago",
    "America/Denver",
    "Europe/London",
    "Europe/Athens",
    "America/Halifax",
    "America/Sao_Paulo",
    "America/Santiago",
    "Asia/Jerusalem",
    "Asia/Tehran",
    "Africa/Cairo",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
)
"""One zone of each rule that many people live by; a zone of the plan goes before them."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shifts:
    """Shifts of one column: the hour of the old time (since 1970), by how many seconds the new one is
    later, and how many there are of the two together."""

    hours: Numbers
    seconds: Numbers
    counts: Numbers
    clocks: str | None
    """The zone that the plan declares."""
    as_written: bool
    """Whether the hours are those that clocks showed, not those of UTC."""


@dataclass(frozen=True)
class _Clocks:
    """What the clocks of a zone showed: from `starts[i]` (hours) on, `east[i]` seconds east of UTC."""

    starts: Numbers
    east: Numbers
    summer: npt.NDArray[np.bool_]

    def at(self, hours: Numbers) -> Numbers:
        found: Numbers = np.clip(np.searchsorted(self.starts, hours, "right") - 1, 0, None)
        return found


def season(shifts: Shifts) -> str:
    """`inside summer time of America/New_York`, of times with one shift; "" where they are few, or
    stand on both sides of every zone's change."""
    if (
        shifts.counts.sum() < LEAST
        or not np.isin(np.abs(shifts.seconds), (_HOUR, _HOUR // 2)).all()
    ):
        return ""
    for summer, words in ((True, "inside"), (False, "outside")):

        def explained(clocks: _Clocks, summer: bool = summer) -> bool:
            return bool((clocks.summer[clocks.at(shifts.hours)] == summer).all())

        if zones := _holding(shifts, explained):
            return f"{words} summer time of {' or '.join(zones)}"
    return ""


def conversion(shifts: Shifts) -> str:
    """Of times with several shifts, whose zone's distance from UTC they are: `America/New_York`."""

    def explained(clocks: _Clocks) -> bool:
        east = clocks.east[clocks.at(shifts.hours)]
        return bool((east == shifts.seconds).all() or (-east == shifts.seconds).all())

    several = len(np.unique(shifts.seconds)) > 1 and shifts.counts.sum() >= LEAST
    zones = _holding(shifts, explained) if several else []
    return " or ".join(zones)


def _holding(shifts: Shifts, test: Callable[[_Clocks], bool]) -> list[str]:
    """The declared zone if the test holds of it. Others only where none is declared that changes its
    clocks: among so many rules, some hold by luck."""
    years = _years(int(shifts.hours.min()), int(shifts.hours.max()))
    if shifts.clocks and (clocks := _clocks(shifts.clocks, *years, shifts.as_written)):
        return [shifts.clocks] if test(clocks) else []
    every = ((zone, _clocks(zone, *years, shifts.as_written)) for zone in _RULES)
    return [zone for zone, clocks in every if clocks and test(clocks)][:2]


def _years(first: int, last: int) -> tuple[int, int]:
    """Of two hours."""
    return max(1970 + first // 8766, _YEARS[0]), min(1970 + last // 8766, _YEARS[1])


@cache
def _clocks(zone: str, first: int, last: int, as_written: bool) -> _Clocks | None:
    """The clocks of a zone in these years; None where they were never changed."""
    changes = list(_changes(ZoneInfo(zone), first, last))
    if not any(summer for _, _, summer in changes):
        return None
    starts = [hour for hour, _, _ in changes]
    if as_written:
        befores = [changes[max(i - 1, 0)][1] for i in range(len(changes))]
        starts = [hour + east // _HOUR for hour, east in zip(starts, befores, strict=True)]
    return _Clocks(
        np.array(starts, dtype=np.int64),
        np.array([east for _, east, _ in changes], dtype=np.int64),
        np.array([summer for _, _, summer in changes], dtype=bool),
    )


def _changes(zone: ZoneInfo, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
    """Each hour from which on the clocks show something else; the first is that of `first`."""
    months = [
        _hour(dt.datetime(y, m, 1, tzinfo=dt.UTC))
        for y in range(first, last + 1)
        for m in range(1, 13)
    ]
    yield (months[0], *_showing(zone, months[0]))
    for begin, end in pairwise(months):
        before = _showing(zone, begin)
        if _showing(zone, end) != before:
            hour = _first_unlike(zone, begin, end, before)
            yield (hour, *_showing(zone, hour))


def _first_unlike(zone: ZoneInfo, begin: int, end: int, before: tuple[int, bool]) -> int:
    while end - begin > 1:
        middle = (begin + end) // 2
        begin, end = (middle, end) if _showing(zone, middle) == before else (begin, middle)
    return end


def _showing(zone: ZoneInfo, hour: int) -> tuple[int, bool]:
    moment = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour)).astimezone(zone)
    east = moment.utcoffset() or dt.timedelta()
    return int(east.total_seconds()), bool(moment.dst())


def _hour(moment: dt.datetime) -> int:
    return int(moment.timestamp()) // _HOUR


def in_words(seconds: int) -> str:
    """`one hour early`, `5 hours 30 minutes late`, `one day early`."""
    far = abs(seconds)
    days, rest = divmod(far, 86_400)
    parts = ((days, "day"), (rest // _HOUR, "hour"), (rest % _HOUR // 60, "minute"))
    named = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n]
    said = f"one {named[0].split()[1]}" if named[0].startswith("1 ") and len(named) == 1 else ""
    return f"{said or ' '.join(named)} {'early' if seconds < 0 else 'late'}"


def ranked(shifts: Shifts) -> Sequence[tuple[int, int]]:
    """(seconds, count) of each shift, the most frequent first."""
    values, where = np.unique(shifts.seconds, return_inverse=True)
    counts = np.bincount(where, weights=shifts.counts).astype(np.int64)
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
