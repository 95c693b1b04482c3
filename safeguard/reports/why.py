"""Why a check does not pass: what happened to customers' things, to which field, and where.

The reasons that decided are told in one vocabulary. What blocks comes before what is undecided.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from safeguard.findings.result import CheckResult, ContentResult, RouteResult
from safeguard.findings.words import AFFECTING, Cause, Kind, OldStatus, Verdict
from safeguard.reports.vocabulary import cause_phrase, entries, listed, number
from safeguard.reports.wording import affected_fact

_KIND = re.compile(
    rf"^[\d,]+ (?:(?:entry|entries) )?({'|'.join(Kind)})(?:s? broken)?(?=$|[,: ])(.*)$", re.DOTALL
)
_EACH = {
    Kind.LOST: ("is lost", "are lost"),
    Kind.EXTRA: ("is extra", "are extra"),
    Kind.CHANGED: ("is changed", "are changed"),
    Kind.MOVED: ("is moved to another place", "are moved to another place"),
    Kind.DUPLICATED: ("is duplicated", "are duplicated"),
    Kind.MISATTRIBUTED: ("is with another customer", "are with another customer"),
    Kind.MISROUTED: ("is in the wrong system", "are in the wrong system"),
    Kind.RESURRECTED: ("is back though deleted", "are back though deleted"),
    Kind.ORPHANED: (
        "belongs to a customer who does not exist",
        "belong to customers who do not exist",
    ),
}
_HINTS: Mapping[str, str] = {
    Cause.TIME_SHIFT: "is the time zone in the contract right?",
    Cause.MAPPED_WRONG: "is the map in the contract right?",
}
_NEARLY_ALL = 0.9
_WAIVER = "waiver "
"""How a reason of the gate begins that speaks of a waiver: each of them blocks."""


@dataclass(frozen=True)
class Why:
    """One reason. `where` is the content or its field, or nothing; `blocks` or is undecided.

    `kind` is what was found, and `field` the field alone, where the reason is of one.
    """

    where: str
    text: str
    blocks: bool
    kind: Kind = Kind.NOT_COMPARED
    field: str = ""

    def text_of(self, content: ContentResult) -> str:
        """The reason as it stands below its content: the field is named, the content is not."""
        return self.line.removeprefix(f"{content.content}: ").removeprefix(f"{content.content}.")

    @property
    def line(self) -> str:
        """`reviews.body: 99 cut off, 1 in a wrong encoding`."""
        return f"{self.where}: {self.text}" if self.where else self.text


def why(result: CheckResult) -> tuple[Why, ...]:
    """Every reason once: all that block, then all that are undecided."""
    every = [w for content in result.contents for w in why_of(content)]
    every += run_reasons(result)
    return tuple(sorted(every, key=lambda w: not w.blocks))


def both_kinds(reasons: Sequence[Why], most: int) -> tuple[Why, ...]:
    """At most so many of what blocks, and so many of what is undecided: no kind hides the other."""
    blocks = [w for w in reasons if w.blocks]
    return (*blocks[:most], *[w for w in reasons if not w.blocks][:most])


def explained(result: CheckResult) -> tuple[Why, ...]:
    """What the findings of each content have in common."""
    return tuple(
        Why(content.content, explanation.text, blocks=True)
        for content in result.contents
        for explanation in content.explanations
    )


def run_reasons(result: CheckResult) -> tuple[Why, ...]:
    """The reasons of the run that no content has said."""
    said = {f"{c.content}: {r}" for c in result.contents for r in c.reasons}
    said |= {r for c in result.contents for r in c.reasons}
    tables = tuple(f"{t.system}.{t.table}" for t in result.coverage.uncovered)
    blocks = result.verdict is Verdict.BLOCK
    return tuple(
        # Of the run's own reasons, uncovered tables and waivers block and doubts do not.
        Why("", reason, blocks and reason.startswith((_WAIVER, *tables)))
        for reason in result.reasons
        if reason not in said
    )


def why_of(content: ContentResult) -> tuple[Why, ...]:
    """The reasons of one content: what blocks first."""
    if content.verdict is Verdict.PASS:
        return ()
    matched = [(reason, _KIND.match(reason)) for reason in content.reasons]
    kinds = [(Kind(m[1]), m[2]) for _, m in matched if m]
    blocks = [w for kind, rest in kinds for w in _kind(content, kind, rest)]
    others = [
        Why(content.content, reason, blocks=reason.startswith(_WAIVER))
        for reason, m in matched
        if not m
    ]
    return (*blocks, *sorted(others, key=lambda w: not w.blocks))


def not_blocking(content: ContentResult) -> tuple[Why, ...]:
    """What was found in one content beside the reasons for its verdict: warned of, or allowed."""
    decided = {w.kind for w in why_of(content)}
    found = (Kind(k) for k, n in content.findings.items() if n and k not in decided)
    rest = (w for kind in found if kind is not Kind.NOT_COMPARED for w in _kind(content, kind, ""))
    return tuple(replace(w, blocks=False) for w in rest)


def route_lines(content: ContentResult, route: RouteResult) -> tuple[str, ...]:
    """What was found on one route alone, what findings of its kinds have in common, and what is
    undecided of a route that shows doubt."""
    found = tuple(
        _sentence(Kind(kind), n, (route.system,))
        for kind, n in route.findings.items()
        if n and kind != Kind.NOT_COMPARED
    )
    found += tuple(e.text for e in content.explanations if route.findings.get(e.kind))
    unknown = route.findings.get(Kind.NOT_COMPARED) or route.statuses.get(OldStatus.NOT_COMPARED)
    if unknown or content.verdict is Verdict.UNDECIDED:
        return (*found, *(w.text for w in why_of(content) if not w.blocks))
    return found


def _kind(content: ContentResult, kind: Kind, rest: str) -> Iterator[Why]:
    people = _people(content, kind)
    fields = tuple(_fields(content, people)) if kind is Kind.CHANGED else ()
    if rest or not fields:
        count = content.unwaived.get(kind, 0) or content.findings.get(kind, 0)
        named = kind is Kind.EXPECTATION and rest.startswith(":")  # each with its system
        text = _sentence(kind, count, () if named else _where(content, kind)) + people
        yield Why(content.content, text + rest, blocks=True, kind=kind)
    yield from fields


def _sentence(kind: Kind, count: int, where: tuple[str, ...]) -> str:
    """`89 entries belong to customers who do not exist in dvd`."""
    one, many = _EACH.get(kind, (kind.value, kind.value))
    systems = [s for s in where if not s.startswith("*")]
    place = f" {'due in' if kind is Kind.MISROUTED else 'in'} {listed(systems)}" if systems else ""
    if kind is Kind.EXPECTATION:
        fails = (
            "expectation that held before fails"
            if count == 1
            else "expectations that held before fail"
        )
        return f"{number(count)} {fails}{place}"
    joint = "," if place and kind is Kind.MISROUTED else ""
    return f"{entries(count)} {one if count == 1 else many}{joint}{place}"


def _where(content: ContentResult, kind: Kind) -> tuple[str, ...]:
    """The new systems whose route shows this kind; of several, with how many each."""
    found = [(r.system, n) for r in content.routes if (n := r.unwaived.get(kind, 0))]
    if len(found) == 1:
        return (found[0][0],)
    return tuple(f"{system} ({number(n)})" for system, n in found)


def _people(content: ContentResult, kind: Kind) -> str:
    """Who is hurt: customers where one kind alone hurts them, else entries by segment."""
    hurting = [k for k, n in content.unwaived.items() if n and k in AFFECTING]
    if hurting == [kind] and content.customers.affected:
        return f"; {affected_fact(content.customers)}"
    if kind is Kind.EXPECTATION:  # of nobody; under a ceiling it counts for everybody
        return ""
    segments = content.finding_segments.get(kind, {})
    said = [f"{number(n)} of {name} customers" for name, n in segments.items() if n]
    return f"; {listed(said)}" if said else ""


def _fields(content: ContentResult, people: str) -> Iterator[Why]:
    due = max(content.due, sum(route.due for route in content.routes))
    several = len(content.field_causes) > 1
    waived = content.waived.get(Kind.CHANGED, 0)
    signed = f"; {number(waived)} of the changed entries waived" if waived else ""
    for field, causes in content.field_causes.items():
        ranked = sorted(((n, c) for c, n in causes.items() if n), key=lambda pair: -pair[0])
        patterns = [p for p in content.patterns if p.field == field]
        told = Counter({c: sum(p.count for p in patterns if p.cause == c) for _, c in ranked})
        said = [p.text for p in patterns] + [
            f"{_of_all(n - told[c], due, content.due)} {cause_phrase(c)}"
            for n, c in ranked
            if n > told[c]
        ]
        hint = _hint(*ranked[0], due) if ranked else ""
        if said:
            each = "; ".join(said) if patterns else ", ".join(said)
            text = f"{each}{signed}{'' if several else people}{hint}"
            where = content.content if patterns else f"{content.content}.{field}"
            yield Why(where, text, blocks=True, kind=Kind.CHANGED, field=field)
            signed = ""  # said once


def _hint(count: int, cause: str, due: int) -> str:
    hint = _HINTS.get(cause)
    return f": {hint}" if hint and count >= _NEARLY_ALL * due > 0 else ""


def _of_all(count: int, due: int, entries_due: int) -> str:
    """`all 720`; `all` alone where an entry is due in several systems, and counts in each."""
    if count != due or due < 2:
        return number(count)
    return f"all {number(count)}" if due == entries_due else "all"
