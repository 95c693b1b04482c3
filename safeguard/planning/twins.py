"""A plan whose new side is its old side proves nothing, however well everything agrees."""

from __future__ import annotations

import os.path
from pathlib import Path

from safeguard.contract.model import LoadedPlan, Source

_FILES = ("sqlite:///", "duckdb:///", "files:")


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


def _place(loaded: LoadedPlan, source: Source) -> tuple[str, str, str | None]:
    """Where a source reads, as far as the plan tells. Two parts of one table are two places."""
    what = source.table.casefold() if source.table else " ".join((source.query or "").split())
    return (_address(loaded.plan.systems[source.system].url, loaded.folder), what, source.where)


def _address(url: str, folder: str) -> str:
    """A URL without the different ways to write one path."""
    for prefix in _FILES:
        if url.startswith(prefix):
            path = Path(folder) / url.removeprefix(prefix).split("?")[0]
            return prefix + os.path.normpath(path)
    return url.replace("postgres://", "postgresql://", 1).replace("mariadb://", "mysql://", 1)
