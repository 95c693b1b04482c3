"""summary.md: the check's answer for a pull-request comment, always short enough for one."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.words import Verdict
from safeguard.reports import notes, vocabulary, wording
from safeguard.reports.drills import drill_sentences
from safeguard.reports.printable import clipped
from safeguard.reports.why import Why, explained, why

LIMIT = 60_000
"""Characters; GitHub refuses a comment above 65,536."""
_SHARE = {
    "contents": 24_000,
    "reasons": 9_000,
    "explanations": 4_000,
    "undecided": 5_000,
    "waivers": 4_000,
    "unchecked": 7_000,
    "sums": 7_000,
}
_LONGEST = 300
_MARK = re.compile(r"([\\`*_{}\[\]~|!#]|^[-+](?=\s)|(?<=^\d)[.)](?=\s))")
_MENTION = re.compile(r"@|(?<=://)|#(?=\w)|\bwww(?=\.)")
_GRAVITY = {Verdict.BLOCK: 0, Verdict.UNDECIDED: 1, Verdict.PASS: 2}


def render_markdown(result: CheckResult, *, folder: str | None = None) -> str:
    """GitHub-flavoured Markdown below `LIMIT` characters; user text stays text.

    `folder` is the run's; by default the one of its id.
    """
    blocks = [
        f"## {result.verdict}: {_text(wording.headline(result), 900)}",
        _text(" ".join(drill_sentences(result)), 900),
        _text(f"{result.migration} · {result.kind} · {vocabulary.moment(result.started_at)}"),
        _contents(result),
        _bullets("Why", _reasons(result, blocks=True), "reasons"),
        _bullets("In common", map(_line, explained(result)), "explanations"),
        _bullets("Undecided", _reasons(result, blocks=False), "undecided"),
        _bullets("Waivers", map(_text, notes.waiver_lines(result)), "waivers"),
        _bullets("Not checked, or accepted", _unchecked(result), "unchecked"),
        _folded("Sums", [wording.sums_sentence(c) for c in result.contents]),
        _text(f"Exit code {result.exit_code}. Next: {wording.next_step(result, folder)}", 900),
        _text(f"Safeguard {result.tool_version} · run {result.run} · plan {result.plan_digest}"),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _contents(result: CheckResult) -> str:
    if not result.contents:
        return ""
    head = "| Content | Verdict | Entries | Kept | Was not due | Lost or damaged | Customers |\n"
    head += "|---|---|--:|--:|---|---|---|"
    gravest = sorted(result.contents, key=lambda c: _GRAVITY[c.verdict])
    rows = list(_fit((_row(c) for c in gravest), _SHARE["contents"]))
    left = len(gravest) - len(rows)
    more = [f"| … {vocabulary.number(left)} more in report.html | | | | | | |"] if left else []
    return "\n".join([head, *rows, *more])


def _row(content: ContentResult) -> str:
    wrong = ", ".join(
        f"{vocabulary.number(n)} {vocabulary.kind_word(k)}"
        for k, n in wording.damage(content).items()
    )
    rested = ", ".join(
        f"{vocabulary.number(n)} {vocabulary.kind_word(s)}"
        for s, n in wording.rested(content).items()
    )
    people = wording.affected_fact(content.customers) if content.customers.affected else ""
    cells = (
        _text(content.content, 80),
        content.verdict.value,
        vocabulary.number(content.old),
        vocabulary.number(content.kept),
        _text(rested) or "none",
        _text(wrong) or "none",
        _text(people) or "none",
    )
    return f"| {' | '.join(cells)} |"


def _reasons(result: CheckResult, *, blocks: bool) -> Iterator[str]:
    yield from (_line(w) for w in why(result) if w.blocks is blocks)


def _line(reason: Why) -> str:
    where = f"**{_text(reason.where, 120)}**: " if reason.where else ""
    return where + _text(vocabulary.grouped(reason.text))


def _unchecked(result: CheckResult) -> Iterator[str]:
    coverage = result.coverage
    yield from (_text(wording.uncovered_sentence(t)) for t in coverage.uncovered)
    yield from map(_text, notes.all_notes(result))
    for table in coverage.ignored:
        yield _text(f"{table.system}.{table.table} is ignored: {table.reason}")
    yield from (_text(f"column {c} is not checked") for c in coverage.unchecked_columns)


def _bullets(title: str, lines: Iterable[str], share: str) -> str:
    every = list(lines)
    if not every:
        return ""
    shown = list(_fit((f"- {line}" for line in every), _SHARE[share]))
    left = len(every) - len(shown)
    more = [f"- … {vocabulary.number(left)} more in report.html"] if left else []
    return "\n".join([f"### {title}", "", *shown, *more])


def _folded(title: str, lines: list[str]) -> str:
    body = _bullets(title, map(_text, lines), "sums").partition("\n\n")[2]
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""


def _fit(lines: Iterable[str], room: int) -> Iterator[str]:
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _text(text: str, length: int = _LONGEST) -> str:
    """User text on one line, with nothing in it that Markdown, HTML or GitHub acts on."""
    marked = _MARK.sub(r"\\\1", clipped(text, length))
    escaped = html.escape(marked, quote=False)
    return _MENTION.sub(lambda m: m[0] + "&#8203;", escaped)
