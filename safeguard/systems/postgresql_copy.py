"""Stream a query of PostgreSQL as Arrow: COPY in CSV, one server row a message, parsed by Arrow.

CSV is the one text form of COPY that tells NULL from '' and that a fast parser reads. A batch is cut
between messages, so no value is ever too long for a block.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as csv
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Output

BATCH_ROWS = 65_536
BATCH_BYTES = 16 << 20

_PARSE = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)


def copy_batches(
    connection: psycopg.Connection[Any], select_sql: str, outputs: tuple[Output, ...]
) -> Iterator[pa.RecordBatch]:
    """The rows of a SELECT with these outputs. Raises psycopg.Error as the server meets it."""
    parse = _parser(outputs)
    rows: list[bytes] = []
    size = 0
    for row in _messages(connection.pgconn, f"COPY ({select_sql}) TO STDOUT (FORMAT csv)"):
        rows.append(row)
        size += len(row)
        if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield parse(rows)
            rows, size = [], 0
    if rows:
        yield parse(rows)


def _messages(pgconn: PGconn, sql: str) -> Iterator[bytes]:
    # The extended protocol: a contract's SQL can't smuggle in a second statement.
    pgconn.send_query_params(sql.encode(), [])
    readable = _waiter(pgconn)
    while pgconn.flush():
        readable()
    result = _result(pgconn, readable)
    if result.status != ExecStatus.COPY_OUT:
        raise error_from_result(result)
    get = pgconn.get_copy_data
    while True:
        size, data = get(1)
        if size > 0:
            yield data  # type: ignore[misc]  # psycopg says memoryview, and gives one
        elif size == 0:
            readable()
        else:
            break
    _finish(pgconn, readable)


def _finish(pgconn: PGconn, readable: Callable[[], None]) -> None:
    while result := _result(pgconn, readable):
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)


def _result(pgconn: PGconn, readable: Callable[[], None]) -> Any:
    while pgconn.is_busy():
        readable()
    return pgconn.get_result()


def _waiter(pgconn: PGconn) -> Callable[[], None]:
    """Wait for the server where Ctrl-C is heard (libpq's own wait is deaf)."""
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)

    def wait() -> None:
        poll.poll()
        pgconn.consume_input()

    return wait


def _parser(outputs: tuple[Output, ...]) -> Callable[[list[bytes]], pa.RecordBatch]:
    places = [f"c{i}" for i in range(len(outputs))]
    # A header of ours: without it Arrow would take a first value's U+FEFF for a byte order mark.
    header = (",".join(places) + "\n").encode()
    names = [o.name for o in outputs]
    texts = [_arrow_type(o) for o in outputs]

    def parse(rows: list[bytes]) -> pa.RecordBatch:
        data = b"".join([header, *rows])
        table = _read(data, dict(zip(places, texts, strict=True)))
        columns = [
            _bytes_of(column) if o.type.kind is TypeName.BYTES else column
            for o, column in zip(outputs, (c.combine_chunks() for c in table.columns), strict=True)
        ]
        if len(columns[0]) != len(rows):
            raise ValueError(f"{len(rows)} rows came, {len(columns[0])} were parsed")
        return pa.RecordBatch.from_arrays(columns, names=names)

    return parse


def _read(data: bytes, types: dict[str, pa.DataType]) -> pa.Table:
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
        _PARSE,
        csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _arrow_type(output: Output) -> pa.DataType:
    if output.condition or output.type.kind is TypeName.BOOLEAN:
        return pa.bool_()
    if output.type.kind is TypeName.INTEGER:
        return pa.int64()
    return pa.string()


def _bytes_of(column: pa.Array[Any]) -> pa.Array[Any]:
    r"""bytea as COPY writes it, `\x` and hexadecimal digits."""
    raw = [None if v is None else bytes.fromhex(v[2:]) for v in column.to_pylist()]
    return pa.array(raw, pa.binary())
