"""May we roll out: the policy applied to what was found. Pure; decides, reads nothing.

PASS needs every content compared whole, sums that add up, and nothing that the policy blocks. One
certain finding that blocks is BLOCK, whatever else is undecided; any doubt without one is UNDECIDED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from safeguard.contract.model import Allowance, Policy
from safeguard.findings.result import ContentResult, Coverage
from safeguard.findings.words import Kind, Verdict


@dataclass(frozen=True)
class Decision:
    """The verdict of a run, why, and what even a PASS must name."""

    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    contents: tuple[ContentResult, ...]


def decide(
    contents: Sequence[ContentResult],
    coverage: Coverage,
    policy: Policy,
    doubts: Sequence[str] = (),
) -> Decision:
    """Judge each content and all of them. `doubts` are reasons of the run as a whole."""
    judged = [_judge(content, policy) for content in contents]
    blocks, undecided, notes = [], list(doubts), []
    for content, said in judged:
        blocks += [f"{content.content}: {s}" for s in said.blocks]
        undecided += [f"{content.content}: {s}" for s in said.undecided]
        notes += [f"{content.content}: {s}" for s in said.notes]
    if not contents:
        undecided.append("no content was compared")
    uncovered, warned = _uncovered(coverage, policy)
    blocks += uncovered
    notes += [*warned, *_coverage_notes(coverage)]
    verdict = _verdict(bool(blocks), bool(undecided))
    return Decision(verdict, (*blocks, *undecided), tuple(notes), tuple(c for c, _ in judged))


@dataclass(frozen=True)
class _Said:
    blocks: tuple[str, ...]
    undecided: tuple[str, ...]
    notes: tuple[str, ...]


def _verdict(blocked: bool, undecided: bool) -> Verdict:
    if blocked:
        return Verdict.BLOCK
    return Verdict.UNDECIDED if undecided else Verdict.PASS


def _judge(content: ContentResult, policy: Policy) -> tuple[ContentResult, _Said]:
    """One content with its verdict, and what is to be said of it."""
    blocks: list[str] = []
    notes = list(content.notes)
    for kind, count in content.findings.items():
        if kind == Kind.NOT_COMPARED or not count:
            continue
        why, blocking = _weigh(content, Kind(kind), count, policy)
        (blocks if blocking else notes).append(why)
    undecided = _undecided(content)
    notes += _shown(content)
    verdict = _verdict(bool(blocks), bool(undecided))
    said = _Said(tuple(blocks), tuple(undecided), tuple(notes))
    return replace(content, verdict=verdict, reasons=(*blocks, *undecided)), said


def _undecided(content: ContentResult) -> list[str]:
    found = list(content.reasons)
    if found and not content.routes:  # it was not read: there are no sums
        return found
    if not content.conservation.old:
        found.append("the sums of the old side do not add up")
    if not content.conservation.new:
        found.append("the sums of the new side do not add up")
    missing = content.findings.get(Kind.NOT_COMPARED, 0)
    if missing and not content.reasons:
        found.append(f"{_entries(missing)} could not be compared")
    return found


def _shown(content: ContentResult) -> list[str]:
    """What was tolerated or is not due: counted, never hidden."""
    found = [f"{count:,} tolerated ({form})" for form, count in content.tolerated.items() if count]
    if content.not_due:
        found.append(f"{_entries(content.not_due)} not due yet (as_of)")
    overlapped = content.sums_old.get("overlapped", 0)
    if overlapped:
        found.append(f"{_entries(overlapped)} overlapped: another old entry stands for each")
    return found


def _weigh(content: ContentResult, kind: Kind, count: int, policy: Policy) -> tuple[str, bool]:
    """What is said of one kind of finding, and whether it blocks. A kind in neither list blocks."""
    what = _counted(content, kind, count)
    if kind in policy.warn:
        return f"{what} (warned of)", False
    for allowance in policy.allow:
        if (allowance.content, allowance.kind) == (content.content, kind):
            return _allowed(content, allowance, kind, count)
    return what, True


def _allowed(
    content: ContentResult, allowance: Allowance, kind: Kind, count: int
) -> tuple[str, bool]:
    what = _counted(content, kind, count)
    if allowance.at_most is not None and count > allowance.at_most:
        return f"{what}, more than the {allowance.at_most:,} that the policy allows", True
    segments = content.finding_segments.get(kind, {})
    for name, most in allowance.segment_at_most.items():
        if segments.get(name, 0) > most:
            over = f"more than the {most:,} that the policy allows"
            return f"{what}, {segments[name]:,} of customers in {name}, {over}", True
    return f"{what} (allowed by the policy's ceiling)", False


def _counted(content: ContentResult, kind: Kind, count: int) -> str:
    if kind is not Kind.EXPECTATION:
        return f"{_entries(count)} {kind}"
    broken = [
        f"{e.expectation} in {e.system}, {e.observed}" for e in content.expectations if e.broke
    ]
    what = f"{count:,} {'expectation' if count == 1 else 'expectations'} broken"
    return ": ".join([what, *(["; ".join(broken)] if broken else [])])


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"


def _uncovered(coverage: Coverage, policy: Policy) -> tuple[list[str], list[str]]:
    said = []
    for table in coverage.uncovered:
        many = "" if table.entries is None else f" ({_entries(table.entries)})"
        said.append(f"{table.system}.{table.table}{many} is covered by no contract")
    return ([], said) if Kind.UNCOVERED in policy.warn else (said, [])


def _coverage_notes(coverage: Coverage) -> list[str]:
    found = [f"{i.system}.{i.table} is ignored: {i.reason}" for i in coverage.ignored]
    if coverage.unchecked_columns:
        found.append(f"unchecked columns: {', '.join(coverage.unchecked_columns)}")
    return [*found, *coverage.notes]
