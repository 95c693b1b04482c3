"""From the tables that comparing left to the frozen result of one content."""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import NOT_COMPARED, FieldRule
from safeguard.comparing.owners import Owners
from safeguard.comparing.pairing import DUE
from safeguard.comparing.statuses import (
    content_statuses,
    is_pooled,
    new_statuses,
    route_statuses,
)
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import tolerated
from safeguard.contract.model import Contract
from safeguard.findings.result import Conservation, ContentResult, Impact, RouteResult
from safeguard.findings.trouble import SafeguardError, SystemProblem
from safeguard.findings.words import NewStatus, OldStatus, Verdict
from safeguard.planning.layout import ContentPlan, SourcePlan

_NOT_IN_DUE = (OldStatus.DELETED, OldStatus.NOT_DUE, OldStatus.OVERLAPPED)


@dataclass(frozen=True)
class Compared:
    """A content whose tables are complete."""

    exchange: Exchange
    plan: ContentPlan
    book: CustomerBook
    owners: Owners
    teller: Teller
    tally: Tally
    rules: dict[int, tuple[FieldRule, ...]]
    partial: bool = False
    """Only some owners were compared, so that their number says nothing."""


def build_result(done: Compared) -> ContentResult:
    """The result; its verdict is the gate's to give and stands as UNDECIDED until then."""
    plan, tally, contract = done.plan, done.tally, done.plan.contract
    old = content_statuses(done.exchange, plan, tally.counts)
    routes = _routes(done, old)
    new = _summed(routes)
    due = sum(n for status, n in old.items() if status not in _NOT_IN_DUE)
    conservation = _conservation(done, old, routes)
    return ContentResult(
        content=contract.content,
        title=contract.title or contract.content,
        shape=str(contract.shape),
        verdict=Verdict.UNDECIDED,
        old=sum(tally.old_read.values()),
        new=sum(tally.new_read.values()),
        kept=old[OldStatus.KEPT],
        sums_old=old,
        sums_new=new,
        left_out=tally.left_out,
        not_due=old[OldStatus.NOT_DUE],
        tolerated=tolerated(done.exchange, tally.counts["renumbered"]),
        findings=done.teller.counts(),
        waived={},
        causes=done.teller.causes(),
        customers=done.book.impact(contract.content),
        routes=_told_routes(done, routes, old),
        conservation=conservation,
        reasons=(*tally.reasons, *_reasons(done, due, routes)),
        notes=(*tally.notes, *_notes(done)),
        finding_segments=done.teller.segments(),
        certain=frozenset(done.teller.counts()),
        samples=done.teller.samples(),
        due=due,
        contract=plan.path,
        field_causes=done.teller.field_causes(),
    )


def failed_content(contract: Contract, path: str, problem: SafeguardError) -> ContentResult:
    """A content that could not be compared: nothing is said of it but why."""
    nothing = Impact(0, 0)
    return ContentResult(
        content=contract.content,
        title=contract.title or contract.content,
        shape=str(contract.shape),
        verdict=Verdict.UNDECIDED,
        old=0,
        new=0,
        kept=0,
        sums_old={},
        sums_new={},
        left_out=0,
        not_due=0,
        tolerated={},
        findings={"not_compared": 1},
        waived={},
        causes={},
        customers=nothing,
        routes=(),
        conservation=Conservation(False, False, ("not counted: it was not read to the end",)),
        reasons=(str(problem),),
        contract=path,
        failed=isinstance(problem, SystemProblem),
    )


# -- private -------------------------------------------------------------------------------------


def _routes(done: Compared, old: dict[str, int]) -> tuple[RouteResult, ...]:
    found = []
    for new in done.plan.new:
        tally = done.tally
        statuses = route_statuses(done.exchange, tally.counts, new.index)
        found.append(
            RouteResult(
                system=new.system,
                due=sum(statuses.values()),
                statuses=statuses,
                new=tally.new_read[new.index],
                new_statuses=new_statuses(
                    done.exchange,
                    new.index,
                    tally.counts[f"paired_{new.index}"],
                    tally.new_deleted[new.index],
                ),
                findings=done.teller.counts(new.index),
            )
        )
    return tuple(found)


def _told_routes(
    done: Compared, routes: tuple[RouteResult, ...], old: dict[str, int]
) -> tuple[RouteResult, ...]:
    """As they are; with one route over all new systems, as that one."""
    if not is_pooled(done.plan):
        return routes
    due = {s: n for s, n in old.items() if s not in _NOT_IN_DUE}
    pooled = RouteResult(
        "*",
        sum(due.values()),
        due,
        sum(r.new for r in routes),
        _summed(routes),
        done.teller.counts(),
    )
    return (pooled,)


def _summed(routes: tuple[RouteResult, ...]) -> dict[str, int]:
    return {str(s): sum(r.new_statuses.get(s, 0) for r in routes) for s in NewStatus}


def _conservation(
    done: Compared, old: dict[str, int], routes: tuple[RouteResult, ...]
) -> Conservation:
    tally, old_ok = done.tally, done.tally.old_agrees
    said = [_sentence(s, tally.old_read, tally.old_counted) for s in done.plan.old]
    total = sum(tally.old_counted.values())
    if sum(old.values()) != total or min(old.values()) < 0:
        old_ok = False
        said.append(f"the statuses of old entries add up to {sum(old.values())}, not to {total}")
    for gap in _open_routes(done, routes):
        old_ok = False
        said.append(gap)
    new_ok = True
    for source, route in zip(done.plan.new, routes, strict=True):
        said.append(_sentence(source, tally.new_read, tally.new_counted))
        counted = tally.new_counted[source.index]
        if sum(route.new_statuses.values()) != counted or not tally.new_agrees(source.index):
            new_ok = False
            said.append(
                f"the statuses of entries in {source.system} add up to "
                f"{sum(route.new_statuses.values())}, not to {counted}"
            )
    return Conservation(old_ok, new_ok, tuple(said))


