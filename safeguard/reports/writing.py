"""Write a run's reports into its folder: those that every run leaves, and what else was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from safeguard.findings.result import CheckResult
from safeguard.reports.code_quality import render_code_quality
from safeguard.reports.csv_rows import render_csv
from safeguard.reports.html import render_html
from safeguard.reports.junit import render_junit
from safeguard.reports.markdown import render_markdown
from safeguard.reports.sarif import render_sarif
from safeguard.runs import (
    CODE_QUALITY,
    CSV,
    HTML,
    JUNIT,
    MARKDOWN,
    SARIF,
    RunFolder,
    findings,
    shown,
)


def write_reports(folder: RunFolder, result: CheckResult, formats: Sequence[str] = ()) -> None:
    """report.html, summary.md and junit.xml; of csv, sarif and codequality what `formats` names."""
    folder.write_text(HTML, render_html(result))
    folder.write_text(MARKDOWN, render_markdown(result, folder=shown(folder.path)))
    folder.write_text(JUNIT, render_junit(result))
    if "sarif" in formats:
        folder.write_text(SARIF, render_sarif(result))
    if "codequality" in formats:
        folder.write_text(CODE_QUALITY, render_code_quality(result))
    if "csv" in formats:
        with (folder.path / CSV).open("w", encoding="utf-8", newline="") as out:
            render_csv(findings(folder.path), out)
