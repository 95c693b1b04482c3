"""`safeguard watch`: a live check again and again, on one screen."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safeguard.cli.kindness import KINDNESS, kindness_of
from safeguard.cli.live import PATIENCE, patience_of
from safeguard.cli.moments import Clock, Duration

if TYPE_CHECKING:
    from safeguard.reports.watching import WatchScreen
    from safeguard.watch import Round


@click.command("watch")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
@click.option(
    "--every",
    type=Duration(),
    default="60s",
    show_default=True,
    help="From one beginning to the next.",
)
@click.option("--until", type=Clock(), help="When the window closes: 18:30, or in ISO form.")
@click.option("--for", "duration", type=Duration(), help="How long the window is open: 90m, 2h.")
@click.option(
    "--whole",
    is_flag=True,
    help="Check whole every time, also after a check that passed.",
)
@click.option("--reveal", is_flag=True, help="Show free text in reports instead of masking it.")
@PATIENCE
@KINDNESS
def watch(
    plan: Path,
    every: dt.timedelta,
    until: dt.datetime | None,
    duration: dt.timedelta | None,
    whole: bool,
    reveal: bool,
    patience: dict[str, float],
    kindness: dict[str, float],
) -> int:
    """Check a live migration again and again, through the cutover window, and show how it stands.

    Each round is a run of its own below .safeguard/runs. The exit code is the verdict of the last
    whole check: 0 PASS, 1 BLOCK, 3 UNDECIDED.

    \b
    Examples:
      safeguard watch safeguard.yaml --for 2h
      safeguard watch --every 5m --until 06:00 --whole
    """
    if until is not None and duration is not None:
        raise click.UsageError("--until and --for both say when the window closes: keep one.")
    from safeguard.systems.pandas_later import leave_pandas_out

    leave_pandas_out()
    from rich.console import Console

    from safeguard.checking import Request
    from safeguard.reports.watching import WatchScreen
    from safeguard.watch import Window
    from safeguard.watch import watch as watch_plan

    seconds = duration.total_seconds() if duration else None
    request = Request(reveal=reveal, kindness=kindness_of(kindness), live=patience_of(patience))
    window = Window(every.total_seconds(), until, seconds, whole)
    with WatchScreen(Console()) as screen:
        verdict = watch_plan(plan, request, window, _Spectator(screen), os.environ)
    return verdict.exit_code


class _Spectator:
    """Shows a watch on a screen."""

    def __init__(self, screen: WatchScreen) -> None:
        self.begins, self.says, self.waits = screen.begins, screen.says, screen.waits
        self._screen = screen

    def ended(self, found: Round) -> None:
        """A round has its result."""
        self._screen.ended(found.number, found.since, found.result, found.folder)
