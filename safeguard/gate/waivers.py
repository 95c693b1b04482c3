"""Which waivers are valid for what was found, and what they leave for the policy to judge. Pure: what a
waiver is about is asked of `Findings`, and nothing else is read.

In the order of their file: of several waivers that name one finding the first valid one waives it, and
each is held to its ceiling by the entries that those before it left. One that is expired, overfull or
not approved as the policy demands waives nothing, and blocks; one that is about nothing warns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from safeguard.comparing.waiving import Matched
from safeguard.contract.vet_waivers import approver
from safeguard.contract.waivers import Waiver
from safeguard.findings.figures import entries
from safeguard.findings.result import ContentResult, Coverage, WaiverUse
from safeguard.findings.words import Kind, WaiverState


class Findings(Protocol):
    """See `safeguard.comparing.waiving.Findings`."""

    def matched(self, waiver: Waiver, before: Sequence[Waiver]) -> Matched: ...
    def mark(self, used: Sequence[Waiver]) -> None: ...
    def recounted(self, content: ContentResult) -> ContentResult: ...
    def covered(self, coverage: Coverage) -> Coverage: ...


@dataclass(frozen=True)
class Waived:
    """What was found, with what is waived of it."""

    contents: tuple[ContentResult, ...]
    coverage: Coverage
    uses: tuple[WaiverUse, ...] = ()


def waive(
    waivers: Sequence[Waiver],
    findings: Findings,
    contents: Sequence[ContentResult],
    coverage: Coverage,
    approvers: Mapping[str, int],
    moment: dt.datetime,
) -> Waived:
    """Apply the waivers of a plan, as of `moment`. `approvers` is segment -> how many must have signed
    for findings of its customers."""
    if not waivers:
        return Waived(tuple(contents), coverage)
    unread = {c.content for c in contents if not c.routes}
    used: list[Waiver] = []
    uses: list[WaiverUse] = []
    for waiver in waivers:
        matched = findings.matched(waiver, used)
        uses.append(judge(waiver, matched, approvers, moment, unread))
        if uses[-1].state is WaiverState.USED:
            used.append(waiver)
    findings.mark(used)
    recounted = tuple(findings.recounted(content) for content in contents)
    return Waived(recounted, findings.covered(coverage), tuple(uses))


def judge(
    waiver: Waiver,
    matched: Matched,
    approvers: Mapping[str, int],
    moment: dt.datetime,
    unread: Collection[str] = (),
) -> WaiverUse:
    """What becomes of one waiver that is about this."""
    state, text = _judged(waiver, matched, approvers, moment)
    if state is WaiverState.UNUSED and waiver.content in unread:
        text = f"could not be tried: {waiver.content} was not compared"
    return WaiverUse(
        id=waiver.id,
        content=waiver.content,
        kind=waiver.kind,
        entries=matched.entries or 0,
        state=state,
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        expires=waiver.expires.isoformat(),
        text=f"waiver {waiver.id} {text}",
        at_most=waiver.at_most,
    )


# -- private -------------------------------------------------------------------------------------


def _judged(
    waiver: Waiver, matched: Matched, approvers: Mapping[str, int], moment: dt.datetime
) -> tuple[WaiverState, str]:
    late = moment >= waiver.expires
    if not matched.findings:
        was = f"; it expired at {_end(waiver.expires)}" if late else ""
        return WaiverState.UNUSED, f"matches nothing that was found{was}"
    table = f" of {waiver.content}" if waiver.kind is Kind.UNCOVERED else ""
    covers = f"covers {_entries(matched.entries)}{table}"
    if late:
        return WaiverState.EXPIRED, f"{covers}, but expired at {_end(waiver.expires)}"
    if matched.entries is None:
        text = f"covers {waiver.content}, whose entries were not counted: they can't be held to "
        return WaiverState.OVERFULL, f"{text}{waiver.at_most:,}"
    if matched.entries > waiver.at_most:
        return WaiverState.OVERFULL, f"{covers}, more than its {waiver.at_most:,}"
    if missing := _missing(waiver, matched, approvers):
        return WaiverState.UNAPPROVED, f"{covers} {missing}"
    by, end = ", ".join(waiver.approved_by), _end(waiver.expires)
    what = f"{covers} {waiver.kind}, of at most {waiver.at_most:,}"
    # The reason last: a report may cut a long one.
    return WaiverState.USED, f"{what}, approved by {by} until {end}: {waiver.reason}"


def _missing(waiver: Waiver, matched: Matched, approvers: Mapping[str, int]) -> str:
    """Which segment wants more approvers than there are; "" where none does."""
    there = len({approver(name) for name in waiver.approved_by})
    wanted = {s: n for s, n in approvers.items() if s in matched.segments and n > there}
    if not wanted:
        return ""
    segment = max(wanted, key=lambda s: wanted[s])
    return (
        f"of customers in {segment}, for which the policy wants {wanted[segment]} approvers; "
        f"it has {there}"
    )


def _end(instant: dt.datetime) -> str:
    """`the end of 2026-12-31 (UTC)`, or the instant."""
    utc = instant.astimezone(dt.UTC)
    if utc.time() == dt.time():
        return f"the end of {utc.date() - dt.timedelta(days=1)} (UTC)"
    return f"{utc:%Y-%m-%d %H:%M:%S} (UTC)"


def _entries(count: int | None) -> str:
    if count is None:
        return "entries that were not counted"
    return entries(count)
