"""MariaDB and MySQL by PyMySQL: one connection in one read-only consistent snapshot.

The snapshot belongs to the connection, so there is one stream at a time; a stream that is given up
is read to its end, for closing it would lose the snapshot.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pymysql
from pymysql.converters import encoders
from pymysql.cursors import SSCursor

from safeguard.contract.types import TypeName
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.systems import mysql_catalog as catalog
from safeguard.systems import mysql_grants as grants
from safeguard.systems.interface import Column, Output, Relation, Selection, SourceType, Table
from safeguard.systems.missing import MissingRelation
from safeguard.systems.mysql_rows import batches, packets
from safeguard.systems.urls import mask, parse, redact, split_host

CONNECT_SECONDS = 10
_BEGIN = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')",
    "SET SESSION sql_select_limit = 18446744073709551615",
    "SET SESSION net_write_timeout = 31536000",
    "SET SESSION wait_timeout = 31536000",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_NO_TABLE = 1146
_TO_MEND = frozenset(
    {1052, 1054, 1056, 1060, 1064, 1066, 1103, 1111, 1120, 1140, _NO_TABLE, 1222, 1241, 1242}
    | {1247, 1248, 1253, 1267, 1271, 1273, 1305, 1327, 1365, 1406, 1582, 1583, 1630, 1690}
    | {1792, 4078}
)
"""Errors that a person mends in the contract's SQL (1792 is an attempt to write)."""


