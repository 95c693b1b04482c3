"""Exact Arrow columns of SQLite, whose every value has a type of its own.

ADBC gives a column one type, by the values of a result's first batch, and bends the rest to it: of
0.1 beside text it makes `1.000000e-01`, of 2**53 + 1 beside 0.1 a double. So a column is read
*plain* only where the type that came proves that nothing was bent, and else *apart*: each value's
own type, and the value in a form that nothing bends. See docs/decisions/0015.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem
from safeguard.systems.interface import Output, SourceType
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.sqlite_catalog import quoted

_REAL = re.compile(r"REAL|FLOA|DOUB")
_NOT_REAL = re.compile(r"INT|CHAR|CLOB|TEXT|BLOB")
_TEXT = re.compile(r"CHAR|CLOB|TEXT")


class ColumnReader:
    """How one output is selected, and what comes of it.

    `plain` as long as the types that come prove it exact: it must be of a table, and a result of one
    batch. (In a table's column of REAL affinity SQLite makes reals of integers.)
    """

    def __init__(self, output: Output, *, plain: bool) -> None:
        self.output = output
        self._sql = quoted(output.sql) if output.is_column else bracketed(output.sql)
        declared = output.type if plain and output.is_column else SourceType(None)
        self._real = _has_real_affinity(declared.declared)
        self._raw = self._real or declared.kind is TypeName.INTEGER
        self._may_mix = output.key and not _has_text_affinity(declared.declared)
        self.plain = output.condition or (plain and declared.kind is not TypeName.BYTES)

    def selected(self) -> list[str]:
        """SQL of the one or three columns to read."""
        if self.output.condition:
            return [f"({self._sql} IS TRUE)"]
        if not self.plain:
            text = f"CASE typeof({self._sql}) WHEN 'integer' THEN CAST({self._sql} AS TEXT)"
            return [
                f"typeof({self._sql})",
                f"iif(typeof({self._sql}) = 'real', {self._sql}, 0.0)",
                f"{text} WHEN 'real' THEN '' WHEN 'null' THEN '' ELSE {self._sql} END",
            ]
        if self._raw:
            return [self._sql]
        # A real among texts comes as bytes, and the column's type tells of it.
        return [f"iif(typeof({self._sql}) = 'real', x'00', {self._sql})"]

    def read(self, columns: Sequence[pa.Array[Any]]) -> pa.Array[Any] | None:
        """The column of a result's columns; None where the plain one is not proven exact.
        Raises ArrowInvalid for text that is not UTF-8."""
        if self.output.condition:
            return columns[0].cast(pa.bool_())
        found = self._proven(columns[0]) if self.plain else self._together(*columns)
        if found is not None:
            found.validate(full=True)
        return found

    def _proven(self, column: pa.Array[Any]) -> pa.Array[Any] | None:
        """Integers come as such only where all are. Texts, where neither reals nor bytes stand
        among them; an integer among texts is its digits, which of a key must be told."""
        if column.null_count == len(column):
            return pa.nulls(len(column))
        if pa.types.is_int64(column.type):
            return column
        if pa.types.is_floating(column.type):
            return column if self._real else None
        told = pa.types.is_string(column.type) and not self._raw and not self._may_mix
        return column if told else None

    def _together(
        self, kinds: pa.Array[Any], reals: pa.Array[Any], others: pa.Array[Any]
    ) -> pa.Array[Any]:
        """One column of values read apart: of its own type where all share one, else exact text,
        with bytes apart from it, and of a key numbers too."""
        present = pc.not_equal(kinds, "null")
        found = set(pc.unique(kinds).to_pylist()) - {"null"}
        if not found:
            return pa.nulls(len(kinds))
        if found == {"real"}:
            return _where(present, reals)
        if found == {"integer"}:
            return _where(present, others.cast(pa.string())).cast(pa.int64())
        if found == {"blob"}:
            return _where(present, others.cast(pa.binary()))
        if "blob" not in found and not self.output.key:
            return _where(present, _texts(kinds, reals, others))
        numbers = ("integer", "real") if self.output.key else ()
        return _split(present, numbers, kinds, reals, others)


def batch_of(
    found: pa.RecordBatch, readers: Sequence[ColumnReader], where: str
) -> pa.RecordBatch | None:
    """The outputs of a result. None where a plain column was not proven: its reader then reads
    apart, and the same rows must be read again."""
    arrays: list[pa.Array[Any] | None] = []
    columns = iter(found.columns)
    for reader in readers:
        own = [next(columns) for _ in reader.selected()]
        arrays.append(_read(reader, own, where))
    for reader, array in zip(readers, arrays, strict=True):
        reader.plain = reader.plain and array is not None
    if any(array is None for array in arrays):
        return None
    return pa.RecordBatch.from_arrays(arrays, names=[each.output.name for each in readers])


def selected(readers: Iterable[ColumnReader]) -> str:
    """The SELECT list of all readers, each column under a name that no other has."""
    sql = [each for reader in readers for each in reader.selected()]
    return ", ".join(f"{each} AS c{number}" for number, each in enumerate(sql))


def _read(
    reader: ColumnReader, columns: Sequence[pa.Array[Any]], where: str
) -> pa.Array[Any] | None:
    try:
        return reader.read(columns)
    except pa.ArrowInvalid:  # its words would quote the text, which is the customer's
        column = reader.output.sql
        raise SystemProblem(f"{where}: column `{column}` holds text not in UTF-8") from None


def _split(
    present: pa.Array[Any],
    numbers: tuple[str, ...],
    kinds: pa.Array[Any],
    reals: pa.Array[Any],
    others: pa.Array[Any],
) -> pa.Array[Any]:
    """A struct of texts, of bytes, and of `numbers` as texts: of each row one is there, or none."""
    blobs = pc.equal(kinds, "blob")
    raw = others.cast(pa.binary())
    texts = _texts(kinds, reals, pc.if_else(blobs, pa.scalar(b""), raw))
    numeric = pc.is_in(kinds, pa.array(numbers, pa.string()))
    parts = {
        "text": _where(pc.and_not(pc.and_not(present, blobs), numeric), texts),
        "bytes": _where(blobs, raw),
        "number": _where(numeric, texts),
    }
    return pa.StructArray.from_arrays([*parts.values()], [*parts], mask=pc.invert(present))


def _texts(kinds: pa.Array[Any], reals: pa.Array[Any], others: pa.Array[Any]) -> pa.Array[Any]:
    """As everywhere a number is written: a real like one of a column of reals alone."""
    return pc.if_else(pc.equal(kinds, "real"), reals.cast(pa.string()), others.cast(pa.string()))


def _where(mask: pa.Array[Any], values: pa.Array[Any]) -> pa.Array[Any]:
    return pc.if_else(mask, values, pa.scalar(None, values.type))


def _has_text_affinity(declared: str) -> bool:
    """See sqlite.org/datatype3.html, 3.1: such a column keeps no number."""
    word = declared.upper()
    return bool(_TEXT.search(word)) and "INT" not in word


def _has_real_affinity(declared: str) -> bool:
    """See sqlite.org/datatype3.html, 3.1: rules 1 to 4 in their order."""
    word = declared.upper()
    return bool(_REAL.search(word)) and not _NOT_REAL.search(word)
