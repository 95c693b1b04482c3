"""Which tables of one system hang on its customers, and by which way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from safeguard.planning.naming import OwnerName
from safeguard.systems.interface import ForeignKey, Table


@dataclass(frozen=True)
class Hang:
    """How a table hangs on the customers.

    `path` leads from the table to the one that holds the owner (empty: the table itself);
    `owner` are that table's columns that say whose an entry is. Both are empty where the
    dependence is known but the owner's column is not.
    """

    how: str
    owner: tuple[str, ...] = ()
    path: tuple[ForeignKey, ...] = ()


def find_table(tables: Iterable[Table], name: str) -> Table | None:
    """The table that a plan means by a name: exact, else in another case, else without the
    default schema's name."""
    known = {t.name: t for t in tables}
    if name in known:
        return known[name]
    alike = [t for t in known.values() if t.name.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    schema, _, rest = name.partition(".")
    return find_table(known.values(), rest) if rest and schema in ("public", "main") else None


def heirs(tables: Sequence[Table], names: Iterable[str]) -> frozenset[str]:
    """Tables whose rows a SELECT of one of the named tables gives too; some may be named as well."""
    parents = set(names)
    found: set[str] = set()
    more = True
    while more:
        reached = {t.name for t in tables if parents.intersection(t.inherits)} - found
        found |= reached
        parents |= reached
        more = bool(reached)
    return frozenset(found)


def find_dependants(
    tables: Sequence[Table],
    customers: frozenset[str],
    names: Sequence[OwnerName],
    roots: frozenset[str] = frozenset(),
) -> dict[str, Hang]:
    """Tables (not views) that hang on the customers' tables, by foreign key from child to parent,
    directly or through other tables, or by a column that bears one of the names.

    `roots` are tables that are known to hold content: what points at them hangs on them too.
    """
    content = [t for t in tables if not t.is_view and t.name not in customers]
    found: dict[str, Hang] = {}
    for table in content:
        hang = _direct(table, tables, customers, names)
        if hang:
            found[table.name] = hang
    _through_others(content, tables, found, roots)
    return found


def _direct(
    table: Table, tables: Sequence[Table], customers: frozenset[str], names: Sequence[OwnerName]
) -> Hang | None:
    keys = [k for k in table.foreign_keys if _parent(k, tables) in customers]
    keys.sort(key=lambda k: not any(n.borne_by(k.columns[0]) for n in names))
    if keys:
        return Hang(f"foreign key {_shown(keys[0])}", keys[0].columns)
    for name in names:
        for column in table.columns:
            if name.borne_by(column.name):
                return Hang(f"column {column.name} bears the name of {name.why}", (column.name,))
    return None


def _through_others(
    content: Sequence[Table],
    tables: Sequence[Table],
    found: dict[str, Hang],
    roots: frozenset[str],
) -> None:
    """One step at a time, so that every table gets its shortest way."""
    step = True
    while step:
        reached = _one_step(content, lambda key: _parent(key, tables), found, roots)
        found |= reached
        step = bool(reached)


def _one_step(
    content: Sequence[Table],
    parent_of: Callable[[ForeignKey], str],
    found: dict[str, Hang],
    roots: frozenset[str],
) -> dict[str, Hang]:
    reached: dict[str, Hang] = {}
    for table in content:
        if table.name in found:
            continue
        for key in table.foreign_keys:
            parent = parent_of(key)
            if parent in found:
                reached[table.name] = _lengthened(key, found[parent])
                break
            if parent in roots and parent != table.name:
                reached[table.name] = Hang(f"foreign key {_shown(key)}, which a contract covers")
                break
    return reached


def _lengthened(key: ForeignKey, beyond: Hang) -> Hang:
    path = (key, *beyond.path) if beyond.owner else ()
    return Hang(f"foreign key {_shown(key)}, there {beyond.how}", beyond.owner, path)


def _parent(key: ForeignKey, tables: Sequence[Table]) -> str:
    table = find_table(tables, key.parent)
    return table.name if table else key.parent


def _shown(key: ForeignKey) -> str:
    return f"{', '.join(key.columns)} -> {key.parent}"


def owners_query(table: str, hang: Hang, quote: Callable[[str], str]) -> str | None:
    """SQL that gives each owner of the table's entries once; None where no column says whose
    they are. `quote` quotes one identifier of that system."""
    if not hang.owner:
        return None
    start, joins, last = joined_relation(table, hang, quote)
    columns = [f"{last}.{quote(c)}" for c in hang.owner]
    present = " AND ".join(f"{c} IS NOT NULL" for c in columns)
    return f"SELECT DISTINCT {', '.join(columns)} FROM {start}{joins} WHERE {present}"


def joined_relation(table: str, hang: Hang, quote: Callable[[str], str]) -> tuple[str, str, str]:
    """The table as `t0`, the joins that lead to its owner, and the alias that holds the owner.

    Outer joins: an entry whose way to its owner is broken is still an entry.
    """
    joins = ""
    for i, key in enumerate(hang.path):
        pairs = zip(key.columns, key.parent_columns, strict=True)
        on = " AND ".join(f"t{i + 1}.{quote(p)} = t{i}.{quote(c)}" for c, p in pairs)
        joins += f" LEFT JOIN {quoted_table(key.parent, quote)} t{i + 1} ON {on}"
    return f"{quoted_table(table, quote)} t0", joins, f"t{len(hang.path)}"


def quoting(dialect: str) -> Callable[[str], str]:
    """How a system of this dialect quotes one identifier."""
    mark = "`" if dialect.lower() in ("mysql", "mariadb") else '"'
    return lambda name: mark + name.replace(mark, mark * 2) + mark


def quoted_table(table: str, quote: Callable[[str], str]) -> str:
    """A table's name, each part quoted."""
    return ".".join(quote(part) for part in table.split("."))
