"""MariaDB and MySQL by PyMySQL: one connection in one read-only consistent snapshot.

The snapshot belongs to the connection, so whoever wants it waits for their turn. A stream that is
given up has its query ended by a second connection, for closing the first would lose the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pymysql

from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import ConnectionLost, SafeguardError, SystemProblem, UsageProblem
from safeguard.systems import mysql_catalog as catalog
from safeguard.systems import mysql_grants as grants
from safeguard.systems.blaming import blame
from safeguard.systems.doors import Door, named_query
from safeguard.systems.interface import (
    Column,
    Limits,
    Part,
    Relation,
    Selection,
    SourceType,
    Table,
)
from safeguard.systems.missing import MissingRelation
from safeguard.systems.mysql_aside import Aside
from safeguard.systems.mysql_columns import record_batch
from safeguard.systems.mysql_connect import (
    begin,
    connect_plainly,
    connected,
    cut,
    is_in_transaction,
)
from safeguard.systems.mysql_sql import literal_schema, quoted, select, where
from safeguard.systems.mysql_turn import Busy, Turn
from safeguard.systems.mysql_wire import Rows
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.urls import mask, redact, split_host

ALIVE_SECONDS = 5.0
_NO_TABLE = 1146
_TO_MEND = frozenset(
    {1052, 1054, 1056, 1060, 1064, 1066, 1103, 1111, 1120, 1140, _NO_TABLE, 1222, 1241, 1242}
    | {1247, 1248, 1253, 1267, 1271, 1273, 1305, 1327, 1365, 1406, 1582, 1583, 1630, 1690}
    | {1792, 4078}
)
"""Errors that a person mends in the contract's SQL (1792 is an attempt to write)."""
_LOST = frozenset({1053, 1077, 1152, 1158, 1159, 1160, 1161, 1927, 2003, 2006, 2013, 2055})
"""The connection failed, was killed, or went with its server."""


