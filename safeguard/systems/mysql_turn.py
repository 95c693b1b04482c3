"""Whose turn it is at the one connection to a snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from safeguard.findings.trouble import ConnectionLost, SystemProblem

_LOOK_SECONDS = 1.0
"""How often a waiting thread looks whether the one before it has ended, which nobody tells it."""


class Busy(Exception):
    """Another thread is at the connection."""


class Turn:
    """One thread at a time; the others wait, but never for what cannot come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._holder: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def taken(self, at_once: bool = False) -> Iterator[None]:
        """Wait for the turn and hold it. It may be given back by another thread, as that of a
        generator is. Raises SystemProblem where waiting has no end, and Busy where it was to be
        had `at_once`."""
        with self._changed:
            while self._holder is not None or self._closed:
                if at_once and not self._closed:
                    raise Busy
                self._refuse_endless()
                self._changed.wait(_LOOK_SECONDS)
            self._holder = threading.current_thread()
        try:
            yield
        finally:
            with self._changed:
                self._holder = None
                self._changed.notify_all()

    def pass_on(self) -> None:
        """Say that the thread that holds the turn is now this one: it goes on with a stream."""
        self._holder = threading.current_thread()

    def close(self) -> bool:
        """Nobody gets a turn any more. Returns whether somebody has it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            return self._holder is not None

    def _refuse_endless(self) -> None:
        if self._closed:
            raise ConnectionLost(f"{self._name}: its snapshot was closed")
        if self._holder is threading.current_thread():
            raise SystemProblem(
                f"{self._name}: another stream of the same snapshot is still being read, by the"
                " thread that asks for more"
            )
        if self._holder is not None and not self._holder.is_alive():
            raise SystemProblem(
                f"{self._name}: another stream of the same snapshot was left unfinished by a"
                " thread that has ended"
            )
