"""The examples for GitHub, GitLab and Jenkins: valid, and run for each verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines import (
    EXAMPLES,
    ROOT,
    SIGNS,
    Checkout,
    Job,
    check_out,
    github_action,
    github_deploy,
    gitlab_job,
    jenkins_scripts,
    jenkins_stage,
    key,
    load,
)
from runner import commands

CODES = {"PASS": 0, "BLOCK": 1, "UNDECIDED": 3}
SCHEMAS = ROOT / "tests" / "schemas"
signed = pytest.mark.skipif(not SIGNS, reason="this version has no `gate` yet")


@pytest.fixture(scope="module", params=CODES)
def verdict(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(verdict: str, tmp_path: Path) -> Checkout:
    return check_out(tmp_path, verdict)


# Schemas


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        ("github/action.yml", "github-action.json"),
        ("github/workflow.yml", "github-workflow.json"),
        ("gitlab/gitlab-ci.yml", "gitlab-ci.json"),
    ],
)
def test_the_example_fits_its_published_schema(example: str, schema: str) -> None:
    rules = json.loads((SCHEMAS / schema).read_text("utf-8"))
    validator = jsonschema.Draft7Validator(rules)
    assert [e.message for e in validator.iter_errors(load(example))] == []
    assert list(validator.iter_errors({"jobs": {"x": 1}, "runs": 1})), "the schema refuses nothing"


def test_nothing_is_put_into_a_script_by_an_expression() -> None:
    steps = [
        *load("github/action.yml")["runs"]["steps"],
        *(s for job in load("github/workflow.yml")["jobs"].values() for s in job["steps"]),
    ]
    assert [s["run"] for s in steps if "${{" in s.get("run", "")] == []
    assert all("shell" in s for s in steps[:5] if "run" in s)


def test_every_output_of_the_action_is_one_of_the_check(tmp_path: Path) -> None:
    job = github_action(check_out(tmp_path, "BLOCK"), {})
    assert "" not in job.outputs.values()


def test_a_jenkinsfile_closes_what_it_opens() -> None:
    text = re.sub(r"//.*|'[^']*'", "", (EXAMPLES / "jenkins" / "Jenkinsfile").read_text("utf-8"))
    for opens, closes in ("{}", "()", "[]"):
        assert text.count(opens) == text.count(closes)
    assert [len(list(jenkins_scripts(s))) for s in ("Safeguard", "Deploy")] == [1, 2]


# What the jobs do


def kept(made: Checkout) -> dict[str, Any]:
    return dict(json.loads((made.folder / "reports" / "verdict.json").read_text("utf-8")))


@pytest.mark.slow
def test_github_checks(made: Checkout, verdict: str) -> None:
    environ = {"SIGNING_KEY": key(made, ".key").read_text()} if SIGNS else {}
    job = github_action(made, {"code-scanning": "true"}, **environ)
    assert (job.code, kept(made)["verdict"]) == (CODES[verdict], verdict), job.log
    assert (job.outputs["verdict"], job.outputs["exit-code"]) == (verdict, str(CODES[verdict]))
    assert (made.folder / job.outputs["report"]).is_file()
    assert (int(job.outputs["changed"]) > 0) is (verdict == "BLOCK")
    assert job.summary.startswith(f"## {verdict}: ")
    told = commands(job.log)
    assert told[0].properties["title"] == f"Safeguard: {verdict}"
    assert {c.name for c in told} == ({"notice"} if verdict == "PASS" else {"error"})
    for command in told[1:]:
        file = made.folder / command.properties["file"]
        assert 1 <= int(command.properties["line"]) <= len(file.read_text("utf-8").splitlines())
    (artifact, with_artifact), (scanning, with_sarif) = job.used
    assert (artifact, scanning) == (
        "actions/upload-artifact@v4",
        "github/codeql-action/upload-sarif@v3",
    )
    assert (made.folder / with_artifact["path"]).is_dir()
    assert (made.folder / with_sarif["sarif_file"]).is_file()


@pytest.mark.slow
def test_github_without_a_plan_says_so_and_keeps_what_there_is(tmp_path: Path) -> None:
    made = check_out(tmp_path, "PASS")
    contract = made.folder / "contracts" / "queue.yaml"
    contract.write_text(contract.read_text("utf-8").replace("shape: list", "shape: lists"))
    job = github_action(made, {"code-scanning": "true"})
    assert (job.code, job.outputs["verdict"], job.outputs["exit-code"]) == (2, "UNDECIDED", "2")
    (error,) = commands(job.log)
    assert error.properties["file"] == "contracts/queue.yaml"
    assert [name for name, _ in job.used] == ["actions/upload-artifact@v4"]
    assert kept(made)["verdict"] == "UNDECIDED"


@pytest.mark.slow
def test_gitlab_checks(made: Checkout, verdict: str) -> None:
    job = gitlab_job(made, "safeguard")
    assert (job.code, kept(made)["verdict"]) == (CODES[verdict], verdict), job.log
    artifacts = load("gitlab/gitlab-ci.yml")["safeguard"]["artifacts"]
    assert artifacts["when"] == "always"
    assert all((made.folder / path).is_file() for path in artifacts["reports"].values())
    quality = json.loads((made.folder / artifacts["reports"]["codequality"]).read_text("utf-8"))
    assert all((made.folder / issue["location"]["path"]).is_file() for issue in quality)
    assert bool(quality) is (verdict != "PASS")


@pytest.mark.slow
def test_jenkins_checks(made: Checkout, verdict: str) -> None:
    job = jenkins_stage(made, "Safeguard")
    assert (job.code, kept(made)["verdict"]) == (CODES[verdict], verdict), job.log
    assert (made.folder / "reports" / "junit.xml").is_file()


@pytest.mark.slow
@signed
@pytest.mark.parametrize("service", ["github", "gitlab", "jenkins"])
def test_only_a_signed_pass_is_deployed(service: str, made: Checkout, verdict: str) -> None:
    checked = _check(service, made)
    assert checked.code == CODES[verdict], checked.log
    job = _deploy(service, made)
    assert made.deployed is (verdict == "PASS"), job.log
    assert (job.code == 0) is (verdict == "PASS")


@pytest.mark.slow
@signed
@pytest.mark.parametrize("service", ["github", "gitlab", "jenkins"])
@pytest.mark.parametrize("spoil", ["reports/verdict.dsse.json", "contracts/queue.yaml"])
def test_a_pass_that_was_touched_is_not_deployed(service: str, spoil: str, tmp_path: Path) -> None:
    made = check_out(tmp_path, "PASS")
    assert _check(service, made).code == 0
    with (made.folder / spoil).open("a", encoding="utf-8") as file:
        file.write("\n# later\n")
    assert _deploy(service, made).code == 1
    assert not made.deployed


@pytest.mark.slow
@signed
@pytest.mark.parametrize("service", ["github", "gitlab", "jenkins"])
def test_without_a_verdict_nothing_is_deployed(service: str, tmp_path: Path) -> None:
    made = check_out(tmp_path, "PASS")
    assert _deploy(service, made).code == 2
    assert not made.deployed


def _check(service: str, made: Checkout) -> Job:
    if service == "github":
        return github_action(made, {}, SIGNING_KEY=key(made, ".key").read_text())
    return (
        gitlab_job(made, "safeguard") if service == "gitlab" else jenkins_stage(made, "Safeguard")
    )


def _deploy(service: str, made: Checkout) -> Job:
    if service == "github":
        return github_deploy(made)
    return gitlab_job(made, "deploy") if service == "gitlab" else jenkins_stage(made, "Deploy")
