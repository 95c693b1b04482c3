"""A check again and again, through a cutover window: whole at first, then of what is written."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from safeguard.checking import Request, run_check
from safeguard.contract.load import load_plan
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.words import Verdict
from safeguard.runs import create_run


@dataclass(frozen=True)
class Round:
    """One check of a watch. `since` is None where it was whole."""

    number: int
    result: CheckResult
    folder: Path
    since: dt.datetime | None


@dataclass(frozen=True)
class Window:
    """When a watch looks. `every` is seconds from one beginning to the next. It closes at a time of day,
    `until`, or when it was open for so many seconds; without either, when it is interrupted."""

    every: float = 60
    until: dt.datetime | None = None
    seconds: float | None = None
    whole: bool = False
    """Every round, not only the first."""
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    """The time of day; only `until` is of it."""
    clock: Callable[[], float] = time.monotonic

    def is_over(self, opened: float, rest: float) -> bool:
        """Whether it will be closed in `rest` seconds; `opened` is what the clock showed at first."""
        if self.seconds is not None and self.clock() - opened + rest >= self.seconds:
            return True
        return self.until is not None and self.now() + dt.timedelta(seconds=rest) >= self.until


class Spectator(Protocol):
    """Whoever looks at a watch."""

    def begins(self, number: int, since: dt.datetime | None) -> None:
        """A round begins."""

    def says(self, text: str) -> None:
        """One sentence about what happens in it."""

    def ended(self, found: Round) -> None:
        """A round has its result."""

    def waits(self, seconds: float) -> None:
        """The next round begins in so many seconds."""


def watch(
    plan: Path,
    request: Request,
    window: Window,
    spectator: Spectator,
    environ: Mapping[str, str],
) -> Verdict:
    """Check until the window closes; returns the verdict of the last whole check. Each round leaves a
    run's folder of its own. The round that has begun when the window closes is ended.

    After a whole round that passed, the next ones look at what was written since it began, until one of
    them finds something: then a whole one follows. Raises what `run_check` raises.
    """
    whole: Round | None = None
    last: Round | None = None
    number, opened = 0, window.clock()
    while True:
        number += 1
        began, clock = window.now(), window.clock()
        since = None if window.whole else _since(plan, environ, whole, last)
        spectator.begins(number, since)
        last = _round(plan, replace(request, since=since), number, began, spectator, environ)
        whole = last if since is None or whole is None else whole
        spectator.ended(last)
        rest = max(0.0, window.every - (window.clock() - clock))
        if window.is_over(opened, rest):
            return whole.result.verdict
        spectator.waits(rest)
        window.wait(rest)


# -- private -------------------------------------------------------------------------------------


def _since(
    plan: Path, environ: Mapping[str, str], whole: Round | None, last: Round | None
) -> dt.datetime | None:
    """From when the next round looks: what an earlier one did not see safe is looked at whole, and so
    is a plan of which no contract says when its entries were written."""
    if whole is None or last is None or whole.result.verdict is not Verdict.PASS:
        return None
    if any(sum(content.findings.values()) for content in last.result.contents):
        return None
    if not any(c.contract.updated_at for c in load_plan(plan, environ).contracts):
        return None
    return dt.datetime.fromisoformat(whole.result.started_at)


def _round(
    plan: Path,
    request: Request,
    number: int,
    began: dt.datetime,
    spectator: Spectator,
    environ: Mapping[str, str],
) -> Round:
    result, folder = run_check(
        plan,
        folder=create_run(plan, None, began),
        request=request,
        progress=_Notes(spectator),
        environ=environ,
    )
    return Round(number, result, folder, request.since)


class _Notes(SilentProgress):
    """Hands a check's sentences on to whoever watches."""

    def __init__(self, spectator: Spectator) -> None:
        self._spectator = spectator

    def note(self, text: str) -> None:
        self._spectator.says(text)
