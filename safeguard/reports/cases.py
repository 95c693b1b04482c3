"""What is told of each content, route, the coverage and the run: one case each, for JUnit and pytest.

A case alone may pass; the run's own case passes only where all of it does.
"""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.findings.result import CheckResult, ContentResult, RouteResult
from safeguard.findings.words import Kind, OldStatus, Verdict
from safeguard.reports import vocabulary, wording
from safeguard.reports.why import both_kinds, route_lines, run_reasons, why, why_of

_MOST_REASONS = 15


@dataclass(frozen=True)
class Case:
    """A verdict, and what is said of it: the first line alone is enough to know what happened."""

    verdict: Verdict
    text: str


def content_case(content: ContentResult) -> Case:
    """A content as a whole."""
    facts = ", ".join(wording.content_facts(content))
    told = (facts, *(w.line for w in why_of(content)), *(e.text for e in content.explanations))
    return Case(content.verdict, "\n".join(told))


def route_case(content: ContentResult, route: RouteResult) -> Case:
    """One new system: BLOCK or UNDECIDED where it shows a reason for the content's verdict."""
    found = [
        f"{vocabulary.number(n)} {vocabulary.kind_word(k)}" for k, n in route.findings.items() if n
    ]
    found += [
        f"{vocabulary.number(n)} {vocabulary.kind_word(k)} (waived)"
        for k, n in route.waived.items()
        if n
    ]
    due = f"{vocabulary.number(route.due)} due, {vocabulary.number(route.kept)} kept"
    text = "\n".join((", ".join((due, *found)), *route_lines(content, route)))
    return Case(_route_verdict(content, route), text)


def coverage_case(result: CheckResult) -> Case:
    """Whether each old table has a contract or a reason. UNDECIDED where no system was opened."""
    coverage = result.coverage
    if not result.systems:
        return Case(Verdict.UNDECIDED, "\n".join(coverage.notes) or "coverage was not judged")
    text = "\n".join(wording.uncovered_sentence(t) for t in coverage.uncovered)
    blocks = bool(coverage.unwaived) and any(w.blocks for w in run_reasons(result))
    return Case(Verdict.BLOCK if blocks else Verdict.PASS, text)


def verdict_case(result: CheckResult) -> Case:
    """The run: its headline, then its reasons, what blocks before what is undecided."""
    headline = wording.headline(result)
    reasons = (vocabulary.grouped(w.line) for w in both_kinds(why(result), _MOST_REASONS))
    unsaid = (reason for reason in reasons if reason not in headline)
    return Case(result.verdict, "\n".join((headline, *unsaid)))


def _route_verdict(content: ContentResult, route: RouteResult) -> Verdict:
    if content.verdict is not Verdict.BLOCK:
        return content.verdict
    if any(n for k, n in route.unwaived.items() if k != Kind.NOT_COMPARED):
        return Verdict.BLOCK
    unknown = route.findings.get(Kind.NOT_COMPARED) or route.statuses.get(OldStatus.NOT_COMPARED)
    return Verdict.UNDECIDED if unknown else Verdict.PASS
