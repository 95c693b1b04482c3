"""Sessions on PostgreSQL, and what is selected in them, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from safeguard.systems.interface import Limits, Selection
from safeguard.systems.postgresql import PostgresqlSession
from servers import Database


@contextmanager
def opened(
    database: Database, limits: Limits = Limits(), ticket: str | None = None
) -> Iterator[PostgresqlSession]:
    """A session on a database, closed at the end."""
    session = PostgresqlSession("old", database.url, limits, ticket)
    try:
        yield session
    finally:
        session.close()


def read(session: PostgresqlSession, selection: Selection) -> list[dict[str, Any]]:
    """All rows of a selection."""
    batches = list(session.stream(session.resolve(selection)))
    assert all(0 < b.num_rows <= 1_048_576 for b in batches)
    return [row for b in batches for row in b.to_pylist()]
