"""Text, truth values, UUIDs and bytes."""

from __future__ import annotations

import re
from array import array
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.canonical import arrays
from safeguard.systems.canonical.calendar import read_date
from safeguard.systems.canonical.column import CanonicalColumn, Reading

_TRUE = pa.array(["true", "t", "1"])
_FALSE = pa.array(["false", "f", "0"])
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_BARE_UUID = r"^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$"


def read_text(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    """Code points as stored, but for the trailing blanks of a blank-padded CHAR."""
    text = read_date(raw).values if pa.types.is_date32(raw.type) else arrays.written(raw)
    if text is None:
        return Reading(arrays.nulls(raw, pa.string()))
    if column.source.blank_padded:
        text = pc.utf8_rtrim(text, characters=" ")
    return Reading(text)


def read_boolean(raw: pa.Array[Any]) -> Reading:
    """true/false, t/f, 1/0 and nothing else; a bit comes as one byte."""
    if pa.types.is_boolean(raw.type):
        return Reading(raw)
    if arrays.is_bytes(raw):
        raw = arrays.by_value(raw, arrays.nulls(raw, pa.string()), _bit)
    text = arrays.written(raw)
    if text is None:
        return Reading(arrays.nulls(raw, pa.bool_()))
    if arrays.is_number(raw) and not pa.types.is_integer(raw.type):
        text = pc.replace_substring_regex(text, r"^([01])\.0+$", r"\1")
    lower = pc.ascii_lower(text)
    false = pc.if_else(pc.is_in(lower, _FALSE), pa.scalar(False), pa.scalar(None, pa.bool_()))
    return Reading(pc.if_else(pc.is_in(lower, _TRUE), pa.scalar(True), false))


def _bit(raw: bytes) -> str:
    return {b"\x00": "0", b"\x01": "1"}.get(raw) or raw.decode("utf-8")


def read_uuid(raw: pa.Array[Any]) -> Reading:
    """Lower case 8-4-4-4-12, of 16 bytes or of text in any case, with or without its dashes."""
    if arrays.is_bytes(raw):
        return Reading(_uuid_of_bytes(raw))
    if not arrays.is_text(raw):
        return Reading(arrays.nulls(raw, pa.string()))
    lower = pc.ascii_lower(raw)
    found = arrays.matching(lower, _UUID)
    if found.null_count > raw.null_count:
        found = pc.coalesce(found, _dashed(arrays.matching(lower, _BARE_UUID)))
    return Reading(found)


def _dashed(text: pa.Array[Any]) -> pa.Array[Any]:
    return pc.replace_substring_regex(text, _BARE_UUID, r"\1-\2-\3-\4-\5")


def _uuid_of_bytes(raw: pa.Array[Any]) -> pa.Array[Any]:
    sixteen = pc.equal(pc.binary_length(raw), 16)
    fixed = pc.if_else(sixteen, raw, pa.scalar(None, raw.type)).cast(pa.binary(16))
    return arrays.by_value(raw, _dashed(_hex(fixed)), _uuid_text)


def _hex(fixed: pa.Array[Any]) -> pa.Array[Any]:
    """16 bytes each as 32 hex digits, in one go over the whole buffer."""
    filled = pc.fill_null(fixed, bytes(16))
    data = filled.buffers()[1]
    start = filled.offset * 16
    digits = data.to_pybytes()[start : start + len(filled) * 16].hex().encode("ascii")
    offsets = array("i", range(0, 32 * len(filled) + 1, 32))
    text = pa.StringArray.from_buffers(len(filled), pa.py_buffer(offsets), pa.py_buffer(digits))
    return pc.if_else(pc.is_valid(fixed), text, pa.scalar(None, pa.string()))


def _uuid_text(raw: bytes) -> str:
    bare = raw.decode("ascii").lower()
    if re.fullmatch(_UUID, bare):
        return bare
    if not re.fullmatch(_BARE_UUID, bare):
        raise ValueError("not a UUID")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


def read_bytes(raw: pa.Array[Any]) -> Reading:
    """Bytes as stored; text only in the hex form that PostgreSQL writes, `\\x00ff`."""
    if arrays.is_bytes(raw):
        return Reading(raw.cast(pa.binary()))
    if not arrays.is_text(raw):
        return Reading(arrays.nulls(raw, pa.binary()))
    return Reading(arrays.by_value(raw, arrays.nulls(raw, pa.binary()), _bytes_of_hex))


def _bytes_of_hex(text: str) -> bytes:
    if not re.fullmatch(r"\\x(?:[0-9a-fA-F]{2})*", text):
        raise ValueError("not hex")
    return bytes.fromhex(text[2:])
