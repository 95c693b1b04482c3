from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

import result_examples as examples
from safeguard.findings.result import CheckResult
from safeguard.reports.terminal import render_terminal


def _rendered(result: CheckResult, width: int = 120, **console: bool) -> str:
    out = io.StringIO()
    render_terminal(result, Console(file=out, width=width, _environ={}, **console))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 120])
def test_lines_fit_and_carry_no_trailing_blanks(width: int) -> None:
    lines = _rendered(examples.blocked(), width).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert [line for line in lines if cell_len(line) > width and "report.html" not in line] == []


def test_no_terminal_is_plain_text() -> None:
    assert "\x1b" not in _rendered(examples.blocked())


def test_no_color_has_no_colours() -> None:
    assert "\x1b[31m" not in _rendered(examples.blocked(), force_terminal=True, no_color=True)
    assert "\x1b[1;31mBLOCK" in _rendered(examples.blocked(), force_terminal=True)


@pytest.mark.parametrize("width", [60, 120])
def test_hostile_text_steers_nothing(width: int) -> None:
    shown = _rendered(examples.hostile(), width, force_terminal=True)
    without_styles = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", without_styles) is None
    assert "::error::x" not in {line.strip()[:10] for line in shown.splitlines()}
    assert "[bold]b[/bold]" in re.sub(r"\s+", "", without_styles)
    assert "\x1b[31mred" not in shown


def test_a_terminal_without_unicode_does_not_crash() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    render_terminal(examples.hostile(), Console(file=out, width=80, _environ={}))
    out.seek(0)
    assert "BLOCK" in out.read()


def test_huge_result_is_cut_and_says_so() -> None:
    shown = _rendered(examples.huge(3_000))
    assert len(shown.splitlines()) < 2_000
    assert "2,800 more contents in report.html" in shown
    assert "2,990 more tables in report.html" in shown


def test_a_signed_verdict_is_named() -> None:
    out = io.StringIO()
    render_terminal(examples.passed(), Console(file=out, width=60), folder="reports", signed=True)
    assert "\n  signed        reports/verdict.dsse.json\n" in out.getvalue()


def test_the_report_path_is_never_broken() -> None:
    out = io.StringIO()
    path = "/a/very/long/folder" * 6
    render_terminal(examples.passed(), Console(file=out, width=60, _environ={}), folder=path)
    assert f"{path}/report.html" in out.getvalue()
