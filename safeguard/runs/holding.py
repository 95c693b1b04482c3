"""One process a run: its folder is locked as long as somebody writes there."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from safeguard.findings.trouble import UsageProblem

LOCK = ".lock"


class Hold:
    """A folder, held. The lock goes with this object or the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageProblem where another one holds it, OSError where it can't be written."""
        self._path = folder / LOCK
        self._close = weakref.finalize(self, os.close, _locked(self._path))

    def release(self) -> None:
        """Let it go. May be called again."""
        if self._close.alive:
            self._path.unlink(
                missing_ok=True
            )  # before the lock is: nobody holds a file that is gone
            self._close()


def _locked(path: Path) -> int:
    """The number of the open file."""
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            said = f"{path.parent}: another check is still writing this run"
            raise UsageProblem(said) from None
        if _is_same(file, path):
            return file
        os.close(file)  # who held it has removed it in the meantime


def _is_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
