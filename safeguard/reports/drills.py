"""The last fire drill beside the verdict: has anybody seen this check fail?"""

from __future__ import annotations

from safeguard.findings.result import CheckResult, DrillSummary
from safeguard.reports.vocabulary import count, listed, moment, number


def drill_sentences(result: CheckResult) -> tuple[str, ...]:
    """What the last drill says of this check; nothing where there was none."""
    drill = result.drill
    if drill is None:
        return ()
    if drill.outdated:
        said = f"The last drill, of {moment(drill.at)}, was of an older plan or contract"
        caught = f"{_score(drill)} were caught"
        return (f"{said} ({caught}): it says nothing of this check. Drill again.",)
    return (_caught(drill), *_passed_over(drill), *_survived(drill), *_not_whole(drill))


def _score(drill: DrillSummary) -> str:
    faults = f"{number(drill.planted)} planted faults of {count(drill.kinds, 'kind')}"
    return f"{number(drill.caught)} of {faults}"


def _caught(drill: DrillSummary) -> str:
    said = f"This check would have caught {_score(drill)}"
    if drill.tolerated:
        verb = "is" if drill.tolerated == 1 else "are"
        said += f"; {number(drill.tolerated)} {verb} tolerated by contract"
    return f"{said} (drill of {moment(drill.at)}, the {drill.strategy} way)."


def _passed_over(drill: DrillSummary) -> tuple[str, ...]:
    if not drill.warned:
        return ()
    why = "the policy only warns of what they are, or allows some of it"
    return (f"{number(drill.warned)} of those it would have found and not blocked: {why}.",)


def _survived(drill: DrillSummary) -> tuple[str, ...]:
    if not drill.survivors:
        return ()
    many = count(len(drill.survivors), "fault")
    return (f"It would not have seen {many}: {listed(drill.survivors, 2)}.",)


def _not_whole(drill: DrillSummary) -> tuple[str, ...]:
    if not drill.undecided:
        return ()
    return (f"Not drilled whole: {listed(drill.undecided, 2)}.",)
