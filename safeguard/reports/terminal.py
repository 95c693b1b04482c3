"""The check's answer in a terminal: verdict, contents and reasons, what was not checked, next step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.words import Verdict
from safeguard.reports import notes, vocabulary, wording
from safeguard.reports.drills import drill_sentences
from safeguard.reports.printable import clipped, printable
from safeguard.reports.why import run_reasons, why_of

_COLOUR = {Verdict.PASS: "green", Verdict.BLOCK: "red", Verdict.UNDECIDED: "yellow"}
_LEAST_ROOM = 30
_MOST_CONTENTS = 200
_MOST_REASONS = 12
_MOST_LINES = 10
_LONGEST = 400
_ASCII = str.maketrans({"·": "-", "…": "~"})


def render_terminal(
    result: CheckResult, console: Console, *, folder: str | None = None, signed: bool = False
) -> None:
    """Print the result. `folder` is the run's; by default the one of its id. `signed`: the verdict
    lies there signed, too.

    Text from data is never read as markup or as terminal control.
    """
    page = _Page(console)
    page.verdict(result)
    page.contents(result.contents)
    page.labelled(_labelled(result, folder, signed))


class _Page:
    """One console, and the few ways in which a report writes to it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def verdict(self, result: CheckResult) -> None:
        style = f"bold {_COLOUR[result.verdict]}"
        self._hanging(Text(result.verdict, style), wording.headline(result), 2, "bold")
        for line in _second_lines(result):
            self._indented(line, len(result.verdict) + 2, "dim")

    def contents(self, contents: Sequence[ContentResult]) -> None:
        """A line each, entries and kept in columns, with the reasons below."""
        shown = contents[:_MOST_CONTENTS]
        if not shown:
            return
        self._blank()
        columns = _Columns.of(shown, self._console.width // 4)
        for content in shown:
            self._content(content, columns)
        if len(contents) > len(shown):
            left = vocabulary.count(len(contents) - len(shown), "more content")
            self._indented(f"… {left} in report.html", 2, "dim")

    def labelled(self, rows: Iterable[tuple[str, str, bool]]) -> None:
        """Label and text; an exact text (a path) is never wrapped."""
        self._blank()
        for label, text, exact in rows:
            if exact:
                self._say(Text(f"  {label:<12}  {printable(text)}"))
            elif label == "next":
                self._commands(Text(f"  {label:<12}  ", "dim"), text)
            else:
                self._hanging(Text(f"  {label:<12}", "dim"), text, 2)

    def _content(self, content: ContentResult, columns: _Columns) -> None:
        name = clipped(content.content, columns.name)
        head = Text("  ")
        head.append(name.ljust(columns.name + len(name) - cell_len(name)), "bold")
        head.append(f"  {content.verdict:<9}  ", _COLOUR[content.verdict])
        facts = columns.aligned(wording.content_facts(content))
        self._beside(head, _packed(facts, self._console.width - head.cell_len))
        reasons = why_of(content)
        self._some([w.text_of(content) for w in reasons if w.blocks], "reason")
        self._some([w.text_of(content) for w in reasons if not w.blocks], "reason")
        self._some([e.text for e in content.explanations], "explanation")
        self._some(content.notes, "note")

    def _some(self, lines: Sequence[str], what: str) -> None:
        """Lines below a content; of many the first, and how many more. Each kind has its own cut."""
        for line in lines[:_MOST_REASONS]:
            self._indented(vocabulary.grouped(line), 6)
        if (hidden := len(lines) - _MOST_REASONS) > 0:
            self._indented(f"… {vocabulary.count(hidden, f'more {what}')} in report.html", 6, "dim")

    def _hanging(self, head: Text, text: str, gap: int, style: str = "") -> None:
        """`head`, then the text wrapped beside it; below it where that leaves too little room."""
        room = self._console.width - head.cell_len - gap
        if room < _LEAST_ROOM:
            self._say(head)
            self._indented(text, 6, style)
            return
        lines = Text(clipped(text, _LONGEST), style).wrap(self._console, room)
        self._beside(Text.assemble(head, " " * gap), list(lines))

    def _commands(self, head: Text, text: str) -> None:
        """Commands beside `head`, wrapped between words alone: a cut path can't be copied."""
        room = max(self._console.width - head.cell_len, 10)
        words = Text(printable(text), overflow="ignore")
        self._beside(head, list(words.wrap(self._console, room)))

    def _beside(self, head: Text, lines: Sequence[Text]) -> None:
        for i, line in enumerate(lines):
            line.rstrip()
            self._say(Text.assemble(head if i == 0 else " " * head.cell_len, line))

    def _indented(self, text: str, by: int, style: str = "") -> None:
        room = max(self._console.width - by, 10)
        lines = Text(clipped(text, _LONGEST), style).wrap(self._console, room)
        self._beside(Text(" " * by), list(lines))

    def _blank(self) -> None:
        self._console.print()

    def _say(self, what: Text) -> None:
        """Print a line that is wrapped already; a path that is longer stays one line."""
        self._console.print(self._encodable(what), soft_wrap=True, highlight=False, markup=False)

    def _encodable(self, text: Text) -> Text:
        """The text, or where the terminal is not UTF-8 one that it can print."""
        encoding = self._console.encoding
        if encoding.lower().startswith("utf"):
            return text
        plain = text.plain.translate(_ASCII)
        return Text(plain.encode(encoding, "backslashreplace").decode(encoding))


@dataclass(frozen=True)
class _Columns:
    """How wide the names and the first two facts of all contents are."""

    name: int
    first: tuple[int, ...]

    @classmethod
    def of(cls, contents: Sequence[ContentResult], most: int) -> _Columns:
        names = max(cell_len(printable(c.content)) for c in contents)
        facts = [wording.content_facts(c)[:2] for c in contents]
        widths = tuple(max(map(len, column)) for column in zip(*facts, strict=True))
        return cls(min(names, most), widths)

    def aligned(self, facts: Sequence[str]) -> list[str]:
        first = [fact.rjust(width) for fact, width in zip(facts, self.first, strict=False)]
        return [*first, *map(printable, facts[len(first) :])]


def _packed(facts: Sequence[str], room: int) -> list[Text]:
    """The facts on as few lines as they fit, none of them cut in two."""
    lines: list[str] = []
    for fact in facts:
        if lines and cell_len(lines[-1]) + 3 + cell_len(fact) <= room:
            lines[-1] += f"   {fact}"
        else:
            lines.append(fact)
    return [Text(line) for line in lines]


def _second_lines(result: CheckResult) -> list[str]:
    lines = _cut_lines([w.text for w in run_reasons(result) if not w.blocks])
    if result.verdict is Verdict.PASS:
        lines = [s for s in (notes.tolerated_sentence(result),) if s]
    elif result.verdict is Verdict.UNDECIDED and wording.nothing_found(result):
        lines.append("Nothing was found lost in what was compared.")
    headline = wording.headline(result)
    return [line for line in (*lines, *drill_sentences(result)) if line not in headline]


def _cut_lines(lines: list[str]) -> list[str]:
    left = len(lines) - _MOST_LINES
    if left <= 0:
        return lines
    return [*lines[:_MOST_LINES], f"… {vocabulary.count(left, 'more reason')} in report.html"]


def _labelled(result: CheckResult, folder: str | None, signed: bool) -> list[tuple[str, str, bool]]:
    rows = [*_not_covered(result)]
    waivers = [("waiver", line, False) for line in notes.waiver_lines(result)]
    rows += _cut(waivers, "waivers")
    rows += _cut([("note", note, False) for note in notes.run_notes(result)], "notes")
    sums = [("sums", wording.sums_sentence(c), False) for c in result.contents if c.old or c.new]
    rows += _cut(sums, "sums")
    asked = [c for c in result.contents if c.strategy == "sums"]
    rows += _cut([("read", wording.strategy_sentence(c), False) for c in asked], "contents")
    rows += [("system", line, False) for line in wording.system_lines(result)]
    rows.append(("migration", f"{result.migration} ({result.kind}), run {result.run}", False))
    place = folder or f".safeguard/runs/{result.run}"
    rows.append(("report", f"{place}/report.html", True))
    if signed:
        rows.append(("signed", f"{place}/verdict.dsse.json", True))
    rows.append(("exit code", str(result.exit_code), True))
    rows.append(("next", wording.next_step(result, folder), False))
    return [("" if i and rows[i - 1][0] == r[0] else r[0], *r[1:]) for i, r in enumerate(rows)]


def _not_covered(result: CheckResult) -> list[tuple[str, str, bool]]:
    coverage = result.coverage
    rows = [("not covered", wording.uncovered_sentence(t), False) for t in coverage.uncovered]
    ignored = [("ignored", f"{t.system}.{t.table}: {t.reason}", False) for t in coverage.ignored]
    unchecked = [("unchecked", column, False) for column in coverage.unchecked_columns]
    return [*_cut(rows, "tables"), *_cut(ignored, "tables"), *_cut(unchecked, "columns")]


def _cut(rows: list[tuple[str, str, bool]], what: str) -> list[tuple[str, str, bool]]:
    if len(rows) <= _MOST_LINES:
        return rows
    left = vocabulary.number(len(rows) - _MOST_LINES)
    return [*rows[:_MOST_LINES], (rows[0][0], f"… {left} more {what} in report.html", False)]
