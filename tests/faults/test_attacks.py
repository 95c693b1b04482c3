"""What an attacker got past an earlier version: one row of the table for each way, and its verdict now.

A side is an SQL script (a SQLite database) or the CSV text of table r; several systems are a dict.
"""

from __future__ import annotations

import errno
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from safeguard.checking import run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.findings.words import Verdict

PASS, BLOCK, UNDECIDED = Verdict.PASS, Verdict.BLOCK, Verdict.UNDECIDED
Side = str | dict[str, str]


@dataclass(frozen=True)
class Attack:
    """`wrong` says what an earlier version made of it; where that was right, the row keeps the mending
    from going too far."""

    name: str
    wrong: str
    old: Side
    new: Side
    contract: dict[str, Any]
    verdict: Verdict
    findings: dict[str, int] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    tells: str = ""
    """What one of the reasons says."""


BASE = {"content": "r", "shape": "set", "owner": "c", "item": "t"}


def ordered(kind: str) -> dict[str, Any]:
    return {"shape": "list", "order": "pos", "keys": {"pos": kind}}


def csv(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


def sql(*tables: str, **rows: str) -> str:
    """`sql("r(c, t)", r="(1, 'x')")`: tables and what is in them."""
    made = [f"CREATE TABLE {t}" for t in tables]
    filled = [f"INSERT INTO {name} VALUES {values}" for name, values in rows.items()]
    return ";\n".join((*made, *filled, ""))


# -- positions ----------------------------------------------------------------------------------

POS = "c,t,pos"
BIG, BIGGER = str(2**63 + 1), str(2**63 + 2)
HUGE, HUGER = "1" + "0" * 40 + "1", "1" + "0" * 40 + "2"


def places(kind: str, first: str, second: str) -> tuple[str, str, dict[str, Any]]:
    """x before y in old, y before x in new."""
    old = csv(POS, f"a,x,{first}", f"a,y,{second}")
    return old, csv(POS, f"a,y,{first}", f"a,x,{second}"), ordered(kind)


def renumbered(kind: str, *positions: str) -> tuple[str, str, dict[str, Any]]:
    """The same order, written 1, 2, 3 in new. Old rows are given last first."""
    old = [f"a,t{i},{p}" for i, p in enumerate(positions)]
    new = [f"a,t{i},{i + 1}" for i, _ in enumerate(positions)]
    return csv(POS, *reversed(old)), csv(POS, *new), ordered(kind)


POSITIONS = [
    Attack(
        "decimals that differ in the 13th place are two positions",
        "PASS: positions were rounded to 12 places, and a swap was a tie",
        *places("decimal", "0.1234567890123", "0.1234567890124"),
        BLOCK,
        {"moved": 1},
    ),
    Attack(
        "integers of a CSV beyond 64 bits",
        "nothing",
        *places("integer", BIG, BIGGER),
        BLOCK,
        {"moved": 1},
    ),
    Attack(
        "integers of a CSV beyond 128 bits",
        "UNDECIDED: they did not fit, so that they had no order",
        *places("integer", HUGE, HUGER),
        BLOCK,
        {"moved": 1},
    ),
    Attack(
        "negative decimals that differ in the 13th place",
        "PASS: rounded",
        *places("decimal", "-0.1234567890124", "-0.1234567890123"),
        BLOCK,
        {"moved": 1},
    ),
    Attack(
        "decimals of every size in their order",
        "nothing; as text, or without a sign, they stand otherwise",
        *renumbered(
            "decimal", "-100", "-20", "-2.5", "-2.45", "-2", "-0.1", "0", "0.01", "9", "10.5"
        ),
        PASS,
    ),
    Attack(
        "integers of every size in their order",
        "UNDECIDED: the large ones had no order",
        *renumbered("integer", "-" + HUGE, "-10", "-9", "0", "9", "10", BIG, HUGE),
        PASS,
    ),
    Attack(
        "a date after the year 9999",
        "PASS: the date with five digits of year sorted first, in both",
        csv(POS, "a,x,9999-01-01", "a,y,10000-01-01"),
        csv(POS, "a,y,9998-01-01", "a,x,9999-01-01"),
        ordered("date"),
        UNDECIDED,
        tells="position",
    ),
]

# -- one of those that meet stands for all ---------------------------------------------------------

NEWEST = {
    "shape": "record",
    "item": None,
    "fields": {"v": {"type": "integer"}, "w": {"type": "text"}},
    "overlap": "one",
    "latest": "v",
}
DECIMAL = NEWEST | {"fields": {"v": {"type": "decimal"}, "w": {"type": "text"}}}
ANY_CASE = NEWEST | {
    "latest": None,
    "fields": {"v": {"type": "integer"}, "w": {"type": "text", "accept": ["case"]}},
}
PREFERRED = NEWEST | {"latest": None, "prefer": ["a"]}


def merged(a: str, b: str, new: str) -> tuple[Side, Side]:
    return {"a": csv("c,v,w", a), "b": csv("c,v,w", b)}, csv("c,v,w", new)


OVERLAPS = [
    Attack(
        "latest: the stale integer was kept",
        "PASS: 9 was later than 10, as text",
        *merged("k,9,stale", "k,10,fresh", "k,9,stale"),
        NEWEST,
        BLOCK,
        {"changed": 1},
    ),
    Attack(
        "latest: the right integer was kept",
        "changed: 9 was later than 10, as text",
        *merged("k,9,stale", "k,10,fresh", "k,10,fresh"),
        NEWEST,
        PASS,
    ),
    Attack(
        "latest: the stale decimal was kept",
        "PASS: 9 was later than 10, as text",
        *merged("k,9,stale", "k,10,fresh", "k,9,stale"),
        DECIMAL,
        BLOCK,
        {"changed": 1},
    ),
    Attack(
        "latest: a negative decimal is earlier than one nearer to zero",
        "PASS: -10.5 was later than -10.25, as text",
        *merged("k,-10.5,stale", "k,-10.25,fresh", "k,-10.5,stale"),
        DECIMAL,
        BLOCK,
        {"changed": 1},
    ),
    Attack(
        "latest: which is the latest can't be read",
        "PASS: what could not be read was taken for the earliest",
        *merged("k,1,x", "k,zzz,Foo", "k,1,x"),
        NEWEST,
        UNDECIDED,
        {"not_compared": 3},
    ),
    Attack(
        "latest: NULL is the earliest",
        "nothing",
        *merged("k,1,x", r"k,\N,Foo", "k,1,x"),
        NEWEST,
        PASS,
    ),
    Attack(
        "latest: of two as late either may be kept",
        "changed: the first one was the only one that would do",
        *merged("k,9,one", "k,9,two", "k,9,two"),
        NEWEST,
        PASS,
    ),
    Attack(
        "latest: of two as late neither was kept",
        "nothing",
        *merged("k,9,one", "k,9,two", "k,9,three"),
        NEWEST,
        BLOCK,
        {"changed": 1},
    ),
    Attack(
        "prefer: what stands aside need not be read",
        "nothing",
        *merged("k,1,x", "k,zzz,Foo", "k,1,x"),
        PREFERRED,
        PASS,
    ),
    Attack(
        "prefer: of two of the preferred system either may be kept",
        "changed: the first one was the only one that would do",
        sql("q(c INTEGER, w TEXT)", q="(1, 'x'), (2, 'y')"),
        sql("q(c INTEGER, w TEXT)", "m(o INTEGER, n INTEGER)", m="(1, 9), (2, 9)", q="(9, 'y')"),
        {
            "shape": "record",
            "item": None,
            "fields": {"w": {}},
            "overlap": "one",
            "prefer": ["old"],
            "table": "q",
            "crosswalk": {
                "c": {"system": "new", "table": "m", "old": "o", "new": "n", "merges": True}
            },
        },
        PASS,
    ),
    Attack(
        "an accepted form of one that meets is enough",
        "changed: only an exact copy stood for all",
        *merged("k,1,x", "k,1,Foo", "k,1,FOO"),
        ANY_CASE,
        PASS,
    ),
]

# -- customers ------------------------------------------------------------------------------------

CUSTOMERS = {
    "customers": {
        "old": {"system": "old", "table": "cust", "key": "id"},
        "new": [{"system": "new", "table": "cust", "key": "id"}],
        "segments": {"paying": "plan <> 'free'"},
    }
}
COMPOSITE = {
    "customers": {
        name: {"system": name, "table": "cust", "key": ["id", "k"]} for name in ("old", "new")
    }
    | {"segments": {"paying": "plan <> 'free'"}}
}
ALLOWED = CUSTOMERS | {
    "policy": {
        "allow": [
            {"content": "r", "kind": "lost", "at_most": 5, "segment_at_most": {"paying": 0}},
        ]
    }
}


def keyed(kind: str, r: str, cust: str = "") -> str:
    """Entries and customers whose ids are of one type."""
    tables = (f"r(c {kind}, t TEXT)", f"cust(id {kind}, plan TEXT)")
    return sql(*tables, **({"r": r} | ({"cust": cust} if cust else {})))


TWO_KEYS = sql("r(c TEXT, k {k}, t TEXT)", "cust(id TEXT, k {k}, plan TEXT)")

KEYED = [
    Attack(
        "bytes that are letters",
        "PASS: the customer was written as text here and as hexadecimal there",
        keyed("BLOB", "(x'4142', 'x')", "(x'4142', 'gold')"),
        keyed("BLOB", "(x'4142', 'x')"),
        {},
        BLOCK,
        {"orphaned": 1},
        CUSTOMERS,
    ),
    Attack(
        "bytes that are no text",
        "a crash: the bytes were read as UTF-8",
        keyed("BLOB", "(x'ff42', 'x')", "(x'ff42', 'gold')"),
        keyed("BLOB", "(x'ff42', 'x')"),
        {},
        BLOCK,
        {"orphaned": 1},
        CUSTOMERS,
    ),
    Attack(
        "a control character in a composite key",
        "nothing",
        TWO_KEYS.format(k="TEXT")
        + sql(r="('a', 'A' || char(1) || 'B', 'x')", cust="('a', 'A' || char(1) || 'B', 'gold')"),
        TWO_KEYS.format(k="TEXT") + sql(r="('a', 'A' || char(1) || 'B', 'x')"),
        {"owner": ["c", "k"]},
        BLOCK,
        {"orphaned": 1},
        COMPOSITE,
    ),
    Attack(
        "a boolean in a composite key",
        "PASS: 1 here and true there",
        TWO_KEYS.format(k="BOOLEAN") + sql(r="('a', 1, 'x')", cust="('a', 1, 'gold')"),
        TWO_KEYS.format(k="BOOLEAN") + sql(r="('a', 1, 'x')"),
        {"owner": ["c", "k"]},
        BLOCK,
        {"orphaned": 1},
        COMPOSITE,
    ),
    Attack(
        "a ceiling for paying customers whose ids are bytes",
        "PASS: nobody was found to pay",
        keyed("BLOB", "(x'4142', 'x'), (x'4142', 'y')", "(x'4142', 'gold')"),
        keyed("BLOB", "(x'4142', 'x')", "(x'4142', 'gold')"),
        {},
        BLOCK,
        {"lost": 1},
        ALLOWED,
        tells="1 of customers in paying",
    ),
    Attack(
        "a ceiling for paying customers, when nobody knows the owner",
        "PASS: who is unknown was taken for one who does not pay",
        keyed("TEXT", "('a', 'x'), ('a', 'y')", "('b', 'gold')"),
        keyed("TEXT", "('a', 'x')", "('a', '')"),
        {},
        BLOCK,
        {"lost": 1},
        ALLOWED,
        tells="1 of customers in paying",
    ),
]

# -- merged customers -------------------------------------------------------------------------------

MERGES = {"c": {"system": "new", "table": "m", "old": "o", "new": "n", "merges": True}}
LISTED = {"shape": "list", "order": "pos"}
QUEUE = "r(c INTEGER, t TEXT, pos INTEGER)"
TWO_LISTS = sql(QUEUE, r="(1, 'a1', 1), (1, 'a2', 2), (2, 'b1', 1), (2, 'b2', 2)")
MERGED = "(9, 'a1', 1), (9, 'a2', 2), (9, 'b1', 3), (9, 'b2', 4)"
SWAPPED = "(9, 'a1', 2), (9, 'a2', 1), (9, 'b1', 3), (9, 'b2', 4)"


def one_list(rows: str) -> str:
    return sql(QUEUE, "m(o INTEGER, n INTEGER)", m="(1, 9), (2, 9)", r=rows)


LISTS = [
    Attack(
        "the lists of two customers become one",
        "moved: the two old lists were read as one, in turns",
        TWO_LISTS,
        one_list(MERGED),
        LISTED | {"new": {"crosswalk": MERGES}},
        PASS,
    ),
    Attack(
        "the lists of two customers become one, translated on the old side",
        "moved: the two old lists were read as one, in turns",
        TWO_LISTS,
        one_list(MERGED),
        LISTED | {"old": {"crosswalk": MERGES}},
        PASS,
    ),
    Attack(
        "a swap in one of two lists that become one",
        "nothing",
        TWO_LISTS,
        one_list(SWAPPED),
        LISTED | {"new": {"crosswalk": MERGES}},
        BLOCK,
        {"moved": 1},
    ),
    Attack(
        "a swap in one of two lists that become one, translated on the old side",
        "nothing",
        TWO_LISTS,
        one_list(SWAPPED),
        LISTED | {"old": {"crosswalk": MERGES}},
        BLOCK,
        {"moved": 1},
    ),
]

HERE, NOWHERE = "(9, 'x')", ""
WALK = {"c": MERGES["c"] | {"system": "n1"}}


def pooled(n1: str, n2: str, routing: str) -> tuple[Side, Side, dict[str, Any]]:
    """Customers 1 and 2, who both have x, become 9, whose x may stand in either new system."""
    rows = [{"r": values} if values else {} for values in (n1, n2)]
    new = {
        "n1": sql("r(c INTEGER, t TEXT)", "m(o INTEGER, n INTEGER)", m="(1, 9), (2, 9)", **rows[0]),
        "n2": sql("r(c INTEGER, t TEXT)", **rows[1]),
    }
    contract = {"routing": routing, "overlap": "one", "crosswalk": WALK}
    return sql("r(c INTEGER, t TEXT)", r="(1, 'x'), (2, 'x')"), new, contract


POOLED = [
    Attack(
        "one_of: what meets is in the first new system",
        "lost: the one that stood aside was looked for in the other system",
        *pooled(HERE, NOWHERE, "one_of"),
        PASS,
    ),
    Attack(
        "one_of: what meets is in the second new system",
        "nothing",
        *pooled(NOWHERE, HERE, "one_of"),
        PASS,
    ),
    Attack(
        "one_of: what meets is in both new systems",
        "PASS: the second copy was taken for that of the one that stood aside",
        *pooled(HERE, HERE, "one_of"),
        BLOCK,
        {"duplicated": 1},
    ),
    Attack(
        "any_of: what meets is in the first new system",
        "lost: the one that stood aside was looked for in the other system",
        *pooled(HERE, NOWHERE, "any_of"),
        PASS,
    ),
]

ATTACKS = [*POSITIONS, *OVERLAPS, *KEYED, *LISTS, *POOLED]


# -- the tests --------------------------------------------------------------------------------------


def build(folder: Path, name: str, content: str) -> dict[str, str]:
    """One system; returns its entry in the plan."""
    if content.startswith("CREATE"):
        connection = sqlite3.connect(folder / f"{name}.db")
        connection.executescript(content)
        connection.close()
        return {"url": f"sqlite:///{name}.db"}
    (folder / name).mkdir()
    (folder / name / "r.csv").write_text(content)
    return {"url": f"files:{name}"}


def sources(side: Side, name: str, table: str, more: dict[str, Any]) -> list[dict[str, Any]]:
    names = side if isinstance(side, dict) else [name]
    return [{"system": n, "table": table} | more for n in names]


def write(shop: Any, attack: Attack) -> None:
    """The plan of an attack, in the folder of a shop."""
    contract = BASE | attack.contract
    table = contract.pop("table", "r")
    contract |= {
        name: sources(side, name, table, attack.contract.get(name, {}))
        for name, side in (("old", attack.old), ("new", attack.new))
    }
    systems: dict[str, str] = {}
    for name, side in (("old", attack.old), ("new", attack.new)):
        systems |= side if isinstance(side, dict) else {name: side}
    for name in ("old", "new"):
        (shop.folder / f"{name}.db").unlink()
    merges = isinstance(attack.old, dict)
    splits = isinstance(attack.new, dict)
    plan = {
        "kind": "merge" if merges else "split" if splits else "move",
        "systems": {name: build(shop.folder, name, text) for name, text in systems.items()},
    }
    shop.write(plan | attack.plan)
    kept = {key: value for key, value in contract.items() if value is not None}
    (shop.folder / "queue.yaml").write_text(json.dumps(kept))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_has_its_verdict(shop, attack):
    write(shop, attack)
    result = shop.check()
    (content,) = result.contents
    found = {str(kind): n for kind, n in content.findings.items() if n}
    assert (result.verdict, found) == (attack.verdict, attack.findings), result.reasons
    assert attack.tells in " ".join(result.reasons)


@pytest.mark.parametrize("attack", KEYED, ids=lambda attack: attack.name)
def test_a_customer_is_found_however_the_id_is_written(shop, attack):
    """Who has content, and who pays, is counted from the same spelling."""
    write(shop, attack)
    customers = shop.check().customers
    known = "nobody knows" not in attack.name
    assert customers.affected == 1
    assert customers.segments["paying"].affected == int(known)


# -- what is told in another way than by findings ------------------------------------------------------


def one(rows: str = "(1, 'a')", name: str = "r") -> str:
    return sql(f"{name}(c INTEGER, t TEXT)", **{name: rows})


def test_contracts_that_read_the_owners_of_one_customers_table_differently(shop):
    """It was judged by the type of the first: 007 and 7 were two customers, or one, as it came."""
    sides = {"old": "007,x", "new": "007,x"}
    for name, row in sides.items():
        (shop.folder / name).mkdir()
        for table, rows in (("r", []), ("s", [row])):
            (shop.folder / name / f"{table}.csv").write_text(csv("c,t", *rows))
        (shop.folder / name / "cust.csv").write_text(csv("id,plan", *["007,gold"][: name == "old"]))
    shop.write(
        {
            "systems": {name: {"url": f"files:{name}"} for name in sides},
            "contracts": ["r.yaml", "s.yaml"],
        }
        | CUSTOMERS
    )
    for content, kind in (("r", "text"), ("s", "integer")):
        places = {name: {"system": name, "table": content} for name in sides}
        contract = BASE | {"content": content, "keys": {"c": kind}, "at_least": 0} | places
        (shop.folder / f"{content}.yaml").write_text(json.dumps(contract))
    with pytest.raises(UsageProblem, match="r as text; s as integer"):
        shop.check()
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 2)


