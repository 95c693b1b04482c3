"""The same rows in PostgreSQL, MariaDB, SQLite and Parquet; what is there already is not made again."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchmarks.content import (
    Content,
    State,
    all_queries,
    batches,
    new_customer,
    write_crosswalk,
    write_csv,
    write_parquet,
)
from benchmarks.hosts import MEASURED_USER, BenchMariadb, BenchPostgresql, Host

Engine = Literal["postgresql", "mariadb", "sqlite", "parquet"]


@dataclass(frozen=True)
class Side:
    """Where one side's rows are: a database of a server, or a file."""

    engine: Engine
    table: str
    columns: tuple[str, ...]
    path: str = ""
    port: int = 0
    database: str = ""

    @property
    def url(self) -> str:
        """The system's URL, as a plan has it."""
        match self.engine:
            case "sqlite":
                return f"sqlite:///{self.path}"
            case "parquet":
                return f"files:{Path(self.path).parent}"
            case "postgresql" | "mariadb":
                who = f"{MEASURED_USER}:{MEASURED_USER}"
                return f"{self.engine}://{who}@127.0.0.1:{self.port}/{self.database}"

    def as_dict(self) -> dict[str, Any]:
        """What the contenders' programs read; see `programs/sides.py`."""
        return {**asdict(self), "user": MEASURED_USER}


