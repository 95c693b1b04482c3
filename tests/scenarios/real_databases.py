"""Chinook and Sakila as their authors published them, loaded into servers of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from servers import Database, Server


def chinook_mariadb(real: Path, server: Server, name: str) -> Database:
    """Chinook's script for MySQL, in a database of this name."""
    script = _text(real / "chinook" / "Chinook_MySql.sql").replace("`Chinook`", f"`{name}`")
    return _loaded(server, name, script)


def chinook_postgresql(real: Path, server: Server, name: str) -> Database:
    """Chinook's script for PostgreSQL, in a database of this name."""
    script = _text(real / "chinook" / "Chinook_PostgreSql.sql")
    return _loaded(server, name, script[script.index("\\c chinook;") + len("\\c chinook;") :])


def chinook_sqlite(real: Path, folder: Path) -> str:
    """The URL of a copy of Chinook's SQLite file."""
    copy = folder / "chinook.sqlite"
    shutil.copyfile(real / "chinook" / "Chinook_Sqlite.sqlite", copy)
    return f"sqlite:///{copy}"


def sakila_mariadb(real: Path, server: Server, name: str) -> Database:
    """MySQL's Sakila. Its scripts name their database; `SET` keeps TIMESTAMPs off this machine's
    time zone."""
    folder = real / "sakila" / "mysql"
    schema = _renamed(_text(folder / "sakila-mv-schema.sql"), name)
    data = _renamed(_text(folder / "sakila-mv-data.sql"), name)
    return _loaded(server, name, f"SET time_zone = '+00:00';\n{schema}\n{data}")


def sakila_postgresql(real: Path, server: Server, name: str) -> Database:
    """The port of Sakila to PostgreSQL, owned by whoever loads it."""
    folder = real / "sakila" / "postgres"
    lines = _text(folder / "postgres-sakila-schema.sql").splitlines()
    schema = "\n".join(line for line in lines if not _of_another_time(line))
    data = _text(folder / "postgres-sakila-insert-data-using-copy.sql")
    return _loaded(server, name, f"{schema}\n{data}")


# -- private -------------------------------------------------------------------------------------


def _loaded(server: Server, name: str, script: str) -> Database:
    server.create_database(name)
    server.run_script(name, script)
    return Database(server, name)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _renamed(script: str, name: str) -> str:
    """`sakila` as the name of a database; e-mail addresses name it as well, and are left alone."""
    for before, after in (
        ("SCHEMA IF EXISTS sakila;", f"SCHEMA IF EXISTS {name};"),
        ("CREATE SCHEMA sakila;", f"CREATE SCHEMA {name} CHARACTER SET utf8mb4;"),
        ("USE sakila;", f"USE {name};"),
        (" sakila.", f" {name}."),
    ):
        script = script.replace(before, after)
    return script


def _of_another_time(line: str) -> bool:
    """The role `postgres`, and settings that PostgreSQL gave up."""
    return "TO postgres;" in line or "FROM postgres;" in line or "default_with_oids" in line
