"""A contract's expectations, asked of the databases of both sides when all contents are compared.

They come last because they open connections of their own: outside of the snapshots, and where
SQLite's locks belong to the process, at the cost of the session's lock. For the same reason they are
not in the journal: a run that goes on asks them again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

from safeguard.comparing.settling import Patience
from safeguard.comparing.sql import literal
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.telling import COLUMNS
from safeguard.contract.expectations import columns_of, in_words
from safeguard.findings.result import ContentResult, ExpectationResult, RouteResult, Sample
from safeguard.findings.trouble import SafeguardError
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.planning.selection import by_names
from safeguard.systems.doors import HasDoor
from safeguard.systems.expectations import run
from safeguard.systems.outcomes import Outcome, Wanted

OUTSIDE = (
    "expectations were asked outside of the snapshots, each in a transaction of its own: "
    "what was written meanwhile may show"
)
_ON_FILES = "expectations can't be run on files yet, only on databases"
_EMPTY = "there was no entry to look at"
_NO_VALUE = "there was no value to look at, and the old side has some"
_PLAIN = (bool, int, float, Decimal, dt.date, dt.time, dt.timedelta, UUID)
_LONGEST = 200
_NUMBERS = -(1 << 62)
"""Below all numbers of entries."""


def ask_expectations(
    plans: Sequence[ContentPlan | ContentResult],
    results: Sequence[ContentResult],
    around: Surroundings,
    patience: Patience | None = None,
) -> list[ContentResult]:
    """The results of all contents, with what became of their expectations: in the findings of the
    run too. A content that was not compared stays as it is. Never raises for a system's sake.

    With `patience`, both sides are being written: what broke is asked again, and holds if it holds
    once."""
    return [
        _asked(plan, result, around, patience)
        if isinstance(plan, ContentPlan) and plan.contract.expectations and result.routes
        else result
        for plan, result in zip(plans, results, strict=True)
    ]


# -- private -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Side:
    """One source, asked. Where the asking failed, `trouble` says why and there are no outcomes."""

    system: str
    outcomes: tuple[Outcome, ...] = ()
    rows: int = 0
    trouble: str = ""

    def known(self, number: int) -> bool | None:
        """Whether an expectation held."""
        return None if self.trouble else self.outcomes[number].held

    def why(self, number: int) -> str:
        """Why nobody knows of an expectation; "" where it is known."""
        if self.known(number) is not None:
            return ""
        return self.trouble or self.outcomes[number].trouble


def _asked(
    plan: ContentPlan, result: ContentResult, around: Surroundings, patience: Patience | None
) -> ContentResult:
    found = _look(plan, result, around)
    if patience is not None:
        found = _settled(found, lambda: _look(plan, result, around), patience)
    rows = tuple(_rows(plan.contract.content, found))
    _keep(around, plan, rows)
    return _told(result, tuple(found), rows, tuple(around.book.segments))


def _settled(
    found: list[ExpectationResult],
    look: Callable[[], list[ExpectationResult]],
    patience: Patience,
) -> list[ExpectationResult]:
    """What stays broken from look to look; see settling.py."""
    began = patience.clock()
    for _ in range(patience.tries):
        if not any(one.broke for one in found):
            break
        patience.wait(patience.settle)
        if patience.clock() - began > patience.deadline:
            break
        found = [now if one.broke else one for one, now in zip(found, look(), strict=True)]
    return found


def _look(
    plan: ContentPlan, result: ContentResult, around: Surroundings
) -> list[ExpectationResult]:
    """Every expectation on the old side and in each new system, asked now."""
    contract = plan.contract
    old = [_ask(plan, source, around) for source in plan.old]
    if contract.at_least > 0 and not any(side.rows for side in old):
        old = [_refuse_empty(side) for side in old]
    found: list[ExpectationResult] = []
    for source in plan.new:
        new = _ask(plan, source, around)
        if not _may_be_empty(result, source.system):
            new = _refuse_empty(new)
        found += _compared(plan, old, _refuse_blank(new, old), around.reveal)
    return found


def _ask(plan: ContentPlan, source: SourcePlan, around: Surroundings) -> _Side:
    """Run every expectation of the contract on one source."""
    name = source.system
    session = around.systems[name]
    if not isinstance(session, HasDoor):
        return _Side(name, trouble=_ON_FILES)
    around.progress.note(f"{plan.contract.content}: asking the expectations of {name}")
    try:
        around.systems.fresh(name)
        session = around.systems[name]
        assert isinstance(session, HasDoor)
        door = session.door(by_names(plan.contract, source))
        ran = run(door, [Wanted(*pair) for pair in _pairs(plan)])
    except SafeguardError as problem:
        return _Side(name, trouble=str(problem).removeprefix(f"{name}: "))
    return _Side(name, ran.outcomes, ran.rows)


def _pairs(plan: ContentPlan) -> list[tuple[str, Mapping[str, Any]]]:
    return [pair for one in plan.contract.expectations for pair in one.items()]


def _may_be_empty(result: ContentResult, system: str) -> bool:
    """Whether nothing is due in a new system; under one route for all, entries may be elsewhere."""
    due = {route.system: route.due for route in result.routes}
    return due.get(system, 0) == 0


def _refuse_empty(side: _Side) -> _Side:
    """An expectation that looked at nothing has shown nothing."""
    looked = any(outcome.held is not None for outcome in side.outcomes)
    return replace(side, trouble=_EMPTY) if looked and not side.rows else side


def _refuse_blank(new: _Side, old: Sequence[_Side]) -> _Side:
    """Where a column has become empty, every rule about its values holds, and shows nothing: not that
    what held on the old side still does."""
    if new.trouble or not new.rows or any(side.trouble for side in old):
        return new
    before = [[side.outcomes[number] for side in old] for number in range(len(new.outcomes))]
    outcomes = tuple(
        Outcome(None, _NO_VALUE)
        if one.held and one.looked == 0 and all(o.held for o in was) and any(o.looked for o in was)
        else one
        for one, was in zip(new.outcomes, before, strict=True)
    )
    return replace(new, outcomes=outcomes)


def _compared(
    plan: ContentPlan, old: Sequence[_Side], new: _Side, reveal: bool
) -> Iterator[ExpectationResult]:
    """Each expectation in one new system, beside all old ones."""
    for number, (name, arguments) in enumerate(_pairs(plan)):
        before = [side.known(number) for side in old]
        broken = [side for side in old if side.known(number) is False]
        yield ExpectationResult(
            in_words(name, arguments),
            columns_of(arguments),
            new.system,
            None if None in before else not broken,
            new.known(number),
            "; ".join(_observed(side.outcomes[number], reveal) for side in broken),
            _observed(new.outcomes[number], reveal) if new.known(number) is False else "",
            _trouble({side.system: side.why(number) for side in (*old, new)}),
        )


def _trouble(told: Mapping[str, str]) -> str:
    """Why nobody knows, by system; once where it is the same everywhere."""
    if len(told) > 1 and len({*told.values()}) == 1:
        return next(iter(told.values()))
    return "; ".join(f"{system}: {why}" for system, why in told.items() if why)


def _observed(outcome: Outcome, reveal: bool) -> str:
    """What was found, in words: `3 of 40 values, such as 0`."""
    if outcome.unexpected is None:
        seen = outcome.observed
        return "it does not hold" if seen is None else f"observed {_shown(seen, reveal)}"
    said = f"{outcome.unexpected:,}"
    if outcome.elements is not None:
        said += f" of {outcome.elements:,} values"
    examples = dict.fromkeys(_shown(v, reveal) for v in outcome.examples if v is not None)
    return f"{said}, such as {', '.join(examples)}" if examples else said


def _shown(value: Any, reveal: bool) -> str:
    """A value as evidence: what may be free text is masked unless revealed."""
    if isinstance(value, _PLAIN):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    if not reveal:
        return f"[{len(text)} characters, masked]"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _rows(content: str, found: Sequence[ExpectationResult]) -> Iterator[Sample]:
    """The findings: what broke, and what nobody knows."""
    for one in found:
        if one.known and not one.broke:
            continue
        yield Sample(
            content=content,
            kind=Kind.EXPECTATION if one.known else Kind.NOT_COMPARED,
            cause=None,
            owner=None,
            list=None,
            item=None,
            field=one.columns[0] if len(one.columns) == 1 else _array(one.columns),
            old_value=one.expectation,
            new_value=one.observed if one.known else None,
            system=one.system,
            segment=None,
        )


def _array(columns: Sequence[str]) -> str | None:
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")) if columns else None


def _keep(around: Surroundings, plan: ContentPlan, rows: Sequence[Sample]) -> None:
    """Put the findings beside the others of the run: they are of a route and of no customer, and each
    counts by a number that no entry has."""
    if rows:
        columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
        table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        number = f"{_NUMBERS} - row_number() OVER ()"
        cases = " ".join(f"WHEN {literal(new.system)} THEN {new.index}" for new in plan.new)
        around.exchange.insert(
            "finding",
            table,
            f"SELECT {names}, {number}, NULL, CASE system {cases} END FROM incoming",
        )


def _told(
    result: ContentResult,
    found: tuple[ExpectationResult, ...],
    rows: tuple[Sample, ...],
    segments: tuple[str, ...],
) -> ContentResult:
    """The result with its expectations. What broke may concern anybody: it counts in each segment."""
    counts = Counter(str(row.kind) for row in rows)
    broken = counts[Kind.EXPECTATION]
    in_segments = dict(result.finding_segments)
    if broken:
        in_segments[Kind.EXPECTATION] = dict.fromkeys(segments, broken)
    unknown = dict.fromkeys(f"{r.expectation}: {r.trouble}" for r in found if not r.known)
    return replace(
        result,
        findings=_added(result.findings, counts),
        routes=tuple(_route(route, rows) for route in result.routes),
        reasons=(*result.reasons, *unknown),
        notes=(*result.notes, *_notes(found)),
        finding_segments=in_segments,
        certain=result.certain | ({Kind.EXPECTATION} if broken else set()),
        samples=(*result.samples, *rows),
        expectations=found,
    )


def _added(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(before) + Counter(more))


def _route(route: RouteResult, rows: Sequence[Sample]) -> RouteResult:
    """A route with the findings of its system; the one over all new systems has them all."""
    here = Counter(str(row.kind) for row in rows if route.system in (row.system, "*"))
    return replace(route, findings=_added(route.findings, here)) if here else route


def _notes(found: Sequence[ExpectationResult]) -> Iterator[str]:
    """What even a PASS must name."""
    for one in found:
        if one.known and one.new is False and not one.broke:
            yield (
                f"{one.expectation} fails in {one.system} ({one.observed}), and failed on the old "
                f"side already ({one.observed_old}): warned of"
            )
        elif one.known and one.old is False:
            yield f"{one.expectation} failed on the old side ({one.observed_old}), holds in {one.system}"
    yield OUTSIDE
