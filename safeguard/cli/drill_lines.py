"""A drill in words: the score first, then what survived and why, then the kinds, then what next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from safeguard.drill.result import DrillResult, Fate, PlantedFault, Score
from safeguard.reports.printable import printable
from safeguard.runs import shown

MOST_SURVIVORS = 20


def drill_lines(result: DrillResult, folder: Path) -> Iterator[str]:
    """Lines for a terminal."""
    yield from map(printable, _lines(result, folder))


def _lines(result: DrillResult, folder: Path) -> Iterator[str]:
    score = result.score
    yield _headline(score)
    yield from (f"      {sentence}" for sentence in _sentences(score))
    yield ""
    yield from _survivors(result)
    yield from _undecided(result)
    yield from _contents(result)
    yield ""
    yield from _kinds(result)
    yield from _notes(result)
    yield ""
    yield f"  strategy      {result.strategy}: everything was read and compared; nothing was written"
    yield f"  again         --faults {result.wanted} --seed {result.seed} plants the same"
    yield f"  report        {shown(folder / 'drill.json')}"
    yield f"  exit code     {result.exit_code}"
    yield f"  next          {_next(result)}"


def _headline(score: Score) -> str:
    kinds = f"{score.kinds} kind{'s' if score.kinds != 1 else ''}"
    verb = "is" if score.tolerated == 1 else "are"
    tolerated = f" {score.tolerated:,} {verb} tolerated by contract." if score.tolerated else ""
    caught = f"{score.caught:,} of {score.planted:,}"
    return f"DRILL  {caught} planted faults of {kinds} were caught.{tolerated}"


def _sentences(score: Score) -> Iterator[str]:
    if score.survived:
        them = "it" if score.survived == 1 else "them"
        yield f"{score.survived:,} survived: a check would not see {them}."
    if score.caught:
        cause = f", {score.right_cause:,} of {score.causes:,} told by the right cause"
        yield f"{score.right_kind:,} were found as the right kind{cause if score.causes else ''}."
    if score.warned:
        yield (
            f"{score.warned:,} were found, but the policy only warns of what they were found as, or "
            "allows some of it."
        )


def _survivors(result: DrillResult) -> Iterator[str]:
    every = result.survivors
    for fault in every[:MOST_SURVIVORS]:
        yield f"  survived  {fault.content}: {_what(fault)}"
        yield f"            {fault.reason}"
    if len(every) > MOST_SURVIVORS:
        yield f"  ... and {len(every) - MOST_SURVIVORS:,} more, by name in drill.json"
    if every:
        yield ""


def _what(fault: PlantedFault) -> str:
    found = fault.kind
    if fault.field is not None:
        found += f", `{fault.field}`"
    found += f", in {fault.system}"
    if fault.owner is not None:
        found += f", customer {fault.owner}"
    if fault.item is not None:
        found += f", item {fault.item}"
    return found


def _undecided(result: DrillResult) -> Iterator[str]:
    for reason in result.reasons:
        yield f"  undecided  {reason}"
    if result.reasons:
        yield ""


def _contents(result: DrillResult) -> Iterator[str]:
    width = max(len(c.content) for c in result.contents)
    for content in result.contents:
        if content.failed:
            continue
        score = Score.of(content.faults)
        line = f"  {content.content:<{width}}  {score.caught:>6,} of {score.planted:,} caught"
        if score.tolerated:
            line += f", {score.tolerated:,} tolerated"
        if score.survived:
            line += f", {score.survived:,} survived"
        yield line


def _kinds(result: DrillResult) -> Iterator[str]:
    """The table of kinds, in the order in which they were planted first."""
    kinds = list(dict.fromkeys(f.kind for f in result.faults))
    if not kinds:
        return
    width = max(map(len, kinds))
    yield f"  {'fault':<{width}}  planted  caught  right kind  right cause  tolerated  survived"
    for kind in sorted(kinds, key=lambda k: (_score(result, k).survived == 0, kinds.index(k))):
        score = _score(result, kind)
        cause = f"{score.right_cause:,} of {score.causes:,}" if score.causes else "-"
        yield (
            f"  {kind:<{width}}  {score.planted:>7,}  {score.caught:>6,}  {score.right_kind:>10,}"
            f"  {cause:>11}  {score.tolerated:>9,}  {score.survived:>8,}"
        )


def _score(result: DrillResult, kind: str) -> Score:
    return Score.of(f for f in result.faults if f.kind == kind)


def _notes(result: DrillResult) -> Iterator[str]:
    told = dict.fromkeys(f.reason for f in result.faults if f.fate is Fate.TOLERATED)
    notes = [*told, *(note for c in result.contents for note in c.notes), *_not_planted(result)]
    if notes:
        yield ""
    yield from (f"  note          {note}" for note in notes)


def _not_planted(result: DrillResult) -> Iterator[str]:
    kinds = {f.kind for f in result.faults}
    absent = dict.fromkeys(a.partition(":")[0] for c in result.contents for a in c.absent)
    if nowhere := [kind for kind in absent if kind not in kinds]:
        yield f"not planted, for no entry has what it needs: {', '.join(nowhere)}"
    if crowded := sum(len(c.crowded) for c in result.contents):
        more = result.wanted + crowded
        yield f"{crowded:,} more could be planted in other fields and systems: --faults {more}"


def _next(result: DrillResult) -> str:
    if result.survivors:
        return "add what survived to its contract, or accept it there by name; then drill again"
    if result.reasons:
        return "mend what could not be drilled, and drill again"
    return f"safeguard check {result.plan}"
