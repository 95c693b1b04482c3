"""However a run ends, its folder says so."""

from __future__ import annotations

import datetime as dt
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TypeVar

from safeguard.findings.trouble import SafeguardError, SystemProblem
from safeguard.runs.folder import RunFolder, undecided

_E = TypeVar("_E", bound=BaseException)


@contextmanager
def verdict_whatever_happens(
    folder: RunFolder, started: dt.datetime, *, signals: bool = True
) -> Iterator[None]:
    """Whatever ends the block but its end, verdict.json is UNDECIDED and says why.

    With `signals`, Ctrl-C and SIGTERM end as KeyboardInterrupt, even where a driver made another
    error of one. What can be gone on with has a note that says how.
    """
    seen: list[int] = []
    try:
        with _interrupts(seen) if signals else nullcontext():
            yield
    except SafeguardError as error:
        if seen:
            raise _interrupted(folder, started) from error
        _say(folder, started, str(error), error.exit_code)
        if isinstance(error, SystemProblem):
            _advise(error, folder)
        raise
    except BaseException as error:
        # What a driver makes of an interrupt (DuckDB: "Query interrupted") is no bug of ours.
        if seen or isinstance(error, KeyboardInterrupt):
            raise _interrupted(folder, started) from error
        _say(folder, started, f"a fault of Safeguard's own: {type(error).__name__}", 70)
        raise


def _interrupted(folder: RunFolder, started: dt.datetime) -> KeyboardInterrupt:
    _say(folder, started, "the check was interrupted", 130)
    return _advise(KeyboardInterrupt(), folder)


def _advise(error: _E, folder: RunFolder) -> _E:
    if folder.resume:
        error.add_note(f"Resume with: {folder.resume}")
    return error


@contextmanager
def _interrupts(seen: list[int]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a check cleanly, wherever they come; `seen` remembers that one came."""

    def interrupt(number: int, _: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, interrupt)
    except ValueError:  # not the main thread: the caller's business
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(folder: RunFolder, started: dt.datetime, reason: str, exit_code: int) -> None:
    """On a disk that is full the first verdict still stands, and it is UNDECIDED."""
    with suppress(SafeguardError):
        undecided(folder, started, reason, exit_code)
