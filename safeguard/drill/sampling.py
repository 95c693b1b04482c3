"""Which customers of a partition a drill works with: chosen by the seed among those of whom a check
has nothing to say, and some who have what a fault needs and few have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from safeguard.comparing.entries import key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import key_text, literal
from safeguard.comparing.statuses import is_pooled
from safeguard.comparing.telling import Teller
from safeguard.contract.types import TypeName
from safeguard.drill.ground import Customer, Ground, Key, NewEntry, OldEntry
from safeguard.drill.numbers import EXACT
from safeguard.drill.texts import COLUMN_BYTES
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan, FieldSlot
from safeguard.systems.canonical import Storage

MOST_ENTRIES = 40_000
"""Of both sides together: what is made into Python values at one time."""
MOST_OF_ONE = 6_000
"""Entries of one customer."""
_RARE = 12
"""So many customers for each thing that few have."""


def dirty_customers(exchange: Exchange, content: str) -> pa.Table:
    """Of whom an undisturbed check says something: who has a finding, or what another lost."""
    return exchange.table(
        f"""SELECT DISTINCT unnest([customer,
            CASE WHEN kind = '{Kind.MISATTRIBUTED}' THEN new_value END]) AS customer
        FROM finding WHERE content = {literal(content)}"""
    )


def read_ground(
    exchange: Exchange,
    plan: ContentPlan,
    teller: Teller,
    zone: str | None,
    seed: str,
    dirty: pa.Table,
    rows: Sequence[pa.Table],
    first: int,
) -> Ground:
    """The ground of the partition that is loaded (see `Partition.load`); `rows` are its stored rows by
    route, `first` the number that the first of each has. The same data and seed give the same."""
    with exchange.apart():
        exchange.fill("dirty", dirty)
        _choose(exchange, plan, seed)
        olds, names = _olds(exchange, plan, teller)
        news = [e for n in plan.new for e in _news(exchange, plan, n.index, rows[n.index], first)]
        order = [c for (c,) in exchange.rows("SELECT customer FROM chosen ORDER BY nth, customer")]
    return Ground(plan, zone, _customers(plan, order, names, olds, news))


# -- private -------------------------------------------------------------------------------------


def _choose(exchange: Exchange, plan: ContentPlan, seed: str) -> None:
    """Leave `chosen(customer, nth)`."""
    sides = [("old", "o"), *((f"new_{n.index}", "n") for n in plan.new)]
    every = " UNION ALL ".join(
        f"SELECT {key_text(plan.owners, alias)} AS customer FROM {table} {alias}"
        for table, alias in sides
    )
    exchange.create(
        "possible",
        f"""AS SELECT customer, n, row_number() OVER (ORDER BY h, customer) AS nth FROM (
            SELECT customer, count(*) AS n, md5(customer || {literal(seed)}) AS h
            FROM ({every}) e WHERE customer IS NOT NULL
            GROUP BY customer HAVING count(*) <= {MOST_OF_ONE}) p
        ANTI JOIN dirty d USING (customer)""",
    )
    exchange.create(
        "chosen",
        f"""AS SELECT customer, nth FROM (
            SELECT customer, nth, sum(n) OVER (ORDER BY nth) AS total FROM possible)
        WHERE total <= {MOST_ENTRIES}""",
    )
    for table, alias, test in _rarities(plan):  # one after the other: each has a hash table
        exchange.run(
            f"""INSERT INTO chosen SELECT p.customer, p.nth FROM possible p
            SEMI JOIN (SELECT {key_text(plan.owners, alias)} AS customer FROM {table} {alias}
                WHERE {test}) r ON r.customer = p.customer
            ORDER BY p.nth LIMIT {_RARE}"""
        )
    exchange.create("chosen", "AS SELECT DISTINCT customer, nth FROM chosen")


def _rarities(plan: ContentPlan) -> list[tuple[str, str, str]]:
    """(table, alias, test) of what few entries have and a fault needs."""
    found = [("old", "o", "o.d")] if any(o.deleted_when for o in plan.old) else []
    for new in plan.new:
        table = f"new_{new.index}"
        found += [(table, "n", t) for f in plan.fields for t in _rare_values(f, new.index)]
    return found


def _rare_values(field: FieldSlot, route: int) -> list[str]:
    typed, value = field.new[route], f"n.{field.slot}"
    if typed.type.name is TypeName.TEXT:
        return [
            f"strlen({value}) > {COLUMN_BYTES}",
            f"strlen({value}) > length({value})",
            f"contains({value}, chr(10))",
            f"contains({value}, ',')",
            f"{value} = ''",
            f"nfc_normalize({value}) <> {value} OR strlen({value}) > length({value})",
        ]
    if typed.type.name is TypeName.INTEGER:
        number = value if typed.storage is Storage.INT64 else f"TRY_CAST({value} AS HUGEINT)"
        return [f"abs({number}::HUGEINT) > {EXACT}"]
    return [f"{value} IS NOT NULL"]


def _olds(
    exchange: Exchange, plan: ContentPlan, teller: Teller
) -> tuple[list[tuple[OldEntry, str]], dict[str, str]]:
    """Old entries of the chosen, with whose they are; and what findings call their owners."""
    keys, routes = key_columns(plan), [f"r{n.index}" for n in plan.new]
    fields = [f.slot for f in plan.fields]
    place = "o.po" if plan.order is not None else "NULL"
    chosen = [*keys, "d", "late", *routes, *fields]
    found = exchange.rows(
        f"""SELECT c.customer, {teller.old_key(plan.owners)}, o.kb = 0 AND NOT o.u, {place},
            {", ".join(f"o.{slot}" for slot in chosen)}
        FROM old o JOIN chosen c ON c.customer = {key_text(plan.owners, "o")}"""
    )
    olds: list[tuple[OldEntry, str]] = []
    names: dict[str, str] = {}
    k, r = 4 + len(keys), 4 + len(keys) + 2 + len(routes)
    for row in found:
        who, name, readable, where = row[:4]
        names[who] = min(name, names.get(who, name)) if name is not None else who
        if readable:
            key, (deleted, late, *due) = tuple(row[4:k]), row[k:r]
            values = dict(zip(fields, row[r:], strict=True))
            olds.append((OldEntry(key, deleted, late, tuple(due), where, values), who))
    return olds, names


def _news(
    exchange: Exchange, plan: ContentPlan, route: int, rows: pa.Table, first: int
) -> list[tuple[NewEntry, str, bool]]:
    """Entries of one new system of the chosen, whose they are, and whether they can be partners."""
    keys = key_columns(plan)
    place = "n.po" if plan.order is not None else "NULL"
    found = exchange.rows(
        f"""SELECT c.customer, n.nid - {first}, {key_text(plan.items, "n")}, {place},
            n.kb = 0 AND NOT n.u AND NOT n.late AND n.bad IS NULL,
            {", ".join(f"n.{slot}" for slot in keys)}
        FROM new_{route} n JOIN chosen c ON c.customer = {key_text(plan.owners, "n")}"""
    )
    stored = rows.take(pa.array([row[1] for row in found], pa.int64())).to_pylist()
    return [
        (NewEntry(route, number, tuple(key), item, where, values), who, fit)
        for (who, number, item, where, fit, *key), values in zip(found, stored, strict=True)
    ]


def _partnered(
    plan: ContentPlan, olds: list[tuple[OldEntry, str]], news: list[tuple[NewEntry, str, bool]]
) -> list[tuple[NewEntry, str]]:
    """Each new entry with its partner, where its key is nobody else's: then what becomes of it can
    only be the planted fault's doing."""
    live = [old for old, _ in olds if not old.deleted]
    alone: dict[Key, OldEntry] = {}
    many = Counter(old.key for old in live)
    for old in live:
        if many[old.key] == 1 and not old.late and None not in old.key:
            alone[old.key] = old
    pooled = is_pooled(plan)
    seen = Counter((e.key, None if pooled else e.route) for e, _, _ in news)
    found = []
    for entry, who, fit in news:
        partner = alone.get(entry.key) if fit else None
        once = seen[entry.key, None if pooled else entry.route] == 1
        if partner is not None and once and (pooled or partner.due[entry.route]):
            found.append((replace(entry, partner=partner), who))
        else:
            found.append((entry, who))
    return found


def _customers(
    plan: ContentPlan,
    order: list[str],
    names: dict[str, str],
    olds: list[tuple[OldEntry, str]],
    news: list[tuple[NewEntry, str, bool]],
) -> tuple[Customer, ...]:
    size = len(plan.owners)
    before: dict[str, list[OldEntry]] = defaultdict(list)
    after: dict[str, list[NewEntry]] = defaultdict(list)
    for old, who in olds:
        before[who].append(old)
    for new, who in _partnered(plan, olds, news):
        after[who].append(new)
    return tuple(
        Customer(
            who,
            names.get(who, who),
            [*(o.key for o in before[who]), *(n.key for n in after[who])][0][:size],
            tuple(sorted(before[who], key=_by_value)),
            tuple(sorted(after[who], key=_by_value)),
        )
        for who in order
        if before[who] or after[who]
    )


def _by_value(entry: Any) -> str:
    """An order that does not hang on the order of reading."""
    if isinstance(entry, NewEntry):
        return repr((entry.route, entry.key, sorted(entry.row.items(), key=lambda kv: kv[0])))
    return repr((entry.key, entry.deleted, entry.late))
