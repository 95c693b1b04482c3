"""`--format github`, `sarif` and `codequality` as a pipeline runs them, and `report` after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner import commands, outputs
from safeguard.demo import set_scene


def safeguard(*arguments: object, cwd: Path, **environ: object) -> subprocess.CompletedProcess[str]:
    given = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    return subprocess.run(
        [sys.executable, "-m", "safeguard", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=given | {k: str(v) for k, v in environ.items()},
    )


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """The folder of a plan whose check blocks."""
    return set_scene(tmp_path, 40, 7, faults=True).plan.parent


def test_check_writes_what_report_renders_again(blocked: Path) -> None:
    asked = ("--format", "sarif", "--format", "codequality")
    assert safeguard("check", "--quiet", "--out", "reports", *asked, cwd=blocked).returncode == 1
    for form, name in (
        ("sarif", "safeguard.sarif"),
        ("codequality", "gl-code-quality-report.json"),
    ):
        done = safeguard("report", "reports", "--format", form, cwd=blocked)
        assert done.stdout == (blocked / "reports" / name).read_text("utf-8")
    results = json.loads((blocked / "reports" / "safeguard.sarif").read_text("utf-8"))
    lines = {
        place["artifactLocation"]["uri"]: place["region"]["startLine"]
        for result in results["runs"][0]["results"]
        for place in [result["locations"][0]["physicalLocation"]]
        if result["ruleId"] == "changed" and "doc" in result["message"]["text"]
    }
    ((file, line),) = lines.items()
    assert (blocked / file).read_text("utf-8").splitlines()[line - 1].strip().startswith("doc:")


def test_a_new_check_leaves_no_older_report(blocked: Path) -> None:
    asked = ("--format", "sarif", "--format", "codequality")
    safeguard("check", "--quiet", "--out", "reports", *asked, cwd=blocked)
    safeguard("check", "nothing.yaml", "--out", "reports", cwd=blocked)
    assert sorted(p.name for p in (blocked / "reports").iterdir()) == ["verdict.json"]


def test_a_step_is_told_by_annotations_outputs_and_summary(blocked: Path) -> None:
    files = {"GITHUB_OUTPUT": blocked / "out", "GITHUB_STEP_SUMMARY": blocked / "summary"}
    (blocked / "summary").write_text("what an earlier command wrote\n")
    done = safeguard(
        "check", "--quiet", "--out", "reports", "--format", "github", cwd=blocked, **files
    )
    assert done.returncode == 1
    told = commands(done.stdout)
    assert told[0].text.startswith("Do not roll out. 8 of 40 customers")
    assert {c.properties["file"] for c in told[1:]} >= {"contracts/queue.yaml", "safeguard.yaml"}
    found = outputs((blocked / "out").read_text("utf-8"))
    assert (found["verdict"], found["exit-code"]) == ("BLOCK", "1")
    assert found["report"] == "reports/report.html"
    summary = (blocked / "summary").read_text("utf-8")
    assert summary.startswith("what an earlier command wrote\n## BLOCK: ")
    again = safeguard("report", "reports", "--format", "github", cwd=blocked)
    assert (again.returncode, commands(again.stdout)) == (0, told)


def test_it_is_never_switched_on_by_itself(blocked: Path) -> None:
    files = {"GITHUB_OUTPUT": blocked / "out", "GITHUB_STEP_SUMMARY": blocked / "summary"}
    done = safeguard("check", "--quiet", cwd=blocked, GITHUB_ACTIONS="true", **files)
    assert commands(done.stdout) == []
    assert not (blocked / "out").exists()
    assert not (blocked / "summary").exists()


def test_elsewhere_only_annotations_are_written(blocked: Path) -> None:
    done = safeguard("check", "--quiet", "--format", "github", cwd=blocked)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(commands(done.stdout)) > 1


def test_json_stays_alone_on_stdout(blocked: Path) -> None:
    done = safeguard("check", "--quiet", "--format", "json", "--format", "github", cwd=blocked)
    assert json.loads(done.stdout)["verdict"] == "BLOCK"
    assert commands(done.stdout) == []
    assert commands(done.stderr)[0].properties["title"] == "Safeguard: BLOCK"


def test_what_is_printed_between_is_no_command(blocked: Path) -> None:
    plan = blocked / "safeguard.yaml"
    reason = "expires by itself in 30 minutes"
    assert reason in plan.read_text("utf-8")
    plan.write_text(plan.read_text("utf-8").replace(reason, "##[error]b " + "::add-mask::a " * 9))
    done = safeguard("check", "--quiet", "--format", "github", cwd=blocked)
    assert done.returncode == 1
    assert {c.name for c in commands(done.stdout)} == {"error"}
    assert "##[error]b" in done.stdout


def test_mistakes_are_shown_where_they_stand(blocked: Path) -> None:
    contract = blocked / "contracts" / "queue.yaml"
    text = contract.read_text("utf-8").replace("shape: list", 'shape: "a\\n::add-mask::b"')
    contract.write_text(text, "utf-8")
    line = next(i for i, t in enumerate(text.splitlines(), 1) if t.startswith("shape"))
    files = {"GITHUB_OUTPUT": blocked / "out"}
    done = safeguard("check", "--quiet", "--format", "github", cwd=blocked, **files)
    assert done.returncode == 2
    (told,) = commands(done.stdout + done.stderr)
    assert (told.name, told.properties["line"]) == ("error", str(line))
    assert told.properties["file"] == "contracts/queue.yaml"
    assert outputs((blocked / "out").read_text("utf-8")) == {
        "verdict": "UNDECIDED",
        "exit-code": "2",
    }


def test_outputs_that_cannot_be_written_are_no_pass(tmp_path: Path) -> None:
    folder = set_scene(tmp_path, 40, 7, faults=False).plan.parent
    gone = folder / "no" / "such" / "file"
    done = safeguard("check", "--quiet", "--format", "github", cwd=folder, GITHUB_OUTPUT=gone)
    assert done.returncode == 3
    assert f"{gone} can't be written" in done.stderr
