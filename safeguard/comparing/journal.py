"""What a run remembers of its finished tasks, so that it can go on after an end that nobody planned.

The exchange is a memory; what a task left lies in files (see buckets.py), and the journal says which
of them are whole. How it is kept is the run's business, see `safeguard.runs.journal`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from safeguard.comparing.gathering import Gathered, Key
from safeguard.comparing.partition import JoinDone


class Journal(Protocol):
    """Finished tasks by content. What is kept is on disk when the call returns."""

    def source(self, content: str, key: Key) -> Gathered | None:
        """A source that an earlier try of this run read whole."""

    def forget_sources(self, content: str, keys: Iterable[Key]) -> None:
        """Sources are about to be read: what is known of them, and of partitions that were joined, is no
        longer true."""

    def keep_source(self, content: str, key: Key, gathered: Gathered) -> None:
        """A source has been read whole."""

    def joined(self, content: str, first: int, last: int) -> JoinDone | None:
        """A partition that an earlier try joined from these very sources."""

    def keep_joined(self, content: str, first: int, last: int, done: JoinDone) -> None:
        """A partition has been joined."""


class NoJournal:
    """Remembers nothing."""

    def source(self, content: str, key: Key) -> Gathered | None:  # noqa: ARG002
        """See `Journal.source`."""
        return None

    def forget_sources(self, content: str, keys: Iterable[Key]) -> None:
        """See `Journal.forget_sources`."""

    def keep_source(self, content: str, key: Key, gathered: Gathered) -> None:
        """See `Journal.keep_source`."""

    def joined(self, content: str, first: int, last: int) -> JoinDone | None:  # noqa: ARG002
        """See `Journal.joined`."""
        return None

    def keep_joined(self, content: str, first: int, last: int, done: JoinDone) -> None:
        """See `Journal.keep_joined`."""
