"""What one content's comparison is made of: slots, their types, and where each side reads them.

A *slot* is the short name that a contract column has in the exchange (`k0`, `p`, `f1`): names that
people chose never meet names that we need, and are never part of our SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from safeguard.contract.model import Contract, Crosswalk, FieldSpec
from safeguard.contract.types import Type
from safeguard.systems.canonical import CanonicalColumn, Storage
from safeguard.systems.interface import Output, Selection

ORDER_SLOT = "p"
DELETED_SLOT = "d"
UPDATED_SLOT = "t"


class Role(StrEnum):
    """What a key column is for."""

    OWNER = "owner"
    LIST = "list"
    ITEM = "item"


@dataclass(frozen=True)
class KeySlot:
    """One column of the key. `storage` is the one in which both sides meet."""

    slot: str
    name: str
    role: Role
    type: Type
    storage: Storage


@dataclass(frozen=True)
class Typed:
    """A type and how its canonical values are stored."""

    type: Type
    storage: Storage
    nanoseconds: bool = False


@dataclass(frozen=True)
class FieldSlot:
    """One compared field. `new` has the type per route; it differs from `old` only under a map."""

    slot: str
    name: str
    spec: FieldSpec
    old: Typed
    new: tuple[Typed, ...]
    alternate_old: bool = False
    alternate_new: tuple[bool, ...] = ()
    zone: str | None = None
    """The zone that old timestamps were written in, where values are kept as instants."""
    clocks: str | None = None
    """The zone that all old timestamps were written in, whichever way values are kept."""
    as_written: bool = False
    """Whether timestamps are kept as the clocks of their zone showed them, not as instants."""


@dataclass(frozen=True)
class CrosswalkPlan:
    """A crosswalk of one key slot: how to read it, and which way it translates.

    `forward`: old ids become new ids on the old side. Otherwise new ids become old ids as the new
    side is read, so that everything meets in old ids.
    """

    slot: str
    spec: Crosswalk
    selection: Selection
    columns: tuple[CanonicalColumn, ...]
    forward: bool


@dataclass(frozen=True)
class Updated:
    """When a source's entries were last written: read only to find what changed."""

    output: Output
    column: CanonicalColumn


@dataclass(frozen=True)
class SourcePlan:
    """One old or new entry of the contract, ready to be read."""

    index: int
    system: str
    selection: Selection
    columns: tuple[CanonicalColumn, ...]
    deleted_when: str | None
    crosswalks: tuple[CrosswalkPlan, ...] = ()
    updated: Updated | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class OldPlan(SourcePlan):
    """An old entry. `receives[r]` is the slot that says whether route r is due it; None is always."""

    receives: tuple[str | None, ...] = ()
    receives_sql: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class NewPlan(SourcePlan):
    """A new entry: the route with the same index."""

    at_least: int = 0


@dataclass(frozen=True)
class Cutoff:
    """`as_of`, in the storage of its slot: entries with a greater value are not due."""

    slot: str
    value: int | str
    storage: Storage


@dataclass(frozen=True)
class ContentPlan:
    """Everything that comparing needs to know of one content. Pure data."""

    contract: Contract
    path: str
    keys: tuple[KeySlot, ...]
    fields: tuple[FieldSlot, ...]
    order: tuple[Typed, Typed] | None
    """Types of the order column, old and new: each side is ordered by its own."""
    old: tuple[OldPlan, ...]
    new: tuple[NewPlan, ...]
    cutoff: Cutoff | None = None
    unreadable: tuple[tuple[str, str], ...] = field(default=())
    """Fields that cannot be read exactly, (name, reason): the content is undecided."""

    @property
    def owners(self) -> tuple[KeySlot, ...]:
        return tuple(k for k in self.keys if k.role is Role.OWNER)

    @property
    def lists(self) -> tuple[KeySlot, ...]:
        return tuple(k for k in self.keys if k.role is Role.LIST)

    @property
    def items(self) -> tuple[KeySlot, ...]:
        return tuple(k for k in self.keys if k.role is Role.ITEM)
