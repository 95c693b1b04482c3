"""Instants as the two sides write them: the old system in Los Angeles time, the new ones in UTC."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

_LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def _instant(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


FIRST = _instant("2007-01-16T00:00:00+00:00")
EXPORTED = _instant("2011-09-18T08:00:00+00:00")
"""When the hurried migration took its copy; customers went on using the old system."""
LAST = _instant("2011-10-10T16:00:00+00:00")


def local(instant: int) -> str:
    """The wall clock in Los Angeles, without an offset: what the old system stored."""
    return str(dt.datetime.fromtimestamp(instant, _LOS_ANGELES))[:19]


def utc(instant: int) -> str:
    """The same instant in UTC, without an offset: what the new systems store."""
    return str(dt.datetime.fromtimestamp(instant, dt.UTC))[:19]
