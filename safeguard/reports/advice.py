"""What to do next, for each kind of finding that occurs: short, the gravest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safeguard.findings.result import CheckResult
from safeguard.findings.words import Kind
from safeguard.reports.vocabulary import kind_word

_STEPS: Mapping[Kind, str] = {
    Kind.MISATTRIBUTED: (
        "Stop at once and treat it as a breach of privacy: another customer sees it. "
        "Mend the crosswalk; ids may be off by one, or used again."
    ),
    Kind.RESURRECTED: (
        "Delete it again: that may be a legal duty. The export ignored the deletion mark, "
        "or a backup was loaded."
    ),
    Kind.LOST: (
        "Look at what the lost ones have in common (customer, time, system), and export them again."
    ),
    Kind.ORPHANED: ("Create the customers in the new system, or find why they are missing there."),
    Kind.MISROUTED: "Move it to the system where it is due; see that `receives` says what was meant.",
    Kind.CHANGED: (
        "Mend what transforms the field. If it was meant, `map` it in the contract; if customers "
        "can't see it, `accept` it by name."
    ),
    Kind.MOVED: "Load the column that holds the customer's order.",
    Kind.DUPLICATED: "Remove the copies, and add a unique key: a batch was probably loaded twice.",
    Kind.EXTRA: "Find who made it, and remove it. A test account, a default list, an earlier export?",
    Kind.UNCOVERED: (
        "Write a contract for it, or `ignore` it with a reason that a customer may read."
    ),
    Kind.EXPECTATION: "Mend what breaks the rule that the contract states.",
    Kind.NOT_COMPARED: 'Mend what "Why" names, and check again: until then nobody knows.',
}
"""In the order in which they are said. In full: docs/guide/when-the-check-blocks.md."""


@dataclass(frozen=True)
class Advice:
    """What was found, as it follows "what is", and what to do about it."""

    what: str
    step: str


def step_for(kind: Kind) -> str:
    """What to do about one kind."""
    return _STEPS[kind]


def advice(result: CheckResult) -> tuple[Advice, ...]:
    """A piece for each kind that occurs in any content, the gravest first."""
    found = {kind for c in result.contents for kind, n in c.unwaived.items() if n}
    if result.coverage.unwaived:
        found.add(Kind.UNCOVERED)
    return tuple(Advice(kind_word(k), step) for k, step in _STEPS.items() if k in found)
