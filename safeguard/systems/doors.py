"""A second way into a system, for a library that asks by connections of its own.

What goes through a door is asked outside of the session's snapshot: each connection reads what is
there when it asks. Each is read only and as patient as the session, and no secret goes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from safeguard.systems.interface import Output, Selection
from safeguard.systems.plan_sql import bracketed


@dataclass(frozen=True)
class Door:
    """How to connect, and what to read."""

    url: str
    """Dialect and driver as SQLAlchemy names them: no host, no user, no password."""
    query: str
    """The selection as one SELECT whose columns bear the outputs' names."""
    connect: Callable[[], Any]
    """A new DBAPI connection. Raises SafeguardError."""
    redact: Callable[[str], str] = lambda text: text
    """Words of an error without the system's secrets."""


@runtime_checkable
class HasDoor(Protocol):
    """A session of a system that SQLAlchemy can ask, too."""

    def door(self, selection: Selection) -> Door:
        """The way to this selection, which leaves out what is deleted. Raises SafeguardError."""


def named_query(selection: Selection, quoted: Callable[[str], str], source: str) -> str:
    """The SELECT of a door; `source` is the relation as this system's SQL has it."""
    chosen = ", ".join(f"{_plain(o, quoted)} AS {quoted(o.name)}" for o in selection.outputs)
    where = f" WHERE {bracketed(selection.where)}" if selection.where else ""
    return f"SELECT {chosen} FROM {source}{where}"


def _plain(output: Output, quoted: Callable[[str], str]) -> str:
    return quoted(output.sql) if output.is_column else bracketed(output.sql)