@pytest.mark.parametrize(
    ("url", "table"),
    [
        ("sqlite:///./old.db", "r"),
        ("sqlite:///sub/../old.db", "r"),
        ("sqlite:///old.db", "R"),
        ("sqlite:///./old.db", "R"),
    ],
)
def test_one_table_by_two_names_is_held_against_itself(shop, url, table):
    """PASS: only the same spelling of the URL and the table was the same table."""
    write(shop, Attack("", "", one(), one(), {"new": {"table": table}}, UNDECIDED))
    (shop.folder / "sub").mkdir()
    shop.write({"systems": {"old": {"url": "sqlite:///old.db"}, "new": {"url": url}}})
    contract = BASE | {
        name: {"system": name, "table": t} for name, t in (("old", "r"), ("new", table))
    }
    (shop.folder / "queue.yaml").write_text(json.dumps(contract))
    result = shop.check()
    assert result.verdict is UNDECIDED
    assert "itself" in " ".join(result.reasons)


def test_sql_that_fails_on_its_data_costs_only_its_own_content(shop):
    """Exit code 2 and no report: the certain loss of the other content was not told."""
    write(shop, Attack("", "", one(), one("(1, 'b')"), {}, BLOCK))
    failing = json.loads((shop.folder / "queue.yaml").read_text()) | {"content": "failing"}
    failing["old"][0]["columns"] = {"t": "abs(-9223372036854775808) || t"}
    (shop.folder / "failing.yaml").write_text(json.dumps(failing))
    systems = {name: {"url": f"sqlite:///{name}.db"} for name in ("old", "new")}
    contract = (shop.folder / "queue.yaml").read_text()
    shop.write({"systems": systems, "contracts": ["failing.yaml", "queue.yaml"]})
    (shop.folder / "queue.yaml").write_text(contract)
    result = shop.check()
    assert result.verdict is BLOCK
    assert [(c.content, c.verdict) for c in result.contents] == [
        ("failing", UNDECIDED),
        ("r", BLOCK),
    ]
    assert result.contents[1].findings["lost"] == 1
    assert any("overflow" in reason for reason in result.reasons)


