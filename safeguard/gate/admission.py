"""May this rollout rely on that signed verdict? Pure: files, keys and the clock are handed in.

Every condition is looked at, so that a person reads all that is wrong at once; but of an envelope
whose signature is not good nothing is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from safeguard.findings.words import Verdict
from safeguard.gate.envelope import Refused, unseal
from safeguard.gate.signing import VerifyingKey
from safeguard.gate.statement import Database, Digests, Statement, read

CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""Two machines' clocks may differ by so much."""
_READ_FIRST = ("signature", "statement")
CONDITIONS = (
    *_READ_FIRST,
    *("verdict", "plan", "contracts", "systems", "age", "clock", "waivers", "files"),
)


@dataclass(frozen=True)
class Terms:
    """What the rollout relies on, as it is now."""

    configuration: Digests
    """The plan, then every file that it names."""
    databases: Mapping[str, Database]
    """Of each system of the plan."""
    max_age: dt.timedelta
    now: dt.datetime
    beside: Digests = field(default_factory=dict)
    """Files of a run that lie beside the envelope."""


@dataclass(frozen=True)
class Condition:
    """One thing that must hold."""

    name: str
    """One of CONDITIONS."""
    holds: bool
    text: str
    """A sentence."""


@dataclass(frozen=True)
class Admission:
    """Whether the rollout may go on, and all that speaks for and against it."""

    conditions: tuple[Condition, ...]
    verdict: Verdict | None = None
    """What was signed; None where nobody trusted signed anything."""
    run: str = ""

    @property
    def passes(self) -> bool:
        """Whether every condition was looked at, and holds."""
        return self._holds(CONDITIONS)

    @property
    def proves_loss(self) -> bool:
        """Whether it proves that customers lose something: a BLOCK of which all else holds."""
        rest = [name for name in CONDITIONS if name != "verdict"]
        return self.verdict is Verdict.BLOCK and self._holds(rest)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not pass, one sentence a condition; empty where it does."""
        return tuple(c.text for c in self.conditions if not c.holds)

    def _holds(self, names: Sequence[str]) -> bool:
        holding = {c.name for c in self.conditions if c.holds}
        failing = {c.name for c in self.conditions if not c.holds}
        return holding.issuperset(names) and failing.isdisjoint(names)


def admit(envelope: bytes, keys: Sequence[VerifyingKey], terms: Terms) -> Admission:
    """Judge one envelope."""
    try:
        payload, key = unseal(envelope, keys)
    except Refused as problem:
        return Admission((Condition("signature", False, f"not signed: {problem}"),))
    signed = Condition("signature", True, f"signed by {key.shown}")
    try:
        statement = read(payload)
    except Refused as problem:
        return Admission((signed, Condition("statement", False, f"not readable: {problem}")))
    conditions = [signed, Condition("statement", True, f"speaks of run {statement.run.run}")]
    for name, judge in _JUDGES.items():
        against = list(judge(statement, terms))
        text = "; ".join(against) or _WORDS[name] + (_doubt(terms) if name == "systems" else "")
        conditions.append(Condition(name, not against, text))
    return Admission(tuple(conditions), statement.run.verdict, statement.run.run)


def has_expired(expires: str, now: dt.datetime) -> bool:
    """Whether a waiver's time is over, from that moment on. What is no time is over."""
    try:
        moment = dt.datetime.fromisoformat(expires)
    except ValueError:
        return True
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) <= now


# -- conditions: each gives what speaks against ---------------------------------------------------


def _against_verdict(statement: Statement, _: Terms) -> Iterator[str]:
    run, predicate = statement.run, statement.predicate
    if run.verdict is not Verdict.PASS:
        why = f": {run.reasons[0]}" if run.reasons else ""
        yield f"the verdict is {run.verdict}{why}"
    elif (
        predicate.result != "PASSED"
        or predicate.failed_tests
        or not run.contents
        or [c.content for c in run.contents] != list(predicate.passed_tests)
        or any(c.verdict is not Verdict.PASS for c in run.contents)
    ):
        yield "the verdict is PASS, and what it says of its contents is not"


def _against_plan(statement: Statement, terms: Terms) -> Iterator[str]:
    checked = statement.predicate.configuration[:1]
    (name, now) = next(iter(terms.configuration.items()))
    if [file.digest.sha256 for file in checked] != [now]:
        yield f"{name} is not the plan that was checked, or has changed since"


