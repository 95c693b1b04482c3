"""How much a selection holds, told before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from safeguard.systems.interface import Selection, Session


@dataclass(frozen=True)
class Size:
    """Rows of a selection, and its bytes; `counted` where the rows are exact, bytes None where nobody
    knows."""

    rows: int
    bytes: int | None = None
    counted: bool = False


@runtime_checkable
class CanEstimate(Protocol):
    """A session of an engine that keeps statistics."""

    def estimate(self, selection: Selection) -> Size:
        """What the engine expects a selection to give, by its statistics; nothing is scanned."""


def size_of(session: Session, selection: Selection) -> Size:
    """By the engine's statistics where it has some, else by its own count."""
    if isinstance(session, CanEstimate):
        return session.estimate(selection)
    (rows,) = session.count(selection.relation, selection.where)
    return Size(rows, counted=True)
