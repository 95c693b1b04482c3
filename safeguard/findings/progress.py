"""What a long check tells whoever is waiting, without knowing who that is."""

from __future__ import annotations

from typing import Protocol


class ProgressListener(Protocol):
    """Told how far each content of each system has been read. May be called from any thread."""

    def started(self, content: str, system: str, rows: int | None) -> None:
        """Reading begins; `rows` is how many are expected, None where nobody knows."""

    def advanced(self, content: str, system: str, rows: int) -> None:
        """`rows` more have been read."""

    def finished(self, content: str, system: str) -> None:
        """This content of this system has been read to its end."""

    def note(self, text: str) -> None:
        """One sentence about what happens now."""


class SilentProgress:
    """Tells nobody: for tests, CI and machines."""

    def started(self, content: str, system: str, rows: int | None) -> None:
        """See `ProgressListener.started`."""

    def advanced(self, content: str, system: str, rows: int) -> None:
        """See `ProgressListener.advanced`."""

    def finished(self, content: str, system: str) -> None:
        """See `ProgressListener.finished`."""

    def note(self, text: str) -> None:
        """See `ProgressListener.note`."""
