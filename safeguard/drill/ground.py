"""Where faults are planted: some customers of one partition about whom a check has nothing to say.

Small and made of Python values: everything that a fault may want to know of a customer. The rest of
the partition, however large, is never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from safeguard.planning.layout import ContentPlan

Row = Mapping[str, Any]
"""A stored row by the names of its columns, see comparing/entries.py."""
Key = tuple[Any, ...]
"""The values of all key slots: owner, list, item."""


@dataclass(frozen=True)
class OldEntry:
    """An old entry. `due` says of each route whether it must land there; `place` sorts it in its list."""

    key: Key
    deleted: bool
    late: bool
    due: tuple[bool, ...]
    place: Any
    values: Row
    """Its fields, by slot."""


@dataclass(frozen=True)
class NewEntry:
    """An entry of one new system, row `number` of its partition. `partner` is the old entry that it
    stands for, where a check finds it kept and nothing else has its key."""

    route: int
    number: int
    key: Key
    item: str | None
    place: Any
    row: Row
    partner: OldEntry | None = None


@dataclass(frozen=True)
class Customer:
    """One owner. `id` is what both sides call it, `name` what findings do."""

    id: str
    name: str
    owner: Key
    olds: tuple[OldEntry, ...]
    news: tuple[NewEntry, ...]

    def entries(self, route: int) -> list[NewEntry]:
        """What a new system has of this customer."""
        return [e for e in self.news if e.route == route]

    def kept(self, route: int) -> list[NewEntry]:
        """Of these the ones of which a check says that they are kept."""
        return [e for e in self.news if e.route == route and e.partner is not None]

    def has(self, thing: Key) -> bool:
        """Whether either side has an entry of this list and item (the key without its owner)."""
        return thing in self._things

    @cached_property
    def _things(self) -> frozenset[Key]:
        size = len(self.owner)
        keys = [*(o.key for o in self.olds), *(n.key for n in self.news)]
        return frozenset(key[size:] for key in keys)


@dataclass
class Ground:
    """The customers that faults may be planted at, in an order that the seed decides. One who is
    `taken` has a fault in this pass already: faults must not explain each other."""

    plan: ContentPlan
    zone: str | None
    """The zone of the old systems, where it is declared."""
    customers: tuple[Customer, ...]
    taken: set[str] = field(default_factory=set)

    def free(self) -> Iterator[Customer]:
        """Those without a fault in this pass."""
        return (c for c in self.customers if c.id not in self.taken)

    @property
    def owners(self) -> tuple[str, ...]:
        """The slots that say whose an entry is."""
        return tuple(k.slot for k in self.plan.owners)

    def thing(self, entry: NewEntry) -> Key:
        """The entry's key without its owner."""
        return entry.key[len(self.owners) :]

    @cached_property
    def samples(self) -> Mapping[int, tuple[NewEntry, ...]]:
        """Some kept entries of each route, to take the form of a row from."""
        found: dict[int, list[NewEntry]] = defaultdict(list)
        for customer in self.customers[:200]:
            for entry in customer.news:
                if entry.partner is not None:
                    found[entry.route].append(entry)
        return {route: tuple(entries) for route, entries in found.items()}
