"""Databases that the demo fills: SQLite files, PostgreSQL or MariaDB, each by its own driver.

This is the one place that writes into systems, so it refuses databases that it did not make.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from safeguard.demo.sides import Row
from safeguard.demo.tables import Table
from safeguard.findings.trouble import SystemProblem, UsageProblem

MARKER = "safeguard_demo"


class Database(Protocol):
    """One database that is being filled, in one transaction a batch."""

    dialect: str

    def tables(self) -> set[str]:
        """Names of the tables that are there."""

    def execute(self, statement: str) -> None: ...

    def insert(self, table: Table, rows: Sequence[Row]) -> None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


def open_database(url: str, folder: Path) -> Database:
    """Connect to a URL; the path of a SQLite file is relative to `folder`."""
    parts = urlsplit(url)
    match parts.scheme.split("+")[0]:
        case "sqlite":
            return _Sqlite(folder / url.split(":///", 1)[1])
        case "postgresql" | "postgres":
            return _Postgres(parts._replace(scheme="postgresql").geturl())
        case "mysql" | "mariadb":
            return _Mariadb(parts)
    raise UsageProblem(f"the demo can't fill {parts.scheme}: use sqlite, postgresql or mariadb")


def refuse_foreign(database: Database, name: str) -> None:
    """Raise UsageProblem when the database has tables and no demo made it."""
    present = database.tables()
    if present and MARKER not in present:
        raise UsageProblem(
            f"the database for `{name}` is not empty and no demo made it; nothing was written"
        )


def prepare(database: Database, known: Sequence[Table], wanted: Sequence[Table]) -> None:
    """Drop what an earlier demo made and create the wanted tables, empty."""
    present = database.tables()
    for table in reversed(known):
        if table.name in present:
            database.execute(f"DROP TABLE {table.name}")
    if MARKER not in present:
        database.execute(f"CREATE TABLE {MARKER} (note VARCHAR(100))")
    for table in wanted:
        database.execute(table.ddl(database.dialect))
    database.commit()


class _Sqlite:
    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise SystemProblem(f"{path}: {error}") from error

    def tables(self) -> set[str]:
        query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        return {name for (name,) in self._connection.execute(query)}

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(table.columns))
        self._connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)

    def commit(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")

    def close(self) -> None:
        self._connection.close()


class _Postgres:
    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        import psycopg

        try:
            self._connection = psycopg.connect(url, options="-c timezone=UTC")
        except psycopg.Error as error:
            raise SystemProblem(f"PostgreSQL: {error}") from error

    def tables(self) -> set[str]:
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        return {name for (name,) in self._connection.execute(query)}

    def execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        names = ", ".join(table.names)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


class _Mariadb:
    dialect = "mariadb"

    def __init__(self, parts: SplitResult) -> None:
        import pymysql

        sockets = parse_qs(parts.query).get("unix_socket", [])
        where: dict[str, Any] = {"unix_socket": sockets[0]} if sockets else {}
        try:
            self._connection = pymysql.connect(
                host=parts.hostname or "localhost",
                port=parts.port or 3306,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=unquote(parts.path.lstrip("/")),
                charset="utf8mb4",
                init_command="SET time_zone = '+00:00'",
                **where,
            )
        except pymysql.Error as error:
            raise SystemProblem(f"MariaDB: {error}") from error

    def tables(self) -> set[str]:
        with self._connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            return {str(row[0]) for row in cursor.fetchall()}

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        marks = ", ".join(["%s"] * len(table.columns))
        with self._connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()
