"""Lets each side count its rows: the least that any comparison must do."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sides import Side, answer, at_once, both


def count(side: Side) -> int:
    """`count(*)`, or what the Parquet footer says."""
    question = f"SELECT count(*) AS n FROM {side.table}"
    match side.engine:
        case "postgresql":
            from adbc_driver_postgresql import dbapi

            return _asked(dbapi.connect(side.url), question)
        case "sqlite":
            from adbc_driver_sqlite import dbapi

            return _asked(dbapi.connect(side.path), question)
        case "mariadb":
            import connectorx

            table = connectorx.read_sql(side.url, question, return_type="arrow")
            return int(table.column(0)[0].as_py())
        case _:
            from pyarrow.parquet import ParquetFile

            return int(ParquetFile(side.path).metadata.num_rows)


def _asked(connection: Any, question: str) -> int:
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    old, new = at_once(count, *both())
    answer(old=old, new=new)
