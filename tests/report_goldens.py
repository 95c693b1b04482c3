"""What reports of the examples look like; `python tests/report_goldens.py` writes them anew."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

import result_examples as examples
from safeguard.findings.result import CheckResult
from safeguard.reports.code_quality import render_code_quality
from safeguard.reports.github import render_annotations
from safeguard.reports.junit import render_junit
from safeguard.reports.markdown import render_markdown
from safeguard.reports.sarif import render_sarif
from safeguard.reports.terminal import render_terminal

FOLDER = Path(__file__).parent / "unit" / "reports" / "goldens"
RESULTS = {
    "blocked": examples.blocked,
    "passed": examples.passed,
    "undecided": examples.undecided,
    "empty": examples.empty,
}


def in_terminal(width: int, result: CheckResult) -> str:
    out = io.StringIO()
    render_terminal(result, Console(file=out, width=width, _environ={}))
    return out.getvalue()


def goldens() -> dict[str, Callable[[], str]]:
    """File name -> what makes its text."""
    made: dict[str, Callable[[], str]] = {}
    for name, result in RESULTS.items():
        for width in (60, 120):
            made[f"terminal-{name}-{width}.txt"] = partial(in_terminal, width, result())
        made[f"summary-{name}.md"] = partial(render_markdown, result())
        made[f"junit-{name}.xml"] = partial(render_junit, result())
        made[f"annotations-{name}.txt"] = partial(render_annotations, result())
        made[f"code-quality-{name}.json"] = partial(render_code_quality, result())
    for name in ("blocked", "passed"):
        made[f"sarif-{name}.json"] = partial(render_sarif, RESULTS[name]())
    return made


if __name__ == "__main__":
    for file, make in goldens().items():
        (FOLDER / file).write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / file}\n")
