"""SQLite by the standard library: opened read only, one read transaction as long as it is open."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import TypeName
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.interface import Column, Output, Relation, Selection, SourceType, Table
from safeguard.systems.missing import MissingRelation
from safeguard.systems.plan_sql import bracketed
from safeguard.systems.rows import array_of
from safeguard.systems.sqlite_catalog import quoted, read_tables

BATCH_ROWS = 65_536
SNAPSHOT = "one read transaction"


class SqliteSession:
    """One SQLite file. Nothing it does can write: not the connection, not the pragma."""

    def __init__(self, name: str, path: Path, spec: SystemSpec) -> None:
        self._name = name
        self._path = path
        self._connection = _open(name, path)
        self._tables: tuple[Table, ...] | None = None
        self.info = SystemInfo(name, "sqlite", sqlite3.sqlite_version, SNAPSHOT, spec.url)

    def tables(self) -> tuple[Table, ...]:
        """See `Session.tables`."""
        if self._tables is None:
            try:
                self._tables = read_tables(self._connection)
            except sqlite3.Error as error:
                raise self._problem(error, "its tables") from error
        return self._tables

    def blind_spots(self) -> tuple[str, ...]:
        """See `Session.blind_spots`. A file hides no table."""
        return ()

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """See `Session.columns`. Of a query nothing is declared."""
        if relation.table is not None:
            return self._table(relation.table).columns
        sql = f"SELECT * FROM {self._from(relation)} LIMIT 0"
        cursor = self._asked(sql, relation.query or "")
        return tuple(Column(each[0], SourceType(None)) for each in cursor.description)

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
        row = self._asked(sql, ", ".join(c for c in conditions if c) or str(relation)).fetchone()
        return tuple(int(n) for n in row[: len(conditions)])

    def stream(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """See `Session.stream`."""
        names = [each.name for each in selection.outputs]
        where = f" WHERE {bracketed(selection.where)}" if selection.where is not None else ""
        chosen = ", ".join(map(_selected, selection.outputs))
        sql = f"SELECT {chosen} FROM {self._from(selection.relation)}{where}"
        cursor = self._asked(sql, sql)
        conditions = [each.condition for each in selection.outputs]
        try:
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield _batch(rows, names, conditions)
        except sqlite3.Error as error:
            raise self._problem(error, str(selection.relation)) from error
        finally:
            # An interrupted run may close the connection before this generator is collected.
            with suppress(sqlite3.ProgrammingError):
                cursor.close()

    def close(self) -> None:
        """See `Session.close`."""
        self._connection.close()

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
        self._asked(sql, expression).close()

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

    def _asked(self, sql: str, expression: str) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql)
        except (sqlite3.OperationalError, sqlite3.Warning) as error:
            if _is_refusal(error):
                raise self._problem(error, expression) from error
            raise UsageProblem(
                f"{self._name} does not understand `{expression}`: {error}"
            ) from error
        except sqlite3.Error as error:
            raise self._problem(error, expression) from error

    def _problem(self, error: Exception, what: str) -> SystemProblem:
        undecoded = re.match(r"Could not decode to UTF-8 column '(.*?)' with text", str(error))
        if undecoded:  # SQLite goes on to quote the text, which is the customer's
            column = undecoded[1]
            return SystemProblem(f"{self._name}.{what}: column `{column}` holds text not in UTF-8")
        return SystemProblem(f"{self._name} could not read {what}: {error} ({self._path.name})")


def _open(name: str, path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise UsageProblem(f"{name}: there is no SQLite file {path}")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = 1")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise SystemProblem(f"{name} could not be opened: {error} ({path.name})") from error
    return connection


def _is_refusal(error: BaseException) -> bool:
    """Trouble with the file and not with the SQL: nothing a person mends in the contract."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code is not None and code & 0xFF != sqlite3.SQLITE_ERROR


def _selected(output: Output) -> str:
    if output.is_column:
        return quoted(output.sql)
    return f"({bracketed(output.sql)} IS TRUE)" if output.condition else bracketed(output.sql)


def _batch(
    rows: Sequence[Sequence[Any]], names: Sequence[str], conditions: Sequence[bool]
) -> pa.RecordBatch:
    columns = []
    for values, condition in zip(zip(*rows, strict=True), conditions, strict=True):
        array = array_of(values)
        columns.append(array.cast(pa.bool_()) if condition else array)
    return pa.RecordBatch.from_arrays(columns, names=list(names))
