"""Tables of text cells, put into each kind of system with the column types that a user would have.

A cell is text or None (NULL). Types are neutral words (`TYPES`); each engine has its own for them.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from servers import Database

Cell = str | None

TYPES: dict[str, dict[str, str]] = {
    "text": {"sqlite": "TEXT", "postgresql": "text", "mariadb": "varchar(500)"},
    "integer": {"sqlite": "INTEGER", "postgresql": "bigint", "mariadb": "bigint"},
    "decimal": {"sqlite": "DECIMAL(20,6)", "postgresql": "numeric", "mariadb": "decimal(20,6)"},
    "float": {"sqlite": "REAL", "postgresql": "double precision", "mariadb": "double"},
    "timestamp": {"sqlite": "TIMESTAMP", "postgresql": "timestamp", "mariadb": "datetime(6)"},
    "date": {"sqlite": "DATE", "postgresql": "date", "mariadb": "date"},
    "json": {"sqlite": "JSON", "postgresql": "jsonb", "mariadb": "json"},
    "uuid": {"sqlite": "UUID", "postgresql": "uuid", "mariadb": "uuid"},
    "binary_uuid": {"sqlite": "BLOB", "postgresql": "bytea", "mariadb": "binary(16)"},
    "boolean": {"sqlite": "BOOLEAN", "postgresql": "boolean", "mariadb": "tinyint(1)"},
    "unsigned": {"sqlite": "TEXT", "postgresql": "numeric(20)", "mariadb": "bigint unsigned"},
    "enum": {"sqlite": "TEXT", "postgresql": "text", "mariadb": "enum('','soho','a','b','c')"},
    "char": {"sqlite": "CHAR(8)", "postgresql": "char(8)", "mariadb": "char(8)"},
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_ARROW = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "decimal": pa.decimal128(20, 6),
    "timestamp": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Table:
    """A table with its rows and the neutral type of each column."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    types: tuple[str, ...]


def read_table(path: Path, types: Mapping[str, str]) -> Table:
    """A CSV file of a scenario; a column without a type is integer where all its values are."""
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    cells = tuple(tuple(None if c == r"\N" else c for c in row) for row in rows)
    return typed_table(path.stem, header, cells, types)


def typed_table(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], types: Mapping[str, str]
) -> Table:
    """A table of these cells."""
    found = tuple(
        types.get(column) or _look([row[i] for row in rows]) for i, column in enumerate(columns)
    )
    return Table(name, tuple(columns), tuple(tuple(row) for row in rows), found)


def _look(cells: Sequence[Cell]) -> str:
    known = [cell for cell in cells if cell is not None]
    return "integer" if known and all(_INTEGER.fullmatch(cell) for cell in known) else "text"


def store_csv(folder: Path, tables: Sequence[Table]) -> str:
    """A folder of CSV files; gives the URL."""
    for table in tables:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.columns)
        for row in table.rows:
            writer.writerow([r"\N" if cell is None else cell for cell in row])
        (folder / f"{table.name}.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    return f"files:{folder}"


def store_jsonl(folder: Path, tables: Sequence[Table]) -> str:
    """A folder of JSON lines: integers as numbers, everything else as text."""
    for table in tables:
        with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as lines:
            for row in table.rows:
                cells = zip(table.columns, row, table.types, strict=True)
                entry = {c: int(v) if v is not None and t == "integer" else v for c, v, t in cells}
                lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return f"files:{folder}"


def store_parquet(folder: Path, tables: Sequence[Table]) -> str:
    """A folder of Parquet files with typed columns."""
    for table in tables:
        arrays = []
        for i, kind in enumerate(table.types):
            text = pa.array([row[i] for row in table.rows], pa.string())
            arrays.append(text.cast(_ARROW[kind]) if kind in _ARROW else text)
        pq.write_table(
            pa.table(arrays, names=list(table.columns)), folder / f"{table.name}.parquet"
        )
    return f"files:{folder}"


def store_sqlite(folder: Path, tables: Sequence[Table]) -> str:
    """A SQLite file."""
    path = folder / "content.db"
    connection = sqlite3.connect(path)
    for table in tables:
        connection.execute(_create(table, "sqlite", '"'))
        marks = ", ".join(
            f"CAST(? AS {_affinity(kind)})" if kind in ("integer", "float") else "?"
            for kind in table.types
        )
        connection.executemany(
            f'INSERT INTO "{table.name}" VALUES ({marks})',
            [
                [_sqlite_cell(c, k) for c, k in zip(row, table.types, strict=True)]
                for row in table.rows
            ],
        )
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def _affinity(kind: str) -> str:
    return {"integer": "INTEGER", "float": "REAL"}[kind]


def _sqlite_cell(cell: Cell, kind: str) -> Cell | bytes:
    if cell is not None and kind == "binary_uuid":
        return bytes.fromhex(cell.replace("-", ""))
    return cell


def store_server(engine: str, database: Database, tables: Sequence[Table]) -> str:
    """A database of a real server, "postgresql" or "mariadb"."""
    quote = {"postgresql": '"', "mariadb": "`"}[engine]
    statements = []
    for table in tables:
        statements.append(_create(table, engine, quote))
        for start in range(0, len(table.rows), 2000):
            rows = ", ".join(
                "(" + ", ".join(_literal(c, k, engine) for c, k in zip(r, table.types, strict=True))
                + ")"
                for r in table.rows[start : start + 2000]
            )  # fmt: skip
            statements.append(f"INSERT INTO {quote}{table.name}{quote} VALUES {rows}")
    database.execute(";\n".join(statements))
    return database.url


def _create(table: Table, engine: str, quote: str) -> str:
    columns = ", ".join(
        f"{quote}{name}{quote} {_declared(kind, engine)}"
        for name, kind in zip(table.columns, table.types, strict=True)
    )
    return f"CREATE TABLE {quote}{table.name}{quote} ({columns})"


def _declared(kind: str, engine: str) -> str:
    """The engine's word for a neutral type; any other word is the engine's own."""
    return TYPES[kind][engine] if kind in TYPES else kind


def _literal(cell: Cell, kind: str, engine: str) -> str:
    if cell is None:
        return "NULL"
    if kind == "binary_uuid":
        digits = cell.replace("-", "")
        return f"'\\x{digits}'" if engine == "postgresql" else f"x'{digits}'"
    text = cell.replace("'", "''")
    return "'" + (text.replace("\\", "\\\\") if engine == "mariadb" else text) + "'"