def _sentence(source: SourcePlan, read: dict[int, int], counted: dict[int, int]) -> str:
    name, one, other = (
        f"{source.system}.{source.selection.relation}",
        read[source.index],
        counted[source.index],
    )
    verdict = "agree" if one == other else f"{abs(one - other)} are unaccounted for"
    return f"{name}: {one} entries read, {other} counted; {verdict}"


def _open_routes(done: Compared, routes: tuple[RouteResult, ...]) -> list[str]:
    """Due entries of a route that were neither paired, absent nor set aside: our own fault."""
    if is_pooled(done.plan):
        return _open_pool(done)
    gaps = []
    for source, route in zip(done.plan.new, routes, strict=True):
        r = source.index
        apart = done.exchange.number(
            f"""SELECT count(*) FROM (SELECT rid FROM absent WHERE r = {r} UNION ALL
            SELECT DISTINCT rid FROM found WHERE r = {r} UNION ALL
            SELECT rid FROM unkeyed WHERE r = {r})"""
        )
        seen = done.tally.counts[f"paired_due_{r}"] + apart
        if seen != route.due:
            gaps.append(
                f"{route.due} entries are due in {source.system}, {seen} were accounted for"
            )
    return gaps


def _open_pool(done: Compared) -> list[str]:
    """The same for one route over all new systems: every live entry was found somewhere, or not."""
    live, apart = done.tally.counts["live"], done.tally.counts["pool"]
    return [] if live == apart else [f"{live} entries are due, {apart} were accounted for"]


def _reasons(done: Compared, due: int, routes: tuple[RouteResult, ...]) -> list[str]:
    """Plain sentences: why this content can't be called compared whole."""
    contract = done.plan.contract
    found = [f"{name} {why}: not compared" for name, why in done.plan.unreadable]
    found += _unread_keys(done)
    found += _unread_values(done, max(due, sum(r.due for r in routes)))
    if not done.partial:
        found += _too_few(done, due, routes)
    if contract.shape in ("record", "document") and not done.plan.fields:
        found.append("no field is compared: only that the keys are there")
    return found


def _too_few(done: Compared, due: int, routes: tuple[RouteResult, ...]) -> list[str]:
    """Fewer entries than the contract wants: perhaps the wrong place was read."""
    contract, found = done.plan.contract, []
    if not done.tally.old_read or sum(done.tally.old_read.values()) == 0:
        if contract.at_least > 0:
            found.append("the old side is empty: there was nothing to compare")
    elif due < contract.at_least:
        found.append(
            f"{due} due entries were compared, the contract wants at least {contract.at_least}"
        )
    for source, route in zip(done.plan.new, routes, strict=True):
        if route.due < source.at_least:
            found.append(
                f"{route.due} entries were due in {source.system}, "
                f"the contract wants at least {source.at_least}"
            )
    return found


def _unread_keys(done: Compared) -> list[str]:
    found, counts = [], done.tally.counts
    tables = [("old", "the old side")] + [(f"new_{s.index}", s.system) for s in done.plan.new]
    for table, name in tables:
        for kb, why in (
            (1, "has an owner or item that can't be read"),
            (2, "has an id that its crosswalk makes ambiguous"),
        ):
            if count := counts[f"kb_{kb}_{table}"]:
                found.append(f"{count} entries of {name}: each {why}")
        if count := counts[f"unread_{table}"]:
            found.append(f"{count} entries of {name}: the position or a condition can't be read")
    return found


def _unread_values(done: Compared, due: int) -> list[str]:
    """Values that were not compared; `due` entries had one of each field."""
    rows = done.exchange.rows(
        f"""SELECT field, count(*) FROM judged WHERE code = {NOT_COMPARED} AND cls = {DUE}
        GROUP BY field ORDER BY field"""
    )
    types = {f.name: f.old.type for f in done.plan.fields}
    found = []
    for name, count in rows:
        mapped = any(f.name == name and f.spec.map is not None for f in done.plan.fields)
        why = "is not in the contract's map" if mapped else f"can't be read as {types[name]}"
        asked = "" if mapped or 2 * count <= due else "; is the type right?"
        found.append(f"{count} values of `{name}`: each {why}{asked}")
    return found


def _notes(done: Compared) -> list[str]:
    lossy = {r.field.name: None for rules in done.rules.values() for r in rules if r.is_lossy}
    found = [f"the map of `{name}` is lossy: several old values become one" for name in lossy]
    found += [
        f"orphans were not judged in {system}: customers.new has no table of it, and a crosswalk "
        "translates the owners"
        for system in done.owners.unasked()
    ]
    strangers = done.tally.counts["strangers"]
    if strangers:
        found.append(
            f"{strangers} old entries have an owner whom the customers table does not know"
        )
    swapped = done.exchange.number("SELECT sum(pairs) FROM swapped")
    if swapped:
        found.append(f"the whole lists of {swapped} pairs of customers were swapped")
    ties = done.tally.counts["ties"]
    if ties:
        found.append(
            f"{ties} old entries share their position with another or have none: "
            "their order promises nothing"
        )
    return found
