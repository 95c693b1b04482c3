"""Which rows belong to some owners, in a server's own words: never too few."""

from __future__ import annotations

import datetime as dt

import pytest

from safeguard.planning.narrowing import MOST_OWNERS, narrowed, written_since
from safeguard.planning.selection import UPDATED_SLOT

CONTRACT = """
content: c
shape: set
owner: who
item: what
updated_at: at
old: {system: old, table: t, where: "what > 0 -- all"}
new: {system: new, table: t}
"""
SIDE = "who {}, what integer, at aware"


@pytest.fixture
def plan(prepared):
    return lambda kind="integer", contract=CONTRACT: prepared(
        contract, old=SIDE.format(kind), new=SIDE.format(kind)
    )


@pytest.mark.parametrize(
    ("kind", "owners", "dialect", "where"),
    [
        ("integer", [7, 3], "postgresql", '"who" IN (3, 7)'),
        ("integer", [3], "mariadb", "`who` IN (3)"),
        ("text", ["o'hara"], "mysql", "`who` IN ('o''hara')"),
        ("integer", [], "postgresql", "1 = 0"),
    ],
)
def test_a_server_is_asked_for_the_owners(plan, kind, owners, dialect, where):
    made = plan(kind)
    found = narrowed(made, made.new[0], [(o,) for o in owners], dialect)
    assert found.where == where


def test_what_the_contract_says_still_holds(plan):
    made = plan()
    assert narrowed(made, made.old[0], [(1,)], "postgresql").where == (
        '(\nwhat > 0 -- all\n) AND "who" IN (1)'
    )


@pytest.mark.parametrize(
    ("kind", "owners", "dialect"),
    [
        ("integer", [1], "sqlite"),
        ("integer", [1, None], "postgresql"),
        ("text", ["a\\b"], "mariadb"),
        ("text", ["a\nb"], "postgresql"),
        ("decimal", ["1.5"], "postgresql"),
        ("untyped", ["a"], "postgresql"),
        ("integer", range(MOST_OWNERS + 1), "postgresql"),
    ],
)
def test_what_can_not_be_asked_exactly_is_not_asked(plan, kind, owners, dialect):
    made = plan(kind)
    assert narrowed(made, made.new[0], [(o,) for o in owners], dialect) is None


def test_an_expression_is_not_asked_by(plan):
    made = plan(contract=CONTRACT.replace("table: t}", "table: t, columns: {who: what + 1}}"))
    assert narrowed(made, made.new[0], [(1,)], "postgresql") is None


def test_what_was_written_since_is_asked_for_a_day_earlier(plan):
    made = plan()
    moment = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert written_since(made.new[0], moment, "postgresql").where == (
        """("at" >= TIMESTAMP '2026-02-28 10:00:00' OR "at" IS NULL)"""
    )
    assert written_since(made.new[0], moment, "sqlite") == made.new[0].selection


def test_when_it_was_written_is_read_for_nothing_else(plan):
    made = plan()
    assert UPDATED_SLOT not in {o.name for o in made.old[0].selection.outputs}
    assert made.old[0].updated.column.source.aware


@pytest.mark.parametrize(
    ("side", "told"),
    [
        ("who integer, what integer, at integer", "updated_at: `at` of old"),
        ("who integer, what integer, at timestamp", "`at` is a timestamp without a time zone"),
        ("who integer, what integer, att aware", "old.t has no column `at`."),
    ],
)
def test_a_time_that_tells_nothing_is_refused(mistakes, side, told):
    found = mistakes(CONTRACT, old=side, new=SIDE.format("integer"))
    assert any(told in line for line in found), found
    assert all("c.yaml:" in line for line in found)
