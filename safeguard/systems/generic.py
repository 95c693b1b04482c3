"""Any other SQLAlchemy dialect, by its inspector and a cursor: plain, exact, without one snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql import sqltypes

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import TypeName
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.doors import Door, named_query
from safeguard.systems.interface import (
    Column,
    ForeignKey,
    Limits,
    Output,
    Part,
    Relation,
    Selection,
    SourceType,
    Table,
)
from safeguard.systems.missing import MissingRelation
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.rows import array_of
from safeguard.systems.urls import mask, parse, redact

BATCH_ROWS = 65_536
SNAPSHOT = "none: this dialect is read without one snapshot"
BLIND = "may hide tables that the user can't see, so coverage can't be judged"
_ALIVE_SECONDS = 2
_Found = TypeVar("_Found")

_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], TypeName], ...] = (
    (sqltypes.Enum, TypeName.ENUM),
    (sqltypes.Boolean, TypeName.BOOLEAN),
    (sqltypes.Integer, TypeName.INTEGER),
    (sqltypes.Float, TypeName.FLOAT),
    (sqltypes.Numeric, TypeName.DECIMAL),
    (sqltypes.DateTime, TypeName.TIMESTAMP),
    (sqltypes.Date, TypeName.DATE),
    (sqltypes.Time, TypeName.TIME),
    (sqltypes.JSON, TypeName.JSON),
    (sqltypes.Uuid, TypeName.UUID),
    (sqltypes.String, TypeName.TEXT),
    (sqltypes.LargeBinary, TypeName.BYTES),
    (sqltypes.BINARY, TypeName.BYTES),
    (sqltypes.VARBINARY, TypeName.BYTES),
)
"""SQLAlchemy's types -> ours, the first that fits."""


def source_type(found: sa.types.TypeEngine[Any]) -> SourceType:
    """What a dialect's type is to us; `kind` None where SQLAlchemy does not know it."""
    kind = next((kind for base, kind in _KINDS if isinstance(found, base)), None)
    return SourceType(
        kind,
        str(found) if not isinstance(found, sqltypes.NullType) else "",
        aware=bool(getattr(found, "timezone", False)) and kind is TypeName.TIMESTAMP,
        blank_padded=isinstance(found, sqltypes.CHAR | sqltypes.NCHAR),
        single=isinstance(found, sqltypes.REAL),
    )