class MysqlSession:
    """See `Session`."""

    def __init__(self, name: str, url: str) -> None:
        self._name, self._url = name, url
        self._lock = threading.RLock()
        self._streaming = False
        self._loose: set[str] = set()
        self._engines_of: dict[str, list[tuple[Any, ...]]] = {}
        self._connection = self._connect()
        try:
            version, database = self._ask("SELECT VERSION(), DATABASE()")[0]
        except BaseException:
            self.close()
            raise
        if database is None:
            self.close()
            raise UsageProblem(f"{name}: `{mask(url)}` names no database")
        self._version = str(version)

    @property
    def info(self) -> SystemInfo:
        """See `Session.info`. Names what was read outside of the snapshot."""
        words = "repeatable read, consistent snapshot of one connection"
        if self._loose:
            names = ", ".join(sorted(self._loose))
            words += f"; not in it, for their engines keep none: {names}"
        dialect = "mariadb" if "mariadb" in self._version.lower() else "mysql"
        version, url = self._version.split("-")[0], mask(self._url)
        return SystemInfo(self._name, dialect, version, words, url, not self._loose)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`. Those of the URL's database."""
        return self._tables

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. The catalog shows only what the user may touch."""
        return grants.blind_spots(self._name, self._ask)

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`."""
        if relation.table is None:
            return self._described(f"SELECT * FROM {self._from(relation)}")
        schema, table = self._find(relation.table)
        return self._columns(schema)[table]

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`."""
        source = self._from(selection.relation)
        self._note_loose(selection.where, *(o.sql for o in selection.outputs if not o.is_column))
        sql = f"{_select(selection.outputs)} FROM {source}{_where(selection.where)}"
        try:
            described = self._described(sql)
        except UsageProblem as problem:
            raise self._blame(selection, source) or problem from None
        known: dict[str, SourceType] = {}
        if selection.relation.table is not None:
            known = {c.name: c.type for c in self.columns(selection.relation)}
        outputs = tuple(
            replace(o, type=known.get(o.sql, c.type) if o.is_column else c.type)
            for o, c in zip(selection.outputs, described, strict=True)
        )
        return replace(selection, outputs=outputs)

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        self._note_loose(*conditions)
        wanted = ", ".join(
            "COUNT(*)" if c is None else f"COUNT(CASE WHEN ({_own(c)}) THEN 1 END)"
            for c in conditions
        )
        return tuple(
            int(n)
            for n in self._ask(f"SELECT {wanted or 'COUNT(*)'} FROM {self._from(relation)}")[0]
        )

    def stream(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`. One at a time: the snapshot has one connection."""
        if not selection.outputs:
            raise UsageProblem(f"{self._name}: nothing is selected of {selection.relation}")
        source = self._from(selection.relation)
        sql = f"{_select(selection.outputs, True)} FROM {source}{_where(selection.where)}"
        with self._alone(), self._troubles(gone=True):
            cursor = self._connection.cursor(SSCursor)
            cursor.execute(sql)
            rows = packets(self._connection)
            self._streaming = True
            try:
                yield from batches(rows, selection.outputs)
            finally:
                for _ in rows:  # given up early: the snapshot must live
                    pass
                self._streaming = False
                _finish(self._connection, cursor)

    def close(self) -> None:
        """See `Session.close`."""
        with suppress(pymysql.Error, OSError):
            self._connection._force_close()  # type: ignore[attr-defined]  # says no goodbye to a dead server

    @cached_property
    def _tables(self) -> tuple[Table, ...]:
        columns = self._columns("")
        keys, foreign = self._ask(catalog.KEYS_SQL), self._ask(catalog.FOREIGN_SQL)
        return catalog.known_tables(self._engines(""), columns, keys, foreign)

    def _engines(self, schema: str) -> list[tuple[Any, ...]]:
        if schema not in self._engines_of:
            sql = catalog.TABLES_SQL.replace("{schema}", _schema(schema))
            self._engines_of[schema] = self._ask(sql)
        return self._engines_of[schema]

    @cached_property
    def _columns_of(self) -> dict[str, dict[str, tuple[Column, ...]]]:
        return {}

    def _columns(self, schema: str) -> dict[str, tuple[Column, ...]]:
        if schema not in self._columns_of:
            literal = _schema(schema)
            rows = self._ask(catalog.COLUMNS_SQL.format(schema=literal))
            checks: list[tuple[Any, ...]] = []
            with suppress(UsageProblem, SystemProblem):  # MySQL has no such column, and needs none
                checks = self._ask(catalog.JSON_SQL.format(schema=literal))
            self._columns_of[schema] = catalog.known_columns(rows, checks)
        return self._columns_of[schema]

    def _find(self, name: str) -> tuple[str, str]:
        dots = [i for i, letter in enumerate(name) if letter == "."]
        for schema, table in [("", name), *((name[:i], name[i + 1 :]) for i in dots)]:
            if table in self._columns(schema):
                return schema, table
        raise MissingRelation(self._name, name, [t.name for t in self._tables])

    def _from(self, relation: Relation) -> str:
        if relation.table is None:
            query = relation.query or ""
            self._note_loose(query)
            return f"({_own(query)}) AS q"
        schema, table = self._find(relation.table)
        self._loose |= catalog.outside_snapshot(self._engines(schema), table.__eq__)
        return f"{quoted(schema)}.{quoted(table)}" if schema else quoted(table)

    def _note_loose(self, *written: str | None) -> None:
        """Remember what SQL of a contract may read outside of the snapshot."""
        sql = " ".join(part for part in written if part).lower()
        if "select" in sql or "table" in sql:  # a subquery; nothing else reads another table
            rows = self._engines("")
            self._loose |= catalog.outside_snapshot(rows, lambda name: name.lower() in sql)

    def _described(self, sql: str) -> tuple[Column, ...]:
        with self._alone(), self._troubles(), self._connection.cursor() as cursor:
            cursor.execute(f"{sql}\nLIMIT 0")
            fields = cursor._result.fields
            return tuple(
                Column(f.name, catalog.described_type(f.type_code, f.flags, f.charsetnr, f.length))
                for f in fields
            )

    def _blame(self, selection: Selection, source: str) -> UsageProblem | None:
        """Which of the expressions the server refuses, all of them, each with its words."""
        query = selection.relation.query
        if query and (words := self._refusal(f"SELECT 1 FROM {source}")):
            return UsageProblem(f"{self._name}: `{query}`: {words}")
        parts = [(o.sql, f"{_select((o,))} FROM {source}") for o in selection.outputs]
        if selection.where:
            parts.append((selection.where, f"SELECT 1 FROM {source}{_where(selection.where)}"))
        refusals = [(written, self._refusal(sql)) for written, sql in parts]
        mistakes = [f"{self._name}: `{written}`: {words}" for written, words in refusals if words]
        return UsageProblem(*dict.fromkeys(mistakes)) if mistakes else None

    def _refusal(self, sql: str) -> str | None:
        try:
            self._described(sql)
        except UsageProblem as problem:
            return problem.mistakes[0].message.removeprefix(f"{self._name}: ")
        return None

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self._alone(), self._troubles(), self._connection.cursor() as cursor:
            cursor.execute(sql)  # without arguments, so that PyMySQL leaves % alone
            return list(cursor.fetchall())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            if self._streaming:
                raise SystemProblem(
                    f"{self._name}: another stream of the same snapshot is still being read"
                )
            yield

    @contextmanager
    def _troubles(self, gone: bool = False) -> Iterator[None]:
        try:
            yield
        except (pymysql.Error, OSError) as error:
            raise self._trouble(error, gone) from None

    def _connect(self) -> pymysql.connections.Connection[Any]:
        with self._troubles():
            arguments = connect_arguments(self._url)
            connection = pymysql.connect(**arguments)
            with connection.cursor() as cursor:
                for statement in _BEGIN:
                    cursor.execute(statement)
            return connection

    def _trouble(self, error: Exception, gone: bool) -> SafeguardError:
        """The server's words, short and without a secret, as a problem of the right family."""
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        said = str(error.args[-1] if error.args else error) or type(error).__name__
        words = split_host(self._url) or redact(" ".join(said.split()), self._url)
        if code in _TO_MEND and not (gone and code == _NO_TABLE):
            return UsageProblem(f"{self._name}: {words}")
        return SystemProblem(f"{self._name} ({mask(self._url)}): {words}")


def connect_arguments(url: str) -> dict[str, Any]:
    """What PyMySQL takes, of a SQLAlchemy URL. Values come as the server's own text."""
    parsed = parse(url).set(drivername="mysql+pymysql")
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    arguments.setdefault("connect_timeout", CONNECT_SECONDS)
    return {**arguments, "charset": "utf8mb4", "autocommit": True, "conv": dict(encoders)}


def quoted(name: str) -> str:
    """An identifier of any letters."""
    return "`" + name.replace("`", "``") + "`"


def _schema(name: str) -> str:
    """A schema's name as a literal; the URL's database where it is empty."""
    escaped = name.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'" if name else "DATABASE()"


def _own(sql: str) -> str:
    return f"\n{sql}\n"  # on lines of its own, so that a comment at its end hides nothing of ours


def _where(condition: str | None) -> str:
    return f" WHERE ({_own(condition)})" if condition else ""


def _select(outputs: tuple[Output, ...], reading: bool = False) -> str:
    return f"SELECT {', '.join(_expression(o, reading) for o in outputs)}"


def _expression(output: Output, reading: bool) -> str:
    sql = quoted(output.sql) if output.is_column else f"({_own(output.sql)})"
    if output.condition:
        return f"({sql} IS TRUE)"
    if reading and output.type.kind is TypeName.FLOAT and output.type.single:
        return f"CAST({sql} AS DOUBLE)"  # a FLOAT prints six digits only
    if reading and output.type.declared.startswith("bit"):
        return f"({sql} + 0)"
    return sql


def _finish(connection: Any, cursor: Any) -> None:
    """Tell PyMySQL that the rows, read past it, have ended."""
    cursor._result.unbuffered_active = False
    cursor._result.connection = None
    cursor._result = connection._result = None
    cursor.connection = None
