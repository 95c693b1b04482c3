"""What findings have in common stands in every report, below the content that it speaks of."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

from rich.console import Console

from result_examples import blocked
from safeguard.findings.result import CheckResult, Explanation
from safeguard.findings.words import Kind
from safeguard.reports.html import render_html
from safeguard.reports.junit import render_junit
from safeguard.reports.markdown import render_markdown
from safeguard.reports.terminal import render_terminal
from safeguard.runs.folder import verdict_document

SENTENCE = "All 2,774 lost entries have <owner> above 2,147,483,647; of the kept ones 0.1 %."


def explained() -> CheckResult:
    result = blocked()
    first, *others = result.contents
    told = (Explanation(Kind.LOST, SENTENCE, 2774, 2774, 0.001),)
    return replace(result, contents=(replace(first, explanations=told), *others))


def test_the_terminal_says_it_below_the_reasons() -> None:
    written = io.StringIO()
    render_terminal(explained(), Console(file=written, width=120))
    lines = written.getvalue().splitlines()
    (at,) = (i for i, line in enumerate(lines) if SENTENCE in line)
    assert lines[at] == f"      {SENTENCE}"
    assert lines[at - 1].startswith("      ")


def test_the_html_report_says_it_escaped_below_why() -> None:
    page = render_html(explained())
    why = page.partition('<h2 id="why">')[2].partition("</section>")[0]
    assert SENTENCE.replace("<", "&lt;").replace(">", "&gt;") in why
    assert SENTENCE not in page


def test_markdown_has_it_as_text() -> None:
    summary = render_markdown(explained())
    assert "### In common" in summary
    assert "&lt;owner&gt; above 2,147,483,647; of the kept ones 0.1 %." in summary


def test_a_failure_of_junit_says_it_where_its_kind_was_found() -> None:
    result = explained()
    first = result.contents[0]
    suite = ET.fromstring(render_junit(result))
    cases = {c.attrib["name"]: c for c in suite.iter("testcase")}
    for route in first.routes:
        text = "".join(cases[f"{first.content} -> {route.system}"].itertext())
        assert (SENTENCE in text) is bool(route.findings.get(Kind.LOST))


def test_verdict_json_has_its_figures() -> None:
    contents = verdict_document(explained())["contents"]
    assert contents[0]["explanations"] == [
        {"kind": "lost", "text": SENTENCE, "found": 2774, "total": 2774, "kept_share": 0.001}
    ]
    assert contents[1]["explanations"] == []


def test_without_any_the_reports_say_nothing_of_it() -> None:
    assert "In common" not in render_markdown(blocked())
    assert "What the findings have in common" not in render_html(blocked())
