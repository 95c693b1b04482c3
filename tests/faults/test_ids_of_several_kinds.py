"""SQLite and JSON lines keep `'1'` and `1` apart. As one key they would hide what is swapped
between them: such ids are never called compared."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

PLAN_WITH_FILES = {"systems": {"old": {"url": "files:old"}, "new": {"url": "files:new"}}}
KEYS = {"keys": {"owner": "text", "item": "text"}}
EXPRESSIONS = {"columns": {"owner": "CAST(owner AS TEXT)", "item": "CAST(item AS TEXT)"}}


def _table(kind: str) -> str:
    return f"CREATE TABLE queue (owner {kind}, item {kind}, place INTEGER, note TEXT)"


def _check(shop: Any, ddl: str, before: list[Any], after: list[Any], **change: Any) -> Any:
    shop.database("old", ddl=ddl, rows=before)
    shop.database("new", ddl=ddl, rows=after)
    shop.write(**(KEYS | change))
    return shop.check().contents[0]


@pytest.mark.parametrize("kind", ["", "BLOB", "TEXT", "STRING"])
@pytest.mark.parametrize(
    ("one", "other"), [("1", 1), ("x", b"x"), (1, b"1")], ids=["text-int", "text-blob", "int-blob"]
)
@pytest.mark.parametrize("column", [0, 1], ids=["owner", "item"])
def test_what_two_ids_swapped_is_a_pass_only_where_they_are_one(shop, kind, one, other, column):
    """A column's affinity may make one of two in the database itself: then nothing was swapped."""
    keys = [(v, "a", 1) if column == 0 else ("a", v, 1) for v in (one, other)]
    old = [(*keys[0], "mine"), (*keys[1], "yours")]
    new = [(*keys[0], "yours"), (*keys[1], "mine")]
    content = _check(shop, _table(kind), old, new)
    with closing(sqlite3.connect(shop.folder / "old.db")) as database:
        name = ("owner", "item")[column]
        ((kinds,),) = database.execute(f"SELECT count(DISTINCT typeof({name})) FROM queue")
    assert content.verdict == ("UNDECIDED" if kinds == 2 else "PASS")


@pytest.mark.parametrize("rows", [300_000])
def test_kinds_that_never_meet_in_one_batch(shop, rows):
    old = [(i if i < rows - 1 else "0", 1, 1, str(i)) for i in range(rows)]
    new = [*old[1:-1], (0, 1, 1, str(rows - 1)), ("0", 1, 1, "0")]
    content = _check(shop, _table(""), old, new)
    assert content.verdict == "UNDECIDED"
    assert any("`owner` holds ids of several kinds (number, text)" in r for r in content.reasons)


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("", [1, 2]),
        ("", ["1", "b"]),
        ("", [1, 2.5]),
        ("", [None, "b"]),
        ("BLOB", [b"1", b"2"]),
        ("TEXT", [1, "b"]),
        ("INTEGER", ["1", 2]),
        ("STRING", ["1", 2]),
        ("VARCHAR(9)", ["1", "b"]),
    ],
)
def test_ids_of_one_kind_are_compared(shop, kind, ids):
    rows = [(value, value, 1, "note") for value in ids if value is not None]
    assert _check(shop, _table(kind), rows, rows).verdict == "PASS"


def test_an_expression_makes_them_one_on_purpose(shop):
    rows = [("1", "a", 1, "mine"), (2, "a", 1, "yours")]
    old = {"old": {"system": "old", "table": "queue", **EXPRESSIONS}}
    new = {"new": {"system": "new", "table": "queue", **EXPRESSIONS}}
    assert _check(shop, _table(""), rows, rows).verdict == "UNDECIDED"
    assert _check(shop, _table(""), rows, rows, **old, **new).verdict == "PASS"


@pytest.mark.parametrize(
    ("ids", "verdict"),
    [(("1", 1), "UNDECIDED"), (("1", "2"), "PASS"), ((1, 2), "PASS"), ((1, 2.5), "PASS")],
)
def test_json_lines(shop, ids, verdict):
    for side in ("old", "new"):
        (shop.folder / side).mkdir()
        lines = [{"owner": i, "item": "a", "note": "n"} for i in ids]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (shop.folder / side / "queue.jsonl").write_text(text)
    shop.write(PLAN_WITH_FILES, **KEYS)
    assert shop.check().contents[0].verdict == verdict
