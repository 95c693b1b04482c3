"""The order of lists: which of the entries that both sides have stand elsewhere (`moved`).

Most lists stand in order and are judged by one window in SQL. Only those with something out of
order are read out and settled: those whose items stand once all at once, as columns; the others one
by one, see sequence.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from safeguard.comparing.entries import key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.pairing import DUE, list_columns, new_list_columns
from safeguard.comparing.rising import Integers
from safeguard.comparing.sequence import Place, Singles, in_place, in_place_once
from safeguard.comparing.sql import columns, same
from safeguard.planning.layout import ContentPlan

_MOVED = pa.schema([("rid", pa.int64()), ("nid", pa.int64()), ("r", pa.uint8())])


def judge_order(exchange: Exchange, plan: ContentPlan, route: int) -> int:
    """Record moved entries of the partition that was just paired; returns how many entries are
    renumbered but in order. Reads `m`, `repeated`, `side_old`, `side_new`; writes
    `moved(rid, nid, r)`."""
    by = columns(list_columns(plan, route))
    exchange.run(
        f"""CREATE OR REPLACE VIEW placed AS SELECT rid, nid, {by}, opo, npo FROM m
        WHERE cls = {DUE} AND nid IS NOT NULL AND opo IS NOT NULL"""
    )
    _find_unordered(exchange, plan, route)
    renumbered = _renumbered(exchange, plan)
    if exchange.number("SELECT count(*) FROM unordered"):
        for table in _settle(exchange, plan, route):
            exchange.insert("moved", table)
            if renumbered:
                renumbered -= _moved_but_renumbered(exchange, table)
    exchange.drop("unordered")
    return renumbered


def _find_unordered(exchange: Exchange, plan: ContentPlan, route: int) -> None:
    """Lists in which some entry does not stand after all that it stood after, with a number `ln`;
    `tangled` where one of its items stands more than once. A list that numbers all its entries as it
    did is in order."""
    whose = list_columns(plan, route)
    by = columns(whose)
    where = "WHERE opo IS DISTINCT FROM npo" if _numbers_alike(plan) else ""
    exchange.create(
        "unordered",
        f"""AS WITH renumbered AS (SELECT DISTINCT {by} FROM placed {where}),
        neighbours AS (
            SELECT {by}, opo, npo, lag(opo) OVER w AS opo_before, lag(npo) OVER w AS npo_before,
                count(*) OVER (PARTITION BY {by}) AS many
            FROM placed SEMI JOIN renumbered ON {same(whose, "placed", "renumbered")}
            WINDOW w AS (PARTITION BY {by} ORDER BY opo, npo NULLS FIRST)),
        found AS (SELECT DISTINCT {by} FROM neighbours
            WHERE (opo > opo_before AND npo <= npo_before) OR (npo IS NULL AND many > 1))
        SELECT {by}, row_number() OVER () AS ln,
            EXISTS (SELECT 1 FROM repeated q WHERE {same(new_list_columns(plan), "q", "f")}) AS tangled
        FROM found f""",
    )


def _numbers_alike(plan: ContentPlan) -> bool:
    """Whether positions of both sides can be held against each other."""
    return plan.order is not None and plan.order[0] == plan.order[1]


def _renumbered(exchange: Exchange, plan: ContentPlan) -> int:
    """Entries whose position is written differently."""
    if not _numbers_alike(plan):
        return 0
    return exchange.number("SELECT count(*) FROM placed WHERE opo <> npo")


def _moved_but_renumbered(exchange: Exchange, table: pa.Table) -> int:
    exchange.create("just_moved", "(rid BIGINT, nid BIGINT, r UTINYINT)")
    exchange.insert("just_moved", table)
    count = exchange.number(
        "SELECT count(*) FROM placed JOIN just_moved USING (rid) WHERE opo <> npo"
    )
    exchange.drop("just_moved")
    return count


def _settle(exchange: Exchange, plan: ContentPlan, route: int) -> Iterator[pa.Table]:
    """Moved entries of the lists that are out of order: first of all at once whose items stand once,
    then list after list of the others."""
    yield _settle_once(exchange, plan, route)
    moved = [moved_in(tangled) for tangled in _tangled_lists(exchange, plan, route)]
    if moved:
        yield _table([np.concatenate(side) for side in zip(*moved, strict=True)], route)


def _settle_once(exchange: Exchange, plan: ContentPlan, route: int) -> pa.Table:
    """No key of these lists repeats, so that the matches of their items are the pairs themselves."""
    found = exchange.table(
        f"""SELECT u.ln::INTEGER AS ln, rid, nid,
            (dense_rank() OVER (PARTITION BY u.ln ORDER BY opo))::INTEGER AS rank,
            CASE WHEN npo IS NULL THEN 0 ELSE row_number() OVER
                (PARTITION BY u.ln ORDER BY npo NULLS LAST, opo DESC, nid) END::INTEGER AS rise
        FROM placed p JOIN unordered u ON {same(list_columns(plan, route), "p", "u")}
        WHERE NOT u.tangled ORDER BY ln, rank, rise"""
    )
    names = ("ln", "rank", "rise", "rid")
    stays = in_place_once(*(found.column(name).to_numpy() for name in names))
    moved = found.select(["rid", "nid"]).filter(pa.array(~stays))
    return _table([c.to_numpy() for c in moved.columns], route)


def _table(pairs: Sequence[Integers], route: int) -> pa.Table:
    """Numbers of old and of new entries as rows of `moved`."""
    numbers = [pa.array(side, pa.int64()) for side in pairs]
    return pa.table([*numbers, pa.array([route] * len(numbers[0]), pa.uint8())], _MOVED)


@dataclass(frozen=True)
class TangledList:
    """One list: entries of the items that stand more than once, and who is paired with whom among
    them; columns of the others. See `in_place` for the rest."""

    old: list[Place]
    new: list[Place]
    partners: dict[int, int]
    singles: Singles
    crowd: set[int] = field(default_factory=set)
    some_unranked: bool = False


def moved_in(tangled: TangledList) -> tuple[Integers, Integers]:
    """Old and new numbers of entries of one list that both sides have and that moved.

    Which of several like entries was paired with which is no matter of order: an item has moved as
    often as it is paired more often than it stands in the common subsequence.
    """
    t, singles = tangled, tangled.singles
    staying, stay = in_place(t.old, t.new, singles, t.crowd, t.some_unranked)
    stays = Counter(place.item for place in t.old if place.number in staying)
    paired = [p for p in t.old if p.rank is not None and p.number in t.partners]
    found = []
    # Those that the subsequence itself holds are counted off first.
    for place in sorted(paired, key=lambda p: (p.number not in staying, p.number)):
        if stays[place.item] > 0:
            stays[place.item] -= 1
        else:
            found.append((place.number, t.partners[place.number]))
    others = np.array(found, np.int64).reshape(-1, 2).T
    numbers = (singles.numbers[~stay], singles.new_numbers[~stay])
    old, new = (np.concatenate(sides) for sides in zip(numbers, others, strict=True))
    return old, new


def _tangled_lists(exchange: Exchange, plan: ContentPlan, route: int) -> Iterator[TangledList]:
    """Each tangled list."""
    if not exchange.number("SELECT count(*) FROM unordered WHERE tangled"):
        return
    whose, here = list_columns(plan, route), new_list_columns(plan)
    unranked = set(
        exchange.rows(
            f"""SELECT DISTINCT u.ln FROM side_new n JOIN unordered u ON {same(here, "u", "n")}
        WHERE u.tangled AND n.po IS NULL"""
        )
    )
    found = exchange.table(_tangled(plan, whose, here))
    many = pc.sum(pc.equal(found.column("kind"), _SINGLE)).as_py() or 0
    others = found.slice(many).select(_ENTRY).to_pydict()
    names = ("ln", "rank", "rid", "new_rank", "nid")
    lists, *singles = (found.column(name)[:many].to_numpy() for name in names)
    del found
    rows = sorted(zip(*others.values(), strict=True), key=itemgetter(0))
    by_list = groupby(rows, key=itemgetter(0))
    entries = {number: list(own) for number, own in by_list}
    # What repeats may all stand in another source's list of the owner.
    for number in sorted({*entries, *np.unique(lists).tolist()}):
        first, last = np.searchsorted(lists, (number, number + 1))
        own = Singles(*(column[first:last] for column in singles))
        yield _tangled_list(entries.get(number, ()), own, (number,) in unranked)


_ENTRY = ["ln", "kind", "rid", "nid", "item", "rank", "new_rank", "crowded"]


def _tangled_list(
    rows: Sequence[tuple[Any, ...]], singles: Singles, some_unranked: bool
) -> TangledList:
    """A list of its rows, columns as `_ENTRY` names them."""
    old, new, partners, crowd = [], [], {}, set()
    for _, kind, rid, nid, item, rank, new_rank, crowded in rows:
        if kind == _NEW:
            new.append(Place(nid, item, new_rank or None))
            continue
        old.append(Place(rid, item, rank or None))
        if nid is not None:
            partners[rid] = nid
        if crowded:
            crowd.add(rank)
    return TangledList(old, new, partners, singles, crowd, some_unranked)


_SINGLE, _OLD, _NEW = range(3)


def _tangled(plan: ContentPlan, whose: list[str], here: list[str]) -> str:
    """Entries of the tangled lists: pairs of what stands once, and every entry of what does not, with
    dense ranks of items and positions."""
    items = columns([k.slot for k in plan.items]) or "1"
    keys, mine = key_columns(plan), same(whose, "u", "o")
    # The new side has no src: where one owner's list came from several old systems, each old list
    # is held against all of the new one.
    return f"""
        WITH u AS (SELECT * FROM unordered WHERE tangled),
        older AS (
            SELECT u.ln, o.rid, m.nid, o.po AS opo{_also(plan, "o")}
            FROM side_old o JOIN u ON {mine} LEFT JOIN m ON m.rid = o.rid
            WHERE o.cls = {DUE} AND EXISTS (SELECT 1 FROM repeated q WHERE {same(keys, "q", "o")})),
        newer AS (
            SELECT u.ln, n.nid, n.po AS npo{_also(plan, "n")}
            FROM side_new n JOIN u ON {same(here, "u", "n")}
            WHERE EXISTS (SELECT 1 FROM repeated q WHERE {same(keys, "q", "n")})),
        crowd AS (
            SELECT u.ln, o.po FROM side_old o JOIN u ON {mine}
            WHERE o.cls = {DUE} AND (u.ln, o.po) IN (SELECT (ln, opo) FROM older)
            GROUP BY u.ln, o.po HAVING count(*) > 1),
        entries AS (
            SELECT u.ln, {_SINGLE} AS kind, rid, nid, opo, npo FROM placed o JOIN u ON {mine}
            WHERE rid NOT IN (SELECT rid FROM older)
            UNION ALL BY NAME SELECT *, {_OLD} AS kind, EXISTS
                (SELECT 1 FROM crowd c WHERE c.ln = older.ln AND c.po = older.opo) AS crowded
            FROM older
            UNION ALL BY NAME SELECT *, {_NEW} AS kind FROM newer)
        SELECT ln, kind, rid, nid, crowded,
            dense_rank() OVER (PARTITION BY ln, kind = {_SINGLE} ORDER BY {items})::INTEGER AS item,
            CASE WHEN opo IS NULL THEN 0
                ELSE dense_rank() OVER (PARTITION BY ln ORDER BY opo NULLS LAST) END::INTEGER AS rank,
            CASE WHEN npo IS NULL THEN 0
                ELSE dense_rank() OVER (PARTITION BY ln ORDER BY npo NULLS LAST) END::INTEGER AS new_rank
        FROM entries ORDER BY kind, ln"""


def _also(plan: ContentPlan, alias: str) -> str:
    """Item slots of an alias, after other columns."""
    return "".join(f", {alias}.{k.slot}" for k in plan.items)
