"""Wall time to instant and back in an IANA zone, of any year, by the rules of zoneinfo."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time, its zone is put on later
_CYCLE = 146_097 * 86_400
"""400 years: dates, weekdays and the rules of a zone that still stand repeat after them."""
_FIRST = (dt.date(2, 1, 1) - _EPOCH.date()).days * 86_400
_LAST = (dt.date(9998, 1, 1) - _EPOCH.date()).days * 86_400


@lru_cache(maxsize=4096)
def readings(zone: str, wall: int) -> tuple[int, int]:
    """Seconds east of UTC of a wall time (seconds since 1970), by PEP 495 fold 0 and fold 1.

    They differ where the wall time occurs twice, and where it does not occur at all.
    """
    moment = (_EPOCH + dt.timedelta(seconds=_near(wall))).replace(tzinfo=ZoneInfo(zone))
    return _east(moment), _east(moment.replace(fold=1))


@lru_cache(maxsize=4096)
def offset_at(zone: str, instant: int) -> int:
    """Seconds east of UTC at an instant (seconds since 1970)."""
    utc = (_EPOCH + dt.timedelta(seconds=_near(instant))).replace(tzinfo=dt.UTC)
    return _east(utc.astimezone(ZoneInfo(zone)))


def _near(seconds: int) -> int:
    if seconds < _FIRST:
        return seconds + _CYCLE * -((seconds - _FIRST) // _CYCLE)
    if seconds > _LAST:
        return seconds - _CYCLE * -((_LAST - seconds) // _CYCLE)
    return seconds


def _east(moment: dt.datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return offset.days * 86_400 + offset.seconds
