"""Open a system by its URL: the one place that knows which session reads what."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from safeguard.contract.model import SystemSpec
from safeguard.systems.interface import Limits, Session
from safeguard.systems.urls import Home, classify, require_driver


def open_system(
    name: str,
    spec: SystemSpec,
    folder: Path,
    limits: Limits = Limits(),
    ticket: str | None = None,
) -> Session:
    """Open `name` read only, in one snapshot. Relative paths are relative to `folder`, the plan's.

    With the `ticket` of another session, that one's snapshot, which is still open, is joined.

    Raises UsageProblem for a URL that a person must mend, and SystemProblem, with the masked URL
    and the server's words, when the system can't be reached or refuses.
    """
    address = classify(spec.url, folder)
    match address.home:
        case Home.POSTGRESQL:
            from safeguard.systems.postgresql import PostgresqlSession

            return PostgresqlSession(name, spec.url, limits, ticket)
        case Home.MYSQL:
            from safeguard.systems.mysql import MysqlSession

            return MysqlSession(name, spec.url, limits)
        case Home.SQLITE:
            from safeguard.systems.sqlite import SqliteSession

            assert address.path is not None
            return SqliteSession(name, address.path, spec, limits=limits, ticket=ticket)
        case Home.DUCKDB:
            from safeguard.systems.files import DuckdbSession

            assert address.path is not None
            return DuckdbSession(name, address.path, spec, limits=limits, ticket=ticket)
        case Home.FILES:
            from safeguard.systems.files import FilesSession

            assert address.path is not None
            return FilesSession(name, address.path, spec, limits=limits, ticket=ticket)
        case Home.GENERIC:
            require_driver(spec.url)
            from safeguard.systems.generic import GenericSession

            return GenericSession(name, spec.url, spec, limits=limits, ticket=ticket)
        case _:
            assert_never(address.home)
