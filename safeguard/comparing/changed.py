"""Whose entries were written since a moment, on either side: by the contract's `updated_at`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa

from safeguard.comparing.entries import stored
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.reading import canonical
from safeguard.comparing.restriction import Restriction, wanted_owners
from safeguard.comparing.sql import COLUMN_TYPE, columns
from safeguard.planning.layout import UPDATED_SLOT, ContentPlan, SourcePlan, Updated
from safeguard.planning.narrowing import written_since
from safeguard.systems.opened import Systems

OVERLAP = dt.timedelta(minutes=1)
"""So much earlier is looked from: the clocks of the servers are not ours."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def tells_when(plan: ContentPlan) -> bool:
    """Whether every source says when its entries were written."""
    return all(source.updated is not None for source in (*plan.old, *plan.new))


def changed_owners(
    exchange: Exchange,
    plan: ContentPlan,
    systems: Systems,
    kin: frozenset[str],
    since: dt.datetime,
) -> Restriction:
    """The owners of entries that some side has written since. One without a time may have been."""
    kinds = ", ".join(f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in plan.owners)
    exchange.create("changed", f"({kinds})")
    for source in (*plan.old, *plan.new):
        assert source.updated is not None
        narrow = _owners_only(plan, source, source.updated)
        session = systems[source.system]
        selection = written_since(narrow, since - OVERLAP, session.info.dialect)
        query = _changed(plan, narrow, kin, since - OVERLAP)
        for batch in session.stream(selection):
            rows = pa.Table.from_batches([canonical(batch, narrow.columns)])
            exchange.insert("changed", exchange.through(query, rows))
    found = wanted_owners(exchange, plan, "SELECT * FROM changed")
    exchange.drop("changed")
    return found


def _owners_only(plan: ContentPlan, source: SourcePlan, updated: Updated) -> SourcePlan:
    """The source with nothing but whose an entry is and when it was written; of the new side's
    deleted entries too, for their owners have changed something."""
    slots = {k.slot for k in plan.owners}
    outputs = [o for o in source.selection.outputs if o.name in slots]
    return replace(
        source,
        selection=replace(source.selection, outputs=(*outputs, updated.output)),
        columns=(*(c for c in source.columns if c.name in slots), updated.column),
        crosswalks=tuple(w for w in source.crosswalks if w.slot in slots),
        deleted_when=None,
    )


def _changed(plan: ContentPlan, source: SourcePlan, kin: frozenset[str], since: dt.datetime) -> str:
    """SELECT over `incoming`: the owners of rows written since, or nobody knows when."""
    assert source.updated is not None
    column = source.updated.column
    moment = (since - _EPOCH) // dt.timedelta(microseconds=1)
    if column.nanoseconds:
        moment *= 1000
    times = [UPDATED_SLOT, *([f"{UPDATED_SLOT}__alt"] if column.alternate else [])]
    late = " OR ".join(f'"{t}" >= {moment}' for t in times)
    owners = columns(k.slot for k in plan.owners)
    rows = stored(plan, source, kin, 1)
    known = f"({rows})" if rows else "incoming"
    return f"SELECT DISTINCT {owners} FROM {known} WHERE {UPDATED_SLOT} IS NULL OR {late}"
