"""SARIF, code quality, JUnit and annotations: valid by their schemas, small, and free of people."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

import result_examples as examples
from runner import SHOWN, SUMMARY, Command, commands, outputs
from safeguard.contract.model import Policy
from safeguard.findings.result import CheckResult, Coverage, ExpectationResult
from safeguard.findings.trouble import Mistake
from safeguard.findings.words import Kind, Verdict, Weight
from safeguard.gate.verdict import decide
from safeguard.reports.code_quality import render_code_quality
from safeguard.reports.github import (
    render_annotations,
    render_mistakes,
    render_outputs,
    render_summary,
    result_outputs,
)
from safeguard.reports.issues import MOST, Level, issues
from safeguard.reports.junit import render_junit
from safeguard.reports.sarif import render_sarif

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
MEBIBYTE = 1024 * 1024


def many() -> CheckResult:
    """A million findings and more of each kind, in 500 contents, each content with every kind."""
    kinds = {kind.value: 1_000_003 for kind in Kind if kind is not Kind.UNCOVERED}
    reasons = (
        *(f"1,000,003 entries {kind}" for kind in kinds if kind != Kind.NOT_COMPARED),
        "1,000,003 entries could not be compared",
    )
    one = replace(
        examples.ratings(),
        findings=kinds,
        reasons=reasons,
        field_causes={f"field_{i}": {"truncated": 1_000_003} for i in range(20)},
        lines={"content": 1},
    )
    route = replace(one.routes[0], findings=kinds)
    one = replace(one, routes=(route, replace(route, system="dvd")))
    base = examples.huge(500)
    return replace(base, contents=tuple(replace(one, content=f"c{i}") for i in range(500)))


RESULTS: dict[str, Callable[[], CheckResult]] = {
    "blocked": examples.blocked,
    "passed": examples.passed,
    "undecided": examples.undecided,
    "empty": examples.empty,
    "hostile": examples.hostile,
    "huge": lambda: examples.huge(300),
    "many": many,
}
every_result = pytest.mark.parametrize("name", RESULTS)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


def sarif(result: CheckResult) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(render_sarif(result))["runs"][0]
    return run


# Schemas


@every_result
def test_sarif_is_valid(name: str) -> None:
    rules = jsonschema.Draft4Validator(
        schema("sarif-2.1.0-rtm.5.json"), format_checker=jsonschema.FormatChecker()
    )
    assert list(rules.iter_errors(json.loads(render_sarif(RESULTS[name]())))) == []


@every_result
def test_code_quality_is_valid(name: str) -> None:
    rules = jsonschema.Draft202012Validator(schema("gitlab-code-quality.json"))
    assert list(rules.iter_errors(json.loads(render_code_quality(RESULTS[name]())))) == []


@every_result
def test_junit_is_valid_but_for_what_gitlab_and_pytest_add(name: str) -> None:
    """GitLab reads `file` of a case; pytest and others write properties of a case. Jenkins's schema
    knows neither, and its plugin passes over both."""
    root = ET.fromstring(render_junit(RESULTS[name]()))
    for case in root.iter("testcase"):
        del case.attrib["file"]
        for properties in case.findall("properties"):
            case.remove(properties)
    xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").validate(root)


@pytest.mark.parametrize(
    ("spoil", "file"),
    [
        (lambda d: d[0].pop("fingerprint"), "gitlab-code-quality.json"),
        (lambda d: d[0].update(severity="bad"), "gitlab-code-quality.json"),
        (lambda d: d[0]["location"].update(path="./x"), "gitlab-code-quality.json"),
        (lambda d: d[0]["location"]["lines"].update(begin=0), "gitlab-code-quality.json"),
    ],
)
def test_the_schema_written_here_refuses(spoil: Callable[[Any], Any], file: str) -> None:
    report = json.loads(render_code_quality(examples.blocked()))
    spoil(report)
    assert not jsonschema.Draft202012Validator(schema(file)).is_valid(report)


# Limits


def test_a_million_findings_stay_within_githubs_limits() -> None:
    result = many()
    told = commands(render_annotations(result))
    for kind, most in SHOWN.items():
        assert sum(c.name == kind for c in told) <= most
    assert told[0].properties["title"] == "Safeguard: BLOCK"
    errors = [c for c in told if c.name == "error"]
    assert len(errors) == SHOWN["error"]
    total = sum(i.level is Level.ERROR for i in issues(result))
    assert errors[-1].text.startswith(f"{total + 1 - 9:,} more")
    assert len(render_summary(result, "reports").encode()) < SUMMARY
    assert len(render_outputs(result_outputs(result, "reports"), "x").encode()) < MEBIBYTE
    run = sarif(result)
    assert len(run["results"]) == MOST
    assert (
        "more are in" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]
    )
    assert len(render_sarif(result)) < 10 * MEBIBYTE
    assert len(render_junit(result)) < 30_000_000  # GitLab's, of one file


def test_one_more_than_fits_is_counted_not_dropped() -> None:
    mistakes = [Mistake(f"m{i}", "a.yaml", i, 1) for i in range(1, 12)]
    told = commands(render_mistakes(mistakes))
    assert [c.text for c in told] == [
        *(f"m{i}" for i in range(1, 10)),
        "2 more in the job's summary and report.html",
    ]
    assert len(commands(render_mistakes(mistakes[:10]))) == 10
    assert told[0].properties == {
        "file": "a.yaml",
        "line": "1",
        "col": "1",
        "title": "Safeguard: nothing was checked",
    }


@pytest.mark.parametrize(
    ("already", "shown"),
    [(0, "## BLOCK: Do not"), (SUMMARY - 50_000, "## BLOCK: see"), (SUMMARY, "")],
)
def test_a_summary_goes_to_what_room_there_is(already: int, shown: str) -> None:
    page = render_summary(examples.blocked(), "reports", already)
    assert page.startswith(shown)
    assert bool(page) is bool(shown)
    assert already + len(page.encode()) <= SUMMARY


# What people wrote steers nothing


ATTACKS = [
    "::error::x",
    "a\n::add-mask::b",
    "a\r\n::error::b",
    "a\r::stop-commands::b",
    "100%0A::error::x",
    "##[add-mask]x",
    "a ##[error]x",
    "]]><b>&amp;</b>",
    "\x1b[31mred\x1b]8;;x\x07",
    "\u202egnp.exe",
    "a | b `c` **d** [e](f) {0}",
    "\x00\x0b\ufffe\ud800",
    "a,line=9,file=/etc/passwd",
    "EOF\nverdict=PASS",
    "é" * 5_000,
]


def attacked(text: str) -> CheckResult:
    content = replace(
        examples.queue(),
        content=text,
        contract=f"contracts/{text}",
        reasons=("2,774 entries lost", text),
        routes=tuple(replace(r, system=text) for r in examples.queue().routes),
    )
    coverage = examples.blocked().coverage
    table = replace(coverage.uncovered[0], system=text, table=text, reason=text)
    return replace(
        examples.blocked(),
        run=text,
        migration=text,
        reasons=(text, f"{text}.{text} (31,400 entries) is covered by no contract"),
        contents=(content,),
        coverage=replace(coverage, uncovered=(table,)),
        place=f"ops/{text}.yaml",
    )


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_becomes_a_command(text: str) -> None:
    written = render_annotations(attacked(text))
    told = commands(written)
    assert len(told) == len(written.splitlines())
    assert {c.name for c in told} <= {"error", "warning"}
    places = [c.properties for c in told[1:]]
    assert all(set(p) == {"file", "line", "title"} and p["line"].isdigit() for p in places)
    assert re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", written) is None


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_becomes_an_output(text: str) -> None:
    written = render_outputs(result_outputs(attacked(text), text), "safeguard-1f")
    found = outputs(written)
    assert set(found) == set(result_outputs(examples.blocked(), "reports"))
    assert found["verdict"] == "BLOCK"


@pytest.mark.parametrize("text", ATTACKS)
def test_every_format_stays_valid(text: str) -> None:
    result = attacked(text)
    run = json.loads(render_sarif(result))
    assert list(jsonschema.Draft4Validator(schema("sarif-2.1.0-rtm.5.json")).iter_errors(run)) == []
    report = json.loads(render_code_quality(result))
    jsonschema.validate(report, schema("gitlab-code-quality.json"))
    assert list(ET.fromstring(render_junit(result)).iter("failure"))
    for written in (render_sarif(result), render_code_quality(result), render_junit(result)):
        assert re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", written) is None
        written.encode("utf-8")


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(s for v in value.values() for s in strings(v))]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return [value] if isinstance(value, str) else []


@every_result
def test_no_string_is_empty(name: str) -> None:
    result = RESULTS[name]()
    assert "" not in strings(json.loads(render_sarif(result)))
    assert "" not in strings(json.loads(render_code_quality(result)))


# What is said


def test_levels_follow_what_the_policy_does() -> None:
    queue = examples.queue()
    weighed = dict(queue.weighed) | {"moved": Weight.ALLOWED}
    queue = replace(queue, weighed=weighed, reasons=("2,774 entries lost", "40 entries duplicated"))
    found = {i.kind: i.level for i in issues(replace(examples.blocked(), contents=(queue,)))}
    assert found[Kind.LOST] is found[Kind.DUPLICATED] is Level.ERROR
    assert found[Kind.EXTRA] is Level.WARNING
    assert found[Kind.MOVED] is Level.NOTE
    assert found[Kind.UNCOVERED] is Level.ERROR


def test_what_is_waived_is_told_and_no_error() -> None:
    content = examples.content(findings={"lost": 3}, waived={"lost": 3})
    (issue,) = issues(replace(examples.passed(), contents=(content,)))
    assert (issue.level, issue.text) == (Level.NOTE, "3 entries are lost; 3 waived")


def test_a_pass_has_no_errors_and_a_valid_empty_run() -> None:
    run = sarif(examples.passed())
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True
    assert json.loads(render_code_quality(examples.passed())) == []
    assert [c.name for c in commands(render_annotations(examples.passed()))] == ["notice"]


@pytest.mark.parametrize("name", ["blocked", "undecided", "empty", "hostile", "huge", "many"])
def test_what_does_not_pass_has_an_error(name: str) -> None:
    result = RESULTS[name]()
    assert any(r["level"] == "error" for r in sarif(result)["results"])
    severities = {i["severity"] for i in json.loads(render_code_quality(result))}
    assert severities & {"blocker", "critical"}
    assert commands(render_annotations(result))[0].name == "error"


@pytest.mark.parametrize("verdict", [Verdict.BLOCK, Verdict.UNDECIDED])
def test_no_verdict_without_reasons_looks_like_a_pass(verdict: Verdict) -> None:
    result = replace(examples.passed(), verdict=verdict, reasons=())
    (issue,) = issues(result)
    assert (issue.level, issue.kind) == (Level.ERROR, Kind.NOT_COMPARED)


def test_undecided_is_an_error_with_its_reason() -> None:
    (result,) = sarif(examples.undecided())["results"]
    assert (result["ruleId"], result["level"]) == ("not_compared", "error")
    assert "did not come back within 120 s" in result["message"]["text"]
    assert sarif(examples.undecided())["invocations"][0]["executionSuccessful"] is False


def test_findings_point_at_the_line_that_speaks_of_them() -> None:
    places = {(i.where, i.kind.value): (i.file, i.line) for i in issues(examples.blocked())}
    folder = "migrations/qwikster/contracts"
    assert places["queue", "lost"] == (f"{folder}/queue.yaml", 2)
    assert places["queue", "moved"] == (f"{folder}/queue.yaml", 7)
    assert places["ratings.stars", "changed"] == (f"{folder}/ratings.yaml", 8)
    assert places["ratings", "misrouted"] == (f"{folder}/ratings.yaml", 17)
    assert places["old.playlists", "uncovered"] == ("migrations/qwikster/safeguard.yaml", 15)


@pytest.mark.parametrize(
    ("place", "contract", "file"),
    [
        ("safeguard.yaml", "contracts/q.yaml", "contracts/q.yaml"),
        ("ops/safeguard.yaml", "../contracts/q.yaml", "contracts/q.yaml"),
        ("ops/safeguard.yaml", "../../q.yaml", "ops/safeguard.yaml"),
        ("ops/safeguard.yaml", "/etc/q.yaml", "ops/safeguard.yaml"),
        ("ops/safeguard.yaml", "", "ops/safeguard.yaml"),
        ("", "q.yaml", "q.yaml"),
    ],
)
def test_files_are_named_from_the_root_of_the_repository(
    place: str, contract: str, file: str
) -> None:
    queue = replace(examples.queue(), contract=contract)
    result = replace(examples.blocked(), contents=(queue,), place=place)
    assert {i.file for i in issues(result) if i.kind is Kind.LOST} == {file}


def test_a_file_with_blanks_is_a_uri() -> None:
    queue = replace(examples.queue(), contract="my contracts/Ü.yaml")
    result = replace(examples.blocked(), contents=(queue,), place="safeguard.yaml")
    place = sarif(result)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "my%20contracts/%C3%9C.yaml"}


def test_the_same_finding_has_the_same_fingerprint_whatever_its_count() -> None:
    more = replace(
        examples.queue(),
        findings={"lost": 9_999},
        reasons=("9,999 entries lost",),
        lines={"content": 40},
    )
    first, second = (
        {i.key for i in issues(replace(examples.blocked(), contents=(c,))) if i.kind is Kind.LOST}
        for c in (examples.queue(), more)
    )
    assert first == second


def test_a_doubt_keeps_its_fingerprint_when_only_its_numbers_change() -> None:
    def keys(reason: str) -> set[str]:
        content = replace(examples.reviews(), reasons=(reason,))
        return {i.key for i in issues(replace(examples.undecided(), contents=(content,)))}

    assert keys("12 values of `body`: x") & keys("1,305 values of `body`: x")
    assert keys("12 values of `body`: x") != keys("12 values of `title`: x")


@every_result
def test_fingerprints_are_unique(name: str) -> None:
    keys = [i["fingerprint"] for i in json.loads(render_code_quality(RESULTS[name]()))]
    assert len(set(keys)) == len(keys)


def test_rules_are_the_same_in_every_run() -> None:
    rules = [sarif(make())["tool"]["driver"]["rules"] for make in RESULTS.values()]
    assert all(r == rules[0] for r in rules)
    assert [r["id"] for r in rules[0]] == [*Kind]
    for result in sarif(examples.blocked())["results"]:
        assert rules[0][result["ruleIndex"]]["id"] == result["ruleId"]


@pytest.mark.parametrize(
    "reason",
    [
        'invalid input syntax for type integer: "ann@example.org"',
        "Truncated incorrect DOUBLE value: 'ann@example.org'",
        "could not convert 'it's ann@example.org' here",
        'can\'t be read: "a "b" ann@example.org"',
        "CSV Error on Line: 5\nOriginal Line: 7,ann@example.org",
    ],
)
def test_what_a_server_quotes_of_a_customer_is_left_out(reason: str) -> None:
    content = replace(examples.reviews(), reasons=(reason,))
    result = replace(examples.undecided(), contents=(content,), reasons=(f"reviews: {reason}",))
    for written in (render_sarif(result), render_code_quality(result)):
        assert "ann@example.org" not in written
        assert "reviews" in written


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("5 of 1,050 values, such as 98765, 98766", "in new, 5 of 1,050 values"),
        ("observed 98765", "in new"),
        ("98765", "in new"),
        ("it does not hold", "in new"),
    ],
)
def test_what_an_expectation_found_is_counted_and_not_told(observed: str, shown: str) -> None:
    broke = ExpectationResult("expect_x(column=a)", ("a",), "new", True, False, "", observed)
    found = examples.content(
        findings={"expectation": 1}, certain=frozenset({"expectation"}), expectations=(broke,)
    )
    decision = decide([found], Coverage(0, 0, (), (), ()), Policy())
    result = replace(
        examples.blocked(), contents=decision.contents, reasons=decision.reasons, waivers=()
    )
    told = [i.text for i in issues(result) if i.kind is Kind.EXPECTATION]
    assert [text.endswith(f"expect_x(column=a) {shown}") for text in told] == [True]
    every = (render_sarif(result), render_code_quality(result), render_annotations(result))
    assert not any("9876" in text for text in every)


def test_no_entry_and_no_owner_is_told() -> None:
    result = examples.blocked()
    told = render_sarif(result) + render_code_quality(result) + render_annotations(result)
    samples = [s for c in result.contents for s in c.samples]
    assert samples
    for sample in samples:
        for value in (sample.owner, sample.item, sample.old_value, sample.new_value):
            assert value is None or len(value) < 4 or value not in told


def test_a_message_has_neither_links_nor_placeholders() -> None:
    queue = replace(examples.queue(), content="[a](b) {0} \\")
    run = sarif(replace(examples.blocked(), contents=(queue,)))
    text = run["results"][0]["message"]["text"]
    assert text.startswith("\\[a\\](b) {{0}} \\\\: 2,774")


def test_outputs_are_what_a_step_can_branch_on() -> None:
    found = outputs(render_outputs(result_outputs(examples.blocked(), "reports"), "x"))
    assert (found["verdict"], found["exit-code"], found["lost"]) == ("BLOCK", "1", "2774")
    assert (found["report"], found["uncovered"]) == ("reports/report.html", "1")
    assert (found["not-compared"], found["customers-affected"]) == ("12", "3214")


def test_the_runner_of_these_tests_reads_as_the_real_one() -> None:
    log = "  ::error file=a%2Cb,line=1::50%25%0Ax\nx ::error::no\n::nothing::x\ny ##[warning]z\n"
    stopped = "::stop-commands::t1\n::error::no\n##[error]no\n::t1::\n::notice::yes"
    assert commands(log + stopped) == [
        Command("error", "50%\nx", {"file": "a,b", "line": "1"}),
        Command("warning", "z"),
        Command("notice", "yes"),
    ]
    with pytest.raises(ValueError, match="no end"):
        outputs("a<<X\nb\n")
