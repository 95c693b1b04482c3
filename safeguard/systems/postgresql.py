"""PostgreSQL: one read-only REPEATABLE READ snapshot for the session's whole life.

The first connection, by psycopg, holds the snapshot and answers questions; each stream reads through
a connection of its own, by ADBC, that takes the same snapshot, so streams may run side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.systems import postgresql_catalog as catalog
from safeguard.systems.blaming import blame
from safeguard.systems.doors import Door, named_query
from safeguard.systems.interface import Column, Limits, Part, Relation, Selection, Table
from safeguard.systems.missing import MissingRelation
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.postgresql_connect import (
    answer,
    arguments,
    begin,
    connect,
    connect_plainly,
    settings,
    sever,
    trouble,
    words_of,
)
from safeguard.systems.postgresql_raw import named
from safeguard.systems.postgresql_sql import quoted, select_exact, where
from safeguard.systems.postgresql_sql import select as select_declared
from safeguard.systems.postgresql_strain import Watch
from safeguard.systems.postgresql_stream import READ_ERRORS, Readers
from safeguard.systems.postgresql_sums import PostgresqlSums
from safeguard.systems.postgresql_types import TYPES_SQL, PgTypes
from safeguard.systems.sizes import Size
from safeguard.systems.urls import mask, redact

PART_BLOCKS = 1024
"""No part is smaller: 8 MB are read faster than a connection is opened."""
ALIVE_SECONDS = 3.0
_NAME_SQL = b"SELECT pg_catalog.set_config('application_name', $1, false)"


class PostgresqlSession:
    """See `Session`. `ticket` is another session's, whose snapshot is read instead of a new one."""

    def __init__(
        self, name: str, url: str, limits: Limits = Limits(), ticket: str | None = None
    ) -> None:
        self._name, self._url, self._limits = name, url, limits
        self._lock = threading.RLock()
        given = arguments(url, limits)
        self._main = self._connected(given, limits)
        self._pid = self._main.pgconn.backend_pid
        try:
            self._snapshot = self._exported(ticket)
            self._ticket = ticket or self._snapshot
            # All who read this snapshot are called alike, in at most 63 letters.
            given["application_name"] = f"{given['application_name'][:40]} {self._ticket}"
            self._outside(_NAME_SQL, [given["application_name"]])
            version = str(self._ask("SHOW server_version")[0][0])
            self._pid = self._main.info.backend_pid
        except BaseException:
            self._main.close()
            raise
        sets = settings(limits, self._main.info.server_version)
        most = max(1, limits.connections)
        self._watch = Watch(given)
        self._readers = Readers(make_conninfo(**given), sets, begin(self._snapshot), most)
        words = f"repeatable read, snapshot {self._ticket}"
        self._info = SystemInfo(name, "postgresql", version.split()[0], words, mask(url))
        self.sums = PostgresqlSums(version, most - 1, self._ask, self._read, self._from)
        """See `sums.Sums`."""

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

    def door(self, selection: Selection) -> Door:
        """See `doors.HasDoor`."""
        query = named_query(selection, quoted, self._from(selection.relation))
        return Door("postgresql+psycopg://", query, self._plainly, lambda t: redact(t, self._url))

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
        tail = f"FROM {source}{where(selection.where)}"
        try:
            described = self._described(select_declared(selection.outputs, tail))
        except UsageProblem as problem:
            raise self._blame(selection, source) or problem from None
        outputs = zip(selection.outputs, described, strict=True)
        return replace(selection, outputs=tuple(replace(o, type=c.type) for o, c in outputs))

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        wanted = ", ".join(
            "count(*)" if c is None else f"count(*) FILTER (WHERE {bracketed(c)} IS TRUE)"
            for c in conditions
        )
        sql = f"SELECT {wanted or 'count(*)'} FROM {self._from(relation)}"
        row = self._ask(sql)[0]
        self._refuse_rewritten(relation)
        return tuple(int(n) for n in row)

    def estimate(self, selection: Selection) -> Size:
        """See `sizes.CanEstimate`: the planner's, by its statistics. One who was never told by
        ANALYZE guesses."""
        tail = f"FROM {self._from(selection.relation)}{where(selection.where)}"
        sql = f"EXPLAIN (FORMAT JSON) {select_declared(selection.outputs, tail)}"
        found = self._ask(sql)[0][0][0]["Plan"]
        rows = int(found["Plan Rows"])
        return Size(rows, rows * int(found["Plan Width"]))

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        """See `Session.parts`: ranges of blocks of a plain table, the last one open ended."""
        blocks = self._blocks(selection.relation)
        count = max(1, min(most, blocks // PART_BLOCKS))
        if count == 1:
            return (Part(),)
        cuts = [blocks * i // count for i in range(count)]
        ends: list[tuple[int, ...]] = [(cut,) for cut in cuts[1:]]
        return tuple(
            Part(i, (cut, *end)) for i, (cut, end) in enumerate(zip(cuts, [*ends, ()], strict=True))
        )

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`. Each stream has its own connection to the one snapshot."""
        relation, outputs = selection.relation, selection.outputs
        if not outputs:
            raise UsageProblem(f"{self._name}: nothing is selected of {relation}")
        tail = f"FROM {self._from(relation)}{where(selection.where, part)}"
        for batch in self._read(relation, select_exact(outputs, tail)):
            yield named(batch, outputs)

    def ticket(self) -> str:
        """See `Session.ticket`: the snapshot's identifier."""
        return self._ticket

    def alive(self) -> bool:
        """See `Session.alive`. While the first connection is asked something long, another one
        sees whether the server still has it."""
        if self._main.closed:
            return False
        if not self._lock.acquire(timeout=ALIVE_SECONDS):
            return self._watch.stands(self._pid)
        try:
            return answer(self._main, "SELECT 1", (), ALIVE_SECONDS) == ["1"]
        except psycopg.Error:
            return False
        finally:
            self._lock.release()

    def strain(self) -> str:
        """See `Session.strain`: who waits for us, and how far a standby lags."""
        return self._watch.strain()

    def close(self) -> None:
        """See `Session.close`."""
        self._readers.close()
        self._watch.close()
        sever(self._main)

    def _read(self, relation: Relation, sql: str, local: str = "") -> Iterator[pa.RecordBatch]:
        """What a query over a relation answers, through a connection of its own to the snapshot."""
        try:
            for batch in self._readers.stream(sql, lambda: self._refuse_rewritten(relation), local):
                if batch.num_rows:
                    yield batch
        except READ_ERRORS as error:
            raise self._trouble(error, gone=True) from None

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

    def _plainly(self) -> psycopg.Connection[Any]:
        try:
            return connect_plainly(arguments(self._url, self._limits), self._limits)
        except (psycopg.Error, OSError) as error:
            raise self._trouble(error) from None

    def _from(self, relation: Relation) -> str:
        if relation.table is None:
            return f"{bracketed(relation.query)} AS q"
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
        return blame(
            self._name,
            selection,
            self._described,
            lambda o: select_declared((o,), f"FROM {source}"),
            lambda condition: f"SELECT 1 FROM {source}{where(condition)}",
        )

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._asking(), self._main.cursor() as cursor:
            # Prepared: the server takes one statement only, and the SQL of a contract is quoted
            # nowhere else than in the server's own words.
            return cursor.execute(sql.encode(), values or None, prepare=True).fetchall()

    def _exported(self, ticket: str | None) -> str:
        """Begin, in the ticket's snapshot where there is one, and let our readers share ours."""
        try:
            self._main.execute(begin(ticket).encode())
        except psycopg.Error as error:
            if ticket and error.sqlstate:
                raise SystemProblem(
                    f"{self._name} ({mask(self._url)}): the snapshot {ticket} can't be joined:"
                    f" {words_of(error)}"
                ) from None
            raise self._trouble(error) from None
        return str(self._outside(b"SELECT pg_catalog.pg_export_snapshot()"))

    def _outside(self, sql: bytes, values: Sequence[Any] = ()) -> Any:
        """The one value of a statement outside of a savepoint, where a snapshot can't be exported
        and whose end takes settings back."""
        try:
            row = self._main.execute(sql, values or None).fetchone()
        except psycopg.Error as error:
            raise self._trouble(error) from None
        return row[0] if row else None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A savepoint, so that an error in a contract's SQL leaves the snapshot alive."""
        try:
            with _savepoint(self._main):
                yield
        except psycopg.Error as error:
            raise self._trouble(error) from None

    def _blocks(self, relation: Relation) -> int:
        """How many blocks can be cut into ranges: none of what is not one plain table."""
        if relation.table is None:
            return 0
        rows = self._ask(catalog.BLOCKS_SQL, [self._find(relation.table)[0]])
        return int(rows[0][0] or 0) if rows else 0

    def _refuse_rewritten(self, relation: Relation) -> None:
        oid = None if relation.table is None else self._find(relation.table)[0]
        if rows := self._ask(catalog.REWRITTEN_SQL, [oid]):
            names = ", ".join(row[0] for row in rows)
            raise SystemProblem(
                f"{self._name}: {names} was truncated or rewritten after the snapshot was taken;"
                f" {relation} can't be read as it was"
            )

    def _connected(self, given: dict[str, Any], limits: Limits) -> psycopg.Connection[Any]:
        try:
            return connect(given, limits)
        except (psycopg.Error, OSError) as error:
            raise self._trouble(error) from None

    def _trouble(self, error: Exception, gone: bool = False) -> SafeguardError:
        return trouble(self._name, self._url, error, gone)


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
