"""What the systems said of a contract's sources and crosswalks, before anything is aligned."""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.contract.model import Contract, Crosswalk, Source
from safeguard.systems.interface import Output, Selection, SourceType


@dataclass(frozen=True)
class Described:
    """A source of the contract with its resolved selection and its system's time zone."""

    source: Source
    selection: Selection
    zone: str | None

    def output(self, slot: str) -> Output:
        return next(o for o in self.selection.outputs if o.name == slot)

    def zone_of(self, name: str) -> str | None:
        return self.source.timezones.get(name, self.zone)


@dataclass(frozen=True)
class DescribedCrosswalk:
    """A crosswalk with its resolved selection (outputs `old` and `new`)."""

    spec: Crosswalk
    selection: Selection

    def type_of(self, side: str) -> SourceType:
        return next(o.type for o in self.selection.outputs if o.name == side)


CrosswalkKey = tuple[str, int, str]
"""("old" or "new", index of the source, contract column name)."""


def crosswalks_of(contract: Contract) -> dict[CrosswalkKey, Crosswalk]:
    """Which crosswalk translates which column of which source; the top one serves new entries."""
    found: dict[CrosswalkKey, Crosswalk] = {}
    for i, old in enumerate(contract.old):
        found |= {("old", i, name): walk for name, walk in old.crosswalk.items()}
    for i, new in enumerate(contract.new):
        walks = {**contract.crosswalk, **new.crosswalk}
        found |= {("new", i, name): walk for name, walk in walks.items()}
    return found