class MysqlSession:
    """See `Session`."""

    def __init__(self, name: str, url: str, limits: Limits = Limits()) -> None:
        self._name, self._url, self._limits = name, url, limits
        self._turn = Turn(name)
        self._aside = Aside(url, limits)
        self._loose: set[str] = set()
        self._engines_of: dict[str, list[tuple[Any, ...]]] = {}
        self._connection_id = 0
        self._connection = self._connect()
        try:
            (who,) = self._ask("SELECT VERSION(), DATABASE(), CONNECTION_ID()")
        except BaseException:
            self.close()
            raise
        version, database, number = who
        if database is None:
            self.close()
            raise UsageProblem(f"{name}: `{mask(url)}` names no database")
        self._version, self._connection_id = str(version), int(number)

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

    def door(self, selection: Selection) -> Door:
        """See `doors.HasDoor`."""
        query = named_query(selection, quoted, self._from(selection.relation))
        return Door("mysql+pymysql://", query, self._plainly, lambda t: redact(t, self._url))

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
        sql = f"{select(selection.outputs)} FROM {source}{where(selection.where)}"
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
            "COUNT(*)" if c is None else f"COUNT(CASE WHEN {bracketed(c)} THEN 1 END)"
            for c in conditions
        )
        return tuple(
            int(n)
            for n in self._ask(f"SELECT {wanted or 'COUNT(*)'} FROM {self._from(relation)}")[0]
        )

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:  # noqa: ARG002 - one serves all
        """See `Session.parts`. One: the snapshot belongs to one connection."""
        return (Part(),)

    def stream(
        self,
        selection: Selection,
        part: Part | None = None,  # noqa: ARG002 - the only one is all
    ) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`. One after the other: the snapshot has one connection."""
        if not selection.outputs:
            raise UsageProblem(f"{self._name}: nothing is selected of {selection.relation}")
        source = self._from(selection.relation)
        sql = f"{select(selection.outputs, True)} FROM {source}{where(selection.where)}"
        with self._turn.taken(), self._troubles(gone=True):
            rows = Rows(self._connection, sql)
            try:
                while (block := rows.next_block()) is not None:
                    yield record_batch(block, rows.fields, selection.outputs)
                    self._turn.pass_on()
            finally:
                self._finish(rows)

    def ticket(self) -> str | None:
        """See `Session.ticket`. None: no other connection can join the snapshot."""
        return None

    def alive(self) -> bool:
        """See `Session.alive`. While the connection is at work, another one sees whether the server
        still has it."""
        try:
            with self._turn.taken(at_once=True):
                return is_in_transaction(self._connection, ALIVE_SECONDS)
        except Busy:
            return self._aside.stands(self._connection_id)
        except SystemProblem:  # it was closed
            return False

    def strain(self) -> str:
        """See `Session.strain`. Asked of a second connection."""
        return self._aside.strain()

    def close(self) -> None:
        """See `Session.close`."""
        if self._turn.close():  # nobody waits any more for what it is doing
            self._aside.kill_query(self._connection_id)
        self._aside.close()
        cut(self._connection)

    def _finish(self, rows: Rows) -> None:
        """Have the connection free again. The server sends rows until the end, or until told."""
        if not rows.over:
            self._aside.kill_query(self._connection_id)
            rows.drain()
        rows.close()

    @cached_property
    def _tables(self) -> tuple[Table, ...]:
        columns = self._columns("")
        keys, foreign = self._ask(catalog.KEYS_SQL), self._ask(catalog.FOREIGN_SQL)
        return catalog.known_tables(self._engines(""), columns, keys, foreign)

    def _engines(self, schema: str) -> list[tuple[Any, ...]]:
        if schema not in self._engines_of:
            sql = catalog.TABLES_SQL.replace("{schema}", literal_schema(schema))
            self._engines_of[schema] = self._ask(sql)
        return self._engines_of[schema]

    @cached_property
    def _columns_of(self) -> dict[str, dict[str, tuple[Column, ...]]]:
        return {}

    def _columns(self, schema: str) -> dict[str, tuple[Column, ...]]:
        if schema not in self._columns_of:
            literal = literal_schema(schema)
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
            return f"{bracketed(query)} AS q"
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
        with self._turn.taken(), self._troubles(), self._connection.cursor() as cursor:
            cursor.execute(f"{sql}\nLIMIT 0")
            fields = cursor._result.fields
            return tuple(
                Column(f.name, catalog.described_type(f.type_code, f.flags, f.charsetnr, f.length))
                for f in fields
            )

    def _blame(self, selection: Selection, source: str) -> UsageProblem | None:
        """Which of the expressions the server refuses, all of them, each with its words."""
        return blame(
            self._name,
            selection,
            self._described,
            lambda o: f"{select((o,))} FROM {source}",
            lambda condition: f"SELECT 1 FROM {source}{where(condition)}",
        )

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self._turn.taken(), self._troubles(), self._connection.cursor() as cursor:
            cursor.execute(sql)  # without arguments, so that PyMySQL leaves % alone
            return list(cursor.fetchall())

    @contextmanager
    def _troubles(self, gone: bool = False) -> Iterator[None]:
        try:
            yield
        except (pymysql.Error, OSError) as error:
            raise self._trouble(error, gone) from None

    def _connect(self) -> Any:
        with self._troubles():
            connection = connected(self._url, self._limits)
            try:
                begin(connection, self._limits)
            except BaseException:
                cut(connection)
                raise
            return connection

    def _plainly(self) -> Any:
        with self._troubles():
            return connect_plainly(self._url, self._limits)

    def _trouble(self, error: Exception, gone: bool) -> SafeguardError:
        """The server's words, short and without a secret, as a problem of the right family."""
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        said = str(error.args[-1] if error.args else error) or type(error).__name__
        words = split_host(self._url) or redact(" ".join(said.split()), self._url)
        if code in _TO_MEND and not (gone and code == _NO_TABLE):
            return UsageProblem(f"{self._name}: {words}")
        is_lost = code in _LOST or isinstance(error, (OSError, pymysql.InterfaceError))
        lost = ConnectionLost if is_lost else SystemProblem
        return lost(f"{self._name} ({mask(self._url)}): {words}")
