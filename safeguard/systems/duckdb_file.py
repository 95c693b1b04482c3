"""A DuckDB database file, opened read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from safeguard.contract.model import SystemSpec
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.duckdb_engine import Engine, From, quoted
from safeguard.systems.fingerprints import Fingerprints, fingerprints, ticket_of, verify_ticket
from safeguard.systems.interface import (
    Column,
    ForeignKey,
    Limits,
    Part,
    Relation,
    Selection,
    Table,
)
from safeguard.systems.missing import MissingRelation
from safeguard.systems.plan_sql import bracketed

ROW_GROUP = 122_880
"""Rows that DuckDB stores, and skips, together."""
SNAPSHOT = "read only: DuckDB lets nobody write while it is open"

_TABLES = """
SELECT schema_name, table_name, false FROM duckdb_tables() WHERE NOT internal
UNION ALL
SELECT schema_name, view_name, true FROM duckdb_views() WHERE NOT internal ORDER BY 1, 2
"""
_KEYS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names,
       referenced_table, referenced_column_names FROM duckdb_constraints()
"""
_NULLABLE = "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE is_nullable"


class DuckdbSession:
    """One DuckDB file, with its write-ahead log where it has one.

    `ticket` is that of a session whose files these must be; SystemProblem where they are not. No
    server is behind them that would need `limits`.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        spec: SystemSpec,
        *,
        limits: Limits = Limits(),  # noqa: ARG002 - as all sessions; frozen
        ticket: str | None = None,
    ) -> None:
        if not path.is_file():
            raise UsageProblem(f"{name}: there is no DuckDB file {path}")
        self._name = name
        self._path = path
        before = self._now()
        self._engine = Engine(name, str(path), read_only=True)
        self._found: tuple[Table, ...] | None = None
        self._before = self._now()
        try:
            if before != self._before:
                raise SystemProblem(f"{name}: {path.name} changed while it was opened")
            if ticket is not None:
                verify_ticket(name, ticket, before)
        except SystemProblem:
            self.close()
            raise
        self.info = SystemInfo(name, "duckdb", duckdb.__version__, SNAPSHOT, spec.url)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`."""
        if self._found is None:
            nullable = set(self._engine.execute(_NULLABLE))
            keys = self._engine.execute(_KEYS)
            rows = self._engine.execute(_TABLES)
            self._found = tuple(self._table(row, keys, nullable) for row in rows)
        return self._found

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. A file hides no table."""
        return ()

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`."""
        if relation.table is not None:
            return self._known(relation.table).columns
        return self._engine.columns(self._from(relation), relation.query or "")

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`."""
        return self._engine.resolve(selection, self._from(selection.relation))

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`."""
        found = self._engine.count(self._from(relation), conditions)
        self._verify()
        return found

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        """See `Session.parts`. Ranges of rowids, cut between row groups."""
        name = selection.relation.table
        table = None if name is None else self._known(name)
        if table is None or table.is_view or any(c.name.lower() == "rowid" for c in table.columns):
            return (Part(),)
        last = self._engine.execute(f"SELECT coalesce(max(rowid), 0) FROM {_path(table.name)}")
        groups = int(str(last[0][0])) // ROW_GROUP + 1
        number = max(1, min(most, groups))
        cuts = [groups * n // number * ROW_GROUP for n in range(number + 1)]
        return tuple(Part(n, (cuts[n], cuts[n + 1] - 1)) for n in range(number))

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`."""
        source = self._from(selection.relation)
        if part is not None and part.range:
            first, last = map(int, part.range)
            source = replace(source, rows=f"rowid BETWEEN {first} AND {last}")
        yield from self._engine.stream(selection, source)
        self._verify()

    def ticket(self) -> str | None:
        """See `Session.ticket`."""
        return ticket_of(self._before)

    def alive(self) -> bool:
        """See `Session.alive`."""
        try:
            self._verify()
            return bool(self._engine.execute("SELECT 1"))
        except SystemProblem:
            return False

    def strain(self) -> str:
        """See `Session.strain`. A file bears any reading."""
        return ""

    def close(self) -> None:
        """See `Session.close`."""
        self._engine.close()

    def _now(self) -> Fingerprints:
        log = self._path.with_name(self._path.name + ".wal")
        return fingerprints(self._path.parent, [self._path, *([log] if log.exists() else [])])

    def _verify(self) -> None:
        if self._now() != self._before:
            raise SystemProblem(f"{self._name}: {self._path.name} changed while it was read")

    def _known(self, name: str) -> Table:
        for table in self.tables():
            if table.name.lower() == name.lower():
                return table
        raise MissingRelation(self._name, name, [table.name for table in self.tables()])

    def _from(self, relation: Relation) -> From:
        if relation.table is None:
            return From(bracketed(relation.query))
        return From(_path(self._known(relation.table).name))

    def _table(
        self,
        row: tuple[object, ...],
        keys: list[tuple[object, ...]],
        nullable: set[tuple[object, ...]],
    ) -> Table:
        schema, bare, is_view = str(row[0]), str(row[1]), bool(row[2])
        name = bare if schema == "main" else f"{schema}.{bare}"
        own = [key for key in keys if key[:2] == (schema, bare)]
        columns = tuple(
            Column(c.name, c.type, is_view or (schema, bare, c.name) in nullable)
            for c in self._engine.columns(From(_path(name)), name)
        )
        return Table(
            name,
            columns,
            next((_names(key[3]) for key in own if key[2] == "PRIMARY KEY"), ()),
            tuple(_names(key[3]) for key in own if key[2] == "UNIQUE"),
            tuple(
                ForeignKey(_names(key[3]), str(key[4]), _names(key[5]))
                for key in own
                if key[2] == "FOREIGN KEY"
            ),
            is_view,
        )


def _path(name: str) -> str:
    return ".".join(map(quoted, name.split(".", 1)))


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
