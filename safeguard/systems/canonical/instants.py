"""Timestamps as instants: whole microseconds (or nanoseconds) since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.canonical import arrays
from safeguard.systems.canonical.calendar import SURE_DATE, days_of, parse_date
from safeguard.systems.canonical.column import CanonicalColumn, Reading
from safeguard.systems.canonical.zones import offset_at, readings

INFINITY = 2**63 - 1
MINUS_INFINITY = -(2**63) + 1
ZERO_DATE = -(2**63) + 2
_ENDS = (MINUS_INFINITY, INFINITY)
_SENTINELS = {
    "infinity": INFINITY,
    "-infinity": MINUS_INFINITY,
    "0000-00-00": ZERO_DATE,
    "0000-00-00 00:00:00": ZERO_DATE,
    "0000-00-00T00:00:00": ZERO_DATE,
}
_NONE = pa.scalar(None, pa.int64())
_NANO = 1_000_000_000
_UNIT_NANOS = {"s": _NANO, "ms": 1_000_000, "us": 1_000, "ns": 1}
_USUAL = (days_of(2, 1, 1) * 86_400, days_of(9999, 1, 1) * 86_400)
"""Seconds within which Arrow's own arithmetic and zones do not overflow."""
_ARROW_ZONES_END = days_of(2037, 1, 1) * 86_400 * 1_000_000
"""From here on Arrow forgets summer time: it reads no rules beyond a zone file's own list."""

_STAMP = re.compile(
    r"(?P<date>[0-9]{4,7}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<h>[01][0-9]|2[0-3]):(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9])(?:\.(?P<f>[0-9]{1,9}))?"
    r"(?:(?P<z>Z)|(?P<sign>[+-])(?P<oh>0[0-9]|1[0-5])(?::?(?P<om>[0-5][0-9]))?(?::(?P<os>[0-5][0-9]))?)?"
    r")?(?P<bc> BC)?"
)
_HOURS_EAST = "(?:0[0-9]|1[0-5])"
_FAST = (
    rf"^(?P<stamp>{SURE_DATE}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    rf"(?:\.[0-9]{{1,6}})?)(?P<offset>Z|[+-]{_HOURS_EAST}(?::?[0-5][0-9])?)?$"
)


@dataclass(frozen=True)
class _Stamp:
    """A reading of one value: nanoseconds of wall time, or of an instant if `aware`."""

    nanos: int
    aware: bool


_Parse = Callable[[Any], "_Stamp | int"]


