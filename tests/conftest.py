"""Servers, databases and real data for all tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servers import Database, MariadbServer, MissingServer, PostgresqlServer, Server

pytest_plugins = ["pytester"]

FreshDatabase = Callable[[str], Database]


def _started(kind: type[Server]) -> Server:
    try:
        return kind()
    except MissingServer as missing:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"CI must run every test: {missing}", pytrace=False)
        pytest.skip(f"NOT TESTED, no {kind.scheme} server here: {missing}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A private PostgreSQL server, one for each test process."""
    server = _started(PostgresqlServer)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A private MariaDB server, one for each test process."""
    server = _started(MariadbServer)
    yield server
    server.stop()


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest) -> FreshDatabase:
    """`fresh_database("postgresql")` or `("mariadb")` gives a new empty database, again and again."""

    def make(kind: str) -> Database:
        server: Server = request.getfixturevalue(kind)
        database = Database(server, f"t_{uuid.uuid4().hex[:12]}")
        server.create_database(database.name)
        return database

    return make


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real content beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "real"
    if not folder.is_dir():
        pytest.skip("NOT TESTED, no real content: the folder ../shared/real is absent")
    return folder
