"""Systems that DuckDB reads: folders of Parquet, CSV and JSONL, and DuckDB's own files."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from safeguard.contract.model import SystemSpec
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SystemProblem
from safeguard.systems import csv_files, jsonl_files, parquet_files
from safeguard.systems.duckdb_engine import Engine, From, quoted
from safeguard.systems.duckdb_file import DuckdbSession
from safeguard.systems.file_reading import Prepared
from safeguard.systems.fingerprints import fingerprints, ticket_of, verify_ticket
from safeguard.systems.folder import FileTable, Format, list_tables
from safeguard.systems.interface import Column, Limits, Part, Relation, Selection, Table
from safeguard.systems.missing import MissingRelation
from safeguard.systems.plan_sql import bracketed

__all__ = ["DuckdbSession", "FilesSession"]

SNAPSHOT = "files that must not change: size, time and inode are checked after each reading"


class FilesSession:
    """A folder of exports, one table for each file or folder inside.

    `ticket` is that of a session whose files these must be; SystemProblem where they are not. No
    server is behind them that would need `limits`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        spec: SystemSpec,
        *,
        limits: Limits = Limits(),  # noqa: ARG002 - as all sessions; frozen
        ticket: str | None = None,
    ) -> None:
        self._name = name
        self._folder = folder
        self._spec = spec
        self._tables = {table.name: table for table in list_tables(name, folder)}
        self._before = fingerprints(folder, self._files(self._tables.values()))
        if ticket is not None:
            verify_ticket(name, ticket, self._before)
        self._lock = threading.RLock()
        self._staging = tempfile.TemporaryDirectory(prefix="safeguard-files-")
        self._engine = Engine(name)
        self._prepared: dict[str, Prepared] = {}
        self._declared: dict[str, dict[str, str]] = {}
        self.info = SystemInfo(name, "files", f"DuckDB {duckdb.__version__}", SNAPSHOT, spec.url)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`. Files declare no keys."""
        return tuple(Table(name, self.columns(Relation(name))) for name in self._tables)

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. A folder hides no file."""
        return ()

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`."""
        return self._engine.columns(self._from(relation), relation.query or str(relation))

    def declare(self, table: str, types: Mapping[str, str]) -> None:
        """Let SQL on this table see columns under these DuckDB types. The columns themselves are
        still handed on as text; a value that SQL cannot cast is a SystemProblem."""
        self._declared[self._table(table).name] = {k.lower(): v for k, v in types.items()}
        self._prepare(self._table(table))
        self._show(self._table(table))

    def resolve(self, selection: Selection) -> Selection:
        """See `Session.resolve`."""
        return self._engine.resolve(selection, self._from(selection.relation))

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """See `Session.count`: all records by the second parser, conditions by DuckDB."""
        source = self._from(relation)
        asked = tuple(each for each in conditions if each is not None or relation.table is None)
        found = iter(self._engine.count(source, asked) if asked else ())
        whole = self._prepared[self._table(relation.table).name].records if relation.table else 0
        counts = tuple(
            whole if each is None and relation.table is not None else next(found)
            for each in conditions
        )
        self._verify(relation)
        return counts

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        """See `Session.parts`. Row groups of Parquet, whole files of CSV, some thousand lines of
        JSON."""
        if selection.relation.table is None:
            return (Part(),)
        return self._prepare(self._table(selection.relation.table)).parts(most)

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`."""
        yield from self._engine.stream(selection, self._from(selection.relation, part))
        self._verify(selection.relation)

    def ticket(self) -> str | None:
        """See `Session.ticket`. None where SQL sees types that were declared to this session alone."""
        return None if self._declared else ticket_of(self._before)

    def alive(self) -> bool:
        """See `Session.alive`."""
        try:
            self._verify(Relation(query=""))
            return bool(self._engine.execute("SELECT 1"))
        except SystemProblem:
            return False

    def strain(self) -> str:
        """See `Session.strain`. Files bear any reading."""
        return ""

    def close(self) -> None:
        """See `Session.close`."""
        self._engine.close()
        self._staging.cleanup()

    def _table(self, name: str) -> FileTable:
        found = {key.lower(): table for key, table in self._tables.items()}.get(name.lower())
        if found is None:
            raise MissingRelation(self._name, name, list(self._tables))
        return found

    def _from(self, relation: Relation, part: Part | None = None) -> From:
        if relation.table is None:
            for table in self._tables.values():
                self._prepare(table)
            untyped = any(each.untyped for each in self._prepared.values())
            return From(bracketed(relation.query), untyped=untyped)
        table = self._table(relation.table)
        prepared = self._prepare(table)
        declared = self._declared.get(table.name, {})
        raw = {
            name.lower(): f"\x01{name}"
            for name in prepared.names
            if prepared.flags or name.lower() in declared
        }
        source = prepared.sql if part is None else prepared.sql_of(part)
        sql = f"({self._typed(table, raw, source)}) AS {quoted(table.name)}"
        return From(sql, raw, prepared.types, prepared.untyped)

    def _typed(self, table: FileTable, raw: Mapping[str, str], source: str) -> str:
        """Columns under their declared types, and as they are under a name that SQL can't meet."""
        prepared, declared = self._prepared[table.name], self._declared.get(table.name, {})
        chosen = [
            f"CAST({quoted(name)} AS {declared[name.lower()]}) AS {quoted(name)}"
            if name.lower() in declared
            else quoted(name)
            for name in prepared.names
        ]
        chosen += [
            f"{prepared.raw(name)} AS {quoted(raw[name.lower()])}"
            for name in prepared.names
            if name.lower() in raw
        ]
        return f"SELECT {', '.join(chosen)} FROM {source}"

    def _prepare(self, table: FileTable) -> Prepared:
        with self._lock:
            return self._prepared.get(table.name) or self._prepare_anew(table)

    def _prepare_anew(self, table: FileTable) -> Prepared:
        staging = Path(self._staging.name)
        match table.format:
            case Format.CSV:
                prepared = csv_files.prepare(table, self._spec.csv, staging)
            case Format.JSONL:
                prepared = jsonl_files.prepare(table, staging)
            case Format.PARQUET:
                prepared = parquet_files.prepare(table, staging)
        self._prepared[table.name] = prepared
        self._show(table)
        if prepared.characters is not None:
            self._agree(table, prepared, prepared.characters)
        self._verify(Relation(table.name))
        return prepared

    def _show(self, table: FileTable) -> None:
        typed = self._typed(table, {}, self._prepared[table.name].sql)
        self._engine.execute(f"CREATE OR REPLACE VIEW {quoted(table.name)} AS {typed}")

    def _agree(self, table: FileTable, prepared: Prepared, characters: int) -> None:
        """DuckDB must find the records and characters that Python's parser found."""
        missing = len(self._spec.csv.null)
        lengths = " + ".join(
            f"coalesce(length({quoted(name)}), {missing})" for name in prepared.names
        )
        sql = f"SELECT count(*), coalesce(sum({lengths}), 0) FROM {prepared.sql}"
        found = tuple(self._engine.execute(sql)[0])
        if found != (prepared.records, characters):
            raise SystemProblem(
                f"{table.name}: two CSV parsers read it differently"
                " (blank lines, or spaces before a quote?)"
            )

    def _verify(self, relation: Relation) -> None:
        asked = self._tables.values() if relation.table is None else [self._table(relation.table)]
        for table in asked:
            now = fingerprints(self._folder, self._files([table]))
            if any(self._before[path] != each for path, each in now.items()):
                raise SystemProblem(f"{self._name}.{table.name} changed while it was read")

    @staticmethod
    def _files(tables: Iterable[FileTable]) -> list[Path]:
        return [path for table in tables for path in table.files]
