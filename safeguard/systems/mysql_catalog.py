"""What MySQL's and MariaDB's types mean to us, and their tables and keys by information_schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pymysql.constants import FIELD_TYPE, FLAG

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Column, ForeignKey, SourceType, Table

_TABLE = "TABLE_SCHEMA = DATABASE()"
TABLES_SQL = (
    "SELECT TABLE_NAME, TABLE_TYPE LIKE '%VIEW%', COALESCE(ENGINE, '') FROM"
    " information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_TYPE <> 'SEQUENCE'"
    " ORDER BY TABLE_NAME"
)
COLUMNS_SQL = (
    "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE = 'YES',"
    " COALESCE(CHARACTER_SET_NAME, '') FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = {schema} ORDER BY TABLE_NAME, ORDINAL_POSITION"
)
KEYS_SQL = (
    "SELECT TABLE_NAME, INDEX_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR '\\0')"
    f" FROM information_schema.STATISTICS WHERE {_TABLE} AND NON_UNIQUE = 0"
    " GROUP BY TABLE_NAME, INDEX_NAME HAVING COUNT(SUB_PART) = 0 ORDER BY 1, 2 <> 'PRIMARY', 2"
)
FOREIGN_SQL = (
    "SELECT TABLE_NAME, REFERENCED_TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME, CONSTRAINT_NAME"
    f" FROM information_schema.KEY_COLUMN_USAGE WHERE {_TABLE}"
    " AND REFERENCED_TABLE_SCHEMA = DATABASE() ORDER BY 1, 5, ORDINAL_POSITION"
)
JSON_SQL = (
    "SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS"
    " WHERE CONSTRAINT_SCHEMA = {schema} AND CHECK_CLAUSE LIKE 'json_valid(%'"
)
TRANSACTIONAL = ("InnoDB", "ROCKSDB", "")

_INTEGER = SourceType(TypeName.INTEGER)
_TEXT = SourceType(TypeName.TEXT)
_BYTES = SourceType(TypeName.BYTES)
_BY_NAME: dict[str, SourceType] = {
    **dict.fromkeys(["tinyint", "smallint", "mediumint", "int", "bigint", "year"], _INTEGER),
    "decimal": SourceType(TypeName.DECIMAL),
    "float": SourceType(TypeName.FLOAT, single=True),
    "double": SourceType(TypeName.FLOAT),
    **dict.fromkeys(
        ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "set"], _TEXT
    ),
    **dict.fromkeys(["inet4", "inet6"], _TEXT),
    **dict.fromkeys(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"], _BYTES),
    "enum": SourceType(TypeName.ENUM),
    "json": SourceType(TypeName.JSON),
    "datetime": SourceType(TypeName.TIMESTAMP),
    "timestamp": SourceType(TypeName.TIMESTAMP, aware=True),
    "date": SourceType(TypeName.DATE),
    "time": SourceType(TypeName.TIME),
    "uuid": SourceType(TypeName.UUID),
    "bit": _INTEGER,
}
_BY_CODE: dict[int, str] = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.BIT: "bit",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.NULL: "text",
    **dict.fromkeys(
        [
            FIELD_TYPE.VARCHAR,
            FIELD_TYPE.VAR_STRING,
            FIELD_TYPE.STRING,
            FIELD_TYPE.TINY_BLOB,
            FIELD_TYPE.BLOB,
            FIELD_TYPE.MEDIUM_BLOB,
            FIELD_TYPE.LONG_BLOB,
        ],
        "text",
    ),
}
_BINARY_CHARSET = 63


def declared_type(text: str) -> SourceType:
    """Of a COLUMN_TYPE such as `bigint(20) unsigned`."""
    name = re.split(r"[ (]", text.lower(), maxsplit=1)[0]
    found = _BY_NAME.get(name)
    if found is None:
        return SourceType(None, text, unsupported=f"{name} has no exact form here")
    wide = (name == "bigint" and "unsigned" in text) or text == "bit(64)"
    return replace(found, declared=text, wide=wide)


def described_type(code: int, flags: int, charset: int, length: int) -> SourceType:
    """Of a column of a result, as the server describes it."""
    name = _BY_CODE.get(code)
    if name is None:
        return SourceType(None, f"type {code}", unsupported="it has no exact form here")
    if name == "text" and flags & FLAG.ENUM:
        name = "enum"
    elif name == "text" and charset == _BINARY_CHARSET and code != FIELD_TYPE.NULL:
        name = "blob"
    if name == "bit":
        return declared_type(f"bit({length})")
    if name == "tinyint" and length == 1:
        return declared_type("tinyint(1)")
    unsigned = flags & FLAG.UNSIGNED and name.endswith("int")
    return declared_type(f"{name} unsigned" if unsigned else name)


def known_tables(
    tables: Iterable[tuple[Any, ...]],
    columns: dict[str, tuple[Column, ...]],
    keys: Iterable[tuple[Any, ...]],
    foreign: Iterable[tuple[Any, ...]],
) -> tuple[Table, ...]:
    """Put the answers of the queries together."""
    primary: dict[str, tuple[str, ...]] = {}
    unique: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for table, index, names in keys:
        if index == "PRIMARY":
            primary[table] = tuple(names.split("\0"))
        else:
            unique[table].append(tuple(names.split("\0")))
    pairs: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for table, parent, child_column, parent_column, constraint in foreign:
        pairs[table, constraint, parent].append((child_column, parent_column))
    parents: dict[str, list[ForeignKey]] = defaultdict(list)
    for (table, _, parent), both in pairs.items():
        child, up = zip(*both, strict=True)
        parents[table].append(ForeignKey(child, parent, up))
    return tuple(
        Table(
            name,
            columns.get(name, ()),
            primary.get(name, ()),
            tuple(unique[name]),
            tuple(parents[name]),
            is_view == "1",
        )
        for name, is_view, _ in tables
    )


def outside_snapshot(
    tables: Iterable[tuple[Any, ...]], named: Callable[[str], bool]
) -> frozenset[str]:
    """Tables without transactions among those that are `named`. A view may read any of them."""
    every = list(tables)
    loose = {name: f"{name} ({e})" for name, _, e in every if e not in TRANSACTIONAL}
    if any(is_view == "1" and named(name) for name, is_view, _ in every):
        return frozenset(loose.values())
    return frozenset(said for name, said in loose.items() if named(name))


def known_columns(
    rows: Iterable[tuple[Any, ...]], json_checks: Iterable[tuple[Any, ...]]
) -> dict[str, tuple[Column, ...]]:
    """Columns by table. MariaDB's JSON is a longtext with a check, and told by that."""
    documents = {(t, m[1]) for t, c in json_checks if (m := re.match(r"json_valid\(`(.+)`\)$", c))}
    found: dict[str, list[Column]] = defaultdict(list)
    for table, name, declared, nullable, _ in rows:
        kind = declared_type(declared)
        if declared.lower() == "longtext" and (table, name) in documents:
            kind = SourceType(TypeName.JSON, "json")
        found[table].append(Column(name, kind, nullable == "1"))
    return {table: tuple(columns) for table, columns in found.items()}
