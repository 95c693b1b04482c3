"""Which time zone would make paired timestamps equal: a hint for people, never a decision.

The new system's word is not taken for it: a migration that shifted every time looks just so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Pair = tuple[str | None, str | None]

_ZONES = (
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)


def likely_zone(pairs: Sequence[Pair]) -> str | None:
    """The zone in which most old times, if the new ones are UTC, were written; None where they are
    equal as they stand, or no zone explains them."""
    read = [(a, b) for old, new in pairs if (a := _naive(old)) and (b := _utc(new))]
    if len(read) < 5 or _equal(read, "UTC") >= 0.5:
        return None
    best = max(_ZONES, key=lambda zone: _equal(read, zone))
    return best if _equal(read, best) >= 0.8 else None


def _equal(pairs: Sequence[tuple[dt.datetime, dt.datetime]], zone: str) -> float:
    try:
        there = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return 0.0
    second = dt.timedelta(seconds=1)
    met = sum(
        abs(old.replace(tzinfo=there).astimezone(dt.UTC) - new) < second for old, new in pairs
    )
    return met / len(pairs)


def _naive(text: str | None) -> dt.datetime | None:
    read = _read(text)
    return read if read and read.tzinfo is None else None


def _utc(text: str | None) -> dt.datetime | None:
    read = _read(text)
    if read is None:
        return None
    return read.replace(tzinfo=dt.UTC) if read.tzinfo is None else read.astimezone(dt.UTC)


def _read(text: str | None) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
