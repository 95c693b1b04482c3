"""Write a run's reports into its folder: those that every run leaves, and what else was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from safeguard.findings.result import CheckResult
from safeguard.reports.csv_rows import render_csv
from safeguard.reports.html import render_html
from safeguard.reports.junit import render_junit
from safeguard.reports.markdown import render_markdown
from safeguard.runs import RunFolder, findings, shown


def write_reports(folder: RunFolder, result: CheckResult, formats: Sequence[str] = ()) -> None:
    """report.html, summary.md and junit.xml; findings.csv where `formats` names csv."""
    folder.write_text("report.html", render_html(result))
    folder.write_text("summary.md", render_markdown(result, folder=shown(folder.path)))
    folder.write_text("junit.xml", render_junit(result))
    if "csv" in formats:
        with (folder.path / "findings.csv").open("w", encoding="utf-8", newline="") as out:
            render_csv(findings(folder.path), out)
