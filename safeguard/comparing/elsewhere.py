"""Entries that are absent where they are due, but stand elsewhere: misrouted and misattributed.

Works on `absent(rid, r)` and `surplus(nid, r)`; writes `found(rid, r, kind, nid, s)`: the entry
`nid` of route `s` is the other half of old entry `rid`, absent in route `r`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from safeguard.comparing.entries import key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import FieldRule
from safeguard.comparing.sql import columns, same
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan

FOUND = "(rid BIGINT, r UTINYINT, kind VARCHAR, nid BIGINT, s UTINYINT)"


def find_misrouted(exchange: Exchange, plan: ContentPlan, olds: Mapping[int, str]) -> None:
    """An absent entry whose key stands, surplus, in a new system where it is not due."""
    keys = key_columns(plan)
    for there in range(len(plan.new)):
        if len(plan.new) < 2:
            return
        exchange.create(
            "stray",
            f"""AS WITH a AS (
                SELECT *, row_number() OVER (PARTITION BY {columns(keys)} ORDER BY rid) AS nth FROM (
                    SELECT DISTINCT o.rid, {columns(keys, "o")}
                    FROM absent b JOIN {olds[there]} o ON o.rid = b.rid
                    WHERE NOT o.r{there} AND o.kb = 0 AND NOT o.u
                    AND NOT EXISTS (SELECT 1 FROM found f WHERE f.rid = b.rid))),
            s AS (
                SELECT n.nid, {columns(keys, "n")},
                    row_number() OVER (PARTITION BY {columns(keys, "n")} ORDER BY n.nid) AS nth
                FROM surplus x JOIN new_{there} n ON n.nid = x.nid
                WHERE x.r = {there} AND NOT n.u AND n.kb = 0)
            SELECT a.rid, s.nid FROM a JOIN s ON {same([*keys, "nth"], "a", "s")}""",
        )
        exchange.run(
            f"""INSERT INTO found SELECT b.rid, b.r, '{Kind.MISROUTED}', t.nid, {there}
            FROM absent b JOIN stray t ON t.rid = b.rid"""
        )
        _consume(exchange, "SELECT nid FROM stray", there)
    exchange.run("DELETE FROM absent WHERE rid IN (SELECT rid FROM found)")
    exchange.drop("stray")


def find_misattributed(
    exchange: Exchange,
    plan: ContentPlan,
    route: int,
    old: str,
    rules: Sequence[FieldRule],
    ownerless: str,
    for_all_old: Callable[[str], None],
) -> None:
    """An absent entry that another customer has now. `ownerless` is SQL over n: its owner does not
    exist. `for_all_old` runs a statement with every part of the old entries as `old`, one by one.

    Decided by equality alone: (b) all unmatched entries of one owner are exactly all surplus entries
    of one other, then (a) field values that occur once in the old content and once in the surplus.
    """
    _gather(exchange, plan, route, old, rules, ownerless)
    if exchange.number("SELECT count(*) FROM given"):
        _whole_lists(exchange)
        if rules:
            _single_entries(exchange, rules, for_all_old)
        exchange.create(
            "taken",
            """AS SELECT rid, min(nid) AS nid FROM (
                SELECT rid, nid, row_number() OVER (PARTITION BY nid ORDER BY rule, rid) AS nth,
                    row_number() OVER (PARTITION BY rid ORDER BY rule, nid) AS mth FROM pairs)
            WHERE nth = 1 AND mth = 1 GROUP BY rid""",
        )
        exchange.run(
            f"INSERT INTO found SELECT rid, {route}, '{Kind.MISATTRIBUTED}', nid, {route} FROM taken"
        )
        _consume(exchange, "SELECT nid FROM taken", route)
        exchange.run(f"DELETE FROM absent WHERE r = {route} AND rid IN (SELECT rid FROM taken)")
        exchange.drop("taken", "pairs")
    exchange.drop("given", "got")


def _consume(exchange: Exchange, query: str, route: int) -> None:
    exchange.run(f"DELETE FROM surplus WHERE r = {route} AND nid IN ({query})")


def _gather(
    exchange: Exchange,
    plan: ContentPlan,
    route: int,
    old: str,
    rules: Sequence[FieldRule],
    ownerless: str,
) -> None:
    """`given(rid, owner, what, telling)` and `got(nid, owner, what, telling)`: the unmatched entries."""
    owners = [k.slot for k in plan.owners]
    things = [k.slot for k in (*plan.lists, *plan.items)]
    expected = [r.expected() for r in rules]
    actual = [f"n.{r.slot}" for r in rules]
    exchange.create(
        "given",
        f"""AS SELECT o.rid, {_packed(owners, "o")} AS owner, {_row(things, "o", expected)} AS what,
            {_values(expected)} AS telling, o.bad IS NULL AS whole
        FROM absent b JOIN {old} o ON o.rid = b.rid WHERE b.r = {route} AND o.kb = 0""",
    )
    nobody = " AND ".join(f"n.{o} IS NULL" for o in owners)
    exchange.create(
        "got",
        f"""AS SELECT n.nid, {_packed(owners, "n")} AS owner, {_row(things, "n", actual)} AS what,
            {_values(actual)} AS telling, n.bad IS NULL AS whole
        FROM surplus x JOIN new_{route} n ON n.nid = x.nid
        WHERE x.r = {route} AND n.kb = 0 AND NOT ({nobody}) AND NOT ({ownerless})""",
    )


def _packed(slots: Sequence[str], alias: str) -> str:
    return "{" + ", ".join(f"'{s}': {alias}.{s}" for s in slots) + "}"


def _row(slots: Sequence[str], alias: str, values: Sequence[str]) -> str:
    found = [f"'{s}': {alias}.{s}" for s in slots] + [f"'v{i}': {v}" for i, v in enumerate(values)]
    return "{" + ", ".join([*found, "'_': 0"]) + "}"


def _values(values: Sequence[str]) -> str:
    """The fields without the item, or NULL where no field says anything."""
    if not values:
        return "NULL"
    nothing = " AND ".join(f"{v} IS NULL" for v in values)
    packed = "{" + ", ".join(f"'v{i}': {v}" for i, v in enumerate(values)) + "}"
    return f"CASE WHEN {nothing} THEN NULL ELSE {packed} END"


def _whole_lists(exchange: Exchange) -> None:
    """(b): two owners and no third, at least two entries."""
    exchange.create(
        "given_list",
        """AS SELECT owner, list_sort(list(what)) AS bag FROM given
        GROUP BY owner HAVING count(*) > 1 AND bool_and(whole)""",
    )
    exchange.create(
        "got_list",
        """AS SELECT owner, list_sort(list(what)) AS bag FROM got
        GROUP BY owner HAVING count(*) > 1 AND bool_and(whole)""",
    )
    exchange.create(
        "handed",
        """AS SELECT g.owner AS giver, t.owner AS taker FROM given_list g JOIN got_list t ON g.bag = t.bag
        WHERE g.owner IS DISTINCT FROM t.owner
        QUALIFY count(*) OVER (PARTITION BY g.owner) = 1 AND count(*) OVER (PARTITION BY t.owner) = 1""",
    )
    exchange.create(
        "pairs",
        """AS WITH g AS (SELECT rid, owner, what,
                row_number() OVER (PARTITION BY owner, what ORDER BY rid) AS nth FROM given),
            t AS (SELECT nid, owner, what,
                row_number() OVER (PARTITION BY owner, what ORDER BY nid) AS nth FROM got)
        SELECT g.rid, t.nid, 1 AS rule FROM handed h JOIN g ON g.owner IS NOT DISTINCT FROM h.giver
        JOIN t ON t.owner = h.taker AND t.what = g.what AND t.nth = g.nth""",
    )
    exchange.run(
        """INSERT INTO swapped SELECT count(*) FROM handed a JOIN handed b
        ON a.giver = b.taker AND a.taker = b.giver AND a.giver < a.taker"""
    )
    exchange.drop("given_list", "got_list", "handed")


def _single_entries(
    exchange: Exchange, rules: Sequence[FieldRule], for_all_old: Callable[[str], None]
) -> None:
    """(a): field values that tell this one entry from every other."""
    exchange.create(
        "candidates",
        """AS SELECT g.rid, t.nid, g.telling FROM given g JOIN got t ON g.what = t.what
        WHERE g.owner IS DISTINCT FROM t.owner AND g.whole AND t.whole AND g.telling IS NOT NULL""",
    )
    if exchange.number("SELECT count(*) FROM candidates"):
        telling = _values([r.expected() for r in rules])
        exchange.create("seen", "AS SELECT telling, 0::BIGINT AS n FROM candidates LIMIT 0")
        for_all_old(
            f"""INSERT INTO main.seen SELECT telling, count(*) FROM (
                SELECT {telling} AS telling FROM old o)
            WHERE telling IN (SELECT telling FROM main.candidates) GROUP BY telling"""
        )
        exchange.run(
            """INSERT INTO pairs SELECT c.rid, c.nid, 2 FROM candidates c
            WHERE c.telling IN (SELECT telling FROM seen GROUP BY telling HAVING sum(n) = 1)
            AND c.telling IN (SELECT telling FROM got GROUP BY telling HAVING count(*) = 1)"""
        )
        exchange.drop("seen")
    exchange.drop("candidates")
