"""The roundest border between two values, and how it is written.

A range holds from its `low` on, up to but not including its `high`. Between the last value outside and
the first inside, any border tells them apart; people remember the round one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """What the values of a trait are, and how DuckDB holds them."""

    WHOLE = "whole number"  # BIGINT
    LENGTH = "length"  # BIGINT
    REAL = "number"  # DOUBLE
    MOMENT = "moment"  # BIGINT, microseconds since 1970
    DAY = "day"  # BIGINT, days since 1970
    WORD = "word"  # VARCHAR
    FLAG = "flag"  # BOOLEAN


_LIMITS = (2**63 - 1, 2**53, 2**32 - 1, 2**31 - 1, 2**24 - 1, 65_535, 32_767, 255, 127)
"""The last values that columns and protocols hold: what lies beyond them is lost for a reason."""
_LENGTHS = (65_535, 4_000, 1_000, 500, 255, 191, 128, 100, 64, 50)
"""How long text columns are."""
_MICROSECONDS, _DAY = 1_000_000, 86_400_000_000
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  instants are shown as UTC, and wall times as they are


def border(form: Form, outside: Any, inside: Any) -> Any:
    """The roundest value above `outside` and not above `inside`."""
    if form in (Form.WHOLE, Form.LENGTH):
        return _last_whole(form, outside, inside - 1) + 1
    if form is Form.REAL:
        return _real(outside, inside)
    if form is Form.MOMENT:
        return _moment(outside, inside)
    if form is Form.DAY:
        return _moment(outside * _DAY, inside * _DAY) // _DAY
    return next(inside[:n] for n in range(1, len(inside) + 1) if inside[:n] > outside)


def _last_whole(form: Form, first: int, last: int) -> int:
    """The roundest whole number from `first` to `last`."""
    known = (*_LENGTHS, *_LIMITS) if form is Form.LENGTH else _LIMITS
    for limit in known:
        if first <= limit <= last:
            return limit
    steps: Iterator[int] = (10**power for power in range(18, -1, -1))
    return next(last // step * step for step in steps if last // step * step >= first)


def _real(outside: float, inside: float) -> float:
    exact = Decimal(repr(inside))
    for power in range(18, -10, -1):
        step = Decimal(10) ** power
        found = float((exact / step).to_integral_value(ROUND_FLOOR) * step)
        if outside < found <= inside:
            return found
    return inside


def _moment(outside: int, inside: int) -> int:
    """The first moment of a year, month, day, hour, minute or second, whichever is the longest."""
    try:
        when = _EPOCH + dt.timedelta(microseconds=inside)
    except OverflowError:
        return inside
    floors = (
        when.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0),
        when.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        when.replace(hour=0, minute=0, second=0, microsecond=0),
        when.replace(minute=0, second=0, microsecond=0),
        when.replace(second=0, microsecond=0),
        when.replace(microsecond=0),
    )
    every = ((floor - _EPOCH) // dt.timedelta(microseconds=1) for floor in floors)
    return next((found for found in every if outside < found), inside)


def written(form: Form, value: Any, *, border: bool = False) -> str:
    """A value as people read it; ids are not grouped, borders are."""
    if form in (Form.WHOLE, Form.LENGTH):
        return f"{value:,}" if border else str(value)
    if form is Form.REAL:
        return _plain(value, border)
    if form in (Form.MOMENT, Form.DAY):
        return _time(value * _DAY if form is Form.DAY else value)
    return f'"{value}"'


def _plain(value: float, grouped: bool) -> str:
    if value.is_integer() and abs(value) < 2**53:
        return f"{int(value):,}" if grouped else str(int(value))
    return repr(value)


def _time(microseconds: int) -> str:
    """As the findings show it, without the parts that are zero."""
    try:
        when = _EPOCH + dt.timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds // _MICROSECONDS:,} seconds from 1970 on"
    if microseconds % _DAY == 0:
        return when.date().isoformat()
    return when.isoformat(" ").removesuffix(":00")
