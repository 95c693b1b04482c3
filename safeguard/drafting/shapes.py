"""What an old table is: its shape, whose its entries are, and what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safeguard.contract.model import Shape
from safeguard.contract.types import TypeName
from safeguard.drafting.customers import CustomersTable, points_at
from safeguard.drafting.survey import Survey
from safeguard.planning.dependants import Hang
from safeguard.planning.naming import bare, words
from safeguard.systems.interface import Column, Table

ORDER_WORDS = frozenset(
    {"position", "pos", "rank", "ranking", "sort", "sorting", "ordinal", "seq", "sequence"}
)
ORDERS = (("order",), ("sort", "order"), ("display", "order"), ("list", "order"), ("item", "order"))
LIST_WORDS = frozenset({"list", "playlist", "shelf", "folder", "collection", "board"})
DELETED_WORDS = frozenset({"deleted", "removed"})
_COUNTERS = frozenset({"no", "nr", "number", "index", "idx", "key"})
_OWN = "the customers' own table"
_NUMBERS = (TypeName.INTEGER, TypeName.DECIMAL, TypeName.FLOAT, None)
_KEY_KINDS = (TypeName.INTEGER, TypeName.TEXT, TypeName.ENUM, TypeName.UUID, TypeName.DATE, None)
_TRIED = 8
"""Columns that are counted at most to find what tells entries apart: each is a whole read."""
_POOR_KEYS = (TypeName.TIMESTAMP, TypeName.FLOAT, TypeName.JSON)


@dataclass(frozen=True)
class Content:
    """One old table read as content. Names are its columns' own; `reasons` say why, by part."""

    table: Table
    hang: Hang
    shape: Shape
    owner: tuple[str, ...]
    item: tuple[str, ...]
    order: str | None
    list: str | None
    fields: tuple[str, ...]
    deleted: str | None
    reasons: Mapping[str, str]
    certain: bool = True
    """Owner, list and item are known to tell the entries apart."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What must be found in a new table for it to be a home: all but owner and fields."""
        return (*((self.list,) if self.list else ()), *self.item)

    def column(self, name: str) -> Column | None:
        return self.table.column(name)


def read_contents(
    survey: Survey, table: Table, hang: Hang, hanging: frozenset[str]
) -> tuple[Content, ...]:
    """What a table that hangs on the customers may be: the likeliest reading first, others differ
    in what tells the entries apart. `hanging` are all tables that hang."""
    order = order_column(table)
    listed = _list_column(survey, table, hang, hanging) if order else None
    return tuple(
        _reading(table, hang, order, listed, item, why)
        for item, why in _items(survey, table, hang, order, listed)
    )


def customers_content(customers: CustomersTable) -> Content:
    """The customers' own table as a record: what they told of themselves."""
    table, key = customers.table, customers.key
    deleted = deleted_column(table)
    fields = tuple(c.name for c in table.columns if c.name not in (*key, deleted))
    reasons = {"owner": "the customers' key", "shape": "one row a customer"}
    hang = Hang(_OWN, key)
    return Content(table, hang, Shape.RECORD, key, (), None, None, fields, deleted, reasons)


def is_profile(content: Content) -> bool:
    """Whether it is the customers' own table."""
    return content.hang.how == _OWN


def _reading(
    table: Table,
    hang: Hang,
    order: str | None,
    listed: str | None,
    item: tuple[str, ...],
    why: str,
) -> Content:
    deleted = deleted_column(table)
    own = () if hang.path else hang.owner
    used = {*own, *item, order, listed, deleted, *_surrogate(table, item)}
    fields = tuple(c.name for c in table.columns if c.name not in used)
    shape, reason = _shape(table, order, fields)
    reasons = {"owner": hang.how, "item": why, "shape": reason}
    owner = owner_outputs(table, hang)
    return Content(
        table, hang, shape, owner, item, order, listed, fields, deleted, reasons, "?" not in why
    )


def owner_outputs(table: Table, hang: Hang) -> tuple[str, ...]:
    """What the owner's columns are called beside the table's own columns."""
    if not hang.path:
        return hang.owner
    return tuple(f"owner_{c}" if table.column(c) else c for c in hang.owner)


def order_column(table: Table) -> str | None:
    """The column that says at which place an entry stands."""
    keys = {c for key in table.foreign_keys for c in key.columns}
    for column in table.columns:
        own = words(column.name)
        if len(own) > 1 and own[-1] in _COUNTERS:
            own = own[:-1]
        numeric = column.type.kind in _NUMBERS and column.name not in keys
        if numeric and own and (own[-1] in ORDER_WORDS or own in ORDERS):
            return column.name
    return None


