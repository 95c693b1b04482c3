"""What later looks said, worked into the tables of the first: the counts stay those of the first
snapshots, only what is said of an entry changes.

`fates(tag, key slots, fate)` has one row a unit of `differs` that is not just as it was:

    settled    it agreed at some look: kept, or a partner
    other      it differs still, and otherwise than at first: the last look's rows take its place
    changing   it differs otherwise each time: not compared
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from safeguard.comparing.differing import ENTRY, NO_ROUTE, ORDER, unit
from safeguard.comparing.entries import LATER_NEW, LATER_OLD
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.owners import Owners
from safeguard.comparing.sql import columns, same
from safeguard.planning.layout import ContentPlan

SETTLED, OTHER, CHANGING = "settled", "other", "changing"

_BY_OLD = ("absent", "found", "ownerless", "judged", "unkeyed")


def take_back(exchange: Exchange, plan: ContentPlan) -> Counter[str]:
    """Take what is said of the units in `fates` out of the tables; what is changing becomes not
    compared. Returns by how much the counts of pairs change, so that the sums stand."""
    before = _apart(exchange, plan)
    exchange.create(
        "doomed",
        f"""AS SELECT i.old, i.r, i.number, i.tag, t.fate FROM ill i
        JOIN fates t ON {same(unit(plan), "i", "t")}""",
    )
    run, doomed = exchange.run, "SELECT 1 FROM doomed d WHERE d.number = x"
    stray = f"EXISTS ({doomed}.nid AND d.r = x.s AND NOT d.old AND d.fate = '{CHANGING}')"
    run(f"INSERT INTO surplus SELECT DISTINCT nid, s FROM found x WHERE {stray}")
    for table in _BY_OLD:
        mine = f"{doomed}.rid AND d.r = x.r AND d.old AND d.tag = '{ENTRY}'"
        run(f"DELETE FROM {table} x WHERE EXISTS ({mine})")
    run(
        f"""DELETE FROM moved x
        WHERE EXISTS ({doomed}.rid AND d.r = x.r AND d.old AND d.tag = '{ORDER}')"""
    )
    run(f"DELETE FROM old x WHERE EXISTS ({doomed}.rid AND d.old AND d.r = {NO_ROUTE})")
    run(
        f"""DELETE FROM surplus x
        WHERE EXISTS ({doomed}.nid AND d.r = x.r AND NOT d.old AND d.fate <> '{CHANGING}')"""
    )
    for table, side in (("unkeyed", "d.old"), ("unsettled", "NOT d.old")):
        run(
            f"""INSERT INTO {table} SELECT DISTINCT number, r FROM doomed d
            WHERE {side} AND fate = '{CHANGING}' AND r <> {NO_ROUTE}"""
        )
    exchange.drop("doomed")
    return _shift(before, _apart(exchange, plan))


def rows_of(
    exchange: Exchange, plan: ContentPlan, units: pa.Table, owners: Owners
) -> dict[str, pa.Table]:
    """Of a later look: table -> rows about these units, numbered so that they meet no first ones."""
    exchange.create("picked", f"AS SELECT {columns(unit(plan))} FROM differs LIMIT 0")
    exchange.insert("picked", units.select(list(unit(plan))))
    exchange.create(
        "mine",
        f"""AS SELECT i.old, i.r, i.number, i.tag FROM ill i
        JOIN picked p ON {same(unit(plan), "i", "p")}""",
    )
    found = {t: exchange.table(_speaking(t)) for t in (*_BY_OLD, "moved", "surplus", "met")}
    found["old"] = exchange.table(
        f"""SELECT * REPLACE (rid + {LATER_OLD} AS rid) FROM old
        WHERE rid IN (SELECT number FROM mine WHERE old)"""
    )
    for route, _ in enumerate(plan.new):
        found |= _new_rows(exchange, route, owners.asked(route))
    found["later"] = exchange.table(
        f"""SELECT DISTINCT i.old, i.r,
            i.number + CASE WHEN i.old THEN {LATER_OLD} ELSE {LATER_NEW} END AS number,
            {columns(unit(plan), "i")}
        FROM ill i JOIN picked p ON {same(unit(plan), "i", "p")}"""
    )
    exchange.drop("picked", "mine")
    return {table: rows for table, rows in found.items() if rows.num_rows}


def put_in(exchange: Exchange, plan: ContentPlan, rows: Mapping[str, pa.Table]) -> Counter[str]:
    """Add `rows_of` a later look. Returns by how much the counts of pairs change."""
    before = _apart(exchange, plan)
    exchange.create("later", f"AS SELECT old, r, number, {columns(unit(plan))} FROM ill LIMIT 0")
    for table, found in rows.items():
        exchange.insert(table, found)
    _find_beside(exchange, plan)
    exchange.drop("later")
    return _shift(before, _apart(exchange, plan))


# -- private -------------------------------------------------------------------------------------


def _find_beside(exchange: Exchange, plan: ContentPlan) -> None:
    """Of each unit's later entries, as many take the place of first ones as there were then, in each
    route and in all; the others stand beside the sums."""
    units = columns(unit(plan))
    exchange.run(
        f"""INSERT INTO beside SELECT l.old, l.r, l.number FROM (
            SELECT *, row_number() OVER (PARTITION BY old, r, {units} ORDER BY number) AS nth,
                dense_rank() OVER (PARTITION BY old, {units} ORDER BY number) AS mth FROM later) l
        LEFT JOIN (SELECT old, r, {units}, count(DISTINCT number) AS n FROM ill
            GROUP BY old, r, {units}) a ON a.old = l.old AND a.r = l.r AND {same(unit(plan), "a", "l")}
        LEFT JOIN (SELECT old, {units}, count(DISTINCT number) AS n FROM ill
            GROUP BY old, {units}) b ON b.old = l.old AND {same(unit(plan), "b", "l")}
        WHERE nth > coalesce(a.n, 0) OR (l.old AND mth > coalesce(b.n, 0))"""
    )


def _speaking(table: str) -> str:
    """SELECT of the rows of one table that speak of the picked entries, with later numbers."""
    old = f"rid + {LATER_OLD} AS rid"
    new = f"nid + {LATER_NEW} AS nid"
    if table in ("surplus", "met"):
        numbers, test = new, "m.number = x.nid AND m.r = x.r AND NOT m.old"
    else:
        tag = ORDER if table == "moved" else ENTRY
        numbers = f"{old}, {new}" if table in ("judged", "found", "moved") else old
        test = f"m.number = x.rid AND m.r = x.r AND m.old AND m.tag = '{tag}'"
    return f"SELECT * REPLACE ({numbers}) FROM {table} x WHERE EXISTS (SELECT 1 FROM mine m WHERE {test})"


def _new_rows(exchange: Exchange, route: int, asked: bool) -> dict[str, pa.Table]:
    """The new entries that those rows speak of, and which of them have no owner."""
    used = f"""SELECT number FROM mine WHERE NOT old AND r = {route}
        UNION ALL SELECT nid FROM judged x JOIN mine m ON m.old AND m.number = x.rid WHERE x.r = {route}
        UNION ALL SELECT nid FROM moved x JOIN mine m ON m.old AND m.number = x.rid WHERE x.r = {route}"""
    found = {
        f"new_{route}": exchange.table(
            f"SELECT * REPLACE (nid + {LATER_NEW} AS nid) FROM new_{route} WHERE nid IN ({used})"
        )
    }
    if asked:
        found[f"homeless_{route}"] = exchange.table(
            f"SELECT nid + {LATER_NEW} AS nid FROM homeless_{route} WHERE nid IN ({used})"
        )
    return found


def _apart(exchange: Exchange, plan: ContentPlan) -> Counter[str]:
    """Entries that are in no pair: by the name that the count of those in pairs has."""
    found: Counter[str] = Counter()
    for route, _ in enumerate(plan.new):
        found[f"paired_due_{route}"] = exchange.number(
            f"""SELECT count(*) FROM (SELECT rid FROM absent WHERE r = {route} UNION ALL
            SELECT DISTINCT rid FROM found WHERE r = {route} UNION ALL
            SELECT rid FROM unkeyed WHERE r = {route})"""
        )
        found[f"paired_{route}"] = exchange.number(
            f"""SELECT count(*) FROM (SELECT nid FROM surplus WHERE r = {route} UNION ALL
            SELECT DISTINCT nid FROM found WHERE s = {route})
            WHERE nid NOT IN (SELECT number FROM beside WHERE NOT old AND r = {route})"""
        )
    return found


def _shift(before: Counter[str], after: Counter[str]) -> Counter[str]:
    return Counter({name: count - after[name] for name, count in before.items()})
