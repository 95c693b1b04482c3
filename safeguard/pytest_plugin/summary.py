"""What pytest's summary says of the plans: the verdict, what even a PASS must name, the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from safeguard.findings.trouble import SafeguardError
from safeguard.pytest_plugin.session import PlanSession, SharedPlan
from safeguard.reports.printable import printable
from safeguard.reports.wording import headline
from safeguard.runs import load_result, shown

_MOST_NOTES = 10


def summary_lines(session: PlanSession) -> Iterator[str]:
    """Some lines for each plan."""
    for plan in session.plans.values():
        yield f"{shown(plan.path)}"
        yield from (f"  {printable(line)}" for line in _lines(plan))


def _lines(plan: SharedPlan) -> Iterator[str]:
    told = plan.told()
    if told is None:
        yield "not checked: none of its tests was run"
        return
    if "folder" not in told:
        yield f"UNDECIDED  It was not checked: {told['problem']}"
        return
    folder = Path(told["folder"])
    try:
        result = load_result(folder)
    except SafeguardError as problem:
        yield f"UNDECIDED  {problem}"
        return
    yield f"{result.verdict}  {headline(result)}"
    yield from (f"note    {note}" for note in result.notes[:_MOST_NOTES])
    if (left := len(result.notes) - _MOST_NOTES) > 0:
        yield f"note    … {left} more in report.html"
    yield f"report  {shown(folder / 'report.html')}"
