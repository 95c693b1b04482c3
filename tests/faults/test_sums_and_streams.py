"""The same faults, found by sums inside the servers and by reading everything: one result."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult, ContentResult
from safeguard.planning.asking import Strategy
from safeguard.runs.journal import RunJournal
from safeguard.systems.opened import Kindness

pytestmark = pytest.mark.postgres

COLUMNS = {
    "owner": "bigint",
    "item": "text",
    "stars": "smallint",
    "price": "numeric",
    "at": "timestamp(6)",
    "seen": "timestamptz",
    "day": "date",
    "ref": "uuid",
    "raw": "bytea",
    "flag": "boolean",
    "note": "text",
    "gone": "boolean",
    "medium": "text",
}
FIELDS = ("stars", "price", "at", "seen", "day", "ref", "raw", "flag", "note")
CONTRACT: dict[str, Any] = {
    "content": "things",
    "shape": "record",
    "owner": "owner",
    "item": "item",
    "fields": {name: {} for name in FIELDS},
    "old": {"system": "old", "table": "things", "deleted_when": "gone"},
    "new": {"system": "new", "table": "things", "deleted_when": "gone"},
}
SPLIT = [
    {"system": "new", "table": "things", "deleted_when": "gone", "receives": "medium <> 'd'"},
    {"system": "other", "table": "things", "receives": "medium IN ('d', 'b')"},
]
VALUES: dict[str, Sequence[Any]] = {
    "stars": (1, 2, -2, None),
    "price": ("1.50", "-1.5", "9007199254740993", "0", "NaN", None),
    "at": ("2011-09-18 10:00:00.000001", "9999-12-31 23:59:59.999999", "infinity", None),
    "seen": ("2011-09-18 10:00:00.5+02", "0044-03-15 00:00:00+00 BC", None),
    "day": ("2000-02-29", "-infinity", "0001-01-01 BC", None),
    "ref": ("00000000-0000-0000-0000-000000000001", None),
    "raw": (b"", b"\x00\xff", None),
    "flag": (True, False, None),
    "note": ("", "a", "a ", "A", "e\u0301", "\u00e9", "1|2", None),
}
Rows = list[list[Any]]
NOCASE = """CREATE COLLATION IF NOT EXISTS nocase
    (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"""


def written(seed: int, owners: int = 150) -> Rows:
    rng = random.Random(seed)
    rows: Rows = []
    for owner in [None, *range(1, owners)]:
        for _ in range(rng.randint(1, 5)):
            fields = [rng.choice(VALUES[name]) for name in FIELDS]
            gone = rng.random() < 0.1
            medium = rng.choice(["s", "d", "b", "s", "d", "b", None])
            rows.append([owner, rng.choice(["x", "y", "z", None]), *fields, gone, medium])
    return rows


def spoiled(rows: Rows, seed: int, faults: int = 8) -> Rows:
    """A new side: the live rows, in another order, with a few faults."""
    rng = random.Random(seed)
    left = [list(row) for row in rows if not row[-2]]
    rng.shuffle(left)
    for _ in range(faults):
        place = rng.randrange(len(left))
        match rng.choice(("lose", "repeat", "cancel", "change", "swap", "hand", "back", "delete")):
            case "lose":
                del left[place]
            case "repeat":
                left.append(list(left[place]))
            case "cancel":  # as many rows as before
                other = rng.randrange(len(left))
                left[place] = list(left[other])
            case "change":
                field = rng.randrange(len(FIELDS))
                left[place][2 + field] = rng.choice(VALUES[FIELDS[field]])
            case "swap":  # as many rows, and every value is still there
                other, field = rng.randrange(len(left)), 2 + rng.randrange(len(FIELDS))
                one, two = left[place], left[other]
                one[field], two[field] = two[field], one[field]
            case "hand":
                left[place][0] = rng.randint(1, 150)
            case "back":
                deleted = [row for row in rows if row[-2]]
                left.append([*rng.choice(deleted)[:-2], False, "s"])
            case "delete":
                left[place][-2] = True
    return left


@pytest.fixture
def check(fresh_database: Any, tmp_path: Path) -> Callable[..., CheckResult]:
    """`check(rows, by system, contract)` checks the content by one strategy; the rows of a system
    that is not named again are still there."""
    databases: dict[str, Any] = {}

    def table(system: str, rows: Rows, name: str, columns: dict[str, str]) -> None:
        if system not in databases:
            databases[system] = fresh_database("postgresql")
        if any("nocase" in kind for kind in columns.values()):
            databases[system].execute(NOCASE)
        declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        databases[system].execute(
            f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({declared})"
        )
        for start in range(0, len(rows), 200):
            some = ", ".join(
                f"({', '.join(map(_literal, row))})" for row in rows[start : start + 200]
            )
            databases[system].execute(f"INSERT INTO {name} VALUES {some}")

    def run(
        sides: dict[str, Rows],
        strategy: str,
        contract: dict[str, Any] | None = None,
        columns: dict[str, str] | None = None,
        told: str = "",
        **plan: Any,
    ) -> CheckResult:
        for system, rows in sides.items():
            name, _, own = system.partition(".")
            table(name, rows, own or "things", {"id": "bigint"} if own else columns or COLUMNS)
        systems = {name: {"url": d.url, "timezone": "UTC"} for name, d in databases.items()}
        whole = {"migration": "m", "kind": "move", "systems": systems, **plan}
        whole["contracts"] = ["things.yaml"]
        (tmp_path / "things.yaml").write_text(json.dumps(contract or CONTRACT))
        (tmp_path / "safeguard.yaml").write_text(json.dumps(whole))
        result, folder = run_check(
            tmp_path / "safeguard.yaml",
            out=tmp_path / f"out-{strategy}",
            request=Request(reveal=True, strategy=Strategy(strategy), kindness=Kindness()),
            progress=SilentProgress(),
            environ=os.environ,
        )
        (content,) = result.contents
        expected = told or ("sums" if strategy == "auto" else "stream")
        assert content.strategy == expected, (content.strategy_reason, content.reasons)
        found = pq.read_table(folder / "findings.parquet").to_pylist()
        return replace(result, notes=(*result.notes, *sorted(map(repr, found))))

    return run


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return rf"'\x{value.hex()}'"
    return f"'{value}'"


def alike(one: CheckResult, other: CheckResult) -> ContentResult:
    """Everything but when, how long and how; and what the findings have in common, for that is told
    beside the kept entries that were read."""

    def bare(result: CheckResult) -> CheckResult:
        apart = {"seconds": 0.0, "strategy": "", "strategy_reason": "", "explanations": ()}
        contents = tuple(replace(c, **apart) for c in result.contents)
        same = {"run": "", "started_at": "", "finished_at": "", "seconds": 0.0, "systems": ()}
        return replace(result, contents=contents, **same)

    assert bare(one) == bare(other)
    return one.contents[0]


@pytest.mark.parametrize("seed", range(12))
def test_random_faults_of_a_move(check, seed):
    old = written(seed)
    sides = {"old": old, "new": spoiled(old, seed)}
    content = alike(check(sides, "auto"), check({}, "stream"))
    assert content.findings
    assert content.conservation.old
    assert content.conservation.new


@pytest.mark.parametrize("seed", range(6))
def test_random_faults_of_a_split(check, seed):
    old = written(100 + seed)
    news = [
        [row for row in old if row[-1] in ("s", "b")],
        [row for row in old if row[-1] in ("d", "b")],
    ]
    sides = {"old": old, "new": spoiled(news[0], seed), "other": spoiled(news[1], seed + 1)}
    contract = {**CONTRACT, "new": SPLIT}
    plan = {"kind": "split"}
    content = alike(check(sides, "auto", contract, **plan), check({}, "stream", contract, **plan))
    assert len(content.routes) == 2
    assert sum(content.sums_old.values()) == len(old)


@pytest.mark.parametrize("seed", range(3))
def test_random_faults_of_a_merge_with_customers(check, seed):
    olds = [written(200 + seed), written(300 + seed)]
    contract = {**CONTRACT, "old": [{**CONTRACT["old"], "system": s} for s in ("old", "other")]}
    sides = {"old": olds[0], "other": olds[1], "new": spoiled([*olds[0], *olds[1]], seed)}
    sides["old.customers"] = [[n] for n in range(1, 140)]
    sides["new.accounts"] = [[n] for n in range(5, 145)]
    customers = {
        "old": {"system": "old", "table": "customers", "key": "id"},
        "new": [{"system": "new", "table": "accounts", "key": "id"}],
        "segments": {"early": "id < 40"},
    }
    plan = {"kind": "merge", "customers": customers}
    content = alike(check(sides, "auto", contract, **plan), check({}, "stream", contract, **plan))
    assert content.findings["orphaned"]
    assert content.customers.segments["early"].with_content


def numbered(owners: int = 200) -> Rows:
    """Every row tells itself from all others."""
    return [
        [n, "x", n % 5, f"{n}.5", None, None, None, None, None, None, f"note {n}", False, "s"]
        for n in range(owners)
    ]


def field(rows: Rows, row: int, name: str, value: Any) -> Rows:
    found = [list(each) for each in rows]
    found[row][list(COLUMNS).index(name)] = value
    return found


HARD = {
    "folded to 32 bits": ("stars", "bigint", 1, 2**32),
    "beyond a double": ("price", "numeric", 2**53, 2**53 + 1),
    "the sign": ("price", "numeric", "1.5", "-1.5"),
    "a trailing blank": ("note", 'text COLLATE "C"', "a", "a "),
    "a letter's case, to a collation that does not care": ("note", "text COLLATE nocase", "a", "A"),
    "composed letters": ("note", "text COLLATE nocase", "\u00e9", "e\u0301"),
    "NULL and nothing": ("note", "text", None, ""),
    "NULL and zero": ("stars", "bigint", None, 0),
    "a folded timestamp": (
        "at",
        "timestamp(6)",
        "2000-01-01 00:00:00",
        "2000-01-01 01:11:34.967295",
    ),
    "one microsecond": ("at", "timestamp(6)", "2000-01-01", "1999-12-31 23:59:59.999999"),
}


@pytest.mark.parametrize("name", HARD)
def test_values_that_ready_made_hashes_call_equal(check, name):
    column, kind, one, other = HARD[name]
    old, new = (field(numbered(), 7, column, value) for value in (one, other))
    columns = {**COLUMNS, column: kind}
    found = alike(
        check({"old": old, "new": new}, "auto", columns=columns),
        check({}, "stream", columns=columns),
    )
    assert found.findings["changed"] == 1


def test_owners_that_a_collation_calls_equal(check):
    columns = {**COLUMNS, "owner": "text COLLATE nocase"}
    old = [[f"{'aA'[n % 2]}{n // 2}", *row[1:]] for n, row in enumerate(numbered())]
    new = field(old, 7, "note", "changed")
    found = alike(
        check({"old": old, "new": new}, "auto", columns=columns),
        check({}, "stream", columns=columns),
    )
    assert found.customers.with_content == len(old)


def test_the_same_number_written_otherwise_is_equal(check):
    old = field(numbered(), 7, "price", "1.5")
    new = field(numbered(), 7, "price", "1.500")
    result = check({"old": old, "new": new}, "auto")
    assert alike(result, check({}, "stream")).kept == len(old)


def test_values_swapped_between_two_rows_of_one_owner(check):
    old = numbered()
    old[7][1], old[8][0], old[8][1] = "y", old[7][0], "z"
    new = field(field(old, 7, "stars", old[8][2]), 8, "stars", old[7][2])
    assert old[7][2] != old[8][2]
    found = alike(check({"old": old, "new": new}, "auto"), check({}, "stream"))
    assert found.findings["changed"] == 2


@pytest.mark.parametrize("twin", [False, True])
def test_who_has_it_now_is_told_by_all_old_entries(check, twin):
    """Another entry with the same values stands among those that were never read."""
    old = numbered()
    if twin:
        for name in ("stars", "price", "note"):
            old = field(old, 150, name, old[7][list(COLUMNS).index(name)])
    new = field(old, 7, "owner", 9)
    new = field(new, 7, "item", "x")
    old[9][1] = new[9][1] = "other"
    found = alike(check({"old": old, "new": new}, "auto"), check({}, "stream"))
    wanted = {"lost": 1, "extra": 1} if twin else {"misattributed": 1}
    assert {k: n for k, n in found.findings.items() if n} == wanted


def test_an_integer_may_become_wider_or_a_decimal(check):
    old = numbered()
    sides = {"old": old}
    check({**sides, "new": old}, "auto")
    wider = {**COLUMNS, "owner": "integer", "stars": "numeric(12, 3)"}
    result = check({"new": old}, "auto", columns=wider)
    assert alike(result, check({}, "stream", columns=wider)).kept == len(old)


NOTES = {**CONTRACT, "fields": {"note": {}}}
READ: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "json": ({}, {"note": "json"}),
    "CHAR": ({}, {"note": "char(9)"}),
    "type float": ({}, {"price": "float8"}),
    "list": ({**NOTES, "shape": "list", "order": "stars"}, {}),
    "as_of": ({"as_of": {"field": "stars", "value": 2}}, {}),
    "mapped": ({"fields": {"stars": {"map": {0: 0, 1: 1, 2: 2, 3: 3}}}}, {}),
    "routing": ({"routing": "any_of"}, {}),
    "overlap": ({"overlap": "one"}, {}),
}


@pytest.mark.parametrize("why", READ)
def test_what_sums_can_not_tell_is_read(check, why):
    contract, kinds = READ[why]
    rows = field(numbered(4), 0, "note", None)
    if "json" in why:
        rows = [[*row[:10], None, *row[11:]] for row in rows]
    columns, whole = {**COLUMNS, **kinds}, {**CONTRACT, **contract}
    result = check({"old": rows, "new": rows}, "auto", whole, columns, told="stream")
    assert why in result.contents[0].strategy_reason


def test_a_time_of_two_kinds_is_read(check):
    rows = numbered(4)
    check({"old": rows, "new": rows}, "auto")
    result = check({"new": rows}, "auto", columns={**COLUMNS, "at": "timestamptz"}, told="stream")
    assert "zone" in result.contents[0].strategy_reason


@pytest.mark.parametrize(("indexed", "why"), [("", "by their sums"), (" PRIMARY KEY", "looked at")])
def test_where_much_differs_everything_is_read(check, indexed, why):
    rows = numbered()
    new = [[*row[:2], 9, *row[3:]] for row in rows]
    columns = {**COLUMNS, "owner": f"bigint{indexed}"}
    result = check({"old": rows, "new": new}, "auto", columns=columns, told="stream")
    assert why in result.contents[0].strategy_reason
    assert result.contents[0].findings["changed"] == len(rows)


def test_a_run_that_asked_keeps_nothing_that_was_read_because_of_sums(check, tmp_path, monkeypatch):
    """What is left of the reading is worth nothing without the sums of the same snapshots."""
    kept = []
    monkeypatch.setattr(RunJournal, "keep_source", lambda *found: kept.append(found))
    rows = numbered()
    check({"old": rows, "new": field(rows, 7, "note", "changed")}, "auto")
    assert kept == []
    check({}, "stream")
    assert len(kept) == 2
