"""A plan whose new side is its old side proves nothing, however well everything agrees."""

from __future__ import annotations

from safeguard.contract.model import LoadedPlan, Source


def self_comparisons(loaded: LoadedPlan) -> tuple[str, ...]:
    """A sentence for each contract that holds a table, or a query, against itself."""
    found = []
    for one in loaded.contracts:
        olds = {_place(loaded, source): source for source in one.contract.old}
        for new in one.contract.new:
            old = olds.get(_place(loaded, new))
            if old is not None:
                found.append(
                    f"{one.contract.content}: {new.system}.{new.table or 'query'} is the very table that "
                    f"{old.system} reads: it was held against itself, which proves nothing"
                )
    return tuple(found)


def _place(loaded: LoadedPlan, source: Source) -> tuple[str, str | None, str | None, str | None]:
    """Where a source reads, as far as the plan tells."""
    return (
        loaded.plan.systems[source.system].url,
        source.table,
        source.query,
        source.where,
    )
