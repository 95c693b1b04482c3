"""What is signed of a run: in in-toto's form, with all that the verdict stands on, and no secret."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import result_examples as examples
from safeguard.findings.result import CheckResult, DrillSummary, SystemInfo, WaiverUse
from safeguard.findings.words import Kind, WaiverState
from safeguard.gate.envelope import MAX_BYTES, Refused, unseal
from safeguard.gate.statement import read, state
from signed_examples import CONFIGURATION, DATABASES, LEFT, dated, pair, payload, sealed

SCHEMA = Draft202012Validator(
    json.loads(Path(__file__).with_name("test-result.schema.json").read_text("utf-8"))
)
WAIVER = WaiverUse(
    "W-1",
    "queue",
    Kind.LOST,
    3,
    WaiverState.USED,
    "known",
    ("ann", "bob"),
    "2026-12-01T00:00:00Z",
    "waiver W-1 waives 3 entries",
    5,
)
DRILL = DrillSummary("2026-11-21T03-00-00Z", "2026-11-21T03:00:00Z", 412, 412, 21, (), "stream")


def whole(result: CheckResult) -> Any:
    return json.loads(payload(result))


@pytest.mark.parametrize("name", ["passed", "blocked", "undecided", "empty", "hostile"])
def test_it_fits_the_published_form(name):
    result: CheckResult = getattr(examples, name)()
    if name == "hostile":  # its systems' names are not those of the examples
        result = replace(result, systems=())
    SCHEMA.validate(whole(result))


def test_the_form_can_fail():
    broken = whole(examples.passed())
    del broken["subject"][0]["digest"]
    with pytest.raises(ValidationError):
        SCHEMA.validate(broken)


@pytest.mark.parametrize(
    ("result", "word", "passed", "failed"),
    [
        (examples.passed(), "PASSED", ["queue", "notify-me"], []),
        (examples.blocked(), "FAILED", ["notify-me"], ["queue", "ratings", "reviews"]),
        (examples.undecided(), "FAILED", ["queue"], ["ratings"]),
        (examples.empty(), "FAILED", [], []),
    ],
    ids=["passed", "blocked", "undecided", "empty"],
)
def test_only_a_pass_is_passed_and_the_extension_says_which_other(result, word, passed, failed):
    predicate = whole(result)["predicate"]
    assert predicate["result"] == word
    assert predicate["passedTests"] == passed
    assert predicate["failedTests"] == failed
    assert predicate["safeguard"]["verdict"] == result.verdict


def test_subjects_are_the_configuration_and_what_the_run_left():
    statement = whole(examples.passed())
    digests = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    assert digests == CONFIGURATION | LEFT
    names = [file["name"] for file in statement["predicate"]["configuration"]]
    assert names == list(CONFIGURATION)
    assert read(payload()).left == LEFT


def test_it_names_what_the_verdict_stands_on():
    result = replace(dated(examples.passed()), waivers=(WAIVER,), drill=DRILL)
    run = json.loads(state(result, CONFIGURATION, LEFT, DATABASES))["predicate"]["safeguard"]
    assert run["run"] == result.run
    assert run["startedOn"] == "2026-11-22T03:14:07Z"
    assert run["finishedOn"] == "2026-11-22T03:18:40Z"
    assert run["planDigest"] == result.plan_digest
    assert run["toolVersion"] == "0.1.0"
    assert run["systems"][0] == {
        "name": "old",
        "url": "",
        "database": DATABASES["old"],
        "dialect": "PostgreSQL",
        "version": "15.18",
        "snapshot": "one exported snapshot, held by 4 readers",
        "wholeSnapshot": True,
        "takenAt": "2026-11-22T03:14:08Z",
    }
    assert run["contents"][0]["tolerated"] == {"renumbered": 90}
    assert run["waivers"][0]["approvedBy"] == ["ann", "bob"]
    assert run["waivers"][0]["expires"] == "2026-12-01T00:00:00Z"
    assert run["drill"]["planted"] == run["drill"]["caught"] == 412


def test_no_password_of_a_url_is_in_it():
    url = "postgresql://ann:hush@db/shop?password=hush2"
    result = replace(examples.passed(), systems=(SystemInfo("old", "x", "1", "none", url),))
    text = state(result, CONFIGURATION, LEFT, {}).decode()
    assert "hush" not in text
    assert "ann:***@db" in text


def test_a_run_of_thousands_of_contents_fits_into_an_envelope():
    envelope = sealed(examples.huge())
    assert len(envelope) < MAX_BYTES / 2
    assert len(read(unseal(envelope, [pair()[1]])[0]).run.contents) == 3_000


def test_what_is_no_utf_8_can_be_signed():
    result = replace(examples.undecided(), reasons=("no \ud800 text",))
    assert read(payload(result)).run.reasons == ("no \\ud800 text",)


def test_what_was_stated_is_read_again():
    for result in (examples.passed(), examples.blocked(), examples.undecided()):
        statement = read(payload(result))
        assert statement.run.verdict is result.verdict
        assert [c.kept for c in statement.run.contents] == [c.kept for c in result.contents]
        assert statement.model_dump_json(by_alias=True, exclude_none=True).encode() == payload(
            result
        )


def test_fields_that_nobody_knows_are_passed_over():
    statement = json.loads(payload())
    statement["more"] = statement["predicate"]["safeguard"]["more"] = 1
    assert read(json.dumps(statement).encode()).run.run == examples.passed().run


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("predicateType", "https://in-toto.io/attestation/test-result/v0.2"),
        ("subject", None),
        ("subject", [{"name": "x", "digest": {"sha1": "00"}}]),
        ("predicate", {}),
        ("predicate.result", "WARNED"),
        ("predicate.result", None),
        ("predicate.safeguard", None),
        ("predicate.safeguard.schema", 2),
        ("predicate.safeguard.schema", "1"),
        ("predicate.safeguard.verdict", "pass"),
        ("predicate.safeguard.startedOn", "yesterday"),
        ("predicate.safeguard.startedOn", "2026-11-22T03:14:07"),
        ("predicate.safeguard.contents", None),
        ("predicate.safeguard.systems", [{"name": "old"}]),
    ],
)
def test_what_is_no_statement_of_ours_is_refused(place, value):
    statement = json.loads(payload())
    *holders, name = place.split(".")
    inner = statement
    for holder in holders:
        inner = inner[holder]
    inner[name] = value
    with pytest.raises(Refused, match="no statement of ours"):
        read(json.dumps(statement).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"a": 1, "a": 1}'])
def test_what_is_no_plain_json_is_refused(text):
    with pytest.raises(Refused):
        read(text)
