"""SQLite by ADBC: opened read only, one read transaction as long as it is open."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import TypeName
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.doors import Door, named_query
from safeguard.systems.fingerprints import fingerprints, ticket_of, verify_ticket
from safeguard.systems.interface import (
    Column,
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
from safeguard.systems.sqlite_catalog import quoted, read_tables, rowid_name
from safeguard.systems.sqlite_connection import BATCH_ROWS, SqliteConnection
from safeguard.systems.sqlite_rows import ColumnReader, batch_of, selected

SNAPSHOT = "one read transaction"
_ALIVE_SECONDS = 2


class SqliteSession:
    """One SQLite file. Nothing it does can write: not the connection, not the pragma.

    `ticket` is that of a session whose snapshot this one must read; SystemProblem if the file is
    not as it was. Of `limits`, `connect_timeout` is how long to wait for a writer that is at work.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        spec: SystemSpec,
        *,
        limits: Limits = Limits(),
        ticket: str | None = None,
    ) -> None:
        if not path.is_file():
            raise UsageProblem(f"{name}: there is no SQLite file {path}")
        self._name, self._path, self._limits = name, path, limits
        self._tables: tuple[Table, ...] | None = None
        inode = path.stat().st_ino
        self._connection = SqliteConnection(name, path, limits.connect_timeout)
        try:
            self._wal = self._connection.ask("PRAGMA journal_mode") == [("wal",)]
            self._before = fingerprints(path.parent, [path])
            if self._before[path.name].inode != inode:
                raise self._changed()
            if ticket is not None:
                verify_ticket(name, ticket, self._before)
            version = str(self._connection.ask("SELECT sqlite_version()")[0][0])
        except BaseException:
            self.close()
            raise
        self.info = SystemInfo(name, "sqlite", version, SNAPSHOT, spec.url)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`."""
        if self._tables is None:
            self._tables = read_tables(self._connection)
        return self._tables

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. A file hides no table."""
        return ()

    def door(self, selection: Selection) -> Door:
        """See `doors.HasDoor`. Closing what comes through it takes the locks of this session away
        (see `sqlite_connection`): only for after everything was read."""
        query = named_query(selection, quoted, self._from(selection.relation))
        uri = f"file:{quote(str(self._path))}?mode=ro"
        patience = self._limits.connect_timeout
        return Door("sqlite://", query, partial(sqlite3.connect, uri, timeout=patience, uri=True))

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`. Of a query nothing is declared."""
        if relation.table is not None:
            return self._table(relation.table).columns
        sql = f"SELECT * FROM {self._from(relation)} LIMIT 0"
        names = self._connection.names(sql, relation.query or "")
        return tuple(Column(each, SourceType(None)) for each in names)

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`. SQLite tells no types of expressions."""
        known = {c.name.lower(): c.type for c in self.columns(selection.relation)}
        outputs = tuple(
            self._resolved(each, selection.relation, known) for each in selection.outputs
        )
        if selection.where is not None:
            self._try(selection.relation, selection.where)
        return replace(selection, outputs=outputs)

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        for each in conditions:
            self._refuse_strays(relation, each or "")
        sums = ", ".join(
            "count(*)" if each is None else f"coalesce(sum({bracketed(each)} IS TRUE), 0)"
            for each in conditions
        )
        sql = f"SELECT {sums or 'count(*)'} FROM {self._from(relation)}"
        what = ", ".join(c for c in conditions if c) or str(relation)
        row = self._connection.ask(sql, what)[0]
        self._verify()
        return tuple(int(n) for n in row[: len(conditions)])

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        """See `Session.parts`. Ranges of rowids, equally wide: where rows were deleted by the
        million, one holds fewer than another."""
        name = self._rowid(selection.relation)
        ends = None if name is None else self._ends(selection.relation, name)
        if ends is None:
            return (Part(),)
        low, high = ends
        number = max(1, min(most, (high - low + 1) // BATCH_ROWS))
        cuts = [low + (high - low + 1) * n // number for n in range(number + 1)]
        return tuple(Part(n, (cuts[n], cuts[n + 1] - 1)) for n in range(number))

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`."""
        rowid = self._rowid(selection.relation)
        readers = [ColumnReader(each, plain=rowid is not None) for each in selection.outputs]
        if rowid is None:
            yield from self._apart(selection, readers)
        elif part is not None and part.range:
            low, high = map(int, part.range)
            yield from self._windows(selection, readers, rowid, low, high)
        elif ends := self._ends(selection.relation, rowid):
            yield from self._windows(selection, readers, rowid, *ends)
        self._verify()

    def ticket(self) -> str | None:
        """See `Session.ticket`. While our lock is held nobody commits to a file with a rollback
        journal, so its fingerprint is that of the snapshot; of a WAL no fingerprint proves it."""
        return None if self._wal else ticket_of(self._before)

    def alive(self) -> bool:
        """See `Session.alive`."""
        try:
            self._verify()
        except SystemProblem:
            return False
        return self._connection.answers(_ALIVE_SECONDS)

    def strain(self) -> str:
        """See `Session.strain`. A file bears any reading."""
        return ""

    def close(self) -> None:
        """See `Session.close`."""
        self._connection.close()

    def _apart(self, selection: Selection, readers: list[ColumnReader]) -> Iterator[pa.RecordBatch]:
        """A view or query, or a table without rowids, in one pass: nothing there is read plain."""
        what = str(selection.relation)
        sql = self._select(selection, readers, [])
        for found in self._connection.batches(sql, what):
            batch = batch_of(found, readers, f"{self._name}.{what}")
            assert batch is not None
            yield batch

    def _windows(
        self, selection: Selection, readers: list[ColumnReader], rowid: str, low: int, high: int
    ) -> Iterator[pa.RecordBatch]:
        """A table by ranges of rowids, each a result of its own that one batch holds, so that all
        of it is proven, or read again apart, before any of it is handed on."""
        width = BATCH_ROWS
        what = str(selection.relation)
        while (first := self._next(selection.relation, rowid, low, high)) is not None:
            last = min(first + width - 1, high)
            between = f"{rowid} BETWEEN {first} AND {last}"
            sql = self._select(selection, readers, [between]) + f" LIMIT {BATCH_ROWS + 1}"
            found = self._connection.whole(sql, what)
            if len(found) > 1:  # more rows than a batch: a wide window has met a dense range
                width //= 2
                continue
            for each in found:
                batch = batch_of(each, readers, f"{self._name}.{what}")
                if batch is None:
                    break
                yield batch
            else:
                low = last + 1
                width *= 2 if sum(each.num_rows for each in found) < BATCH_ROWS // 4 else 1

    def _select(
        self, selection: Selection, readers: list[ColumnReader], conditions: list[str]
    ) -> str:
        # An index is not ordered by rowid: it would be read from end to end for each range.
        source = self._from(selection.relation) + (" NOT INDEXED" if conditions else "")
        if selection.where is not None:
            conditions = [*conditions, bracketed(selection.where)]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {selected(readers)} FROM {source}{where}"

    def _rowid(self, relation: Relation) -> str | None:
        if relation.table is None:
            return None
        return rowid_name(self._connection, self._table(relation.table).name)

    def _ends(self, relation: Relation, rowid: str) -> tuple[int, int] | None:
        # Each by itself is found at an end of the table; both in one SELECT read all of it.
        source = self._from(relation)
        sql = f"SELECT (SELECT min({rowid}) FROM {source}), (SELECT max({rowid}) FROM {source})"
        low, high = self._connection.ask(sql)[0]
        return None if low is None else (int(low), int(high))

    def _next(self, relation: Relation, rowid: str, low: int, high: int) -> int | None:
        """The first rowid of a range: gaps are stepped over."""
        if low > high:
            return None
        source = self._from(relation)
        sql = f"SELECT min({rowid}) FROM {source} WHERE {rowid} BETWEEN {low} AND {high}"
        found = self._connection.ask(sql)[0][0]
        return None if found is None else int(found)

    def _verify(self) -> None:
        """SQLite's lock keeps writers out who ask it; others are found out. A file with a WAL is
        written to beside us, rightly: of it we know that it was not replaced."""
        now = fingerprints(self._path.parent, [self._path])
        name = self._path.name
        same_file = now[name].inode == self._before[name].inode
        if not same_file or (now != self._before and not self._wal):
            raise self._changed()

    def _changed(self) -> SystemProblem:
        return SystemProblem(f"{self._name}: {self._path.name} changed while it was read")

    def _table(self, name: str) -> Table:
        for table in self.tables():
            if table.name.lower() == name.lower():
                return table
        raise MissingRelation(self._name, name, [table.name for table in self.tables()])

    def _from(self, relation: Relation) -> str:
        if relation.table is not None:
            return quoted(self._table(relation.table).name)
        return bracketed(relation.query)

    def _resolved(self, output: Output, relation: Relation, known: dict[str, SourceType]) -> Output:
        if output.is_column:
            if output.sql.lower() not in known:
                raise UsageProblem(f"{self._name}.{relation} has no column `{output.sql}`")
            return replace(output, type=known[output.sql.lower()])
        self._try(relation, output.sql)
        kind = TypeName.BOOLEAN if output.condition else None
        return replace(output, type=SourceType(kind))

    def _try(self, relation: Relation, expression: str) -> None:
        self._refuse_strays(relation, expression)
        sql = f"SELECT {bracketed(expression)} FROM {self._from(relation)} LIMIT 0"
        self._connection.names(sql, expression)

    def _refuse_strays(self, relation: Relation, expression: str) -> None:
        """SQLite takes "a name" that it does not know for a string, and a condition that is
        misspelt so is silently false."""
        names = re.findall(r'"((?:[^"]|"")*)"', re.sub(r"'(?:[^']|'')*'", "", expression))
        if not names:
            return
        known = {column.name.lower() for column in self.columns(relation)}
        for table in self.tables():
            known |= {table.name.lower(), *(column.name.lower() for column in table.columns)}
        for name in names:
            if name.replace('""', '"').lower() not in known:
                raise UsageProblem(f'{self._name} has no column "{name}": `{expression}`')
