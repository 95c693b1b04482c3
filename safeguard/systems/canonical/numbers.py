"""Integers, decimals and floats: exact, and never by way of a float that was not one."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.contract.types import TypeName
from safeguard.systems.canonical import arrays
from safeguard.systems.canonical.column import CanonicalColumn, Reading, Storage

INT64_MAX = 2**63 - 1
_FRACTIONAL = (TypeName.DECIMAL, TypeName.FLOAT)
MOST_DIGITS = 200_000
"""A number written out with more digits does not parse: `1e999999999` would fill the memory."""

_NUMBER = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,9}))?")
_SURE_FLOAT = (
    r"^-?(?:[0-9]{1,9}(?:\.[0-9]{1,8})?|0\.[0-9]{1,17}|[0-9]\.[0-9]{1,16}|[0-9]{2,3}\.[0-9]{1,14}"
    r"|[0-9]{4,6}\.[0-9]{1,11})$"
)
"""At most 17 digits, neither large nor tiny: the nearest double is what was meant (RE2)."""
_SPECIAL = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity"}


def plain_decimal(text: str) -> str:
    """`+01.50e1` -> `15`: no exponent, no leading or trailing zeros, no `-0`. ValueError if none."""
    match = _NUMBER.fullmatch(text)
    if not match:
        return _special(text)
    sign, whole, fraction = match[1], match[2] or "", match[3] or match[4] or ""
    exponent = int(match[5] or 0)
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0"
    point = len(digits) - len(fraction) + exponent
    if max(abs(point), len(digits)) > MOST_DIGITS:
        raise ValueError("too many digits")
    return ("-" if sign == "-" else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    fraction = digits[point:].rstrip("0")
    return digits[:point] + (f".{fraction}" if fraction else "")


def _special(text: str) -> str:
    bare = text.lstrip("+-")
    word = _SPECIAL.get(bare.lower())
    if word is None or len(text) - len(bare) > 1:
        raise ValueError(f"{text!r} is not a number")
    return f"-{word}" if text[0] == "-" and word != "NaN" else word


def read_decimal(raw: pa.Array[Any]) -> Reading:
    """Plain decimal text; NaN and infinities under those names."""
    text = _number_text(raw)
    if text is None:
        return Reading(arrays.nulls(raw, pa.string()))
    fast = arrays.matching(text, r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$")
    if pc.any(pc.match_substring(fast, ".")).as_py():
        fast = pc.replace_substring_regex(fast, r"(\.[0-9]*?)0+$", r"\1")
        fast = pc.replace_substring_regex(fast, r"\.$", "")
    fast = _without_minus_zero(fast)
    return Reading(arrays.by_value(text, fast, plain_decimal))


def _without_minus_zero(text: pa.Array[Any]) -> pa.Array[Any]:
    return pc.if_else(pc.equal(text, "-0"), "0", text)


def _number_text(raw: pa.Array[Any]) -> pa.Array[Any] | None:
    if pa.types.is_boolean(raw.type):
        return raw.cast(pa.int8()).cast(pa.string())
    return arrays.written(raw)


def read_integer(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    """Exact integers of any size as text, or those of 64 bits as such."""
    if pa.types.is_boolean(raw.type):
        raw = raw.cast(pa.int8())
    if pa.types.is_integer(raw.type):
        if column.storage is Storage.TEXT:
            return Reading(raw.cast(pa.string()))
        return Reading(_within_int64(raw).cast(pa.int64()))
    text = _whole_text(raw, column.source.kind)
    if text is None:
        return Reading(arrays.nulls(raw, column.storage.arrow))
    if column.storage is Storage.TEXT:
        fast = _without_minus_zero(arrays.matching(text, r"^-?(?:0|[1-9][0-9]*)$"))
        return Reading(arrays.by_value(text, fast, _plain_integer))
    fast = arrays.matching(text, r"^-?(?:0|[1-9][0-9]{0,17})$").cast(pa.int64())
    return Reading(arrays.by_value(text, fast, _small_integer))


def _within_int64(raw: pa.Array[Any]) -> pa.Array[Any]:
    if raw.type != pa.uint64():
        return raw
    fits = pc.less_equal(raw, pa.scalar(INT64_MAX, pa.uint64()))
    return pc.if_else(fits, raw, pa.scalar(None, pa.uint64()))


def _whole_text(raw: pa.Array[Any], declared: TypeName | None) -> pa.Array[Any] | None:
    """Text as it is; numbers of a float or decimal column only where they are whole."""
    if pa.types.is_floating(raw.type):
        raw = _doubles(raw)
    text = arrays.written(raw)
    if text is None or not (arrays.is_number(raw) or declared in _FRACTIONAL):
        return text
    whole = pc.replace_substring_regex(text, r"^(-?[0-9]+)\.0+$", r"\1")
    return arrays.by_value(text, arrays.matching(whole, r"^-?[0-9]+$"), plain_decimal)


def _plain_integer(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(f"{text!r} is not a whole number")
    return plain_decimal(text)


def _small_integer(text: str) -> int:
    plain = _plain_integer(text)
    if len(plain) > 20 or not -INT64_MAX - 1 <= int(plain) <= INT64_MAX:
        raise ValueError(f"{text!r} is beyond 64 bits")
    return int(plain)


def read_float(raw: pa.Array[Any]) -> Reading:
    """Doubles with one NaN and one zero; what a double cannot hold does not parse."""
    if pa.types.is_boolean(raw.type):
        raw = raw.cast(pa.int8())
    if pa.types.is_floating(raw.type):
        return Reading(_one_zero(_doubles(raw)))
    text = arrays.written(raw)
    if text is None:
        return Reading(arrays.nulls(raw, pa.float64()))
    sure = arrays.matching(text, _SURE_FLOAT).cast(pa.float64())
    return Reading(_one_zero(arrays.by_value(text, sure, exact_float)))


def _doubles(raw: pa.Array[Any]) -> pa.Array[Any]:
    # By its shortest decimal, a float32 0.1 is the double 0.1, not 0.10000000149.
    return raw if raw.type == pa.float64() else raw.cast(pa.string()).cast(pa.float64())


def _one_zero(values: pa.Array[Any]) -> pa.Array[Any]:
    positive = pc.add(values, 0.0)
    return pc.if_else(pc.is_nan(positive), pa.scalar(math.nan), positive)


def exact_float(text: str) -> float:
    """The double that a decimal text stands for. ValueError where that would lose something:
    overflow, underflow, whole numbers between two doubles, more digits than a double prints."""
    plain = plain_decimal(text)
    value = float(plain)
    if plain in ("NaN", "Infinity", "-Infinity"):
        return value
    if math.isinf(value) or (value == 0.0 and plain != "0"):
        raise ValueError(f"{text!r} is beyond a double")
    digits = len(plain.strip("-0.").replace(".", ""))
    written_out = text.lstrip("+-").isdigit()
    exact = Decimal(plain) in (Decimal(value), Decimal(repr(value)))
    if (digits > 17 or written_out) and not exact:
        raise ValueError(f"{text!r} is not exactly a double")
    return value
