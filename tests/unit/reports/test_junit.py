from __future__ import annotations

from dataclasses import replace

import pytest
from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

import result_examples as examples
from safeguard.findings.result import CheckResult
from safeguard.findings.words import Verdict
from safeguard.reports.junit import render_junit


def _cases(result: CheckResult) -> dict[str, TestCase]:
    (suite,) = _suites(result)
    cases = list(suite)
    assert suite.tests == len(cases)
    assert suite.failures == sum(_marks(c) == [Failure] for c in cases)
    assert suite.errors == sum(_marks(c) == [Error] for c in cases)
    by_name = {c.name: c for c in cases}
    assert len(by_name) == len(cases)
    return by_name


def _suites(result: CheckResult) -> list[TestSuite]:
    return list(JUnitXml.fromstring(render_junit(result).encode()))


def _marks(case: TestCase) -> list[type]:
    return [type(mark) for mark in case.result if isinstance(mark, Failure | Error)]


def test_one_case_for_each_content_and_route() -> None:
    cases = _cases(examples.blocked())
    assert {name: _marks(case) for name, case in cases.items()} == {
        "queue -> streaming": [Failure],
        "queue -> dvd": [],
        "ratings -> streaming": [Failure],
        "notify-me -> streaming": [],
        "reviews -> dvd": [Error],
        "coverage": [Failure],
        "verdict": [Failure],
    }
    case = cases["queue -> streaming"]
    assert case.classname == "safeguard.queue"
    assert case._elem.get("file") == "migrations/qwikster/contracts/queue.yaml"
    counts = {p.get("name"): p.get("value") for p in case._elem.iter("property")}
    assert counts["findings.lost"] == "2774"
    assert _suites(examples.blocked())[0].name == "safeguard:qwikster-split"


def test_pass_has_no_marks() -> None:
    assert all(_marks(case) == [] for case in _cases(examples.passed()).values())


def test_undecided_is_an_error_even_when_nothing_was_read() -> None:
    assert _marks(_cases(examples.empty())["verdict"]) == [Error]
    assert _marks(_cases(examples.undecided())["ratings -> streaming"]) == [Error]


@pytest.mark.parametrize("routes", [(), examples.content().routes])
def test_a_blocked_content_without_a_guilty_route_still_fails(routes: tuple[()]) -> None:
    content = examples.content(verdict=Verdict.BLOCK, routes=routes, findings={"lost": 1})
    result = replace(examples.blocked(), contents=(content,))
    assert _marks(_cases(result)["queue -> (whole content)"]) == [Failure]


def test_names_are_unique() -> None:
    route = examples.content().routes[0]
    content = examples.content(routes=(route, route))
    names = set(_cases(replace(examples.passed(), contents=(content, content))))
    assert {f"queue -> streaming{n}" for n in ("", " (2)", " (3)", " (4)")} < names


def test_hostile_text_is_legal_xml() -> None:
    (suite,) = _suites(examples.hostile())
    assert len(list(suite)) == len(_cases(examples.blocked()))
    assert "\x1b" not in render_junit(examples.hostile())


def test_huge_result_stays_small() -> None:
    assert len(render_junit(examples.huge(3_000))) < 10_000_000


def test_a_route_fails_with_its_own_findings_alone() -> None:
    queue = examples.queue()
    streaming, dvd = queue.routes
    dvd = replace(dvd, statuses={"lost": 5}, findings={"lost": 5})
    result = replace(examples.blocked(), contents=(replace(queue, routes=(streaming, dvd)),))
    (mark,) = _cases(result)["queue -> dvd"].result
    assert mark.text.splitlines() == [
        "2,095,344 due, 0 kept, 5 lost",
        "5 entries are lost in dvd",
    ]
