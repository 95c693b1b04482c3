"""A system that lives in memory: Arrow tables behind the Session protocol, with SQL and all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa

from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import UsageProblem
from safeguard.systems.duckdb_types import source_type
from safeguard.systems.interface import Column, Output, Part, Relation, Selection, SourceType, Table
from safeguard.systems.missing import MissingRelation


class ArrowSession:
    """Describes, counts and streams Arrow tables. `batch_rows` says how small its batches are."""

    def __init__(
        self, name: str, tables: Mapping[str, pa.Table], *, batch_rows: int = 65_536
    ) -> None:
        self._tables = dict(tables)
        self._batch_rows = batch_rows
        self._database = duckdb.connect(":memory:", config={"threads": 1})
        for table, rows in self._tables.items():
            self._database.register("rows", rows)
            self._database.execute(f'CREATE TABLE "{table}" AS SELECT * FROM rows')
        self.info = SystemInfo(name, "arrow", pa.__version__, "the tables are frozen")

    def tables(self) -> tuple[Table, ...]:
        return tuple(Table(name, self.columns(Relation(name))) for name in self._tables)

    def blind_spots(self) -> tuple[str, ...]:
        return ()

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        described = self._describe(f"SELECT * FROM {self._from(relation)}")
        return tuple(Column(name, source_type(declared)) for name, declared in described)

    def resolve(self, selection: Selection) -> Selection:
        found = self._from(selection.relation)
        outputs = tuple(replace(o, type=self._type(o, found)) for o in selection.outputs)
        return replace(selection, outputs=outputs)

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        return tuple(
            int(
                self._rows(f"SELECT count(*) FROM {self._from(relation)} WHERE {c or 'TRUE'}")[0][0]
            )
            for c in conditions
        )

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        return (Part(),)

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        chosen = ", ".join(_written(o) for o in selection.outputs)
        where = selection.where or "TRUE"
        sql = f"SELECT {chosen} FROM {self._from(selection.relation)} WHERE {where}"
        with self._database.cursor() as cursor:
            table = cursor.sql(sql).to_arrow_table()
        yield from table.to_batches(max_chunksize=self._batch_rows)

    def ticket(self) -> str | None:
        return None

    def alive(self) -> bool:
        return True

    def strain(self) -> str:
        return ""

    def close(self) -> None:
        self._database.close()

    # -- private ------------------------------------------------------------------------------

    def _from(self, relation: Relation) -> str:
        if relation.query is not None:
            return f"({relation.query})"
        if relation.table not in self._tables:
            raise MissingRelation(self.info.name, str(relation.table), list(self._tables))
        return f'"{relation.table}"'

    def _type(self, output: Output, found: str) -> SourceType:
        ((_, declared),) = self._describe(f"SELECT {_written(output)} FROM {found}")
        return source_type(declared)

    def _describe(self, sql: str) -> list[tuple[str, str]]:
        return [(str(r[0]), str(r[1])) for r in self._rows(f"DESCRIBE {sql}")]

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        try:
            with self._database.cursor() as cursor:
                return cursor.execute(sql).fetchall()
        except duckdb.Error as error:
            raise UsageProblem(f"{self.info.name} does not understand `{sql}`: {error}") from error


def _written(output: Output) -> str:
    if output.is_column:
        return f'"{output.sql}" AS "{output.name}"'
    sql = f"({output.sql})"
    return (
        f'coalesce({sql}, FALSE) AS "{output.name}"'
        if output.condition
        else f'{sql} AS "{output.name}"'
    )