def deleted_column(table: Table) -> str | None:
    """The column by which a customer's deletion is remembered."""
    for column in table.columns:
        own = words(column.name)
        if DELETED_WORDS & set(own) and set(own) <= DELETED_WORDS | {"is", "at", "on", "date"}:
            return column.name
    return None


def _list_column(survey: Survey, table: Table, hang: Hang, hanging: frozenset[str]) -> str | None:
    """The column that tells several lists of one owner apart: it points at other content, or is
    called like a list."""
    pointing = points_at(table, hanging, survey.tables)
    named = [c.name for c in table.columns if LIST_WORDS & set(words(c.name))]
    alone = table.primary_key if len(table.primary_key) == 1 else ()
    for name in (*pointing, *named):
        if name not in alone and name not in (() if hang.path else hang.owner):
            return name
    return None


def _items(
    survey: Survey, table: Table, hang: Hang, order: str | None, listed: str | None
) -> list[tuple[tuple[str, ...], str]]:
    own = () if hang.path else hang.owner
    known = {name for name in (*own, listed) if name}
    keys = [k for k in (table.primary_key, *table.unique_keys) if k and order not in k]
    found = [
        (_rest(key, known), f"the rest of the unique key ({', '.join(key)})")
        for key in sorted(keys, key=lambda k: -len(known & set(k)))
        if known & set(key) and not _is_poor(table, key)
    ]
    found += [
        (_rest(key, known), f"the table's own key ({', '.join(key)})")
        for key in keys
        if not known & set(key)
    ]
    likely = _pointers(table, {*known, *((order,) if order else ())})
    listing = (listed,) if listed else ()
    if likely and survey.is_unique(table.name, hang, (*listing, *likely)):
        found.append((likely, "with the owner it is unique in the old data"))
    if not found:
        found.append(_anything(survey, table, hang, listing, order, likely))
    return list(dict(reversed(found)).items())[::-1]


def _rest(key: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    return tuple(c for c in key if c not in known)


def _is_poor(table: Table, key: tuple[str, ...]) -> bool:
    """A moment is a bad name for a thing: systems store it differently."""
    return any((c := table.column(name)) and c.type.kind in _POOR_KEYS for name in key)


def _anything(
    survey: Survey,
    table: Table,
    hang: Hang,
    listing: tuple[str, ...],
    order: str | None,
    likely: tuple[str, ...],
) -> tuple[tuple[str, ...], str]:
    if not listing and not order and survey.is_unique(table.name, hang, ()):
        return (), "an owner has one"
    own = () if hang.path else hang.owner
    taken = (*own, *listing, order, deleted_column(table))
    free = [c.name for c in table.columns if c.name not in taken and c.type.kind in _KEY_KINDS]
    for name in free[:_TRIED]:
        if survey.is_unique(table.name, hang, (*listing, name)):
            return (name,), "with the owner it is unique in the old data"
    return likely, "? nothing was found that tells an owner's entries apart"


def _pointers(table: Table, known: set[str]) -> tuple[str, ...]:
    """Columns that name a thing elsewhere: foreign keys, and what is called an id."""
    keys = [c for k in table.foreign_keys for c in k.columns]
    named = [c.name for c in table.columns if _is_id(c.name)]
    alone = table.primary_key if len(table.primary_key) == 1 else ()
    found = (c for c in dict.fromkeys((*keys, *named)) if c not in known and c not in alone)
    return tuple(found)


def _is_id(name: str) -> bool:
    own = words(name)
    return len(own) > 1 and own[-1] in ("id", "uuid", "isbn", "sku", "code")


def _surrogate(table: Table, item: tuple[str, ...]) -> tuple[str, ...]:
    """The old system's own number of a row (`id`, or the table's name and id): not content."""
    if len(table.primary_key) != 1 or table.primary_key[0] in item:
        return ()
    own, name = words(table.primary_key[0]), words(bare(table.name))
    return table.primary_key if own in (("id",), (*name, "id"), (*name[-1:], "id")) else ()


def _shape(table: Table, order: str | None, fields: tuple[str, ...]) -> tuple[Shape, str]:
    if order:
        return Shape.LIST, f"ordered by {order}"
    kinds = [c.type.kind for name in fields if (c := table.column(name))]
    if kinds and all(kind is TypeName.JSON for kind in kinds):
        return Shape.DOCUMENT, "what it holds is JSON"
    if not fields:
        return Shape.SET, "keys and nothing else"
    return Shape.RECORD, "fields for each key, no order"