class GenericSession:
    """One database through SQLAlchemy. All that it sends is SELECT, in a transaction that is
    rolled back.

    It has one connection, and dialects have no common words for a timeout: of `limits` nothing is
    left to keep. Nobody can join it, so there is no `ticket`; one given is a SystemProblem.
    """

    def __init__(
        self,
        name: str,
        url: str,
        spec: SystemSpec,
        *,
        limits: Limits = Limits(),  # noqa: ARG002 - as all sessions; frozen
        ticket: str | None = None,
    ) -> None:
        if ticket is not None:
            raise SystemProblem(f"{name} has no snapshot that a second session could join")
        self._name = name
        self._url = url
        self._asking = threading.RLock()
        self._turn = threading.Lock()
        self._streaming: int | None = None
        self._engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        self._connection = self._guarded(self._connect)
        self._tables: tuple[Table, ...] | None = None
        version = ".".join(map(str, self._engine.dialect.server_version_info or ()))
        dialect = self._engine.dialect.name
        self.info = SystemInfo(name, dialect, version, SNAPSHOT, mask(spec.url), False)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`."""
        if self._tables is None:
            self._tables = self._guarded(self._inspected)
        return self._tables

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`."""
        if self._engine.dialect.name == "sqlite":
            return ()
        return (f"{self._name}: {self._engine.dialect.name} {BLIND}",)

    def door(self, selection: Selection) -> Door:
        """See `doors.HasDoor`. What comes through it is the dialect's own connection: nothing but our
        asking SELECTs only keeps it from writing."""
        query = named_query(selection, self._quoted, self._source(selection.relation))
        url = f"{parse(self._url).drivername}://"
        return Door(url, query, self._plainly, lambda text: redact(text, self._url))

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`. Of a query nothing is declared."""
        if relation.table is not None:
            return self._table(relation.table).columns
        found = self._asked(self._sql("*", relation, "1 = 0"), relation.query or "")
        return tuple(Column(name, SourceType(None)) for name in found.keys())  # noqa: SIM118

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`. Expressions have no type here."""
        known = {column.name: column.type for column in self.columns(selection.relation)}
        outputs = tuple(
            self._resolved(each, selection.relation, known) for each in selection.outputs
        )
        if selection.where is not None:
            sql = self._sql("1", selection.relation, f"{bracketed(selection.where)} AND 1 = 0")
            self._asked(sql, selection.where).close()
        return replace(selection, outputs=outputs)

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        sums = [
            "count(*)" if each is None else f"sum(CASE WHEN {bracketed(each)} THEN 1 ELSE 0 END)"
            for each in conditions
        ]
        sql = self._sql(", ".join(sums) or "0", relation, None)
        what = ", ".join(c for c in conditions if c) or str(relation)
        with self._asking:
            row = self._asked(sql, what).fetchone()
        return tuple(int(n or 0) for n in (row or ())[: len(conditions)])

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:  # noqa: ARG002
        """See `Session.parts`. One."""
        return (Part(),)

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        """See `Session.stream`. A stream of another thread waits for this one."""
        names = [each.name for each in selection.outputs]
        chosen = ", ".join(
            f"{self._selected(each)} AS {self._quoted(f'c{index}')}"
            for index, each in enumerate(selection.outputs)
        )
        with self._in_turn():
            found = self._asked(self._sql(chosen, selection.relation, selection.where), chosen)
            while rows := self._guarded(lambda: found.fetchmany(BATCH_ROWS)):
                yield self._batch(rows, names, selection.outputs)

    def ticket(self) -> str | None:
        """See `Session.ticket`. None: a second connection may see another state."""
        return None

    def alive(self) -> bool:
        """See `Session.alive`. A connection that is busy with an answer is alive."""
        if not self._asking.acquire(timeout=_ALIVE_SECONDS):
            return True
        try:
            self._guarded(lambda: self._connection.execute(sa.select(sa.literal(1))).close())
        except SystemProblem:
            return False
        finally:
            self._asking.release()
        return True

    def strain(self) -> str:
        """See `Session.strain`. Dialects have no common words for it."""
        return ""

    def close(self) -> None:
        """See `Session.close`."""
        try:
            self._connection.close()
        except SQLAlchemyError:
            self._connection.invalidate()
        self._engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._streaming == me:  # waiting for oneself would last for ever
            yield
            return
        with self._turn:
            self._streaming = me
            try:
                yield
            finally:
                self._streaming = None

    def _connect(self) -> sa.Connection:
        return self._engine.connect().execution_options(stream_results=True)

    def _plainly(self) -> Any:
        dialect = self._engine.dialect
        given, more = dialect.create_connect_args(self._engine.url)
        try:
            return dialect.connect(*given, **more)
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own
            words = redact(str(error), self._url)
            raise SystemProblem(f"{self._name} could not be reached: {words}") from None

    def _inspected(self) -> tuple[Table, ...]:
        inspector = sa.inspect(self._connection)
        names = [(name, False) for name in sorted(inspector.get_table_names())]
        names += [(name, True) for name in sorted(inspector.get_view_names())]
        return tuple(_table(inspector, name, is_view) for name, is_view in names)

    def _table(self, name: str) -> Table:
        for table in self.tables():
            if table.name == name:
                return table
        raise MissingRelation(self._name, name, [table.name for table in self.tables()])

    def _quoted(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    def _source(self, relation: Relation) -> str:
        if relation.table is not None:
            return self._quoted(self._table(relation.table).name)
        return f"{bracketed(relation.query)} {self._quoted('q')}"

    def _sql(self, chosen: str, relation: Relation, where: str | None) -> str:
        condition = f" WHERE {bracketed(where)}" if where is not None else ""
        return f"SELECT {chosen} FROM {self._source(relation)}{condition}"

    def _selected(self, output: Output) -> str:
        if output.is_column:
            return self._quoted(output.sql)
        sql = bracketed(output.sql)
        return f"CASE WHEN {sql} THEN 1 ELSE 0 END" if output.condition else sql

    def _resolved(self, output: Output, relation: Relation, known: dict[str, SourceType]) -> Output:
        if output.is_column:
            if output.sql not in known:
                raise UsageProblem(f"{self._name}.{relation} has no column `{output.sql}`")
            return replace(output, type=known[output.sql])
        self._asked(self._sql(self._selected(output), relation, "1 = 0"), output.sql).close()
        return replace(output, type=SourceType(TypeName.BOOLEAN if output.condition else None))

    def _batch(
        self, rows: Sequence[Sequence[Any]], names: list[str], outputs: tuple[Output, ...]
    ) -> pa.RecordBatch:
        columns = []
        for values, output in zip(zip(*rows, strict=True), outputs, strict=True):
            try:
                array = array_of(values)
            except (TypeError, ValueError) as error:
                raise SystemProblem(f"{self._name}: column `{output.name}`: {error}") from error
            columns.append(array.cast(pa.bool_()) if output.condition else array)
        return pa.RecordBatch.from_arrays(columns, names=names)

    def _asked(self, sql: str, what: str) -> sa.CursorResult[Any]:
        try:
            with self._asking:
                # Not text(): a colon in the plan's SQL is no parameter.
                return self._connection.exec_driver_sql(sql)
        except DBAPIError as error:
            words = redact(str(error.orig), self._url)
            if error.connection_invalidated:
                raise SystemProblem(f"{self._name} went away: {words}") from error
            raise UsageProblem(f"{self._name} does not understand `{what}`: {words}") from error
        except SQLAlchemyError as error:
            words = redact(str(error), self._url)
            raise SystemProblem(f"{self._name} could not read {what}: {words}") from error

    def _guarded(self, act: Callable[[], _Found]) -> _Found:
        try:
            with self._asking:
                return act()
        except SQLAlchemyError as error:
            words = redact(str(getattr(error, "orig", None) or error), self._url)
            raise SystemProblem(f"{self._name} could not be read: {words}") from error


def _table(inspector: sa.Inspector, name: str, is_view: bool) -> Table:
    columns = tuple(
        Column(str(each["name"]), source_type(each["type"]), bool(each.get("nullable", True)))
        for each in inspector.get_columns(name)
    )
    if is_view:
        return Table(name, columns, is_view=True)
    return Table(
        name,
        columns,
        tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
        tuple(tuple(map(str, u["column_names"])) for u in inspector.get_unique_constraints(name)),
        tuple(
            ForeignKey(
                tuple(key["constrained_columns"]),
                key["referred_table"],
                tuple(key["referred_columns"]),
            )
            for key in inspector.get_foreign_keys(name)
        ),
    )
