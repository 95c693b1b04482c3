"""Coverage: look at every table of the old systems, and count what no contract speaks of."""

from __future__ import annotations

from collections.abc import Mapping

from safeguard.contract.model import LoadedPlan
from safeguard.findings.result import Coverage
from safeguard.findings.trouble import ConnectionLost, SystemProblem, UsageProblem
from safeguard.planning.coverage import TableCount, Uncovered, find_coverage, to_coverage
from safeguard.systems.interface import Relation, Session


def survey(loaded: LoadedPlan, sessions: Mapping[str, Session]) -> Coverage:
    """The coverage of a plan's old systems. Raises UsageProblem for an `ignore` that matches nothing."""
    found = find_coverage({name: sessions[name].tables() for name in _olds(loaded)}, loaded)
    if found.mistakes:
        raise UsageProblem(*found.mistakes)
    counts = {(u.system, u.table): _count(u, sessions[u.system]) for u in found.uncovered}
    return to_coverage(found, counts)


def blind_spots(loaded: LoadedPlan, sessions: Mapping[str, Session]) -> tuple[str, ...]:
    """Why the coverage of the old systems may miss a table. Nobody looks for tables in the new."""
    return tuple(spot for name in _olds(loaded) for spot in sessions[name].blind_spots())


def _olds(loaded: LoadedPlan) -> list[str]:
    olds = {s.system for c in loaded.contracts for s in c.contract.old}
    if loaded.plan.customers is not None:
        olds |= {t.system for t in loaded.plan.customers.old}
    return sorted(olds)


def _count(table: Uncovered, session: Session) -> TableCount:
    """Entries of an uncovered table and whose they are; unknown where the system refuses."""
    try:
        (entries,) = session.count(Relation(table=table.table), None)
    except ConnectionLost:
        raise
    except (SystemProblem, UsageProblem):
        return TableCount(None)
    owners = table.owners(session.info.dialect)
    if not owners or not entries:
        return TableCount(entries)
    try:
        (customers,) = session.count(Relation(query=owners), None)
    except ConnectionLost:
        raise
    except (SystemProblem, UsageProblem):
        return TableCount(entries)
    return TableCount(entries, customers)
