"""A run's folder: what stands in it at every moment, and that it can be read again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import result_examples as examples
from safeguard.findings.result import CheckResult, Impact, RouteResult, Sample
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.findings.words import Kind, Verdict
from safeguard.runs import RunFolder, create_run, findings, load_result, undecided
from safeguard.runs import verdict_document as document

STARTED = dt.datetime(2026, 3, 1, 12, 30, 5, tzinfo=dt.UTC)
RESULTS = [examples.blocked(), examples.passed(), examples.undecided(), examples.empty()]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """One that nobody writes any more."""
    made = create_run(tmp_path / "safeguard.yaml", tmp_path / "out", STARTED)
    made.close()
    return made


def verdict(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "verdict.json").read_text())
    assert isinstance(found, dict)
    return found


def refusal(folder: Path) -> str:
    with pytest.raises(UsageProblem) as caught:
        load_result(folder)
    return str(caught.value)


# -- the first verdict ------------------------------------------------------------------------


def test_the_first_verdict_is_undecided(run):
    assert verdict(run.path) == {
        "schema": 1,
        "run": "2026-03-01T12-30-05Z",
        "verdict": "UNDECIDED",
        "exit_code": 3,
        "reasons": ["the check has not ended"],
        "started_at": "2026-03-01T12:30:05+00:00",
    }


def test_a_new_run_takes_an_older_pass_and_its_reports_away(run, tmp_path):
    run.write_result(examples.passed())
    for name in ("report.html", "summary.md", "junit.xml", "findings.csv", "findings.parquet"):
        run.write_text(name, "all is well")
    run.write_text("notes-of-a-person.txt", "keep me")
    (run.work / "left").mkdir(parents=True)
    create_run(tmp_path / "safeguard.yaml", run.path, STARTED).close()
    assert {p.name for p in run.path.iterdir()} == {"verdict.json", "notes-of-a-person.txt"}
    assert verdict(run.path)["verdict"] == "UNDECIDED"


def test_an_older_pass_goes_even_where_an_older_report_can_not(run, tmp_path):
    run.write_result(examples.passed())
    (run.path / "report.html" / "in-the-way").mkdir(parents=True)
    with pytest.raises(UsageProblem, match=r"out can't be written: "):
        create_run(tmp_path / "safeguard.yaml", run.path, STARTED)
    assert verdict(run.path)["verdict"] == "UNDECIDED"


def test_a_folder_that_is_being_written_is_left_as_it_is(run, tmp_path):
    """The second says so before it touches anything: the first may just be writing its verdict."""
    first = create_run(tmp_path / "safeguard.yaml", run.path, STARTED)
    first.write_text("verdict.json", '{"verdict": "PASS"}')
    with pytest.raises(UsageProblem, match="out: another check is still writing this run"):
        create_run(tmp_path / "safeguard.yaml", run.path, STARTED)
    assert verdict(run.path) == {"verdict": "PASS"}
    first.close()
    first.close()
    create_run(tmp_path / "safeguard.yaml", run.path, STARTED).close()
    assert not (run.path / ".lock").exists()


def test_a_lock_that_a_killed_process_left_is_in_nobodys_way(run, tmp_path):
    (run.path / ".lock").touch()
    create_run(tmp_path / "safeguard.yaml", run.path, STARTED).close()


def test_a_file_in_the_folders_place_is_a_usage_problem(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageProblem, match=r"out can't be written: File exists"):
        create_run(tmp_path / "safeguard.yaml", tmp_path / "out", STARTED)


def test_runs_of_one_second_have_folders_of_their_own(tmp_path):
    made = [create_run(tmp_path / "safeguard.yaml", None, STARTED).path for _ in range(3)]
    parent = tmp_path / ".safeguard" / "runs"
    name = "2026-03-01T12-30-05Z"
    assert made == [parent / name, parent / f"{name}-2", parent / f"{name}-3"]


def test_a_run_that_could_not_judge_says_why(run):
    undecided(run, STARTED, "interrupted", 130)
    found = verdict(run.path)
    assert (found["verdict"], found["exit_code"], found["reasons"]) == (
        "UNDECIDED",
        130,
        ["interrupted"],
    )
    assert dt.datetime.fromisoformat(found["finished_at"]) > STARTED


# -- writing ----------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(run):
    before = (run.path / "verdict.json").read_bytes()
    (run.path / ".verdict.json.partial").mkdir()
    with pytest.raises(SystemProblem, match=r"verdict\.json can.t be written"):
        run.write_text("verdict.json", "half a")
    assert (run.path / "verdict.json").read_bytes() == before


def test_nothing_partial_stays(run):
    run.write_result(examples.blocked())
    run.work.mkdir()
    run.clean()
    run.clean()
    assert {p.name for p in run.path.iterdir()} == {"verdict.json", "evidence.json"}


def test_text_that_utf8_can_not_hold_is_escaped(run):
    run.write_text("summary.md", "a \ud800 b \U0001f600 שלום 日本語")
    assert (run.path / "summary.md").read_text(encoding="utf-8") == (
        "a \\ud800 b \U0001f600 שלום 日本語"
    )


# -- verdict.json -----------------------------------------------------------------------------

IMPACT = {"with_content", "affected", "segments"}
KEYS = {
    *("schema", "run", "migration", "kind", "verdict", "exit_code", "reasons", "started_at"),
    *("finished_at", "tool_version", "plan_digest", "customers", "contents", "coverage"),
    *("waivers", "waivers_digest", "systems", "drill"),
}
CONTENT_KEYS = {
    *("content", "shape", "verdict", "old", "new", "kept", "sums", "left_out", "not_due"),
    *(
        "tolerated",
        "findings",
        "waived",
        "causes",
        "explanations",
        "customers",
        "routes",
        "conservation",
        "patterns",
        "strategy",
    ),
}


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: r.verdict)
def test_verdict_json_has_the_keys_that_are_fixed(result):
    found = document(result)
    assert found.keys() - {"notes"} == KEYS
    assert found["customers"].keys() == {"total", *IMPACT}
    assert found["coverage"].keys() == {
        *("tables", "covered", "ignored", "uncovered", "unchecked_columns"),
    }
    assert all(s.keys() == {"dialect", "version", "snapshot"} for s in found["systems"].values())
    for content in found["contents"]:
        assert content.keys() - {"reasons", "due", "expectations"} == CONTENT_KEYS
        assert content["sums"].keys() == {"old", "new"}
        assert content["customers"].keys() == IMPACT
        assert content["conservation"].keys() == {"old", "new"}
        assert all({"system", "due", "kept"} <= route.keys() for route in content["routes"])
    assert (found["schema"], found["verdict"]) == (1, str(result.verdict))


def test_a_route_that_kept_nothing_says_so():
    route = RouteResult("dvd", 3, {"lost": 3}, 0, {})
    found = document(_with(examples.content(routes=(route,))))["contents"][0]["routes"]
    assert found == [{"system": "dvd", "due": 3, "kept": 0, "lost": 3, "new": {}}]


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: r.verdict)
def test_every_count_is_an_integer(result):
    written = json.loads(json.dumps(document(result)), parse_float=_no_float)
    for content in written["contents"]:
        groups = ("tolerated", "findings", "waived", "causes")
        counts = [content[name] for name in ("old", "new", "kept", "left_out", "not_due")]
        counts += [n for group in groups for n in content[group].values()]
        counts += [n for side in content["sums"].values() for n in side.values()]
        counts += [n for route in content["routes"] for n in _numbers(route)]
        counts += _numbers(content["customers"])
        assert {type(n) for n in counts} == {int}


def test_counts_beyond_a_double_are_exact(run):
    many = 2**53 + 1
    run.write_result(_with(examples.content(old=many, sums_old={"kept": many})))
    assert verdict(run.path)["contents"][0]["old"] == many
    assert load_result(run.path).contents[0].sums_old == {"kept": many}


def test_without_a_table_of_customers_their_total_is_null():
    result = _with(examples.content(), customers=Impact(3, 0))
    assert document(result)["customers"] == {
        "total": None,
        "with_content": 3,
        "affected": 0,
        "segments": {},
    }


def _with(content: Any, **values: Any) -> CheckResult:
    return replace(examples.passed(), contents=(content,), **values)


def _no_float(text: str) -> None:
    pytest.fail(f"{text} is not an integer")


def _numbers(value: Any) -> Iterator[Any]:
    for inner in value.values():
        if isinstance(inner, dict):
            yield from _numbers(inner)
        elif not isinstance(inner, str):
            yield inner


# -- reading again ----------------------------------------------------------------------------


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: r.verdict)
def test_a_result_can_be_read_again_as_it_was(run, result):
    run.write_result(result)
    assert load_result(run.path) == result


def test_no_result_yet(run):
    assert refusal(run.path) == (
        f"{run.path}: this run did not end with a result; see its verdict.json"
    )


def test_no_runs_folder(tmp_path):
    assert refusal(tmp_path) == f"{tmp_path} is no run's folder: it has no evidence.json"


@pytest.mark.parametrize("evidence", ["", "{", "[]", '{"run": 1}', "\x00"])
def test_evidence_that_can_not_be_read(run, evidence):
    run.write_result(examples.passed())
    run.write_text("evidence.json", evidence)
    assert refusal(run.path).startswith(f"{run.path}: its result can't be read: ")
    assert "\n" not in refusal(run.path)


def test_evidence_of_a_verdict_that_was_never_written_is_no_result(run):
    first = (run.path / "verdict.json").read_text()
    run.write_result(examples.passed())
    run.write_text("verdict.json", first)
    assert "did not end with a result" in refusal(run.path)


def test_the_result_of_another_version_is_refused(run):
    run.write_result(examples.passed())
    run.write_text("verdict.json", json.dumps(verdict(run.path) | {"schema": 2}))
    assert refusal(run.path) == f"{run.path}: another version of Safeguard left this result"


# -- findings ---------------------------------------------------------------------------------


def test_findings_come_back_as_they_were_written(run):
    odd = examples.HOSTILE.replace("\ud800", "")
    written = [examples.sample(kind, item=f"{kind}", old_value=odd) for kind in Kind]
    written += [examples.sample(item=str(i), owner=None) for i in range(10_005)]
    names = [f.name for f in fields(Sample)]
    table = pa.Table.from_pylist(
        [asdict(s) | {"kind": str(s.kind)} for s in written],
        pa.schema([(name, pa.string()) for name in names]),
    )
    pq.write_table(table, run.path / "findings.parquet")
    found = list(findings(run.path))
    assert found == written
    assert {type(f.kind) for f in found} == {Kind}


def test_no_findings(run):
    with pytest.raises(UsageProblem, match=r"out has no findings\.parquet"):
        next(findings(run.path))


@pytest.mark.parametrize("junk", ["", "PAR1", "not at all what it should be"])
def test_findings_that_can_not_be_read(run, junk):
    run.write_text("findings.parquet", junk)
    with pytest.raises(UsageProblem, match=r"findings\.parquet can't be read: "):
        next(findings(run.path))


def test_exit_codes_are_those_of_the_verdicts():
    assert [v.exit_code for v in (Verdict.PASS, Verdict.BLOCK, Verdict.UNDECIDED)] == [0, 1, 3]
