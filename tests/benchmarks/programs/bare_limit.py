"""Reads both sides to the end at once, as Arrow, by the fastest driver, and throws the rows away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from sides import Side, answer, at_once, both


def read(side: Side) -> int:
    """Number of rows."""
    return sum(batch.num_rows for batch in batches(side))


def batches(side: Side) -> Iterator[Any]:
    """All rows as Arrow batches, one at a time where the driver can."""
    match side.engine:
        case "postgresql":
            from adbc_driver_postgresql import dbapi

            yield from _adbc(dbapi.connect(side.url), side)
        case "sqlite":
            from adbc_driver_sqlite import dbapi

            yield from _adbc(dbapi.connect(side.path), side)
        case "mariadb":
            import connectorx

            yield connectorx.read_sql(side.url, side.rows, return_type="arrow")
        case "parquet":
            from pyarrow.parquet import ParquetFile

            yield from ParquetFile(side.path).iter_batches()


def _adbc(connection: Any, side: Side) -> Iterator[Any]:
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(side.rows)
        yield from cursor.fetch_record_batch()


if __name__ == "__main__":
    old, new = at_once(read, *both())
    answer(old=old, new=new)
