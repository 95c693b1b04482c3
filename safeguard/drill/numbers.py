"""Faults of numbers and times: off by the least there is, rounded by a float, an hour away."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from safeguard.contract.types import AcceptForm, TypeName
from safeguard.drill.kinds import FaultKind
from safeguard.drill.values import UNFIT, Seen, value_fault
from safeguard.findings.words import Cause
from safeguard.planning.layout import FieldSlot
from safeguard.systems.canonical import INFINITY, Storage
from safeguard.systems.canonical.column import ALTERNATE
from safeguard.systems.canonical.numbers import plain_decimal

EXACT = 2**53
"""Beyond it a float of 64 bits can't tell a whole number from its neighbour."""
_LARGEST = 2**63 - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HOUR = 3_600_000_000
_SUMMER = range(4, 10)
"""April to September: where the declared zone has no summer time, or none is declared."""


def _off_by_one(seen: Seen) -> Any:
    """One more in the last digit that the value shows, or that the type holds."""
    value = seen.value
    if value is None:
        return UNFIT
    if seen.typed.storage is Storage.INT64:
        return value + 1 if value < _LARGEST else value - 1
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        return UNFIT
    _, digits, exponent = number.as_tuple()
    scale = int(seen.typed.type.argument or 0) if seen.typed.type.name is TypeName.DECIMAL else 0
    assert isinstance(exponent, int)
    least = Decimal(1).scaleb(min(-scale, exponent))
    changed = Decimal(int(number / least) + 1) * least if len(digits) < 25 else UNFIT
    if isinstance(changed, Decimal):
        return float(changed) if isinstance(value, float) else plain_decimal(str(changed))
    return UNFIT


def _through_a_float(seen: Seen) -> Any:
    """A whole number above 2**53 that a float stood for on its way."""
    try:
        value = int(seen.value)
    except (TypeError, ValueError):
        return UNFIT
    if abs(value) <= EXACT or int(float(value)) == value:
        return UNFIT
    rounded = int(float(value))
    if seen.typed.storage is Storage.INT64:
        return rounded if abs(rounded) < 2**63 else UNFIT
    return str(rounded)


def _an_hour_later(seen: Seen) -> Any:
    """Read or written in the wrong half of the year: only times in summer are off."""
    value, factor = seen.value, 1000 if seen.typed.nanoseconds else 1
    if value is None or abs(value) >= INFINITY - 10 or not _in_summer(seen, value // factor):
        return UNFIT
    return value + _HOUR * factor


def _in_summer(seen: Seen, micros: int) -> bool:
    """Well inside summer time, so that an hour later is no other reading of the same clock."""
    if seen.entry.row.get(seen.field.slot + ALTERNATE) is not None:
        return False
    try:
        moment = _EPOCH + dt.timedelta(microseconds=micros)
    except OverflowError:
        return False
    zone = ZoneInfo(seen.field.zone or seen.ground.zone or "UTC")
    days = (dt.timedelta(days=-2), dt.timedelta(days=2))
    try:
        if not any(moment.replace(month=m, day=15).astimezone(zone).dst() for m in (1, 7)):
            return moment.month in _SUMMER
        return all((moment + d).astimezone(zone).dst() for d in days)
    except (OverflowError, ValueError):
        return False


def _number(field: FieldSlot, route: int) -> bool:
    names = (TypeName.INTEGER, TypeName.DECIMAL, TypeName.FLOAT)
    return field.new[route].type.name in names


def _whole(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name is TypeName.INTEGER


def _moment(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name is TypeName.TIMESTAMP


NUMBERS: tuple[FaultKind, ...] = (
    value_fault(
        "number off by one in its last digit",
        _number,
        _off_by_one,
        excuses=frozenset({"within_tolerance", AcceptForm.ROUNDED}),
    ),
    value_fault(
        "whole number above 2^53 through a float",
        _whole,
        _through_a_float,
    ),
    value_fault(
        "timestamp shifted an hour in summer",
        _moment,
        _an_hour_later,
        frozenset({Cause.TIME_SHIFT}),
        frozenset({AcceptForm.TIME_TRUNCATED, "time_fold"}),
    ),
)
