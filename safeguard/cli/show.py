"""What a person sees of a run: progress on stderr, the verdict on stdout."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from safeguard.findings.progress import ProgressListener, SilentProgress
from safeguard.findings.result import CheckResult


def progress_for(quiet: bool) -> AbstractContextManager[ProgressListener]:
    """Who is told how far a check has come."""
    if quiet:
        return nullcontext(SilentProgress())
    from safeguard.reports.progress import RichProgress

    return RichProgress()


def show(result: CheckResult, folder: Path, *, as_json: bool = False) -> None:
    """The verdict on stdout: as verdict.json has it, or in words."""
    if as_json:
        click.echo((folder / "verdict.json").read_text(encoding="utf-8").rstrip("\n"))
        return
    from rich.console import Console

    from safeguard.reports.terminal import render_terminal
    from safeguard.runs import SIGNED, shown

    signed = (folder / SIGNED).is_file()
    render_terminal(result, Console(), folder=shown(folder), signed=signed)
