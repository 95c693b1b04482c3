"""Chinook and Sakila, loaded once a test process: no test writes to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import real_databases
from servers import Database, Server


@pytest.fixture(scope="session")
def chinook_in_mariadb(real: Path, mariadb: Server) -> Database:
    return real_databases.chinook_mariadb(real, mariadb, "chinook")


@pytest.fixture(scope="session")
def chinook_in_postgresql(real: Path, postgresql: Server) -> Database:
    return real_databases.chinook_postgresql(real, postgresql, "chinook")


@pytest.fixture(scope="session")
def chinook_in_sqlite(real: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its URL."""
    return real_databases.chinook_sqlite(real, tmp_path_factory.mktemp("chinook"))


@pytest.fixture(scope="session")
def sakila_in_mariadb(real: Path, mariadb: Server) -> Database:
    return real_databases.sakila_mariadb(real, mariadb, "sakila")


@pytest.fixture(scope="session")
def sakila_in_postgresql(real: Path, postgresql: Server) -> Database:
    return real_databases.sakila_postgresql(real, postgresql, "sakila")
