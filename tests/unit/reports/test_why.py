from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import result_examples as examples
from safeguard.findings.result import ContentResult, Impact, Pattern, RouteResult, SegmentCount
from safeguard.findings.words import Verdict
from safeguard.reports.why import Why, both_kinds, route_lines, why, why_of


def _content(kinds: dict[str, int], **values: Any) -> ContentResult:
    reasons = tuple(f"{n:,} entries {kind}" for kind, n in kinds.items())
    plain = {"verdict": Verdict.BLOCK, "findings": kinds, "reasons": reasons, "due": 720}
    route = RouteResult("dvd", 720, {}, 720, {}, kinds)
    return examples.content("ratings", **{**plain, "routes": (route,), **values})


def _lines(content: ContentResult) -> list[str]:
    return [reason.line for reason in why_of(content)]


def test_a_changed_field_is_named_with_its_causes_the_most_frequent_first() -> None:
    content = _content({"changed": 100}, field_causes={"body": {"garbled": 1, "truncated": 99}})
    assert _lines(content) == ["ratings.body: 99 cut off, 1 in a wrong encoding"]


@pytest.mark.parametrize(
    ("cause", "count", "said"),
    [
        ("time_shift", 720, "all 720 shifted in time: is the time zone in the contract right?"),
        ("time_shift", 648, "648 shifted in time: is the time zone in the contract right?"),
        ("time_shift", 647, "647 shifted in time"),
        (
            "mapped_wrong",
            700,
            "700 not as the contract's map says: is the map in the contract right?",
        ),
        ("truncated", 720, "all 720 cut off"),
    ],
)
def test_a_contract_that_is_wrong_for_nearly_all_is_doubted(
    cause: str, count: int, said: str
) -> None:
    content = _content({"changed": count}, field_causes={"rated_at": {cause: count}})
    assert _lines(content) == [f"ratings.rated_at: {said}"]


def test_what_the_whole_column_tells_stands_for_its_causes() -> None:
    text = "99 of body are cut off at 255 bytes"
    causes = {"body": {"truncated": 99, "garbled": 1}}
    content = _content(
        {"changed": 100}, field_causes=causes, patterns=(Pattern("body", "truncated", 99, text),)
    )
    assert _lines(content) == [f"ratings: {text}; 1 in a wrong encoding"]
    half = replace(content, patterns=(Pattern("body", "truncated", 60, text),))
    assert _lines(half) == [f"ratings: {text}; 39 cut off; 1 in a wrong encoding"]


def test_who_has_no_account_is_said_with_the_system() -> None:
    assert _lines(_content({"orphaned": 89})) == [
        "ratings: 89 entries belong to customers who do not exist in dvd"
    ]


def test_customers_are_named_where_one_kind_alone_hurts_them() -> None:
    people = Impact(90, 12, {"paying": SegmentCount(9, 3)})
    alone = _content({"lost": 20, "extra": 1}, customers=people)
    assert _lines(alone)[0] == "ratings: 20 entries are lost in dvd; 12 customers (3 paying)"
    both = _content({"lost": 20, "moved": 1}, customers=people)
    both = replace(both, finding_segments={"lost": {"paying": 5}})
    assert _lines(both)[0] == "ratings: 20 entries are lost in dvd; 5 of paying customers"


def test_a_ceiling_that_was_passed_stays_said() -> None:
    content = _content({"changed": 7}, field_causes={"body": {"truncated": 7}})
    limit = ", more than the 5 that the policy allows"
    content = replace(content, reasons=(f"7 entries changed{limit}",))
    assert _lines(content) == [
        f"ratings: 7 entries are changed in dvd{limit}",
        "ratings.body: 7 cut off",
    ]


def test_what_blocks_comes_before_what_is_undecided_and_each_is_said_once() -> None:
    said = why(examples.blocked())
    assert [w.blocks for w in said] == sorted((w.blocks for w in said), reverse=True)
    assert said[-1].line == f"reviews: {examples.reviews().reasons[0]}"
    assert len({w.line for w in said}) == len(said)


def test_a_route_says_what_was_found_there_alone() -> None:
    queue = examples.queue()
    streaming, dvd = queue.routes
    assert route_lines(queue, dvd) == ()
    assert "2,774 entries are lost in streaming" in route_lines(queue, streaming)


def test_a_cut_keeps_both_kinds_of_reasons() -> None:
    many = [Why("", str(i), blocks=True) for i in range(9)] + [Why("", "x", blocks=False)]
    assert [w.text for w in both_kinds(many, 2)] == ["0", "1", "x"]
