"""What becomes of a waiver, as a table; and what the verdict makes of it."""
# ruff: noqa: E501 - a case is a line

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from safeguard.comparing.waiving import Matched
from safeguard.contract.model import Allowance, Policy
from safeguard.contract.waivers import Waiver
from safeguard.findings.result import (
    Conservation,
    ContentResult,
    Coverage,
    Impact,
    RouteResult,
    UncoveredTable,
)
from safeguard.findings.words import Kind, Verdict, WaiverState
from safeguard.gate.verdict import decide
from safeguard.gate.waivers import judge

ENDS = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
JUST = dt.timedelta(microseconds=1)
PAYING = frozenset({"paying"})
USED, EXPIRED, OVERFULL, UNAPPROVED, UNUSED = WaiverState


def waiver(**values):
    plain = {"id": "W-7", "content": "queue", "kind": "lost", "at_most": 10, "reason": "agreed"}
    return Waiver.model_validate(
        plain | {"approved_by": ["Ada", "Grace"], "expires": "2026-12-31"} | values
    )


def use(matched, at=ENDS - JUST, unread=(), **values):
    return judge(waiver(**values), matched, {"paying": 2}, at, unread)


CASES = {
    "none": (Matched(0, 0), {}, UNUSED, "waiver W-7 matches nothing that was found"),
    "as many": (Matched(10, 10), {}, USED, "covers 10 entries lost, of at most 10, approved by Ada, Grace until the end of 2026-12-31 (UTC): agreed"),
    "one more": (Matched(12, 11), {}, OVERFULL, "covers 11 entries, more than its 10"),
    "findings are no entries": (Matched(12, 10), {}, USED, ""),
    "none allowed": (Matched(1, 1), {"at_most": 0}, OVERFULL, "covers 1 entry, more than its 0"),
    "the last moment": (Matched(1, 1), {"at": ENDS - JUST}, USED, ""),
    "the end": (Matched(1, 1), {"at": ENDS}, EXPIRED, "covers 1 entry, but expired at the end of 2026-12-31 (UTC)"),
    "an instant": (Matched(1, 1), {"expires": "2026-12-31T10:00:00+02:00"}, EXPIRED, "expired at 2026-12-31 08:00:00 (UTC)"),
    "expired, none": (Matched(0, 0), {"at": ENDS}, UNUSED, "matches nothing that was found; it expired at"),
    "expired and overfull": (Matched(99, 99), {"at": ENDS}, EXPIRED, ""),
    "paying": (Matched(1, 1, PAYING), {}, USED, ""),
    "paying, one": (Matched(3, 3, PAYING), {"approved_by": "Ada"}, UNAPPROVED, "covers 3 entries of customers in paying, for which the policy wants 2 approvers; it has 1"),
    "free, one": (Matched(1, 1), {"approved_by": "Ada"}, USED, ""),
    "one, twice": (Matched(1, 1, PAYING), {"approved_by": ["Ada", "ADA "]}, UNAPPROVED, "it has 1"),
    "not counted": (Matched(1, None), {"kind": "uncovered"}, OVERFULL, "whose entries were not counted: they can't be held to 10"),
    "not compared": (Matched(0, 0), {"unread": {"queue"}}, UNUSED, "could not be tried: queue was not compared"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_becomes_of_a_waiver(case):
    matched, more, state, text = case
    found = use(matched, **more)
    assert found.state is state
    assert text in found.text


def test_only_what_was_found_and_is_not_valid_blocks():
    assert [s for s in WaiverState if s.blocks] == [EXPIRED, OVERFULL, UNAPPROVED]


def test_a_use_says_all_that_a_later_gate_asks():
    found = use(Matched(3, 3))
    assert (found.id, found.entries, found.at_most) == ("W-7", 3, 10)
    assert dt.datetime.fromisoformat(found.expires) == ENDS
    assert found.approved_by == ("Ada", "Grace")


# -- the verdict ----------------------------------------------------------------------------------

WHOLE = Coverage(1, 1, (), (), ())
ROUTE = RouteResult("new", 1, {"lost": 1}, 0, {})
LOST = ContentResult(
    content="queue", title="", shape="set", verdict=Verdict.UNDECIDED, old=3, new=1, kept=1,
    sums_old={"kept": 1}, sums_new={"partner": 1}, left_out=0, not_due=0, tolerated={},
    findings={"lost": 2}, waived={}, causes={}, customers=Impact(1, 0), routes=(ROUTE,),
    conservation=Conservation(True, True), due=1,
)  # fmt: skip


def decided(content=LOST, *uses, coverage=WHOLE, policy=None):
    return decide([content], coverage, policy or Policy(), (), uses)


def test_what_is_waived_blocks_no_more_and_is_named():
    used = use(Matched(2, 2))
    decision = decided(replace(LOST, waived={"lost": 2}), used)
    assert decision.verdict is Verdict.PASS
    assert f"queue: {used.text}" in decision.notes


def test_what_is_left_blocks():
    decision = decided(replace(LOST, waived={"lost": 1}), use(Matched(1, 1)))
    assert decision.reasons == ("queue: 1 entry lost",)


@pytest.mark.parametrize("bad", [{"at": ENDS}, {"at_most": 1}, {"approved_by": "Ada"}])
def test_a_waiver_that_is_not_valid_blocks_even_where_the_kind_is_only_warned_of(bad):
    policy = Policy(block=(), warn=(Kind.LOST,))
    assert decided(LOST, policy=policy).verdict is Verdict.PASS
    spoilt = use(Matched(2, 2, PAYING), **bad)
    decision = decided(LOST, spoilt, policy=policy)
    assert decision.verdict is Verdict.BLOCK
    assert decision.reasons == (f"queue: {spoilt.text}",)
    assert decision.contents[0].verdict is Verdict.BLOCK


def test_one_that_matches_nothing_is_named_and_no_more():
    decision = decided(replace(LOST, findings={}), use(Matched(0, 0)))
    assert decision.verdict is Verdict.PASS
    assert decision.notes == ("queue: waiver W-7 matches nothing that was found",)


def test_the_ceiling_is_for_what_is_left():
    ceiling = (Allowance(content="queue", kind=Kind.LOST, at_most=1),)
    policy = Policy(allow=ceiling)
    assert decided(LOST, policy=policy).verdict is Verdict.BLOCK
    waived = replace(LOST, waived={"lost": 1})
    assert decided(waived, use(Matched(1, 1)), policy=policy).verdict is Verdict.PASS


def test_what_was_not_compared_stays_undecided_whatever_is_waived():
    doubtful = replace(LOST, findings={"lost": 2, "not_compared": 1}, waived={"lost": 2})
    assert decided(doubtful, use(Matched(2, 2))).verdict is Verdict.UNDECIDED
    # Even where something else would let it be counted as waived.
    impossible = replace(doubtful, waived={"lost": 2, "not_compared": 1})
    assert decided(impossible, use(Matched(2, 2))).verdict is Verdict.UNDECIDED


def test_an_uncovered_table_is_waived_by_its_own_waiver_alone():
    table = UncoveredTable("old", "queue", 3, 1, "")
    open_ = replace(WHOLE, uncovered=(table,))
    signed = replace(WHOLE, uncovered=(replace(table, waived_by="W-7"),))
    none = replace(LOST, findings={})
    used = use(Matched(1, 3), kind="uncovered")
    assert decided(none, coverage=open_).verdict is Verdict.BLOCK
    assert decided(none, used, coverage=signed).verdict is Verdict.PASS
    grown = use(Matched(1, 11), kind="uncovered")
    decision = decided(none, grown, coverage=open_)
    assert decision.reasons[-1] == "waiver W-7 covers 11 entries of queue, more than its 10"
    assert decision.contents[0].verdict is Verdict.PASS, "it is no trouble of the content"