def read_timestamp(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    """Instants, with the second reading of a naive time in a fold or gap where asked for."""
    if arrays.is_bytes(raw):
        raw = arrays.decoded(raw)
    if pa.types.is_date(raw.type):
        raw = _midnights(raw)
    if pa.types.is_timestamp(raw.type):
        return _of_arrow(raw, column)
    if arrays.is_text(raw):
        return _of_text(raw, column)
    return Reading(arrays.nulls(raw, pa.int64()))


def _midnights(raw: pa.Array[Any]) -> pa.Array[Any]:
    days = raw.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    seconds = pc.multiply(days, 86_400)
    largest = pa.scalar(2**31 - 1, pa.int64())
    ends = pc.if_else(pc.greater(days, 0), INFINITY, MINUS_INFINITY)
    return pc.if_else(pc.equal(pc.abs(days), largest), ends, seconds).cast(pa.timestamp("s"))


def _of_arrow(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    unit = _UNIT_NANOS[raw.type.unit]
    aware = raw.type.tz is not None or column.source.aware
    ticks = raw.cast(pa.int64())
    per_second = _NANO // unit
    usual = pc.and_(
        pc.greater(ticks, max(_USUAL[0] * per_second, MINUS_INFINITY)),
        pc.less(ticks, min(_USUAL[1] * per_second, INFINITY)),
    )
    fast = _micros(pc.if_else(usual, ticks, _NONE), unit)
    return _mended(
        ticks, _placed(fast, aware, column), column, lambda tick: _tick(tick, unit, aware)
    )


def _micros(ticks: pa.Array[Any], unit: int) -> pa.Array[Any]:
    """Whole microseconds; NULL for those that are not."""
    if unit >= 1_000:
        return pc.multiply(ticks, unit // 1_000)
    whole = pc.divide(ticks, 1_000)
    exact = pc.equal(pc.multiply(whole, 1_000), ticks)
    return pc.if_else(exact, whole, _NONE)


def _tick(tick: int, unit: int, aware: bool) -> _Stamp | int:
    return tick if tick in _ENDS else _Stamp(tick * unit, aware)


def _of_text(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    parts = pc.extract_regex(raw, _FAST)
    days = arrays.matching(raw, f"^{SURE_DATE}$")
    stamps = pc.coalesce(_found(pc.struct_field(parts, "stamp")), days)
    wall = stamps.cast(pa.timestamp("us")).cast(pa.int64())
    offset = pc.struct_field(parts, "offset")
    given = pc.fill_null(pc.not_equal(offset, ""), False)
    naive = pc.if_else(given, _NONE, wall)
    placed = _placed(naive, column.source.aware, column)
    if pc.any(given).as_py():
        aware = pc.if_else(given, pc.subtract(wall, _offset_micros(offset)), _NONE)
        placed = pc.coalesce(placed, _placed(aware, True, column))
    return _mended(raw, placed, column, lambda text: _parsed(text, column))


def _found(stamps: pa.Array[Any]) -> pa.Array[Any]:
    return pc.if_else(pc.equal(stamps, ""), pa.scalar(None, pa.string()), stamps)


def _offset_micros(offset: pa.Array[Any]) -> pa.Array[Any]:
    kinds = pc.unique(offset).to_pylist()
    known = {text: _offset_seconds(text) * 1_000_000 for text in kinds if text is not None}
    index = pc.index_in(offset, pa.array(list(known), pa.string()))
    return pc.take(pa.array(list(known.values()), pa.int64()), index)


def _offset_seconds(text: str) -> int:
    if text in ("", "Z"):
        return 0
    digits = text[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if text[0] == "-" else seconds


def _parsed(text: str, column: CanonicalColumn) -> _Stamp | int:
    sentinel = _SENTINELS.get(re.sub(r"\.0{1,9}$", "", text.lower().replace("t0", "T0")))
    if sentinel is not None:
        return sentinel
    match = _STAMP.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a timestamp")
    days = days_of(*parse_date(match["date"] + (match["bc"] or "")))
    seconds = days * 86_400
    seconds += int(match["h"] or 0) * 3600 + int(match["m"] or 0) * 60 + int(match["s"] or 0)
    aware = bool(match["z"] or match["sign"])
    if match["sign"]:
        digits = match["oh"] + (match["om"] or "00") + (match["os"] or "00")
        seconds -= _offset_seconds(match["sign"] + digits)
    nanos = seconds * _NANO + int((match["f"] or "0").ljust(9, "0"))
    return _Stamp(nanos, aware or column.source.aware)


def _placed(micros: pa.Array[Any], aware: bool, column: CanonicalColumn) -> pa.Array[Any]:
    """In the zone and unit of the column; NULL for what is left to `_mended`."""
    zone = column.zone
    if zone and zone != "UTC" and column.as_written == aware:
        known = pc.if_else(pc.less(micros, _ARROW_ZONES_END), micros, _NONE)
        stamps = known.cast(pa.timestamp("us"))
        micros = _sure_walls(stamps, zone) if aware else _sure_instants(stamps, zone)
    return _in_unit(micros, column)


def _sure_walls(instants: pa.Array[Any], zone: str) -> pa.Array[Any]:
    """Wall times that occur exactly once; NULL for the others, which are two instants each."""
    wall = pc.local_timestamp(instants.cast(pa.timestamp("us", zone)))
    sure = pc.is_valid(_sure_instants(wall, zone))
    return pc.if_else(sure, wall.cast(pa.int64()), _NONE)


def _sure_instants(wall: pa.Array[Any], zone: str) -> pa.Array[Any]:
    """Instants of the wall times that occur exactly once; NULL for the others."""
    earliest, latest = (
        pc.assume_timezone(wall, zone, ambiguous=which, nonexistent=which).cast(pa.int64())
        for which in ("earliest", "latest")
    )
    return pc.if_else(pc.equal(earliest, latest), earliest, _NONE)


def _in_unit(micros: pa.Array[Any], column: CanonicalColumn) -> pa.Array[Any]:
    if not column.nanoseconds:
        return micros
    fits = pc.less(pc.abs(micros), INFINITY // 1_000)
    return pc.multiply(pc.if_else(fits, micros, _NONE), 1_000)


def _mended(
    raw: pa.Array[Any], first: pa.Array[Any], column: CanonicalColumn, parse: _Parse
) -> Reading:
    """What the fast way left: folds, gaps, far years, sentinels; each read by Python's rules."""
    second = arrays.nulls(raw, pa.int64()) if column.alternate else None
    open_ones = pc.and_(pc.is_valid(raw), pc.is_null(first))
    if not pc.any(open_ones).as_py():
        return Reading(first, second)
    values = raw.filter(open_ones).to_pylist()
    seen = {value: _both(value, column, parse) for value in set(values)}
    firsts, seconds = (
        pa.array([seen[value][which] for value in values], pa.int64()) for which in (0, 1)
    )
    first = pc.replace_with_mask(first, open_ones, firsts)
    if second is not None:
        second = pc.replace_with_mask(second, open_ones, seconds)
    return Reading(first, second)


def _both(value: Any, column: CanonicalColumn, parse: _Parse) -> tuple[int | None, int | None]:
    try:
        stamp = parse(value)
        return (stamp, None) if isinstance(stamp, int) else _instants(stamp, column)
    except ValueError:
        return None, None


def _instants(stamp: _Stamp, column: CanonicalColumn) -> tuple[int, int | None]:
    zone, seconds = column.zone, stamp.nanos // _NANO
    if column.as_written and stamp.aware and zone:
        return _ticks(_wall(stamp, zone), column), None
    if column.as_written or stamp.aware or not zone:
        return _ticks(stamp.nanos, column), None
    early, late = readings(zone, seconds)
    first = _ticks(stamp.nanos - early * _NANO, column)
    return first, None if early == late else _ticks(stamp.nanos - late * _NANO, column)


def _wall(stamp: _Stamp, zone: str) -> int:
    """Nanoseconds of wall time. ValueError in a fold: two instants have that wall time, and kept
    as written they would be equal."""
    east = offset_at(zone, stamp.nanos // _NANO)
    early, late = readings(zone, stamp.nanos // _NANO + east)
    if early != late:
        raise ValueError("its wall time occurs twice")
    return stamp.nanos + east * _NANO


def _ticks(nanos: int, column: CanonicalColumn) -> int:
    ticks, rest = divmod(nanos, 1 if column.nanoseconds else 1_000)
    if rest:
        raise ValueError("finer than a microsecond")
    if not ZERO_DATE < ticks < INFINITY:
        raise ValueError("beyond what 64 bits hold")
    return ticks