def test_a_field_that_cannot_be_read_may_have_a_blank_in_its_name(shop):
    """A crash: what stood before the blank was taken for the name."""
    table = pa.table({"c": [1], "my note": pa.array([1], pa.duration("s"))})
    for name in ("old", "new"):
        (shop.folder / name).mkdir()
        pq.write_table(table, shop.folder / name / "r.parquet")
    shop.write({"systems": {name: {"url": f"files:{name}"} for name in ("old", "new")}})
    contract = {"content": "r", "shape": "record", "owner": "c", "fields": {"my note": {}}}
    places = {name: {"system": name, "table": "r"} for name in ("old", "new")}
    (shop.folder / "queue.yaml").write_text(json.dumps(contract | places))
    result = shop.check()
    assert result.verdict is UNDECIDED
    assert any("my note (duration" in reason for reason in result.reasons), result.reasons


# -- disks and systems ---------------------------------------------------------------------------------

REPORTS = (
    "verdict.json",
    "evidence.json",
    "findings.parquet",
    "report.html",
    "summary.md",
    "junit.xml",
)
LATER = ("report.html", "summary.md", "junit.xml", "evidence.json")


@pytest.mark.parametrize("name", LATER)
def test_a_disk_that_is_full_as_a_report_is_written(shop, monkeypatch, name):
    """Exit code 70: the error went through as a bug. From `name` on, nothing more can be written."""
    write_text = Path.write_text
    full: list[str] = []

    def until_full(self: Path, *args: Any, **more: Any) -> int:
        if full or self.name == f".{name}.partial":
            full.append(self.name)
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return write_text(self, *args, **more)

    monkeypatch.setattr(Path, "write_text", until_full)
    with pytest.raises(SystemProblem, match="No space left") as caught:
        shop.check()
    assert caught.value.exit_code == 3
    assert full
    assert shop.verdict["verdict"] == "UNDECIDED"


OUT_OF_REACH = "postgresql://user:secret@127.0.0.1:1/none"


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_system_out_of_reach_leaves_every_report(shop, name):
    """Only verdict.json was left, and `--format json` printed nothing."""
    systems = {n: {"url": f"sqlite:///{n}.db"} for n in ("old", "new")}
    shop.write({"systems": systems | {name: {"url": OUT_OF_REACH}}})
    done = shop.run("--format", "json")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout) == shop.verdict
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 3)
    (content,) = shop.verdict["contents"]
    assert (content["verdict"], content["findings"]) == ("UNDECIDED", {"not_compared": 1})
    written = [shop.folder / "out" / report for report in REPORTS]
    assert all(path.stat().st_size > 0 for path in written)
    assert not any(b"secret" in path.read_bytes() for path in written)
    assert pq.read_table(shop.folder / "out" / "findings.parquet").num_rows == 0


def test_a_system_out_of_reach_is_a_result(shop):
    shop.write({"systems": {"old": {"url": "sqlite:///old.db"}, "new": {"url": OUT_OF_REACH}}})
    result, _ = run_check(shop.plan, out=shop.folder / "out", progress=SilentProgress(), environ={})
    assert result.verdict is UNDECIDED
    assert "nothing was compared" in result.reasons
