"""The order of lists: which of the entries that both sides have stand elsewhere (`moved`).

Most lists stand in order and are judged by one window in SQL. Only those with something out of
order are read out and settled: those whose items stand once all at once, as columns; the others one
by one, see sequence.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.pairing import DUE, list_columns, new_list_columns
from safeguard.comparing.sequence import Place, in_place, in_place_once
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
    moved: list[tuple[int, int, int]] = []
    for entries in _tangled_lists(exchange, plan, route):
        moved += [(rid, nid, route) for rid, nid in moved_entries(entries)]
        if len(moved) > 100_000:
            yield _table(moved)
            moved = []
    if moved:
        yield _table(moved)


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
    return moved.append_column("r", pa.array([route] * moved.num_rows, pa.uint8())).cast(_MOVED)


def _table(moved: list[tuple[int, int, int]]) -> pa.Table:
    columns_ = list(zip(*moved, strict=True))
    return pa.table([pa.array(c, t.type) for c, t in zip(columns_, _MOVED, strict=True)], _MOVED)


Entry = tuple[int, bool, int, int, int | None, int | None]
"""(list number, is old, entry number, item number, rank, partner's number)."""


def moved_entries(entries: list[Entry]) -> list[tuple[int, int]]:
    """(old, new) numbers of entries of one list that both sides have and that moved.

    Which of several like entries was paired with which is no matter of order: an item has moved as
    often as it is paired more often than it stands in the common subsequence.
    """
    old = [Place(e[2], e[3], e[4]) for e in entries if e[1]]
    new = [Place(e[2], e[3], e[4]) for e in entries if not e[1]]
    staying = in_place(old, new)
    ranked = {p.number for p in old if p.rank is not None}
    stays = Counter(place.item for place in old if place.number in staying)
    paired = [(e[2], e[3], e[5]) for e in entries if e[1] and e[5] is not None and e[2] in ranked]
    found = []
    # Those that the subsequence itself holds are counted off first.
    for number, item, partner in sorted(paired, key=lambda p: (p[0] not in staying, p[0])):
        if stays[item] > 0:
            stays[item] -= 1
        else:
            assert partner is not None
            found.append((number, partner))
    return found


def _tangled_lists(exchange: Exchange, plan: ContentPlan, route: int) -> Iterator[list[Entry]]:
    """Every entry of each tangled list, with dense ranks of list, item and position."""
    items = columns([k.slot for k in plan.items]) or "1"
    # The new side has no src: where one owner's list came from several old systems, each old list
    # is held against all of the new one.
    sql = f"""
        WITH u AS (SELECT * FROM unordered WHERE tangled), entries AS (
            SELECT u.ln, TRUE AS is_old, o.rid AS number, {items_of(plan, "o")}, o.po AS opo,
                NULL AS npo, m.nid AS partner
            FROM side_old o JOIN u ON {same(list_columns(plan, route), "u", "o")}
            LEFT JOIN m ON m.rid = o.rid
            WHERE o.cls = {DUE}
            UNION ALL
            SELECT u.ln, FALSE, n.nid, {items_of(plan, "n")}, NULL, n.po, NULL
            FROM side_new n JOIN u ON {same(new_list_columns(plan), "u", "n")})
        SELECT ln, is_old, number, dense_rank() OVER (PARTITION BY ln ORDER BY {items}) AS item,
            CASE WHEN is_old AND opo IS NOT NULL
                    THEN dense_rank() OVER (PARTITION BY ln, is_old ORDER BY opo)
                WHEN NOT is_old AND npo IS NOT NULL
                    THEN dense_rank() OVER (PARTITION BY ln, is_old ORDER BY npo)
            END AS rank, partner
        FROM entries ORDER BY ln, is_old DESC, number"""
    rows = (
        row
        for batch in exchange.batches(sql)
        for row in zip(*batch.to_pydict().values(), strict=True)
    )
    for _, group in groupby(rows, key=itemgetter(0)):
        yield list(group)


def items_of(plan: ContentPlan, alias: str) -> str:
    """Item slots of an alias."""
    return columns([k.slot for k in plan.items], alias) or "1"
