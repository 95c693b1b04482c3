"""PostgreSQL by psycopg 3: one read-only REPEATABLE READ snapshot for the session's whole life.

The first connection holds the snapshot and answers questions; each stream reads through a
connection of its own that takes the same snapshot, so streams may run side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.pq import TransactionStatus
from psycopg.raw_cursor import RawCursor

from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.systems import postgresql_catalog as catalog
from safeguard.systems.interface import Column, Output, Relation, Selection, SourceType, Table
from safeguard.systems.missing import MissingRelation
from safeguard.systems.postgresql_copy import copy_batches
from safeguard.systems.postgresql_types import TYPES_SQL, PgTypes
from safeguard.systems.urls import mask, parse, redact, split_host

CONNECT_SECONDS = 10
NEVER_BY_ITSELF = 1_000_000_000  # None would make psycopg ignore `prepare=True` too
_SETTINGS = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",  # the shortest digits that give the same float back
    "bytea_output": "hex",
    "xmloption": "content",
    "row_security": "off",  # an error, where a policy would hide rows from us in silence
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_TO_MEND = ("0A", "21", "22", "25", "2F", "38", "39", "42", "44", "P0")
"""Classes of SQLSTATE that a person mends in the contract's SQL (25 is an attempt to write)."""
_REFUSED = ("42501", "22021", "22P05")  # no permission; bytes that are not in our encoding
_NO_TABLE = "42P01"


