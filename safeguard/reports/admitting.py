"""The gate's answer: as lines for people, as JSON for machines, as one short line for a webhook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeguard.findings.words import Verdict
from safeguard.gate.admission import Admission
from safeguard.reports.printable import clipped, printable

Admissions = Mapping[str, Admission]
"""By the file of each envelope."""
_SCHEMA = 1
_LONGEST = 400
_WORST_FIRST = (Verdict.BLOCK, None, Verdict.UNDECIDED, Verdict.PASS)


def all_pass(admissions: Admissions) -> bool:
    """Whether there is one, and each of them passes."""
    return bool(admissions) and all(one.passes for one in admissions.values())


def admission_document(admissions: Admissions) -> dict[str, Any]:
    """`ok`, the worst `verdict` (null: none that is signed), every reason, and all conditions."""
    return {
        "schema": _SCHEMA,
        "ok": all_pass(admissions),
        "verdict": _worst(admissions),
        "reasons": list(_reasons(admissions)),
        "envelopes": [
            {
                "file": file,
                "ok": one.passes,
                "verdict": one.verdict,
                "run": one.run,
                "conditions": [
                    {"name": c.name, "holds": c.holds, "text": c.text} for c in one.conditions
                ],
            }
            for file, one in admissions.items()
        ],
    }


def admission_lines(admissions: Admissions) -> Iterator[str]:
    """The answer, then each condition, those that do not hold first."""
    if all_pass(admissions):
        yield "PASS  Roll out: signed, young enough, and made for this plan and these systems."
    else:
        failing = sum(not c.holds for one in admissions.values() for c in one.conditions)
        some = "1 condition does" if failing == 1 else f"{failing} conditions do"
        yield f"REFUSED  Do not roll out on this verdict: {some} not hold."
    for file, one in admissions.items():
        yield ""
        yield f"  {printable(file)}"
        for condition in sorted(one.conditions, key=lambda c: c.holds):
            state = "ok" if condition.holds else "NO"
            yield f"    {condition.name:<10} {state}  {printable(condition.text)}"


def admission_line(admissions: Admissions) -> str:
    """The answer in one line, for the events of a rollout controller."""
    if all_pass(admissions):
        return "PASS: roll out"
    return clipped(f"refused: {'; '.join(_reasons(admissions)) or 'nothing was given'}", _LONGEST)


def _worst(admissions: Admissions) -> Verdict | None:
    found = [one.verdict for one in admissions.values()]
    return next((verdict for verdict in _WORST_FIRST if verdict in found), None)


def _reasons(admissions: Admissions) -> Iterator[str]:
    for file, one in admissions.items():
        for reason in one.reasons:
            yield f"{file}: {reason}" if len(admissions) > 1 else reason
