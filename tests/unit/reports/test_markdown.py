from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

import result_examples as examples
from safeguard.reports.markdown import LIMIT, render_markdown


def test_hostile_text_stays_text() -> None:
    text = render_markdown(examples.hostile())
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert re.findall(r"<(?:script|img|code|a)\b", page) == []
    assert "@octocat" not in text
    assert "https://evil" not in text
    assert "\n::error::" not in text
    assert len(re.findall("<tr>", page)) == 1 + 4
    text.encode("utf-8")


@pytest.mark.parametrize("contents", [1, 100, 3_000])
def test_fits_a_comment(contents: int) -> None:
    text = render_markdown(examples.huge(contents))
    assert len(text) < LIMIT
    assert ("more in report.html" in text) == (contents > 1)


def test_hostile_and_huge_fits_a_comment() -> None:
    many = replace(
        examples.hostile(), contents=examples.hostile().contents * 500, reasons=("x" * 9_999,) * 99
    )
    assert len(render_markdown(many)) < LIMIT


def test_the_gravest_contents_come_first_so_that_a_cut_hides_only_the_harmless() -> None:
    rows = [
        r for r in render_markdown(examples.huge(600)).splitlines() if r.startswith("| content")
    ]
    verdicts = [row.split("|")[2].strip() for row in rows]
    assert verdicts == sorted(verdicts)
    assert verdicts[0] == "BLOCK"
