"""What `old` and `new` may be, each as a system of a plan.

Data in memory becomes a folder of Parquet, which a `files:` system reads: the check has no second way
to read. A URL never stands in the plan that is written: it may hold a password.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from safeguard.contract.load import fill
from safeguard.findings.trouble import UsageProblem
from safeguard.surviving.tables import FORMS, is_table, table_of
from safeguard.systems.urls import Home, classify

_LIBPQ = frozenset({"psycopg", "psycopg2"})
"""Drivers whose URLs mean the same without them."""
_BACKENDS = frozenset({"postgresql", "mysql", "mariadb", "sqlite", "duckdb"})


@dataclass(frozen=True)
class Wanted:
    """What the contract reads of one system: its tables, and the columns of a table without rows."""

    tables: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """A system: its URL in full, and whether its content came out of this program's memory."""

    url: str
    in_memory: bool = False


def side_of(
    data: Any, called: str, wanted: Wanted, folder: Path, environ: Mapping[str, str]
) -> Side:
    """The system that `data` is; what is in memory is written below `folder`, an own one.

    Raises UsageProblem for what is none, or can't be kept exactly.
    """
    if isinstance(data, str):
        return Side(_url(data, called, environ))
    if isinstance(data, Path):
        return Side(f"files:{_existing(data, called)}")
    if isinstance(data, Mapping) or is_table(data):  # first: a frame's columns are attributes too
        return _files(data, called, wanted, folder)
    if hasattr(data, "raw_connection") and hasattr(data, "url"):
        return _engine(data, called, folder)
    if hasattr(data, "sync_engine"):
        return _engine(data.sync_engine, called, folder)
    raise UsageProblem(f"{called}: {_odd(data)}; give {FORMS}")


def _odd(data: Any) -> str:
    kind = type(data)
    if kind.__module__.startswith("sqlalchemy."):
        return (
            f"a {kind.__name__} can't be read beside what else it does: give its engine, after the "
            "commit"
        )
    return f"this is of type {kind.__name__}"


def _url(text: str, called: str, environ: Mapping[str, str]) -> str:
    """The URL with ${NAMES} filled in, and paths from where the program runs."""
    url, troubles = fill(text, environ)
    if troubles:
        raise UsageProblem(*(f"{called}: {trouble}" for trouble in troubles))
    address = classify(url, Path.cwd())
    if address.path is None:
        return url
    return f"{address.home}:{'' if address.home is Home.FILES else '///'}{address.path}"


def _existing(folder: Path, called: str) -> Path:
    if not folder.is_dir():
        raise UsageProblem(f"{called}: {folder} is no folder; a database is named by its URL")
    return folder.absolute()


def _engine(engine: Any, called: str, folder: Path) -> Side:
    """An engine's database, by connections of our own: what is not committed is not there."""
    url = engine.url
    backend = url.get_backend_name()
    if backend == "sqlite" and _only_in_memory(url):
        return Side(f"sqlite:///{_dumped(engine, called, folder)}", in_memory=True)
    if backend in _BACKENDS and (not url.query or url.get_driver_name() in _LIBPQ):
        url = url.set(drivername=backend)
    return Side(_url(url.render_as_string(hide_password=False), called, {}))


def _only_in_memory(url: Any) -> bool:
    name = url.database or ":memory:"
    return ":memory:" in name or url.query.get("mode") == "memory"


def _dumped(engine: Any, called: str, folder: Path) -> Path:
    """A copy of a database that no other connection could open."""
    copy = folder / "memory.sqlite"
    with closing(engine.raw_connection()) as connection:
        own = connection.driver_connection
        if not isinstance(own, sqlite3.Connection):
            raise UsageProblem(
                f"{called}: a database in memory can be read of Python's sqlite3 only, not of "
                f"{engine.url.get_driver_name()}: give a file's URL"
            )
        if own.in_transaction:
            raise UsageProblem(f"{called}: the database in memory has open changes: commit first")
        with closing(sqlite3.connect(copy)) as target:
            own.backup(target)
    return copy


def _files(data: Any, called: str, wanted: Wanted, folder: Path) -> Side:
    tables = data if isinstance(data, Mapping) else {_only(wanted, called): data}
    if not tables:
        raise UsageProblem(f"{called}: a mapping of no table")
    for name, content in tables.items():
        if not isinstance(name, str) or not name or name.startswith(".") or set(name) & set("/\0"):
            raise UsageProblem(f"{called}: no table can be called {name!r}")
        where = f"{called}[{name!r}]" if isinstance(data, Mapping) else called
        if not is_table(content):
            raise UsageProblem(f"{where}: {_odd(content)}; give {FORMS}")
        table = table_of(content, where, wanted.columns if name in wanted.tables else ())
        _write(table, folder / f"{name}.parquet", where)
    return Side(f"files:{folder}", in_memory=True)


def _only(wanted: Wanted, called: str) -> str:
    if len(wanted.tables) != 1:
        read = " and ".join(wanted.tables) or "a query"
        raise UsageProblem(
            f"{called}: the contract reads {read} of it: give a mapping of tables' names to data"
        )
    return wanted.tables[0]


def _write(table: pa.Table, path: Path, called: str) -> None:
    if not table.column_names:
        raise UsageProblem(f"{called}: it has no column")
    try:
        pq.write_table(table, path)
    except (pa.ArrowException, NotImplementedError) as error:
        raise UsageProblem(f"{called}: can't be kept exactly: {error}") from error
