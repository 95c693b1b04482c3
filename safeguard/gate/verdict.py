"""May we roll out: the policy applied to what was found and is not waived. Pure; decides, reads nothing.

PASS needs every content compared whole, sums that add up, and nothing that the policy blocks. One
certain finding that blocks is BLOCK, whatever else is undecided; any doubt without one is UNDECIDED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from safeguard.contract.model import Allowance, Policy
from safeguard.findings.figures import entries
from safeguard.findings.result import ContentResult, Coverage, WaiverUse
from safeguard.findings.words import Kind, Verdict, WaiverState, Weight


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
    waivers: Sequence[WaiverUse] = (),
) -> Decision:
    """Judge each content and all of them. `doubts` are reasons of the run as a whole, `waivers` those
    that were applied to contents and coverage."""
    judged = [_judge(c, policy, _waivers_of(c.content, waivers)) for c in contents]
    blocks, undecided, notes = [], list(doubts), []
    for content, said in judged:
        blocks += [f"{content.content}: {s}" for s in said.blocks]
        undecided += [f"{content.content}: {s}" for s in said.undecided]
        notes += [f"{content.content}: {s}" for s in said.notes]
    if not contents:
        undecided.append("no content was compared")
    uncovered, warned = _uncovered(coverage, policy)
    signed, told = _signed([use for use in waivers if use.kind is Kind.UNCOVERED])
    blocks += [*uncovered, *signed]
    notes += [*warned, *told, *_coverage_notes(coverage)]
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


def _waivers_of(content: str, waivers: Sequence[WaiverUse]) -> list[WaiverUse]:
    return [u for u in waivers if u.content == content and u.kind is not Kind.UNCOVERED]


def _signed(waivers: Sequence[WaiverUse]) -> tuple[list[str], list[str]]:
    """What is said of waivers: those that are not valid block, the others are named; the used first."""
    ranked = sorted(waivers, key=lambda use: use.state is not WaiverState.USED)
    return (
        [use.text for use in waivers if use.state.blocks],
        [use.text for use in ranked if not use.state.blocks],
    )


def _judge(
    content: ContentResult, policy: Policy, waivers: Sequence[WaiverUse]
) -> tuple[ContentResult, _Said]:
    """One content with its verdict, and what is to be said of it."""
    blocks, told = _signed(waivers)
    notes = [*told, *content.notes]
    weighed: dict[str, Weight] = {}
    for kind, count in content.unwaived.items():
        if kind == Kind.NOT_COMPARED or not count:
            continue
        why, weighed[kind] = _weigh(content, Kind(kind), count, policy)
        (blocks if weighed[kind] is Weight.BLOCKS else notes).append(why)
    undecided = _undecided(content)
    notes += _shown(content)
    verdict = _verdict(bool(blocks), bool(undecided))
    said = _Said(tuple(blocks), tuple(undecided), tuple(notes))
    reasons = (*blocks, *undecided)
    return replace(content, verdict=verdict, reasons=reasons, weighed=weighed), said


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
        found.append(f"{entries(missing)} could not be compared")
    return found


def _shown(content: ContentResult) -> list[str]:
    """What was tolerated or is not due: counted, never hidden."""
    found = [f"{count:,} tolerated ({form})" for form, count in content.tolerated.items() if count]
    if content.not_due:
        found.append(f"{entries(content.not_due)} not due yet (as_of)")
    overlapped = content.sums_old.get("overlapped", 0)
    if overlapped:
        found.append(f"{entries(overlapped)} overlapped: another old entry stands for each")
    return found


def _weigh(content: ContentResult, kind: Kind, count: int, policy: Policy) -> tuple[str, Weight]:
    """What is said of one kind of finding, and its weight. A kind in neither list blocks."""
    what = _counted(content, kind, count)
    if kind in policy.warn:
        return f"{what} (warned of)", Weight.WARNS
    for allowance in policy.allow:
        if (allowance.content, allowance.kind) == (content.content, kind):
            return _allowed(content, allowance, kind, count)
    return what, Weight.BLOCKS


def _allowed(
    content: ContentResult, allowance: Allowance, kind: Kind, count: int
) -> tuple[str, Weight]:
    what = _counted(content, kind, count)
    if allowance.at_most is not None and count > allowance.at_most:
        return f"{what}, more than the {allowance.at_most:,} that the policy allows", Weight.BLOCKS
    segments = content.finding_segments.get(kind, {})
    for name, most in allowance.segment_at_most.items():
        if segments.get(name, 0) > most:
            over = f"more than the {most:,} that the policy allows"
            return f"{what}, {segments[name]:,} of customers in {name}, {over}", Weight.BLOCKS
    return f"{what} (allowed by the policy's ceiling)", Weight.ALLOWED


def _counted(content: ContentResult, kind: Kind, count: int) -> str:
    if kind is not Kind.EXPECTATION:
        return f"{entries(count)} {kind}"
    broken = [
        f"{e.expectation} in {e.system}, {e.observed}" for e in content.expectations if e.broke
    ]
    what = f"{count:,} {'expectation' if count == 1 else 'expectations'} broken"
    return ": ".join([what, *(["; ".join(broken)] if broken else [])])


def _uncovered(coverage: Coverage, policy: Policy) -> tuple[list[str], list[str]]:
    said = []
    for table in coverage.unwaived:
        many = "" if table.entries is None else f" ({entries(table.entries)})"
        said.append(f"{table.system}.{table.table}{many} is covered by no contract")
    return ([], said) if Kind.UNCOVERED in policy.warn else (said, [])


def _coverage_notes(coverage: Coverage) -> list[str]:
    found = [f"{i.system}.{i.table} is ignored: {i.reason}" for i in coverage.ignored]
    if coverage.unchecked_columns:
        found.append(f"unchecked columns: {', '.join(coverage.unchecked_columns)}")
    return [*found, *coverage.notes]
