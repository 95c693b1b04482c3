"""JSON as one canonical text: keys sorted, arrays in order, numbers as exact decimals."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any, NoReturn

import pyarrow as pa

from safeguard.systems.canonical import arrays
from safeguard.systems.canonical.column import Reading
from safeguard.systems.canonical.numbers import plain_decimal

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """A number as plain decimal text, told apart from a string."""


def read_json(raw: pa.Array[Any]) -> Reading:
    """Canonical text; a repeated key, NaN, or anything that RFC 8259 does not allow is NULL."""
    text = arrays.written(raw)
    if text is None:
        return Reading(arrays.nulls(raw, pa.string()))
    return Reading(arrays.by_value(text, arrays.nulls(raw, pa.string()), canonical_json))


def canonical_json(text: str) -> str:
    """The canonical text of one JSON value. ValueError, or RecursionError when nested too deep."""
    try:
        written = _PLAIN_ENCODER.encode(_PLAIN_DECODER.decode(text))
    except ValueError:
        # A fraction, a number of thousands of digits, or no JSON at all: the careful way decides.
        return _write(_DECODER.decode(text))
    return written if _SURROGATE.search(written) is None else _write(_DECODER.decode(text))


def parsed_json(text: str) -> Any:
    """A document as Python values; its numbers stay what `written_json` writes them as."""
    return _DECODER.decode(text)


def written_json(value: Any) -> str:
    """The canonical text of what `parsed_json` gave."""
    return _write(value)


def _number(text: str) -> _Number:
    return _Number(plain_decimal(text))


def _integer(text: str) -> _Number:
    return _Number("0" if text == "-0" else text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a repeated key")
    return found


_DECODER = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_refuse,
    object_pairs_hook=_unrepeated,
)


def _careful(text: str) -> NoReturn:
    raise ValueError(f"{text} needs care")


_PLAIN_DECODER = json.JSONDecoder(
    parse_float=_careful, parse_constant=_refuse, object_pairs_hook=_unrepeated
)
_PLAIN_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
)
"""Documents without fractions, which most are, go through the parser and writer of the standard
library in C: five times faster, and the same text."""


def _write(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{_write(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item) for item in value) + "]"
    return {True: "true", False: "false", None: "null"}[value]


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if _SURROGATE.search(quoted):
        return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", quoted)
    return quoted
