"""Parquet: typed and exact; what DuckDB would read inexactly is staged by pyarrow first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem
from safeguard.systems.file_reading import Prepared, Span
from safeguard.systems.folder import FileTable
from safeguard.systems.interface import SourceType

BATCH_ROWS = 65_536


def prepare(table: FileTable, staging: Path) -> Prepared:
    """Count by the footers, and say how DuckDB reads the table."""
    try:
        footers = [pq.read_metadata(path) for path in table.files]
        schemas = [pq.read_schema(path).remove_metadata() for path in table.files]
    except (pa.ArrowException, OSError) as error:
        raise SystemProblem(f"{table.name} is not readable Parquet: {error}") from error
    if any(not schema.equals(schemas[0]) for schema in schemas):
        raise SystemProblem(f"the files of {table.name} have different columns")
    lower = [name.lower() for name in schemas[0].names]
    if len(set(lower)) != len(lower):
        raise SystemProblem(f"{table.name} has columns that differ only in case")
    types = {field.name.lower(): found for field in schemas[0] if (found := _own_type(field.type))}
    files = table.files
    if any(_staged(field.type) != field.type for field in schemas[0]):
        files = tuple(_stage(path, staging / f"{table.name}-{n}") for n, path in enumerate(files))
    return Prepared(
        "read_parquet",
        files,
        "hive_partitioning=false, union_by_name=false",
        tuple(schemas[0].names),
        sum(footer.num_rows for footer in footers),
        tuple(_spans(footers, cut="file_row_number" not in lower)),
        untyped=False,
        types=types,
    )


def _spans(footers: Sequence[pq.FileMetaData], *, cut: bool) -> Iterator[Span]:
    """The row groups of each file, or each file where DuckDB cannot number the rows of one."""
    for file, footer in enumerate(footers):
        sizes = [footer.row_group(n).num_rows for n in range(footer.num_row_groups)]
        ends = [0, *accumulate(sizes)] if cut else [0, footer.num_rows]
        yield from (Span(file, first, last) for first, last in pairwise(ends))


def _own_type(kind: pa.DataType) -> SourceType | None:
    """The type where DuckDB alone would not tell it."""
    if pa.types.is_decimal256(kind) and kind.precision > 38:
        return SourceType(TypeName.DECIMAL, str(kind))
    if pa.types.is_timestamp(kind) and kind.tz is not None and kind.unit == "ns":
        return SourceType(TypeName.TIMESTAMP, str(kind), aware=True, nanoseconds=True)
    if pa.types.is_duration(kind):
        return SourceType(None, str(kind), unsupported="a duration has no canonical form")
    return None


def _staged(kind: pa.DataType) -> pa.DataType:
    """DuckDB makes doubles of decimals beyond 38 digits, and cuts zoned nanoseconds."""
    own = _own_type(kind)
    if own is None or own.unsupported:
        return kind
    return pa.string() if own.kind is TypeName.DECIMAL else pa.timestamp("ns")


def _stage(path: Path, copy: Path) -> Path:
    with pq.ParquetFile(path) as file:
        schema = pa.schema([field.with_type(_staged(field.type)) for field in file.schema_arrow])
        with pq.ParquetWriter(copy, schema) as writer:
            for batch in file.iter_batches(BATCH_ROWS):
                columns = [
                    column.cast(field.type) if column.type != field.type else column
                    for column, field in zip(batch.columns, schema, strict=True)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    return copy
