"""What a SQLite file declares: tables, columns, keys. Declared types are words, not promises."""

from __future__ import annotations

import re

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Column, ForeignKey, SourceType, Table
from safeguard.systems.sqlite_connection import SqliteConnection

_RULES: tuple[tuple[str, TypeName], ...] = (
    (r"BOOL", TypeName.BOOLEAN),
    (r"^(DATETIME|TIMESTAMP)", TypeName.TIMESTAMP),
    (r"^DATE$", TypeName.DATE),
    (r"^TIME\b", TypeName.TIME),
    (r"^JSONB?$", TypeName.JSON),
    (r"^(UUID|GUID|UNIQUEIDENTIFIER)$", TypeName.UUID),
    (r"CHAR|CLOB|TEXT|^STRING$", TypeName.TEXT),
    (r"BLOB|BINARY|^BYTEA$", TypeName.BYTES),
    (r"REAL|FLOA|DOUB", TypeName.FLOAT),
    (r"^(NUMERIC|DECIMAL|NUMBER|DEC|MONEY)\b", TypeName.DECIMAL),
    (r"\b(TINY|SMALL|MEDIUM|BIG)?INT(EGER)?[248]?\b", TypeName.INTEGER),
)
"""Declared word -> type, the first that matches; any other word says nothing."""


def source_type(declared: str) -> SourceType:
    """The type of a declared SQLite column; `kind` None for no or another word."""
    word = re.sub(r"\s*\([^)]*\)", "", declared).strip().upper()
    kind = next((kind for pattern, kind in _RULES if re.search(pattern, word)), None)
    aware = kind is TypeName.TIMESTAMP and bool(re.search(r"TZ$|WITH TIME ZONE", word))
    return SourceType(kind, declared, aware=aware)


def quoted(name: str) -> str:
    """An identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def read_tables(connection: SqliteConnection) -> tuple[Table, ...]:
    """All tables and views, with keys."""
    found = connection.ask(
        "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    tables = {name: _table(connection, name, kind == "view") for name, kind in found}
    return tuple(_with_foreign_keys(connection, table, tables) for table in tables.values())


def _table(connection: SqliteConnection, name: str, is_view: bool) -> Table:
    info = connection.ask(f"PRAGMA table_xinfo({quoted(name)})")
    shown = [row for row in info if row[6] != 1]
    key = tuple(row[1] for row in sorted(shown, key=lambda row: row[5]) if row[5])
    # A primary key other than the rowid may hold NULL in SQLite.
    rowid = key[0] if len(key) == 1 else None
    columns = tuple(
        Column(
            row[1],
            source_type(row[2]),
            nullable=not (row[3] or (row[1] == rowid and row[2].upper() == "INTEGER")),
        )
        for row in shown
    )
    return Table(name, columns, key, _unique_keys(connection, name), is_view=is_view)


def _unique_keys(connection: SqliteConnection, name: str) -> tuple[tuple[str, ...], ...]:
    indexes = connection.ask(f"PRAGMA index_list({quoted(name)})")
    whole = [row[1] for row in indexes if row[2] and row[3] != "pk" and not row[4]]
    keys = []
    for index in whole:
        columns = connection.ask(f"PRAGMA index_info({quoted(index)})")
        if all(row[2] is not None for row in columns):
            keys.append(tuple(row[2] for row in columns))
    return tuple(sorted(keys))


def _with_foreign_keys(
    connection: SqliteConnection, table: Table, tables: dict[str, Table]
) -> Table:
    parts: dict[int, list[tuple[str, str, str | None]]] = {}
    for row in connection.ask(f"PRAGMA foreign_key_list({quoted(table.name)})"):
        parts.setdefault(row[0], []).append((row[2], row[3], row[4]))
    by_lower = {name.lower(): other for name, other in tables.items()}
    keys = []
    for columns in parts.values():
        parent = by_lower.get(columns[0][0].lower())
        named = tuple(to for _, _, to in columns if to is not None)
        implied = parent.primary_key if parent else ()
        name = parent.name if parent else columns[0][0]
        keys.append(ForeignKey(tuple(c for _, c, _ in columns), name, named or implied))
    return Table(
        table.name,
        table.columns,
        table.primary_key,
        table.unique_keys,
        tuple(sorted(keys, key=lambda key: key.columns)),
        table.is_view,
    )


def rowid_name(connection: SqliteConnection, table: str) -> str | None:
    """A name of the rowid in SQL; None where the table has none, or columns bear all its names."""
    literal = "'" + table.replace("'", "''") + "'"
    kinds = connection.ask(
        f"SELECT type, wr FROM pragma_table_list({literal}) WHERE schema = 'main'"
    )
    if kinds != [("table", 0)]:
        return None
    columns = {
        row[0].lower() for row in connection.ask(f"SELECT name FROM pragma_table_xinfo({literal})")
    }
    names = ("rowid", "_rowid_", "oid")
    return next((name for name in names if name not in columns), None)
