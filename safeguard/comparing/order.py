"""The order of lists: which of the entries that both sides have stand elsewhere (`moved`).

Most lists stand in order and are judged by one window in SQL. Only those with something out of
order are read out and settled one by one, see sequence.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sequence import Place, in_place
from safeguard.comparing.sql import columns, same
from safeguard.planning.layout import ContentPlan

_MOVED = pa.schema([("rid", pa.int64()), ("nid", pa.int64()), ("r", pa.uint8())])


def judge_order(exchange: Exchange, plan: ContentPlan, route: int) -> int:
    """Record moved entries of the partition that was just paired; returns how many entries are
    renumbered but in order. Reads `m`, `side_old`, `side_new`; writes `moved(rid, nid, r)`."""
    lists = [k.slot for k in (*plan.owners, *plan.lists)]
    exchange.create(
        "placed",
        f"""AS SELECT m.rid, m.nid, o.src, o.mine, {columns(lists, "o")}, o.po AS opo, n.po AS npo
        FROM m JOIN side_old o ON o.rid = m.rid JOIN side_new n ON n.nid = m.nid
        WHERE m.cls = {DUE} AND o.po IS NOT NULL""",
    )
    _find_unordered(exchange, lists)
    renumbered = _renumbered(exchange, plan)
    if exchange.number("SELECT count(*) FROM unordered"):
        for table in _settle(exchange, plan, route, lists):
            exchange.insert("moved", table)
            if renumbered:
                renumbered -= _moved_but_renumbered(exchange, table)
    exchange.drop("placed", "unordered")
    return renumbered


def _find_unordered(exchange: Exchange, lists: list[str]) -> None:
    """Lists in which some entry does not stand after all that it stood after."""
    by = columns(["src", "mine", *lists])
    exchange.create(
        "unordered",
        f"""AS SELECT DISTINCT {by} FROM (
            SELECT {by}, opo, npo, lag(opo) OVER w AS opo_before, lag(npo) OVER w AS npo_before,
                count(*) OVER (PARTITION BY {by}) AS many
            FROM placed WINDOW w AS (PARTITION BY {by} ORDER BY opo, npo NULLS FIRST))
        WHERE (opo > opo_before AND npo <= npo_before) OR (npo IS NULL AND many > 1)""",
    )


def _renumbered(exchange: Exchange, plan: ContentPlan) -> int:
    """Entries whose position is written differently."""
    if plan.order is None or plan.order[0] != plan.order[1]:
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


def _settle(
    exchange: Exchange, plan: ContentPlan, route: int, lists: list[str]
) -> Iterator[pa.Table]:
    """Moved entries of the lists that are out of order, list after list."""
    moved: list[tuple[int, int, int]] = []
    for entries in _unordered_lists(exchange, plan, lists):
        moved += [(rid, nid, route) for rid, nid in moved_entries(entries)]
        if len(moved) > 100_000:
            yield _table(moved)
            moved = []
    if moved:
        yield _table(moved)


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


def _unordered_lists(
    exchange: Exchange, plan: ContentPlan, lists: list[str]
) -> Iterator[list[Entry]]:
    """Every entry of each unordered list, with dense ranks of list, item and position."""
    items = columns([k.slot for k in plan.items]) or "1"
    by = columns(["src", "mine", *lists])
    exchange.create("numbered", f"AS SELECT {by}, row_number() OVER () AS ln FROM unordered")
    # The new side has no src: where one owner's list came from several old systems, each old list
    # is held against all of the new one.
    sql = f"""
        WITH entries AS (
            SELECT u.ln, TRUE AS is_old, o.rid AS number, {items_of(plan, "o")}, o.po AS opo,
                NULL AS npo, m.nid AS partner
            FROM side_old o JOIN numbered u ON {same(["src", "mine", *lists], "u", "o")}
            LEFT JOIN m ON m.rid = o.rid
            WHERE o.cls = {DUE}
            UNION ALL
            SELECT u.ln, FALSE, n.nid, {items_of(plan, "n")}, NULL, n.po, NULL
            FROM side_new n JOIN numbered u ON {same(lists, "u", "n")})
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
    exchange.drop("numbered")


def items_of(plan: ContentPlan, alias: str) -> str:
    """Item slots of an alias."""
    return columns([k.slot for k in plan.items], alias) or "1"