class Stores:
    """All stores of one run, in a folder that the next run may use again. Servers start when needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        _refuse_other_rows(self.folder / "rows-of.txt")

    @cached_property
    def postgresql(self) -> BenchPostgresql:
        """The PostgreSQL server."""
        return BenchPostgresql(self.folder / "postgresql")

    @cached_property
    def mariadb(self) -> BenchMariadb:
        """The MariaDB server."""
        return BenchMariadb(self.folder / "mariadb")

    def close(self) -> None:
        """Stop the servers that were started; their data stays."""
        for server in self.started():
            server.stop()

    def started(self) -> list[Host]:
        """The servers that run."""
        return [vars(self)[name] for name in ("postgresql", "mariadb") if name in vars(self)]

    def side(self, engine: Engine, content: Content, state: State) -> Side:
        """The rows of one state in one engine, made if they are not there."""
        make: dict[Engine, Callable[[Content, State], Side]] = {
            "postgresql": self._in_postgresql,
            "mariadb": self._in_mariadb,
            "sqlite": self._in_sqlite,
            "parquet": self._in_parquet,
        }
        return make[engine](content, state)

    def with_new_ids(self, content: Content, state: State) -> Side:
        """The rows in PostgreSQL under other customer ids, with the table `member_map` of both."""
        name = f"{content.name(state)}_ids"
        if name not in self.postgresql.databases():
            plain = self._made(
                content, f"{name}.csv", lambda p: write_csv(content, state, p, by_key=False)
            )
            pairs = self._made(content, f"{name}_map.csv", lambda p: write_crosswalk(content, p))
            new_ids = f"UPDATE {{0}} SET customer_id = {new_customer('customer_id')}"
            self._fill_postgresql(name, content, plain, new_ids.format(content.table))
            self._fill_map(name, pairs)
        return self._server_side("postgresql", self.postgresql, content, name)

    def _in_postgresql(self, content: Content, state: State) -> Side:
        name = content.name(state)
        if name not in self.postgresql.databases():
            rows = self._made(
                content, f"{name}.csv", lambda p: write_csv(content, state, p, by_key=False)
            )
            self._fill_postgresql(name, content, rows)
        return self._server_side("postgresql", self.postgresql, content, name)

    def _fill_postgresql(self, name: str, content: Content, rows: Path, *more: str) -> None:
        """Load into a database of another name and rename it, so that a half-filled one is none."""
        filling = f"{name}_filling"
        server = self.postgresql
        server.execute("postgres", f"DROP DATABASE IF EXISTS {filling}")
        server.create_database(filling)
        table = content.table
        columns = ", ".join(f"{column} {kind} NOT NULL" for column, kind in content.columns)
        server.execute(
            filling,
            f"BEGIN; CREATE TABLE {table} ({columns}); "
            f"COPY {table} FROM '{rows}' (FORMAT csv, FREEZE); COMMIT",
            *more,
            f"ALTER TABLE {table} ADD PRIMARY KEY (customer_id, title_id)",
            f"VACUUM (FREEZE, ANALYZE) {table}",
            "CHECKPOINT",
        )
        server.execute("postgres", f"ALTER DATABASE {filling} RENAME TO {name}")
        rows.unlink()

    def _fill_map(self, name: str, pairs: Path) -> None:
        self.postgresql.execute(
            name,
            "CREATE TABLE member_map (legacy_id bigint NOT NULL, member_id bigint NOT NULL)",
            f"COPY member_map FROM '{pairs}' (FORMAT csv)",
            "VACUUM (FREEZE, ANALYZE) member_map",
        )
        pairs.unlink()

    def _in_mariadb(self, content: Content, state: State) -> Side:
        name = content.name(state)
        if name not in self.mariadb.databases():
            rows = self._made(
                content, f"{name}_m.csv", lambda p: write_csv(content, state, p, by_key=True)
            )
            self._fill_mariadb(name, content, rows)
        return self._server_side("mariadb", self.mariadb, content, name)

    def _fill_mariadb(self, name: str, content: Content, rows: Path, *more: str) -> None:
        """Load in the order of the key, which is the order in which InnoDB stores rows anyway."""
        filling, server, table = f"{name}_filling", self.mariadb, content.table
        server.execute("", f"DROP DATABASE IF EXISTS {filling}; CREATE DATABASE {filling}")
        columns = ", ".join(
            f"{column} {kind.replace('timestamp', 'datetime')} NOT NULL"
            for column, kind in content.columns
        )
        load = f"LOAD DATA INFILE '{rows}' INTO TABLE {table} FIELDS TERMINATED BY ',' ENCLOSED BY '\"'"
        server.execute(
            filling,
            f"CREATE TABLE {table} ({columns}, PRIMARY KEY (customer_id, title_id)) ENGINE=InnoDB",
            load,
            f"ANALYZE TABLE {table}",
        )
        server.execute(
            "", f"CREATE DATABASE {name}; RENAME TABLE {filling}.{table} TO {name}.{table}"
        )
        server.execute("", f"DROP DATABASE {filling}")
        rows.unlink()

    def _in_sqlite(self, content: Content, state: State) -> Side:
        def write(path: Path) -> None:
            columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in content.columns)
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(
                    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000000;"
                    f"CREATE TABLE {content.table} ({columns}, PRIMARY KEY (customer_id, title_id))"
                )
                for rows in batches(content, state):
                    connection.executemany(f"INSERT INTO {content.table} VALUES (?, ?, ?, ?)", rows)
                connection.commit()
                connection.execute("ANALYZE")

        path = self._made(content, f"{content.name(state)}.sqlite", write)
        return self._file_side("sqlite", content, path)

    def _in_parquet(self, content: Content, state: State) -> Side:
        place = f"{content.name(state)}/{content.table}.parquet"
        path = self._made(content, place, lambda p: write_parquet(content, state, p))
        return self._file_side("parquet", content, path)

    def _made(self, content: Content, name: str, write: Callable[[Path], None]) -> Path:
        """A file of the folder, written under another name first."""
        path = self.folder / "files" / name
        if not path.exists():
            tell(f"making {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f"{path.name}.half")
            half.unlink(missing_ok=True)
            write(half)
            half.rename(path)
        return path

    def _server_side(self, engine: Engine, server: Host, content: Content, name: str) -> Side:
        columns = tuple(column for column, _ in content.columns)
        return Side(engine, content.table, columns, port=server.port, database=name)

    def _file_side(self, engine: Engine, content: Content, path: Path) -> Side:
        columns = tuple(column for column, _ in content.columns)
        return Side(engine, content.table, columns, path=str(path))


def _refuse_other_rows(stamp: Path) -> None:
    """Stop if the folder's rows were made by another version of what makes them."""
    made_by = hashlib.sha256(all_queries().encode()).hexdigest()
    if not stamp.exists():
        stamp.write_text(made_by, encoding="utf-8")
    elif stamp.read_text(encoding="utf-8") != made_by:
        raise SystemExit(f"{stamp.parent} has rows of another version: remove it, or give --data")


def tell(line: str) -> None:
    """Say on stderr what is being done: a benchmark takes long."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
