"""Time zones by their IANA names."""

from __future__ import annotations

import functools
import zoneinfo

from safeguard.contract.spelling import did_you_mean


def unknown_zone(name: str) -> str | None:
    """Why `name` is no time zone, None if it is one."""
    if name in _zones():
        return None
    return f"unknown time zone `{name}`.{did_you_mean(name, _zones())}"


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
