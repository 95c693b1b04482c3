"""What a report notes beside its verdict: accepted, allowed, left out or not known, each said once."""

from __future__ import annotations

from collections.abc import Iterator

from safeguard.findings.result import CheckResult
from safeguard.findings.words import OldStatus, WaiverState
from safeguard.reports.vocabulary import count, entries


def all_notes(result: CheckResult) -> tuple[str, ...]:
    """What was accepted, allowed, left out or not known, of the run and of each content."""
    accepted = tolerated_sentence(result)
    every = (
        *([accepted] if accepted else []),
        *run_notes(result),
        *(f"{c.content}: {note}" for c in result.contents for note in c.notes),
    )
    return tuple(dict.fromkeys(every))


def run_notes(result: CheckResult) -> tuple[str, ...]:
    """Notes of the run and of its coverage, but for those that a report shows elsewhere."""
    elsewhere = set(_shown_elsewhere(result))
    every = dict.fromkeys((*result.notes, *result.coverage.notes))
    return tuple(note for note in every if note not in elsewhere)


def _shown_elsewhere(result: CheckResult) -> Iterator[str]:
    """As the gate writes them: what the lines of contents and of the coverage say already."""
    for c in result.contents:
        yield from (f"{c.content}: {note}" for note in c.notes)
        yield from (f"{c.content}: {n:,} tolerated ({form})" for form, n in c.tolerated.items())
        yield f"{c.content}: {entries(c.not_due)} not due yet (as_of)"
        overlapped = entries(c.sums_old.get(OldStatus.OVERLAPPED, 0))
        yield f"{c.content}: {overlapped} overlapped: another old entry stands for each"
    for use in result.waivers:
        yield from (use.text, f"{use.content}: {use.text}")
    coverage = result.coverage
    yield from (f"{t.system}.{t.table} is ignored: {t.reason}" for t in coverage.ignored)
    yield f"unchecked columns: {', '.join(coverage.unchecked_columns)}"


def waiver_lines(result: CheckResult) -> tuple[str, ...]:
    """What each waiver that does not block waives, by whom and until when; those that are used first.
    `queue: waiver W-7 covers 10 entries lost, of at most 12, approved by Ada until ...: a reason`."""
    told = [use for use in result.waivers if not use.state.blocks]
    told.sort(key=lambda use: use.state is not WaiverState.USED)
    return tuple(f"{use.content}: {use.text}" for use in told)


def tolerated_sentence(result: CheckResult) -> str | None:
    """`118 differences were accepted by contract (line_endings).` None where there were none."""
    forms: dict[str, int] = {}
    for content in result.contents:
        for form, n in content.tolerated.items():
            forms[form] = forms.get(form, 0) + n
    total = sum(forms.values())
    if not total:
        return None
    verb = "was" if total == 1 else "were"
    return f"{count(total, 'difference')} {verb} accepted by contract ({', '.join(forms)})."
