"""A watch on one screen: its contents, what is wrong with each, and how that went over the rounds."""

from __future__ import annotations

import datetime as dt
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.words import Verdict
from safeguard.reports.printable import clipped
from safeguard.reports.vocabulary import number

_COLOUR = {Verdict.PASS: "green", Verdict.BLOCK: "red", Verdict.UNDECIDED: "yellow"}
_ROUNDS = 8
"""So many rounds back the trend goes."""
_OWN = ("lost", "changed")
"""Kinds with a column of their own."""


class WatchScreen:
    """Redraws one screen in a terminal; elsewhere, such as in a log, writes one line a round."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._trends: dict[str, deque[int]] = {}
        self._shown: Table | Text = Text("")
        self._head = Text("")
        self._foot = ""
        watched = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False) if watched else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begins(self, number_: int, since: dt.datetime | None) -> None:
        """A round begins."""
        self._say(f"round {number_} ({_scope(since)}) is being checked")

    def says(self, text: str) -> None:
        """One sentence about what happens in it."""
        self._say(text)

    def ended(
        self, number_: int, since: dt.datetime | None, result: CheckResult, folder: Path
    ) -> None:
        """A round has its result."""
        for content in result.contents:
            trend = self._trends.setdefault(content.content, deque(maxlen=_ROUNDS))
            trend.append(_wrong(content))
        if self._live is None:
            self._console.print(_line(number_, since, result), highlight=False, soft_wrap=True)
            return
        self._head = _headline(number_, since, result)
        self._shown = self._table(result)
        self._say(f"{folder}")

    def waits(self, seconds: float) -> None:
        """The next round begins in so many seconds."""
        self._say(f"next round in {seconds:.0f} s; Ctrl-C ends the watch")

    # -- private ----------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self._foot = text
        if self._live is not None:
            foot = Text(clipped(self._foot, max(20, self._console.width - 4)), "dim")
            self._live.update(Group(self._head, self._shown, foot), refresh=True)

    def _table(self, result: CheckResult) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("content", "verdict"):
            table.add_column(name)
        for name in ("entries", *_OWN, "other", "settled", "changing", "lag"):
            table.add_column(name, justify="right")
        table.add_column("over the rounds")
        for content in result.contents:
            table.add_row(*self._row(content))
        return table

    def _row(self, content: ContentResult) -> list[Text]:
        looked = content.looked
        own = [content.findings.get(kind, 0) for kind in _OWN]
        cells = [
            number(content.old),
            *map(number, own),
            number(_wrong(content) - sum(own)),
            *([number(looked.settled), number(looked.changing)] if looked else ["", ""]),
            f"{looked.lag:.0f} s" if looked and looked.settled else "",
            " ".join(map(number, self._trends[content.content])),
        ]
        name = Text(clipped(content.content, 30), "bold")
        return [name, Text(content.verdict, _COLOUR[content.verdict]), *map(Text, cells)]


def _wrong(content: ContentResult) -> int:
    """Entries with a finding, by kind; what was not compared is none."""
    return sum(n for kind, n in content.findings.items() if kind != "not_compared")


def _scope(since: dt.datetime | None) -> str:
    return "whole" if since is None else f"since {since.astimezone():%H:%M:%S}"


def _headline(number_: int, since: dt.datetime | None, result: CheckResult) -> Text:
    ended = dt.datetime.fromisoformat(result.finished_at).astimezone()
    head = Text()
    head.append(result.verdict, f"bold {_COLOUR[result.verdict]}")
    head.append(f"  round {number_}, {_scope(since)}, ended {ended:%H:%M:%S}")
    return head.append(f" after {result.seconds:.0f} s\n", "dim")


def _line(number_: int, since: dt.datetime | None, result: CheckResult) -> Text:
    """One round as a line of a log."""
    ended = dt.datetime.fromisoformat(result.finished_at).astimezone()
    told = [_told(content) for content in result.contents]
    return Text(
        f"{ended:%Y-%m-%d %H:%M:%S}  round {number_}  {_scope(since)}  {result.verdict}  "
        f"{'; '.join(told)}"
    )


def _told(content: ContentResult) -> str:
    parts = [f"{number(n)} {kind}" for kind, n in content.findings.items() if n]
    if content.looked is not None and content.looked.settled:
        parts.append(f"{number(content.looked.settled)} settled in {content.looked.lag:.0f} s")
    return f"{clipped(content.content, 60)}: {', '.join(parts) or 'nothing differs'}"
