"""The policy's table: any doubt forbids PASS, one blocking finding is BLOCK whatever the doubts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safeguard.contract.model import Policy
from safeguard.findings.result import (
    Conservation,
    ContentResult,
    Coverage,
    ExpectationResult,
    Impact,
    UncoveredTable,
)
from safeguard.findings.words import Kind, Verdict, Weight
from safeguard.gate.verdict import decide
from safeguard.reports.why import why_of

GOOD = ContentResult(
    content="queue", title="", shape="set", verdict=Verdict.UNDECIDED, old=1, new=1, kept=1,
    sums_old={"kept": 1}, sums_new={"partner": 1}, left_out=0, not_due=0, tolerated={}, findings={},
    waived={}, causes={}, customers=Impact(1, 0), routes=(), conservation=Conservation(True, True), due=1,
)  # fmt: skip
WHOLE = Coverage(1, 1, (), (), ())
DOUBTS = [
    {"reasons": ("something was not read",)},
    {"conservation": Conservation(False, True)},
    {"conservation": Conservation(True, False)},
    {"findings": {"not_compared": 1}},
    {"findings": {"not_compared": 1}, "reasons": ("why",)},
]


def verdict(content=GOOD, coverage=WHOLE, policy=None, doubts=()):
    return decide([content] if content else [], coverage, policy or Policy(), doubts).verdict


def test_nothing_found_and_nothing_doubted_is_pass():
    assert verdict() is Verdict.PASS


def test_no_content_and_a_doubt_of_the_run_are_undecided():
    assert verdict(None) is Verdict.UNDECIDED
    assert verdict(doubts=["the two are one"]) is Verdict.UNDECIDED


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_doubt_is_undecided_and_a_certain_finding_wins_over_it(doubt):
    assert verdict(replace(GOOD, **doubt)) is Verdict.UNDECIDED
    findings = {"lost": 1} | doubt.get("findings", {})
    decision = decide([replace(GOOD, **doubt | {"findings": findings})], WHOLE, Policy())
    assert decision.verdict is Verdict.BLOCK
    assert len(decision.reasons) >= 2, "both are named"


@pytest.mark.parametrize("kind", [k for k in Kind if k is not Kind.NOT_COMPARED])
def test_a_kind_blocks_unless_it_is_warned_of(kind):
    content = replace(GOOD, findings={str(kind): 1})
    assert verdict(content, policy=Policy(block=(kind,), warn=())) is Verdict.BLOCK
    assert verdict(content, policy=Policy(block=(), warn=())) is Verdict.BLOCK
    assert verdict(content, policy=Policy(block=(), warn=(kind,))) is Verdict.PASS


@pytest.mark.parametrize(("count", "expected"), [(2, Verdict.PASS), (3, Verdict.BLOCK)])
def test_ceilings(count, expected):
    policy = Policy(allow=({"content": "queue", "kind": "changed", "at_most": 2},))
    assert verdict(replace(GOOD, findings={"changed": count}), policy=policy) is expected
    assert (
        verdict(replace(GOOD, content="x", findings={"changed": 1}), policy=policy) is Verdict.BLOCK
    )


def test_a_ceiling_of_a_segment():
    policy = Policy(
        allow=(
            {"content": "queue", "kind": "changed", "at_most": 9, "segment_at_most": {"paying": 0}},
        )
    )
    content = replace(GOOD, findings={"changed": 1})
    assert verdict(content, policy=policy) is Verdict.PASS
    paying = replace(content, finding_segments={"changed": {"paying": 1}})
    assert verdict(paying, policy=policy) is Verdict.BLOCK


def test_an_uncovered_table_blocks_unless_it_is_warned_of():
    coverage = replace(WHOLE, uncovered=(UncoveredTable("old", "reviews", 3, None, ""),))
    assert verdict(coverage=coverage) is Verdict.BLOCK
    assert (
        verdict(coverage=coverage, policy=Policy(block=(), warn=(Kind.UNCOVERED,))) is Verdict.PASS
    )


def test_each_kind_is_weighed_as_it_is_judged():
    allow = (
        {"content": "queue", "kind": "moved", "at_most": 2},
        {"content": "queue", "kind": "lost"},
    )
    policy = Policy(allow=allow)
    findings = {"lost": 1, "moved": 3, "extra": 1, "changed": 1, "duplicated": 0, "not_compared": 1}
    (content,) = decide([replace(GOOD, findings=findings)], WHOLE, policy).contents
    assert content.weighed == {
        "lost": Weight.ALLOWED,
        "moved": Weight.BLOCKS,
        "extra": Weight.WARNS,
        "changed": Weight.BLOCKS,
    }


def test_a_broken_expectation_is_named_and_counts_as_itself():
    broke = ExpectationResult("expect_x(column=a)", ("a",), "new", True, False, "", "1 of 3 values")
    known = replace(broke, old=False)
    one = replace(GOOD, findings={"expectation": 1}, expectations=(broke, known))
    decision = decide([one], WHOLE, Policy())
    assert decision.verdict is Verdict.BLOCK
    assert decision.reasons == (
        "queue: 1 expectation broken: expect_x(column=a) in new, 1 of 3 values",
    )
    assert [w.line for w in why_of(decision.contents[0])] == [
        "queue: 1 expectation that held before fails: expect_x(column=a) in new, 1 of 3 values"
    ]
