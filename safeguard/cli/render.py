"""A finished run, written in one of the forms that reports have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from safeguard.findings.trouble import UsageProblem
from safeguard.runs import EVIDENCE, SIGNED, findings, load_result, shown

RUNS = Path(".safeguard/runs")


def folder_of(run: Path) -> Path:
    """The folder of a run that is named by its folder, or by its id in `.safeguard/runs` here, or by
    `last`: the youngest there that ended with a result. Raises UsageProblem where there is none."""
    ended = sorted(RUNS.glob(f"*/{EVIDENCE}")) if str(run) == "last" else []
    for folder in (*(file.parent for file in ended[-1:]), run, RUNS / run):
        if (folder / "verdict.json").is_file():
            return folder
    raise UsageProblem(f"{run} is no run: it is neither a folder with verdict.json nor in {RUNS}/")


def render(run: Path, form: str, out: TextIO) -> None:
    """Write the run in this form. JSON is verdict.json as it stands, byte for byte."""
    match form:
        case "json":
            out.write((run / "verdict.json").read_text(encoding="utf-8"))
        case "csv":
            from safeguard.reports.csv_rows import render_csv

            render_csv(findings(run), out)
        case "text":
            from rich.console import Console

            from safeguard.reports.terminal import render_terminal

            signed = (run / SIGNED).is_file()
            render_terminal(load_result(run), Console(file=out), folder=shown(run), signed=signed)
        case "github":
            from safeguard.cli.github import tell_github

            tell_github(load_result(run), run, os.environ, out)
        case _:
            out.write(_page(run, form))


def _page(run: Path, form: str) -> str:
    result = load_result(run)
    match form:
        case "html":
            from safeguard.reports.html import render_html

            return render_html(result)
        case "md":
            from safeguard.reports.markdown import render_markdown

            return render_markdown(result, folder=shown(run))
        case "junit":
            from safeguard.reports.junit import render_junit

            return render_junit(result)
        case "sarif":
            from safeguard.reports.sarif import render_sarif

            return render_sarif(result)
        case "codequality":
            from safeguard.reports.code_quality import render_code_quality

            return render_code_quality(result)
    raise ValueError(f"no such form: {form}")
