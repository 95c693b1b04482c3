"""The commands as a person or a pipeline runs them, on a small demo."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from safeguard.demo import set_scene


def safeguard(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safeguard", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd)


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    return set_scene(tmp_path_factory.mktemp("hurried"), 300, 7, faults=True)


@pytest.fixture(scope="module")
def checked(hurried):
    """The plan's folder after a check into `reports`."""
    folder = hurried.plan.parent
    done = safeguard("check", hurried.plan, "--out", folder / "reports", "--format", "csv")
    assert done.returncode == 1, done.stderr
    return folder


def test_a_hurried_migration_is_blocked_with_every_planted_fault_counted(hurried, checked):
    verdict = json.loads((checked / "reports" / "verdict.json").read_text("utf-8"))
    assert (verdict["verdict"], verdict["exit_code"]) == ("BLOCK", 1)
    found = {
        (content["content"], kind): n
        for content in verdict["contents"]
        for kind, n in content["findings"].items()
        if n
    }
    expected = {key: n for key, n in hurried.built.expected.items() if key[1] != "uncovered"}
    assert found == expected
    assert len(verdict["coverage"]["uncovered"]) == 1


def test_a_right_migration_passes_and_json_is_all_that_stdout_carries(tmp_path):
    scene = set_scene(tmp_path, 60, 2, faults=False)
    done = safeguard("check", scene.plan, "--format", "json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    verdict = json.loads(done.stdout)
    assert (verdict["verdict"], verdict["exit_code"]) == ("PASS", 0)
    run = tmp_path / ".safeguard" / "runs" / verdict["run"]
    assert json.loads((run / "verdict.json").read_text("utf-8")) == verdict


def test_nothing_to_compare_is_undecided(tmp_path):
    scene = set_scene(tmp_path, 1, 1, faults=False)
    for name in ("old", "streaming", "dvd"):
        (tmp_path / f"{name}.sqlite").unlink()
    set_scene(tmp_path, 0, 1, faults=False)
    done = safeguard("check", scene.plan)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("UNDECIDED")


def test_mistakes_end_with_2_and_leave_an_undecided_verdict(tmp_path):
    scene = set_scene(tmp_path, 1, 1, faults=False)
    contract = tmp_path / "contracts" / "queue.yaml"
    contract.write_text(contract.read_text("utf-8").replace("columns:", "colums:"), "utf-8")
    done = safeguard("check", scene.plan, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "Did you mean `columns`?" in done.stderr
    assert "2 mistakes; nothing was checked." in done.stderr
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text("utf-8"))
    assert verdict["verdict"] == "UNDECIDED"


def test_a_reader_who_goes_away_makes_no_pass(tmp_path):
    scene = set_scene(tmp_path, 10, 1, faults=False)
    command = [sys.executable, "-m", "safeguard", "check", str(scene.plan), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        process.stdout = None
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (3, b"")


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", "BLOCK"),
        ("html", "<!doctype html>"),
        ("md", "## BLOCK"),
        ("junit", "<?xml"),
        ("csv", "content,kind,cause,owner"),
        ("json", '{\n  "schema": 1'),
    ],
)
def test_a_run_is_rendered_again(checked, form, start, tmp_path):
    done = safeguard("report", checked / "reports", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)
    out = tmp_path / "report"
    assert safeguard("report", checked / "reports", "--format", form, "--out", out).returncode == 0
    assert out.read_text("utf-8").startswith(start)


def printed(text: str) -> tuple[str, list[str]]:
    """The path of the report, and the arguments of the command that `next` shows."""
    report = re.search(r"^  report +(\S+)$", text, re.MULTILINE)
    command = re.search(r"^  next +safeguard\s+(report\s.*?)\s·", text, re.MULTILINE | re.DOTALL)
    assert report
    assert command, text
    return report[1], shlex.split(command[1])


