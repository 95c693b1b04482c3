"""Small moves on Arrow arrays that every type's reading is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

type_of = pa.types


def plain(array: pa.Array[Any]) -> pa.Array[Any]:
    """The array without dictionary, extension or large/view encodings."""
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    kind = array.type
    if type_of.is_dictionary(kind):
        return plain(array.cast(kind.value_type))
    if type_of.is_large_string(kind) or type_of.is_string_view(kind):
        return array.cast(pa.string())
    if type_of.is_large_binary(kind) or type_of.is_binary_view(kind):
        return array.cast(pa.binary())
    return array


def nulls(array: pa.Array[Any], kind: pa.DataType) -> pa.Array[Any]:
    """As many NULLs, of another type: nothing here can be read."""
    return pa.nulls(len(array), kind)


def matching(array: pa.Array[Any], pattern: str) -> pa.Array[Any]:
    """The texts that match (RE2, anchor it yourself); NULL in place of the others."""
    return pc.if_else(pc.match_substring_regex(array, pattern), array, pa.scalar(None, array.type))


def by_value(raw: pa.Array[Any], done: pa.Array[Any], read: Callable[[Any], Any]) -> pa.Array[Any]:
    """`done`, with what is still NULL there but not in `raw` read one by one.

    `read` raises ValueError for what does not parse, which stays NULL. For the rare odd value.
    """
    open_ones = pc.and_(pc.is_valid(raw), pc.is_null(done))
    if not pc.any(open_ones).as_py():
        return done
    seen: dict[Any, Any] = {}
    found = []
    for value in raw.filter(open_ones).to_pylist():
        if value not in seen:
            seen[value] = _attempt(read, value)
        found.append(seen[value])
    return pc.replace_with_mask(done, open_ones, pa.array(found, done.type))


def _attempt(read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, RecursionError, OverflowError):
        return None


def decoded(array: pa.Array[Any]) -> pa.Array[Any]:
    """Bytes as UTF-8 text; NULL where they are not UTF-8."""
    try:
        return array.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return by_value(array, nulls(array, pa.string()), lambda raw: raw.decode("utf-8"))


def is_text(array: pa.Array[Any]) -> bool:
    return bool(type_of.is_string(array.type))


def is_bytes(array: pa.Array[Any]) -> bool:
    return bool(type_of.is_binary(array.type) or type_of.is_fixed_size_binary(array.type))


def written(array: pa.Array[Any]) -> pa.Array[Any] | None:
    """The array as text, where it is text, UTF-8 bytes, a number or a truth value; else None.

    Exact: floats come as their shortest decimal text (of their own width), decimals as stored.
    """
    kind = array.type
    if is_text(array):
        return array
    if is_bytes(array):
        return decoded(array)
    if is_number(array) or type_of.is_boolean(kind):
        return array.cast(pa.string())
    return None


def is_number(array: pa.Array[Any]) -> bool:
    kind = array.type
    return bool(type_of.is_integer(kind) or type_of.is_floating(kind) or type_of.is_decimal(kind))
