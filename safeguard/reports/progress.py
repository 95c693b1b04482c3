"""How far the reading is, in a terminal on stderr: rows per second and time left."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from safeguard.reports.printable import clipped
from safeguard.reports.vocabulary import number


class RichProgress:
    """A bar for each content and system that is being read; a `ProgressListener`.

    Silent where nobody watches: stderr is no terminal, or CI is set.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console if console is not None else Console(stderr=True)
        self._watched = _is_watched(self._console)
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(16),
            _Rows(),
            _Speed(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            disable=not self._watched,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, content: str, system: str, rows: int | None) -> None:
        """See `ProgressListener.started`."""
        name = clipped(f"{content} ({system})", 32)
        self._tasks[content, system] = self._progress.add_task(name, total=rows)

    def advanced(self, content: str, system: str, rows: int) -> None:
        """See `ProgressListener.advanced`."""
        if (task := self._tasks.get((content, system))) is not None:
            self._progress.advance(task, rows)

    def finished(self, content: str, system: str) -> None:
        """See `ProgressListener.finished`."""
        if (task := self._tasks.pop((content, system), None)) is not None:
            self._progress.remove_task(task)

    def note(self, text: str) -> None:
        """See `ProgressListener.note`."""
        if self._watched:
            self._console.print(Text(clipped(text, 400), "dim"), highlight=False)


def _is_watched(console: Console) -> bool:
    """Whether a person sits there: a terminal that can redraw a line, and not a CI service."""
    return console.is_terminal and not console.is_dumb_terminal and not os.environ.get("CI")


class _Rows(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Rows read, of how many."""
        of = f" of {number(int(task.total))}" if task.total is not None else ""
        return Text(f"{number(int(task.completed))}{of} entries")


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Rows per second, once there are two measurements."""
        return Text(f"{number(int(task.speed))}/s" if task.speed else "", "dim")
