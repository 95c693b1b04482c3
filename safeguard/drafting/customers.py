"""Who the customers are: the table that others point at and that is called like people are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safeguard.planning.dependants import find_dependants, find_table
from safeguard.planning.naming import OwnerName, bare, owner_names, table_names, words
from safeguard.systems.interface import Table

CUSTOMER_WORDS = (
    "customer",
    "user",
    "member",
    "account",
    "subscriber",
    "client",
    "patron",
    "reader",
    "viewer",
    "player",
    "buyer",
    "person",
    "profile",
)
"""What the people are called, the likeliest first."""


@dataclass(frozen=True)
class CustomersTable:
    """A system's customers: their table, its key, and how many tables point at them."""

    table: Table
    key: tuple[str, ...]
    pointing: int

    @property
    def names(self) -> tuple[OwnerName, ...]:
        """The names that columns bear which say whose an entry is."""
        why = "the customers' key"
        own = [n for column in self.key for n in owner_names(column, why)]
        return (*own, *table_names(self.table.name, why))


def find_customers(tables: tuple[Table, ...]) -> CustomersTable | None:
    """The table of the customers, None where no table looks like one."""
    found = [c for table in tables if (c := _as_customers(table, tables))]
    return max(found, key=_likelihood, default=None)


def pointing(customers: CustomersTable) -> str:
    """How many tables point at the customers, in words."""
    if customers.pointing == 1:
        return "1 table points at it"
    return f"{customers.pointing} tables point at it"


def usual_names() -> tuple[OwnerName, ...]:
    """What owner columns are called where no customers' table is to be found."""
    return tuple(OwnerName((word, "id"), "a customer's id") for word in CUSTOMER_WORDS)


def _as_customers(table: Table, tables: tuple[Table, ...]) -> CustomersTable | None:
    key = _key(table)
    if table.is_view or not key or _rank(table.name) is None:
        return None
    alone = CustomersTable(table, key, 0)
    hanging = find_dependants(tables, frozenset({table.name}), alone.names)
    return CustomersTable(table, key, sum(not hang.path for hang in hanging.values()))


def _rank(name: str) -> int | None:
    own = words(bare(name))
    return CUSTOMER_WORDS.index(own[-1]) if own and own[-1] in CUSTOMER_WORDS else None


def _likelihood(customers: CustomersTable) -> tuple[int, int]:
    rank = _rank(customers.table.name) or 0
    return 3 * customers.pointing + len(CUSTOMER_WORDS) - rank, -len(customers.table.name)


def _key(table: Table) -> tuple[str, ...]:
    """The primary key, else a column that is called like one."""
    if table.primary_key:
        return table.primary_key if len(table.primary_key) == 1 else ()
    own = words(bare(table.name))
    likely = {(*own, "id"), ("id",), (own[-1] if own else "", "id")}
    return next(((c.name,) for c in table.columns if words(c.name) in likely), ())


def points_at(table: Table, parents: Iterable[str], tables: tuple[Table, ...]) -> tuple[str, ...]:
    """Columns by which the table points at one of the parents."""
    wanted = set(parents)
    return tuple(
        column
        for key in table.foreign_keys
        if (parent := find_table(tables, key.parent)) and parent.name in wanted
        for column in key.columns
    )