class PostgresqlSession:
    """See `Session`."""

    def __init__(self, name: str, url: str, statement_timeout: int = 0) -> None:
        self._name, self._url = name, url
        self._settings = {**_SETTINGS, "statement_timeout": str(statement_timeout)}
        self._lock = threading.RLock()
        self._idle: list[psycopg.Connection[Any]] = []
        self._main = self._connect(_BEGIN)
        try:
            self._snapshot = self._exported()
            version = str(self._ask("SHOW server_version")[0][0])
        except BaseException:
            self.close()
            raise
        words = f"repeatable read, snapshot {self._snapshot}"
        self._info = SystemInfo(name, "postgresql", version.split()[0], words, mask(url))

    @property
    def info(self) -> SystemInfo:
        """See `Session.info`."""
        return self._info

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`. All schemas but PostgreSQL's own; no table of an extension."""
        return self._tables

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. pg_catalog shows all tables, whatever the grants."""
        return ()

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`."""
        if relation.table is None:
            return self._described(f"SELECT * FROM {self._from(relation)}")
        oid = self._find(relation.table)[0]
        return tuple(
            Column(name, self._types.source_type(type_oid, modifier), nullable)
            for _, name, type_oid, modifier, nullable in self._ask(catalog.COLUMNS_SQL, [[oid]])
        )

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`."""
        source = self._from(selection.relation)
        tail = f"FROM {source}{_where(selection.where)}"
        try:
            described = self._described(_select(selection.outputs, tail))
        except UsageProblem as problem:
            raise self._blame(selection, source) or problem from None
        outputs = zip(selection.outputs, described, strict=True)
        return replace(selection, outputs=tuple(replace(o, type=c.type) for o, c in outputs))

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        wanted = ", ".join(
            "count(*)" if c is None else f"count(*) FILTER (WHERE ({_own(c)}) IS TRUE)"
            for c in conditions
        )
        sql = f"SELECT {wanted or 'count(*)'} FROM {self._from(relation)}"
        with self._lock:
            row = self._ask(sql)[0]
            with self._asking():
                self._refuse_rewritten(self._main, relation)
        return tuple(int(n) for n in row)

    def stream(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`. Each stream has its own connection to the one snapshot."""
        if not selection.outputs:
            raise UsageProblem(f"{self._name}: nothing is selected of {selection.relation}")
        tail = f"FROM {self._from(selection.relation)}{_where(selection.where)}"
        sql = _select(selection.outputs, tail, self._types)
        with self._reader() as connection:
            try:
                with _savepoint(connection):
                    yield from copy_batches(connection, sql, selection.outputs)
                    self._refuse_rewritten(connection, selection.relation)
            except psycopg.Error as error:
                raise self._trouble(error, gone=True) from None

    def close(self) -> None:
        """See `Session.close`."""
        for connection in (*self._idle, self._main):
            with suppress(psycopg.Error):
                connection.close()
        self._idle.clear()

    @cached_property
    def _types(self) -> PgTypes:
        return PgTypes(self._ask(TYPES_SQL))

    @cached_property
    def _tables(self) -> tuple[Table, ...]:
        relations = self._ask(catalog.RELATIONS_SQL)
        oids = [row[0] for row in relations]
        more = (catalog.COLUMNS_SQL, catalog.KEYS_SQL, catalog.FOREIGN_SQL, catalog.INHERITS_SQL)
        columns, keys, foreign, inherits = (self._ask(sql, [oids]) for sql in more)
        return catalog.known_tables(relations, columns, keys, foreign, inherits, self._types)

    def _find(self, name: str) -> tuple[int, str, str]:
        """The oid, schema and name of a table, written `table` or `schema.table`."""
        dots = [i for i, letter in enumerate(name) if letter == "."]
        for schema, table in [("", name), *((name[:i], name[i + 1 :]) for i in dots)]:
            for oid, found_schema, found in self._ask(catalog.FIND_SQL, [table, schema]):
                return oid, found_schema, found
        raise MissingRelation(self._name, name, [t.name for t in self._tables])

    def _from(self, relation: Relation) -> str:
        if relation.table is None:
            return f"({_own(relation.query or '')}) AS q"
        _, schema, table = self._find(relation.table)
        return f"{quoted(schema)}.{quoted(table)}"

    def _described(self, sql: str) -> tuple[Column, ...]:
        with self._lock, self._asking(), self._main.cursor() as cursor:
            cursor.execute(f"{sql}\nLIMIT 0".encode(), prepare=True)
            result = cursor.pgresult
            assert result is not None
            return tuple(
                Column(
                    (result.fname(i) or b"").decode(),
                    self._types.source_type(result.ftype(i), result.fmod(i)),
                )
                for i in range(result.nfields)
            )

    def _blame(self, selection: Selection, source: str) -> UsageProblem | None:
        """Which of the expressions the server refuses, all of them, each with its words."""
        query = selection.relation.query
        if query and (words := self._refusal(f"SELECT 1 FROM {source}")):
            return UsageProblem(f"{self._name}: `{query}`: {words}")
        parts = [(o.sql, _select((o,), f"FROM {source}")) for o in selection.outputs]
        if selection.where:
            parts.append((selection.where, f"SELECT 1 FROM {source}{_where(selection.where)}"))
        refusals = [(written, self._refusal(sql)) for written, sql in parts]
        mistakes = [f"{self._name}: `{written}`: {words}" for written, words in refusals if words]
        return UsageProblem(*dict.fromkeys(mistakes)) if mistakes else None

    def _refusal(self, sql: str) -> str | None:
        """The server's words, where it refuses this SELECT."""
        try:
            self._described(sql)
        except UsageProblem as problem:
            return problem.mistakes[0].message.removeprefix(f"{self._name}: ")
        return None

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._asking(), self._main.cursor() as cursor:
            # Prepared: the server takes one statement only, and the SQL of a contract is quoted
            # nowhere else than in the server's own words.
            return cursor.execute(sql.encode(), values or None, prepare=True).fetchall()

    def _exported(self) -> str:
        try:  # outside of a savepoint, where a snapshot can't be exported
            row = self._main.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        except psycopg.Error as error:
            raise self._trouble(error) from None
        return str(row[0]) if row else ""

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A savepoint, so that an error in a contract's SQL leaves the snapshot alive."""
        try:
            with _savepoint(self._main):
                yield
        except psycopg.Error as error:
            raise self._trouble(error) from None

    @contextmanager
    def _reader(self) -> Iterator[psycopg.Connection[Any]]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect(f"{_BEGIN}; SET TRANSACTION SNAPSHOT '{self._snapshot}'")
        try:
            yield connection
        except BaseException:  # given up or broken in the middle of a COPY: not to be used again
            with suppress(psycopg.Error):
                connection.close()
            raise
        with self._lock:
            self._idle.append(connection)

    def _refuse_rewritten(self, connection: psycopg.Connection[Any], relation: Relation) -> None:
        oid = None if relation.table is None else self._find(relation.table)[0]
        if rows := connection.execute(catalog.REWRITTEN_SQL, [oid]).fetchall():
            names = ", ".join(row[0] for row in rows)
            raise SystemProblem(
                f"{self._name}: {names} was truncated or rewritten after the snapshot was taken;"
                f" {relation} can't be read as it was"
            )

    def _connect(self, begin: str) -> psycopg.Connection[Any]:
        sets = "; ".join(f"SET {key} = '{value}'" for key, value in self._settings.items())
        try:
            connection = psycopg.connect(
                **connect_arguments(self._url),
                autocommit=True,
                prepare_threshold=NEVER_BY_ITSELF,
                cursor_factory=RawCursor,
            )
            connection.execute(f"{sets}; {begin}".encode())
        except (psycopg.Error, OSError) as error:
            raise self._trouble(error) from None
        return connection

    def _trouble(self, error: Exception, gone: bool = False) -> SafeguardError:
        """The server's words, short and without a secret, as a problem of the right family."""
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        words = split_host(self._url) or redact(primary or _last_line(error), self._url)
        state = getattr(error, "sqlstate", None) or ""
        went_away = gone and state == _NO_TABLE
        if state.startswith(_TO_MEND) and state not in _REFUSED and not went_away:
            return UsageProblem(f"{self._name}: {words}")
        return SystemProblem(f"{self._name} ({mask(self._url)}): {words}")


@contextmanager
def _savepoint(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """What fails inside leaves the snapshot alive, and no lock stays in anybody's way."""
    connection.execute("SAVEPOINT asking")
    try:
        yield
    finally:
        if (
            not connection.broken
            and connection.pgconn.transaction_status != TransactionStatus.ACTIVE
        ):
            connection.execute("ROLLBACK TO SAVEPOINT asking; RELEASE SAVEPOINT asking")


def connect_arguments(url: str) -> dict[str, Any]:
    """What libpq takes, of a SQLAlchemy URL."""
    parsed = parse(url).set(drivername="postgresql+psycopg")
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    arguments.setdefault("connect_timeout", CONNECT_SECONDS)
    arguments.setdefault("application_name", "safeguard")
    return {**arguments, "client_encoding": "UTF8"}


def quoted(name: str) -> str:
    """An identifier of any letters."""
    return '"' + name.replace('"', '""') + '"'


def _own(sql: str) -> str:
    return f"\n{sql}\n"  # on lines of its own, so that a comment at its end hides nothing of ours


def _where(condition: str | None) -> str:
    return f" WHERE ({_own(condition)})" if condition else ""


def _select(outputs: tuple[Output, ...], tail: str, types: PgTypes | None = None) -> str:
    return f"SELECT {', '.join(_expression(o, types is not None) for o in outputs)} {tail}"


def _expression(output: Output, reading: bool) -> str:
    sql = quoted(output.sql) if output.is_column else f"({_own(output.sql)})"
    if output.condition:
        return f"({sql} IS TRUE)"
    return f"to_json({sql})" if reading and _through_json(output.type) else sql


def _through_json(source: SourceType) -> bool:
    return (
        source.kind is not None
        and source.kind.value == "json"
        and source.declared
        not in (
            "json",
            "jsonb",
        )
    )


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
