"""Laws of waivers, on random findings and random waivers, against a second opinion in plain Python."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.telling import COLUMNS, create_findings
from safeguard.comparing.waiving import Findings
from safeguard.contract.conditions import Compared, Condition, IsNull, Joined, Not, OneOf
from safeguard.contract.model import Contract, LoadedContract, LoadedPlan, Plan
from safeguard.contract.waivers import Waiver
from safeguard.findings.result import (
    Conservation,
    ContentResult,
    Coverage,
    Impact,
    RouteResult,
    UncoveredTable,
)
from safeguard.findings.words import AFFECTING, Verdict, WaiverState
from safeguard.gate.waivers import Waived, waive

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
CONTENTS = ("notes", "queue")
KINDS = ("lost", "changed", "extra")
OWNERS = ("7", "8", "07", "ann", "new:7", None)
CUSTOMERS = {"7": True, "8": False, "ann": None}
"""id -> whether he pays; "07" is unknown to the customers."""
SYSTEMS = ("dvd", "streaming")
FIELDS = ("note", "note.a", "stars", None)
Row = dict[str, Any]


def contract(content: str) -> Contract:
    side = {"system": "old", "table": "t"}
    return Contract.model_validate(
        {"content": content, "shape": "set", "owner": "o", "item": "i", "old": side}
        | {"new": [side | {"system": s} for s in SYSTEMS], "fields": {"note": {}, "stars": {}}}
    )


PLAN = LoadedPlan(
    plan=Plan.model_validate(
        {"migration": "m", "kind": "split", "contracts": ["c"], "systems": {"old": {"url": "a:b"}}}
        | {"policy": {"approvers": {"paying": 2}}}
    ),
    contracts=tuple(LoadedContract(contract=contract(name), path="c") for name in CONTENTS),
    path="p",
    folder=".",
    digest="",
)


@st.composite
def findings(draw: st.DrawFn) -> list[Row]:
    """Rows as `finding` has them; rows of one entry have one key, of another content another one."""
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 12))):
        entry = draw(st.sampled_from([0, 1, 1, 1, 2, 3, 4, 4, 5]))
        kind = draw(st.sampled_from(("changed", *KINDS)))
        changed = kind == "changed"
        content = CONTENTS[entry % 2]
        route = draw(st.sampled_from([0, 1, None]))
        owner = OWNERS[entry % len(OWNERS)]
        row: Row = dict.fromkeys(COLUMNS)
        row |= {"content": content, "kind": kind, "owner": owner, "entry": entry, "customer": owner}
        row |= {"item": (None, "5", "x'y", "-3", "05", "50")[entry], "r": route}
        row["system"] = None if route is None else SYSTEMS[route]
        row["cause"] = draw(st.sampled_from(["case", "other", None])) if changed else None
        row["field"] = draw(st.sampled_from(FIELDS)) if changed else None
        rows.append(row)
    for system in draw(st.lists(st.sampled_from(["old", "older"]), unique=True)):
        count = draw(st.sampled_from([None, "0", "3"]))
        row = dict.fromkeys(COLUMNS) | {"entry": 0, "customer": None, "r": None}
        row |= {"content": "notes", "kind": "uncovered", "system": system, "old_value": count}
        rows.append(row)
    return rows


literals = st.sampled_from(["7", "ann", "x'y", "", 5, -3, 7, 0])
columns = st.sampled_from(["owner", "item", "system", "list", "field"])
conditions = st.recursive(
    st.builds(Compared, columns, st.sampled_from(["=", "<>", "<", ">="]), literals)
    | st.builds(OneOf, columns, st.lists(literals, min_size=1, max_size=3).map(tuple))
    | st.builds(Compared, columns, st.just("LIKE"), st.sampled_from(["%7", "_", "%"]))
    | st.builds(IsNull, columns),
    lambda part: (
        st.builds(Not, part)
        | st.builds(Joined, st.sampled_from(["AND", "OR"]), st.tuples(part, part))
    ),
    max_leaves=4,
)  # fmt: skip


@st.composite
def waivers(draw: st.DrawFn) -> list[Waiver]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("changed", *KINDS, "uncovered")))
        values: dict[str, Any] = {"id": f"W-{number}", "kind": kind, "reason": "r"}
        values["content"] = draw(st.sampled_from(CONTENTS))
        values["at_most"] = draw(st.sampled_from([9, 9, 2, 1, 0]))
        values["expires"] = draw(st.sampled_from([*["2026-06-01"] * 5, "2026-05-31"]))
        values["approved_by"] = draw(st.sampled_from([["a", "b"], ["a", "b"], ["a"]]))
        if draw(st.booleans()):
            values["system"] = draw(st.sampled_from(["old", *SYSTEMS]))
        if kind != "uncovered" and draw(st.booleans()):
            values["owners"] = draw(st.lists(st.sampled_from(["7", "8", "new:7"]), min_size=1))
        if kind == "changed":
            if draw(st.booleans()):
                values["field"] = draw(st.sampled_from(["note", "stars"]))
            if draw(st.booleans()):
                values["cause"] = "case"
        waiver = Waiver.model_validate(values)
        if kind != "uncovered" and draw(st.booleans()):
            waiver = waiver.model_copy(update={"condition": draw(conditions)})
        made.append(waiver)
    return made


# -- the second opinion ---------------------------------------------------------------------------


def holds(condition: Condition, row: Row) -> bool | None:
    """In three values, as SQL has them."""
    match condition:
        case IsNull(column):
            return row[column] is None
        case Not(part):
            found = holds(part, row)
            return None if found is None else not found
        case Joined(word, parts):
            found = [holds(part, row) for part in parts]
            decisive = word == "OR"
            if decisive in found:
                return decisive
            return None if None in found else not decisive
        case OneOf(column, values):
            return holds(Joined("OR", tuple(Compared(column, "=", v) for v in values)), row)
        case Compared(column, sign, value):
            return compared(row[column], sign, value)


def compared(here: str | None, sign: str, value: str | int) -> bool | None:
    if here is None or (isinstance(value, int) and not re.fullmatch("0|-?[1-9][0-9]*", here)):
        return None
    one: Any = int(here) if isinstance(value, int) else here
    if sign == "LIKE":
        pattern = str(value).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, here, re.DOTALL) is not None
    return {"=": one == value, "<>": one != value, "<": one < value, ">=": one >= value}[sign]


def names(waiver: Waiver, row: Row) -> bool:
    plain = ("content", "kind", "cause", "field", "system")
    return (
        all(getattr(waiver, k) is None or row[k] == getattr(waiver, k) for k in plain)
        and (waiver.owners is None or row["owner"] in waiver.owners)
        and (waiver.condition is None or holds(waiver.condition, row) is True)
    )


def second_opinion(rows: list[Row], signed: list[Waiver]) -> list[WaiverState]:
    """The state of each waiver; writes into each row who waives it."""
    states = []
    for waiver in signed:
        mine = [r for r in rows if r["waived_by"] is None and names(waiver, r)]
        states.append(state(waiver, mine))
        for row in mine if states[-1] is WaiverState.USED else []:
            row["waived_by"] = waiver.id
    return states


def state(waiver: Waiver, mine: list[Row]) -> WaiverState:
    if not mine:
        return WaiverState.UNUSED
    if waiver.expires <= NOW:
        return WaiverState.EXPIRED
    if waiver.kind == "uncovered":
        counts = [r["old_value"] for r in mine]
        over = None in counts or sum(int(n) for n in counts if n is not None) > waiver.at_most
    else:
        over = len({r["entry"] for r in mine}) > waiver.at_most
    if over:
        return WaiverState.OVERFULL
    pays = any(CUSTOMERS.get(r["customer"], True) for r in mine if r["customer"] != "ann")
    return WaiverState.UNAPPROVED if pays and len(waiver.approved_by) < 2 else WaiverState.USED


# -- the real one ---------------------------------------------------------------------------------


@dataclass
class Bench:
    exchange: Exchange
    book: CustomerBook

    def waive(self, rows: list[Row], signed: list[Waiver]) -> tuple[Waived, list[Row]]:
        create_findings(self.exchange)
        if rows:
            self.exchange.insert("finding", pa.Table.from_pylist(rows, SCHEMA))
        kinds = ", ".join(f"'{k}'" for k in AFFECTING)
        self.exchange.create("affected", f"""AS SELECT DISTINCT content, customer AS id FROM finding
            WHERE kind IN ({kinds}) AND customer IS NOT NULL""")  # fmt: skip
        contents = [found(name, rows) for name in CONTENTS]
        tables = [r["system"] for r in rows if r["kind"] == "uncovered"]
        uncovered = tuple(UncoveredTable(s, "notes", None, None, "") for s in tables)
        coverage = Coverage(0, 0, (), uncovered, ())
        made = Findings(self.exchange, self.book, PLAN)
        approvers = PLAN.plan.policy.approvers
        waived = waive(signed, made, contents, coverage, approvers, NOW)
        return waived, self.exchange.table("FROM finding").to_pylist()


SCHEMA = pa.schema(
    [(c, pa.string()) for c in COLUMNS]
    + [("entry", pa.int64()), ("customer", pa.string()), ("r", pa.uint8())]
)


def found(name: str, rows: list[Row]) -> ContentResult:
    mine = [r for r in rows if r["content"] == name and r["kind"] != "uncovered"]

    def counts(some: list[Row]) -> dict[str, int]:
        entries = defaultdict(set)
        for row in some:
            entries[row["kind"]].add(row["entry"])
        return {kind: len(found) for kind, found in entries.items()}

    routes = tuple(
        RouteResult(s, 0, {}, 0, {}, counts([r for r in mine if r["r"] == i]))
        for i, s in enumerate(SYSTEMS)
    )
    return ContentResult(
        content=name, title="", shape="set", verdict=Verdict.UNDECIDED, old=1, new=1, kept=1, sums_old={},
        sums_new={}, left_out=0, not_due=0, tolerated={}, findings=counts(mine), waived={}, causes={},
        customers=Impact(0, 0), routes=routes, conservation=Conservation(True, True),
    )  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    exchange = Exchange(tmp_path_factory.mktemp("waiving"), threads=1)
    book = CustomerBook(exchange, ("paying",), declared=True)
    for name, pays in CUSTOMERS.items():
        shown = "NULL" if pays is None else str(pays)
        exchange.run(f"INSERT INTO customer VALUES ('{name}', coalesce({shown}, FALSE))")
    yield Bench(exchange, book)
    exchange.close()


laws = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@laws
@given(findings(), waivers())
def test_a_second_opinion_says_the_same(bench, rows, signed):
    waived, marked = bench.waive(rows, signed)
    mine = [dict(row) for row in rows]
    states = second_opinion(mine, signed)
    assert [use.state for use in waived.uses] == states
    key = lambda row: json.dumps(row, sort_keys=True, default=str)  # noqa: E731
    assert sorted(marked, key=key) == sorted(mine, key=key)
    for table, row in zip(
        waived.coverage.uncovered, [r for r in mine if r["kind"] == "uncovered"], strict=True
    ):
        assert table.waived_by == (row["waived_by"] or "")


@laws
@given(findings(), waivers())
def test_waived_and_not_waived_are_what_was_found(bench, rows, signed):
    waived, marked = bench.waive(rows, signed)
    for content in waived.contents:
        mine = [r for r in marked if r["content"] == content.content and r["kind"] != "uncovered"]
        open_entries = {(r["kind"], r["entry"]) for r in mine if r["waived_by"] is None}
        for kind, total in content.findings.items():
            left = len([1 for k, _ in open_entries if k == kind])
            assert content.waived.get(kind, 0) + left == total
            assert content.unwaived.get(kind, 0) == left
            paying = {e for k, e in open_entries if k == kind} & pays(mine)
            assert content.finding_segments.get(kind, {}).get("paying", 0) == len(paying)
        for index, route in enumerate(content.routes):
            some = [r for r in mine if r["r"] == index]
            left_here = {(r["kind"], r["entry"]) for r in some if r["waived_by"] is None}
            for kind in route.findings:
                assert route.unwaived.get(kind, 0) == len([1 for k, _ in left_here if k == kind])
        hurt = {r["customer"] for r in mine if r["kind"] in AFFECTING and not r["waived_by"]}
        assert not any(content.waived) or content.customers.affected == len(hurt - {None})


def pays(rows: list[Row]) -> set[int]:
    return {
        r["entry"] for r in rows if r["customer"] != "ann" and CUSTOMERS.get(r["customer"], True)
    }


@laws
@given(findings(), waivers())
def test_only_a_waiver_that_is_used_takes_anything_away(bench, rows, signed):
    waived, marked = bench.waive(rows, signed)
    used = {use.id: use for use in waived.uses if use.state is WaiverState.USED}
    assert {row["waived_by"] for row in marked} - {None} == set(used)
    by: dict[str, set[Any]] = defaultdict(set)
    for row in marked:
        if row["waived_by"] and row["kind"] != "uncovered":
            by[row["waived_by"]].add(row["entry"])
    for name, entries in by.items():
        assert len(entries) == used[name].entries <= used[name].at_most


@laws
@given(findings(), waivers(), st.integers(0, 3))
def test_one_waiver_less_waives_no_finding_more_unless_it_went_before(bench, rows, signed, which):
    """Taking away a waiver leaves what the others before it do."""
    gone = which % len(signed)
    whole, _ = bench.waive(rows, signed)
    less, _ = bench.waive(rows, signed[:gone] + signed[gone + 1 :])
    assert [u.state for u in whole.uses[:gone]] == [u.state for u in less.uses[:gone]]


def test_no_waivers_change_nothing(bench):
    row = {"content": "queue", "kind": "lost", "entry": 1, "customer": None, "r": 0}
    rows = [dict.fromkeys(COLUMNS) | row]
    waived, marked = bench.waive(rows, [])
    assert waived.uses == ()
    assert marked == rows


HOSTILE = [
    *("'", "\\", "x' OR TRUE --", '"', "%", "\u2028", "$$", "{}", "?", "a\nb", "\U0001f600"),
    *("\u00e9", "e\u0301"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_the_user_is_never_sql(bench, text):
    """Neither in `owners` nor in a condition: it names that owner and no other."""
    owners = [*HOSTILE, "7"]
    rows = [
        dict.fromkeys(COLUMNS)
        | {"content": "queue", "kind": "lost", "owner": o, "entry": i, "customer": o, "r": 0}
        for i, o in enumerate(owners)
    ]
    written = text.replace("'", "''")
    for narrow in ({"owners": [text]}, {"condition": f"owner = '{written}'"}):
        signed = Waiver.model_validate(
            {"id": "W", "content": "queue", "kind": "lost", "at_most": 99, "reason": "r"}
            | {"approved_by": ["a", "b"], "expires": "2027-01-01"}
            | narrow
        )
        _, marked = bench.waive(rows, [signed])
        assert [r["owner"] for r in marked if r["waived_by"]] == [text]


def test_many_waivers_of_one_kind(bench):
    """More of them than an expression may be deep."""
    rows = [
        dict.fromkeys(COLUMNS)
        | {"content": "queue", "kind": "lost", "owner": str(i), "entry": i, "customer": "8", "r": 0}
        for i in range(300)
    ]
    signed = [
        Waiver.model_validate(
            {"id": f"W-{i}", "content": "queue", "kind": "lost", "owners": str(i), "at_most": 1}
            | {"reason": "r", "approved_by": "a", "expires": "2027-01-01"}
        )
        for i in range(300)
    ]
    waived, marked = bench.waive(rows, signed)
    assert {use.state for use in waived.uses} == {WaiverState.USED}
    assert {row["waived_by"] for row in marked} == {f"W-{row['owner']}" for row in marked}
