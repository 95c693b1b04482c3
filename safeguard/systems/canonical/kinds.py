"""Of what kinds the values of one raw column are, where a system lets them differ."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.canonical import arrays


def kinds_of(raw: pa.Array[Any]) -> frozenset[str]:
    """Which of `number`, `text`, `bytes`, ... a raw column holds. More than one comes of SQLite, where
    every value has a type of its own, and of JSON lines: there `'1'` and `1` are two values, and may
    be two keys, that canonical form makes one."""
    raw = arrays.plain(raw)
    if pa.types.is_null(raw.type) or raw.null_count == len(raw):
        return frozenset()
    if not pa.types.is_struct(raw.type):
        return frozenset({_kind(raw)})
    present = raw.filter(pc.is_valid(raw))
    if "string" in raw.type.names:  # JSON lines
        strings = pc.struct_field(present, "string")
        found = {True: "text", False: "other"}
        return frozenset(found[each] for each in pc.unique(strings).to_pylist())
    held = ((name, pc.struct_field(present, name)) for name in raw.type.names)
    return frozenset(name for name, part in held if part.null_count < len(part))


def _kind(raw: pa.Array[Any]) -> str:
    if arrays.is_number(raw):
        return "number"
    if arrays.is_text(raw):
        return "text"
    return "bytes" if arrays.is_bytes(raw) else str(raw.type)
