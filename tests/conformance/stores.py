"""Each system filled with the table's values: one table per row, one entry, column `v`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from conformance.values import Row
from servers import Database

Fill = Callable[[Path, Sequence[tuple[str, Any]]], str]
"""Store (table, what to store) in a folder and give the system's URL."""


def name_of(row: Row) -> str:
    """The table that holds this row."""
    return f"{row.type}_{row.name}"


def _create(table: str, stored: tuple[str, str]) -> tuple[str, str]:
    declared, literal = stored
    return f"CREATE TABLE {table} (v {declared})", f"INSERT INTO {table} VALUES ({literal})"


def sqlite(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    connection = sqlite3.connect(folder / "values.db")
    for table, stored in values:
        for statement in _create(table, stored):
            connection.execute(statement)
    connection.commit()
    connection.close()
    return "sqlite:///values.db"


def generic(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    sqlite(folder, values)
    return f"sqlite+pysqlite:///{folder / 'values.db'}"


def duckdb_file(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    with duckdb.connect(str(folder / "values.duckdb")) as connection:
        for table, stored in values:
            for statement in _create(table, stored):
                connection.execute(statement)
    return "duckdb:///values.duckdb"


def csv(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    for table, cell in values:
        (folder / f"{table}.csv").write_bytes(f"n,v\n1,{cell}\n".encode())
    return "files:."


def jsonl(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    for table, token in values:
        (folder / f"{table}.jsonl").write_text(f'{{"v": {token}}}\n', encoding="utf-8")
    return "files:."


def parquet(folder: Path, values: Sequence[tuple[str, Any]]) -> str:
    for table, (kind, value) in values:
        array = pa.array([value], kind)
        pq.write_table(pa.table({"v": array}), folder / f"{table}.parquet")
    return "files:."


def in_server(database: Database, values: Sequence[tuple[str, Any]], first: str) -> str:
    """Fill a database of a real server; `first` goes before each statement."""
    for table, stored in values:
        database.execute(*(first + statement for statement in _create(table, stored)))
    return database.url


FILLS: dict[str, Fill] = {
    "sqlite": sqlite,
    "generic": generic,
    "duckdb": duckdb_file,
    "csv": csv,
    "jsonl": jsonl,
    "parquet": parquet,
}
