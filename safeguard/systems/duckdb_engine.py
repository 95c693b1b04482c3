"""Reading by DuckDB, shared by database files and folders: describe, count, stream."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import duckdb
import pyarrow as pa

from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.duckdb_types import exact, source_type
from safeguard.systems.interface import Column, Output, Selection, SourceType
from safeguard.systems.plan_sql import bracketed

BATCH_ROWS = 65_536
_MISTAKES = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.SyntaxException,
    duckdb.NotImplementedException,
)
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "2",
    "memory_limit": "256MB",
    "preserve_insertion_order": "false",
}


@dataclass(frozen=True)
class From:
    """What stands after FROM. `raw` names the columns that are handed on as they lie in the file
    while expressions see them under their declared type."""

    sql: str
    raw: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, SourceType] = field(default_factory=dict)
    """Of columns that DuckDB itself would tell wrongly or not at all."""
    untyped: bool = False
    """Text says nothing of its type here (CSV, JSONL)."""
    rows: str = ""
    """A condition that holds for the rows of one part alone."""


class Engine:
    """One DuckDB instance, without network or extensions."""

    def __init__(self, name: str, path: str = ":memory:", *, read_only: bool = False) -> None:
        self._name = name
        try:
            self._database = duckdb.connect(path, read_only=read_only, config=_SETTINGS)
            self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise SystemProblem(f"{name} could not be opened: {_first_line(error)}") from error
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give everything back."""
        self._database.close()

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a statement of ours."""
        with self._trouble("its catalog"), self._cursor() as cursor:
            return list(cursor.execute(sql).fetchall())

    def columns(self, source: From, what: str) -> tuple[Column, ...]:
        """Names and types of a FROM."""
        described = self._describe(f"SELECT * FROM {source.sql}", what)
        hidden = set(source.raw.values())
        return tuple(
            Column(name, _typed(name, declared, source))
            for name, declared in described
            if name not in hidden
        )

    def resolve(self, selection: Selection, source: From) -> Selection:
        """Outputs with their types; an SQL mistake is a UsageProblem that quotes it."""
        known = {c.name.lower(): c for c in self.columns(source, str(selection.relation))}
        outputs = tuple(self._resolved(each, source, known) for each in selection.outputs)
        if selection.where is not None:
            self._describe(
                f"SELECT {bracketed(selection.where)} FROM {source.sql}", selection.where
            )
        return replace(selection, outputs=outputs)

    def _resolved(self, output: Output, source: From, known: Mapping[str, Column]) -> Output:
        if output.is_column:
            column = known.get(output.sql.lower())
            if column is None:
                raise UsageProblem(f"{self._name} has no column `{output.sql}`")
            return replace(output, type=column.type)
        sql = f"SELECT {bracketed(output.sql)} AS x FROM {source.sql}"
        declared = self._describe(sql, output.sql)[0][1]
        kind = SourceType(TypeName.BOOLEAN) if output.condition else None
        return replace(output, type=kind or _typed("", declared, source))

    def count(self, source: From, conditions: tuple[str | None, ...]) -> tuple[int, ...]:
        """Rows for which each condition is true."""
        parts = [
            "count(*)" if each is None else f"count(*) FILTER (WHERE {bracketed(each)})"
            for each in conditions
        ]
        quoted = ", ".join(each for each in conditions if each) or "count(*)"
        sql = f"SELECT {', '.join(parts) or '0'} FROM {source.sql}"
        with self._trouble(quoted), self._cursor() as cursor:
            row = cursor.execute(sql).fetchone()
        assert row is not None
        return tuple(int(n) for n in row[: len(conditions)])

    def stream(self, selection: Selection, source: From) -> Iterator[pa.RecordBatch]:
        """Raw columns in batches."""
        chosen = ", ".join(self._selected(each, source) for each in selection.outputs)
        asked = "" if selection.where is None else bracketed(selection.where)
        conditions = " AND ".join(each for each in (source.rows, asked) if each)
        sql = f"SELECT {chosen} FROM {source.sql} WHERE {conditions or 'true'}"
        with self._trouble(str(selection.relation)), self._cursor() as cursor:
            reader = cursor.sql(sql).to_arrow_reader(BATCH_ROWS)
            for batch in _batches(reader):
                yield batch.rename_columns([each.name for each in selection.outputs])

    def _selected(self, output: Output, source: From) -> str:
        if output.is_column:
            raw = source.raw.get(output.sql.lower())
            if raw is not None:
                return quoted(raw)
            return exact(quoted(output.sql), output.type.declared)
        if output.condition:
            return f"coalesce(CAST({bracketed(output.sql)} AS BOOLEAN), false)"
        return exact(bracketed(output.sql), output.type.declared)

    def _describe(self, sql: str, what: str) -> list[tuple[str, str]]:
        with self._trouble(what), self._cursor() as cursor:
            rows = cursor.execute(f"DESCRIBE {sql}").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            cursor = self._database.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except _MISTAKES as error:
            raise UsageProblem(
                f"{self._name} does not understand `{what}`: {_first_line(error)}"
            ) from error
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise SystemProblem(
                f"{self._name} could not read {what}: {_without_values(error)}"
            ) from error


def quoted(name: str) -> str:
    """An identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _typed(name: str, declared: str, source: From) -> SourceType:
    known = source.types.get(name.lower())
    if known is not None:
        return known
    if source.untyped and declared == "VARCHAR":
        return SourceType(None, declared)
    return source_type(declared)


def _without_values(error: BaseException) -> str:
    """What DuckDB quotes of a value that it could not read is the customer's."""
    return re.sub(r"(['\"]).*\1", "'...'", _first_line(error))


def _first_line(error: BaseException) -> str:
    """The server's words without the lines that quote content."""
    return str(error).partition("\n")[0]