def _against_contracts(statement: Statement, terms: Terms) -> Iterator[str]:
    files = [(f.name, f.digest.sha256) for f in statement.predicate.configuration[1:]]
    checked, now = dict(files), dict(list(terms.configuration.items())[1:])
    for name in sorted(now.keys() & checked.keys()):
        if now[name] != checked[name]:
            yield f"{name} is not as it was checked"
    for name in sorted(now.keys() - checked.keys()):
        yield f"{name} was not a part of what was checked"
    for name in sorted(checked.keys() - now.keys()):
        yield f"{name} was checked and is no part of the plan now"


def _against_systems(statement: Statement, terms: Terms) -> Iterator[str]:
    checked = {system.name: system.database for system in statement.run.systems}
    for name in sorted({*checked, *terms.databases}):
        was, now = checked.get(name), terms.databases.get(name)
        if was is None or now is None:
            yield f"{name}: {'not read by the check' if was is None else 'no system of the plan'}"
        elif not was or not now:
            yield f"{name}: its URL does not tell which database it is"
        elif was != now:
            yield f"{name} is another database: {_difference(was, now)}"


def _against_age(statement: Statement, terms: Terms) -> Iterator[str]:
    name, moment = _oldest(statement)
    age = terms.now - moment
    if age > terms.max_age:
        yield (
            f"too old: {name} was read as it was {span(age)} ago ({_at(moment)}); at most "
            f"{span(terms.max_age)}"
        )


def _against_clock(statement: Statement, terms: Terms) -> Iterator[str]:
    run = statement.run
    moments = [run.started_on, run.finished_on, *(s.taken_at for s in run.systems if s.taken_at)]
    if max(moments) > terms.now + CLOCKS_DIFFER:
        yield (
            f"from the future: it speaks of {_at(max(moments))}, and here it is {_at(terms.now)}: one "
            "of two clocks is wrong"
        )
    elif run.finished_on < run.started_on:
        yield "it ended before it began: its clock was set back"


def _against_waivers(statement: Statement, terms: Terms) -> Iterator[str]:
    for waiver in statement.run.waivers:
        if waiver.entries and has_expired(waiver.expires, terms.now):
            yield f"waiver {waiver.id}, which it used, expired: {waiver.expires}"


def _against_files(statement: Statement, terms: Terms) -> Iterator[str]:
    for name, digest in terms.beside.items():
        if statement.left.get(name) != digest:
            yield f"{name} beside it is not the one that it speaks of"


_JUDGES = {
    "verdict": _against_verdict,
    "plan": _against_plan,
    "contracts": _against_contracts,
    "systems": _against_systems,
    "age": _against_age,
    "clock": _against_clock,
    "waivers": _against_waivers,
    "files": _against_files,
}
_WORDS = {
    "verdict": "the verdict is PASS",
    "plan": "made for this plan",
    "contracts": "made for these contracts",
    "systems": "made for these systems",
    "age": "young enough",
    "clock": "the clocks agree",
    "waivers": "no waiver that it used has expired",
    "files": "what lies beside it is what it speaks of",
}


def _doubt(terms: Terms) -> str:
    """Which systems any plan would name alike, wherever it lies."""
    relative = (
        n for n, d in terms.databases.items() if "path" in d and not d["path"].startswith("/")
    )
    names = ", ".join(sorted(relative))
    return f"; known only by a path relative to the plan: {names}" if names else ""


def _oldest(statement: Statement) -> tuple[str, dt.datetime]:
    """The system whose state is the oldest. One of which nobody knows is as old as the run."""
    run = statement.run
    if not run.systems:
        return "the run", run.started_on
    moments = [(s.taken_at or run.started_on, s.name) for s in run.systems]
    moment, name = min(moments)
    return name, moment


def _difference(was: Database, now: Database) -> str:
    """What tells the two apart, part by part."""
    parts = [
        f"{part} was {was.get(part, 'not given')}, is {now.get(part, 'not given')}"
        for part in sorted({*was, *now})
        if was.get(part) != now.get(part)
    ]
    return ", ".join(parts)


def _at(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(time: dt.timedelta) -> str:
    """A duration in words: `2 h 5 min`, `40 s`."""
    seconds = int(time.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
