"""report.html: one file that a product manager reads and that asks no network for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from safeguard.findings.result import CheckResult, ContentResult, Impact, ListSample
from safeguard.findings.words import OldStatus, Verdict
from safeguard.reports import bar_view, list_view, notes, sample_view, vocabulary, why, wording
from safeguard.reports.advice import advice
from safeguard.reports.drills import drill_sentences
from safeguard.reports.printable import clipped

_GRAVITY = {Verdict.BLOCK: 0, Verdict.UNDECIDED: 1, Verdict.PASS: 2}
_LONGEST = 2_000
_LONGEST_HEADLINE = 500
_MOST = {"contents": 200, "detailed": 40, "reasons": 60, "lines": 100, "list": 60}


def render_html(result: CheckResult) -> str:
    """The whole page. Text from data is escaped, and control characters in it are made visible."""
    contents = tuple(sorted(result.contents, key=lambda c: _GRAVITY[c.verdict]))
    every = why.why(result)
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            contents=contents,
            headline=clipped(wording.headline(result), _LONGEST_HEADLINE),
            reasons=why.both_kinds(every, _MOST["reasons"]),
            all_reasons=len(every),
            explained=why.explained(result)[: _MOST["reasons"]],
            advice=advice(result),
            lists=_lists(contents),
            damaged=sum(_damaged(c) for c in contents),
            due=sum(c.due for c in contents),
            waived=sum(sum(c.waived.values()) for c in contents),
            most=_MOST,
            style=Markup(style),  # noqa: S704  ours, no data in it
            script=Markup(script),  # noqa: S704  ours, no data in it
            policy=_content_security(style, script),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("safeguard.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "wording": wording,
        "words": vocabulary,
        "bar_of": bar_view.bar_of,
        "list_rows": list_view.rows_of,
        "reversed_list": list_view.exactly_reversed,
        "sample_tables": sample_view.sample_tables,
        "all_notes": notes.all_notes,
        "waiver_lines": notes.waiver_lines,
        "drill_sentences": drill_sentences,
        "why_of": why.why_of,
        "value_of": sample_view.value_of,
        "segment_names": _segment_names,
        "share": _share,
        "ticks": _ticks,
        "not_compared": _not_compared,
    }
    return environment


def _shown(value: Any) -> Any:
    """Every text of the page goes through here before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clipped(value, _LONGEST)
    return value


def _ticks(text: str) -> list[str]:
    """The text by its backticks, every second part a name or value; whole where they are no pairs."""
    parts = text.split("`")
    return parts if len(parts) % 2 else [text]


def _asset(name: str) -> str:
    return files("safeguard.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _content_security(style: str, script: str) -> str:
    """Nothing may load or run but our own style and script, known by their hashes."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _lists(contents: Sequence[ContentResult]) -> tuple[tuple[ContentResult, ListSample], ...]:
    """Sampled lists, the one with the most gone first, because it tells the most."""
    every = [(content, sample) for content in contents for sample in content.lists]
    return tuple(sorted(every, key=lambda pair: -_gone(pair[1])))


def _gone(sample: ListSample) -> int:
    return sum(line.status == OldStatus.LOST for line in sample.old)


def _damaged(content: ContentResult) -> int:
    return sum(n for s, n in wording.damage(content).items() if s != OldStatus.NOT_COMPARED)


def _not_compared(contents: Sequence[ContentResult]) -> int:
    return sum(c.sums_old.get(OldStatus.NOT_COMPARED, 0) for c in contents)


def _segment_names(result: CheckResult) -> tuple[str, ...]:
    names = dict.fromkeys(result.customers.segments)
    for content in result.contents:
        names |= dict.fromkeys(content.customers.segments)
    return tuple(names)


def _share(people: Impact, segment: str | None) -> str:
    """`133 of 9,411`: affected of those with content."""
    if segment is None:
        affected, whole = people.affected, people.with_content
    elif segment in people.segments:
        affected = people.segments[segment].affected
        whole = people.segments[segment].with_content
    else:
        return "not counted"
    return f"{vocabulary.number(affected)} of {vocabulary.number(whole)}"
