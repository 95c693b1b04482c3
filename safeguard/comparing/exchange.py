"""The exchange: where both sides' entries meet, in DuckDB within a memory limit; what does not fit
spills into the run's folder. Names in it are ours alone.

Tables of a run stand in schema `main`; those of the one partition that is being compared in `part`,
see `Exchange.apart`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from safeguard.findings.trouble import SystemProblem

MEMORY_LIMIT = "256MB"


class Exchange:
    """One DuckDB of a run, for all its contents one after the other.

    Its tables live in memory up to `memory_limit`, beyond that in `folder`/spill. What must outlive
    the process is not here but in the store, see store.py.
    """

    def __init__(self, folder: Path, memory_limit: str = MEMORY_LIMIT, threads: int = 2) -> None:
        spill = folder / "spill"
        with _room():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(spill, ignore_errors=True)  # of a try that was killed
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "preserve_insertion_order": False,
                "temp_directory": str(spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._path = "main"
        self._shown: list[str] = []
        self._connection.execute("CREATE SCHEMA part")

    def run(self, sql: str) -> None:
        """Execute one statement."""
        with _room():
            self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with _room():
            return self._connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """The one integer that a query answers."""
        rows = self.rows(sql)
        return int(rows[0][0] or 0) if rows else 0

    def batches(self, sql: str, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """A large result, batch by batch. Of a partition, which is small, it is held whole."""
        if self._path != "main":
            yield from self.table(sql).to_batches(max_chunksize=size)
            return
        with _room(), self._cursor() as cursor:
            reader: pa.RecordBatchReader = cursor.sql(sql).to_arrow_reader(size)
            yield from reader

    def table(self, sql: str) -> pa.Table:
        """A whole result."""
        with _room():
            found: pa.Table = self._connection.sql(sql).to_arrow_table()
        return found

    def through(self, sql: str, rows: pa.Table) -> pa.Table:
        """Arrow rows through a query over `incoming`. May be called from several threads at once."""
        with _room(), self._cursor() as cursor:
            cursor.register("incoming", rows)
            found: pa.Table = cursor.sql(sql).to_arrow_table()
        return found

    def insert(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatch,
        sql: str = "SELECT * FROM incoming",
    ) -> None:
        """Insert Arrow rows, through a query over `incoming`."""
        self._connection.register("incoming", rows)
        try:
            self.run(f"INSERT INTO {table} {sql}")
        finally:
            self._connection.unregister("incoming")

    def fill(self, table: str, rows: pa.Table) -> None:
        """Make a table of Arrow rows, instead of what it was before."""
        self._connection.register("incoming", rows)
        try:
            self.create(table, "AS FROM incoming")
        finally:
            self._connection.unregister("incoming")

    def show(self, name: str, rows: pa.Table) -> None:
        """Let SQL see Arrow rows under a name, without copying them, until `forget`."""
        self._connection.register(name, rows)
        self._shown.append(name)

    def create(self, table: str, body: str) -> None:
        """Create a table, instead of what it was before."""
        self.run(f"CREATE OR REPLACE TABLE {table} {body}")

    def drop(self, *tables: str) -> None:
        """Give the room of these tables back; inside of `apart` those of the partition only."""
        here = self._path.partition(",")[0]
        for table in tables:
            self._connection.execute(f"DROP TABLE IF EXISTS {here}.{table}")

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Inside, tables are made in the partition's own schema, and looked for there first. They
        are still there when it is entered again, until `forget`."""
        self._look_in("part,main")
        try:
            yield
        finally:
            self._look_in("main")

    def forget(self) -> None:
        """Drop every table of the partition, and what is shown."""
        for name in self._shown:
            self._connection.unregister(name)
        self._shown.clear()
        with _room():
            self._connection.execute("DROP SCHEMA IF EXISTS part CASCADE")
            self._connection.execute("CREATE SCHEMA part")

    def close(self) -> None:
        """Give everything back."""
        self._connection.close()

    def _look_in(self, path: str) -> None:
        self._path = path
        self._connection.execute(f"SET search_path = '{path}'")

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._connection.cursor() as cursor:
            yield cursor


@contextmanager
def _room() -> Iterator[None]:
    """A disk that is full, or too little memory, is no bug of ours, and no verdict."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        words = str(error).splitlines()[0]
        raise OutOfRoom(f"the check ran out of room for what it compares: {words}") from error


class OutOfRoom(SystemProblem):
    """The disk of the run's folder is full, or memory too small. To read again would not help."""