@pytest.mark.parametrize(
    ("where", "options", "place"),
    [
        (".", (), r"\.safeguard/runs/[^/]+"),
        ("..", (), r"plans/\.safeguard/runs/[^/]+"),
        ("..", ("--out", "out/reports"), "out/reports"),
        ("../elsewhere", (), r"/.+/plans/\.safeguard/runs/[^/]+"),
    ],
)
def test_what_a_check_prints_can_be_done_from_where_it_ran(where, options, place, tmp_path):
    plan = set_scene(tmp_path / "plans", 40, 7, faults=True).plan
    cwd = (tmp_path / "plans" / where).resolve()
    cwd.mkdir(exist_ok=True)
    if where == "..":
        plan = plan.relative_to(cwd)
    done = safeguard("check", plan, *options, "--quiet", cwd=cwd)
    assert done.returncode == 1, done.stderr
    report, command = printed(done.stdout)
    assert re.fullmatch(place, command[1])
    assert report == f"{command[1]}/report.html"
    assert (cwd / report).is_file()
    again = safeguard(*command, cwd=cwd)
    assert (again.returncode, again.stdout[:13]) == (0, "content,kind,")
    assert safeguard("report", command[1], cwd=cwd).stdout == done.stdout
    summary = (cwd / command[1] / "summary.md").read_text("utf-8")
    assert f"safeguard report {command[1]} " in summary.replace("\\_", "_")


def test_what_the_demo_prints_can_be_done(tmp_path):
    done = safeguard("demo", "--customers", 40, cwd=tmp_path)
    report, command = printed(done.stdout)
    assert (report, command[1]) == (".safeguard/demo/report/report.html", ".safeguard/demo/report")
    assert safeguard(*command, cwd=tmp_path).returncode == 0


def test_csv_has_a_line_for_every_finding(checked):
    with (checked / "reports" / "findings.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    again = safeguard("report", checked / "reports", "--format", "csv").stdout
    assert list(csv.DictReader(again.splitlines())) == written
    assert {row["kind"] for row in written} >= {"lost", "moved", "misattributed", "uncovered"}


def test_last_is_the_youngest_run_that_ended_with_a_result(tmp_path):
    plan = set_scene(tmp_path, 40, 7, faults=True).plan
    assert safeguard("check", plan, "--quiet", cwd=tmp_path).returncode == 1
    [ended] = (tmp_path / ".safeguard" / "runs").iterdir()
    later = ended.parent / "2999-01-01T00-00-00Z"
    later.mkdir()
    (later / "verdict.json").write_bytes((ended / "verdict.json").read_bytes())
    for command in ("report", "waive"):
        by_id = safeguard(command, ended.name, cwd=tmp_path)
        assert (by_id.returncode, safeguard(command, "last", cwd=tmp_path).stdout) == (
            0,
            by_id.stdout,
        )


@pytest.mark.parametrize("run", ["nowhere", ".", "last"])
def test_what_is_no_run_is_a_mistake(run, tmp_path):
    done = safeguard("report", run, cwd=tmp_path)
    assert done.returncode == 2
    assert "is no run" in done.stderr


def test_discover_names_what_was_forgotten_and_ends_with_1(hurried):
    done = safeguard("discover", hurried.plan)
    assert done.returncode == 1
    assert "old.saved_searches" in done.stdout.splitlines()[0]


def test_discover_ends_with_0_when_nothing_was_forgotten(tmp_path):
    assert safeguard("discover", set_scene(tmp_path, 5, 1, faults=False).plan).returncode == 0


@pytest.mark.parametrize(("option", "word"), [((), "BLOCK  "), (("--fixed",), "PASS  ")])
def test_the_demo_shows_its_verdict_and_ends_with_0(option, word, tmp_path):
    done = safeguard("demo", *option, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"\n{word}" in done.stdout
    assert (tmp_path / ".safeguard" / "demo" / "report" / "report.html").is_file()


def test_init_drafts_a_plan_for_the_demo(hurried, tmp_path):
    folder = hurried.plan.parent
    new = [f"--new={name}=sqlite:///{folder}/{name}.sqlite" for name in ("streaming", "dvd")]
    done = safeguard("init", f"--old=sqlite:///{folder}/old.sqlite", *new, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "safeguard.yaml").is_file()
    assert "queue_items" in done.stdout


@pytest.mark.parametrize("name", ["plan", "contract"])
def test_schema_is_json(name):
    assert "properties" in json.loads(safeguard("schema", name).stdout)
