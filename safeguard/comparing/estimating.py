"""Look at what a check would read: how it would be compared, how much there is, how fast it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable

from safeguard.comparing.reading import canonical
from safeguard.comparing.summing import why_not_asked
from safeguard.planning.asking import Strategy
from safeguard.planning.estimates import ContentEstimate, PlanEstimate, SourceEstimate
from safeguard.planning.layout import ContentPlan, NewPlan, SourcePlan
from safeguard.systems.interface import Session
from safeguard.systems.opened import Systems
from safeguard.systems.sizes import size_of

FIRST_ROWS = 200_000
"""So many rows of each source are read to see how fast they come."""
_QUESTIONS = 3


def estimate(plans: Iterable[ContentPlan], systems: Systems, strategy: Strategy) -> PlanEstimate:
    """What these contents are expected to take. Raises SystemProblem."""
    return PlanEstimate(
        tuple(_content(plan, systems, strategy) for plan in plans),
        tuple((name, _answer_seconds(systems[name])) for name in systems),
    )


def _content(plan: ContentPlan, systems: Systems, strategy: Strategy) -> ContentEstimate:
    sources: tuple[SourcePlan, ...] = (*plan.old, *plan.new)
    if strategy is Strategy.STREAM:
        why = "--strategy stream reads everything"
    else:
        why = why_not_asked(plan, systems)
    return ContentEstimate(
        plan.contract.content,
        "stream" if why else "sums",
        why or "servers of one engine hash all its columns alike; only what differs is read",
        tuple(_source(source, systems[source.system]) for source in sources),
    )


def _source(source: SourcePlan, session: Session) -> SourceEstimate:
    size = size_of(session, source.selection)
    return SourceEstimate(
        "new" if isinstance(source, NewPlan) else "old",
        source.system,
        str(source.selection.relation),
        size.rows,
        size.bytes,
        size.counted,
        _rows_per_second(source, session),
    )


def _rows_per_second(source: SourcePlan, session: Session) -> float | None:
    """Of the first rows, read and in canonical form."""
    rows, began = 0, time.perf_counter()
    batches = session.stream(source.selection)
    for batch in batches:
        rows += canonical(batch, source.columns).num_rows
        if rows >= FIRST_ROWS:
            break
    took = time.perf_counter() - began
    if close := getattr(batches, "close", None):
        close()
    return rows / took if rows else None


def _answer_seconds(session: Session) -> float:
    found = []
    for _ in range(_QUESTIONS):
        began = time.perf_counter()
        session.alive()
        found.append(time.perf_counter() - began)
    return min(found)
