from __future__ import annotations

import io

import pytest
from rich.console import Console

from safeguard.findings.progress import ProgressListener, SilentProgress
from safeguard.reports.progress import RichProgress


def _told(listener: ProgressListener) -> None:
    listener.started("queue[bold]", "old", 2_000)
    listener.started("queue", "dvd", None)
    listener.advanced("queue[bold]", "old", 500)
    listener.advanced("unknown", "old", 1)
    listener.note("one\x1b[31m thing")
    listener.finished("queue[bold]", "old")
    listener.finished("queue", "dvd")


def _console(terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=100, _environ={"TERM": "xterm"}), out


def test_terminal_shows_bars_and_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    console, out = _console(True)
    with RichProgress(console) as progress:
        progress.started("queue[bold]", "old", 2_000)
        progress.advanced("queue[bold]", "old", 500)
        progress.note("one\x1b[31m thing")
    assert "queue[bold] (old)" in out.getvalue()
    assert "500 of 2,000 entries" in out.getvalue()
    assert "one\\x1b[31m thing" in out.getvalue()


def test_silent_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    console, out = _console(False)
    with RichProgress(console) as progress:
        _told(progress)
    assert out.getvalue() == ""


def test_silent_in_ci_even_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    console, out = _console(True)
    with RichProgress(console) as progress:
        _told(progress)
    assert out.getvalue() == ""


def test_silent_progress_listens_to_everything() -> None:
    _told(SilentProgress())
