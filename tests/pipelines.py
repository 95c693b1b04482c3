"""Runs the jobs of pipeline examples as their services would: step by step, in the service's shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from runner import outputs
from safeguard.cli.registry import COMMANDS
from safeguard.demo import set_scene

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "pipelines"
SIGNS = "gate" in COMMANDS
"""Whether this version signs verdicts."""


@dataclass
class Job:
    """What came of one job."""

    code: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Actions that are not ours, with what they were given."""


@dataclass(frozen=True)
class Checkout:
    """A repository with a plan in its root, and a machine that has `safeguard`."""

    folder: Path
    environ: Mapping[str, str]

    @property
    def deployed(self) -> bool:
        return (self.folder / "deployed").exists()

    def shell(self, script: str, *start: str, **environ: str) -> tuple[int, str]:
        """Run a script as one file; its exit code and all it wrote."""
        file = self.folder / ".step.sh"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [*start, str(file)],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout


def check_out(folder: Path, verdict: str) -> Checkout:
    """The demo's plan as a repository of its own, whose check gives this verdict."""
    scene = set_scene(folder / "repository", 40, 7, faults=verdict == "BLOCK")
    repository = scene.plan.parent
    (repository / ".git").mkdir()
    (repository / "deploy.sh").write_text("#!/bin/sh\ntouch deployed\n")
    (repository / "deploy.sh").chmod(0o755)
    if verdict == "UNDECIDED":
        with (repository / "contracts" / "queue.yaml").open("a", encoding="utf-8") as contract:
            contract.write("at_least: 1000000\n")
    programs = folder / "bin"
    programs.mkdir()
    (programs / "safeguard").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m safeguard "$@"\n')
    (programs / "safeguard").chmod(0o755)
    kept = {"LC_ALL": "C.UTF-8", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    environ = {**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    made = Checkout(repository, environ)
    if SIGNS:
        code, log = made.shell(f"safeguard keygen --out {folder / 'release'}", "sh")
        assert code == 0, log
    return made


def load(name: str) -> Any:
    return YAML(typ="safe").load((EXAMPLES / name).read_text("utf-8"))


def key(made: Checkout, ending: str) -> Path:
    return made.folder.parent / f"release{ending}"


# GitHub


def github_action(made: Checkout, inputs: Mapping[str, str], **environ: str) -> Job:
    """The composite action, with the runner's shell and files."""
    action = load("github/action.yml")
    given = {n: i["default"] for n, i in action["inputs"].items()} | dict(inputs)
    job, steps = Job(), {}
    for number, step in enumerate(action["runs"]["steps"]):
        known = {f"inputs.{n}": v for n, v in given.items()} | {
            f"steps.{s}.outputs.{n}": v for s, found in steps.items() for n, v in found.items()
        }
        if not _wanted(step.get("if", ""), known, failed=job.code != 0):
            continue
        if "uses" in step:
            job.used.append((step["uses"], _filled(step.get("with", {}), known)))
            continue
        files = {n: made.folder.parent / f"{n}-{number}" for n in ("output", "summary")}
        told = {"GITHUB_OUTPUT": files["output"], "GITHUB_STEP_SUMMARY": files["summary"]}
        code, log = made.shell(
            step["run"],
            *("bash", "--noprofile", "--norc", "-eo", "pipefail"),
            **_filled(step.get("env", {}), known),
            **{name: str(path) for name, path in told.items()},
            **environ,
        )
        job.code, job.log = job.code or code, job.log + log
        job.summary += _read(files["summary"])
        steps[step.get("id", str(number))] = outputs(_read(files["output"]))
    known = {f"steps.{s}.outputs.{n}": v for s, found in steps.items() for n, v in found.items()}
    job.outputs = _filled({n: o["value"] for n, o in action["outputs"].items()}, known)
    return job


def _wanted(condition: str, known: Mapping[str, str], *, failed: bool) -> bool:
    """As far as these examples go: `&&` of `always()` and comparisons with a text."""
    terms = condition.removeprefix("${{").removesuffix("}}").split("&&") if condition else []
    said = [t.strip() for t in terms]
    if failed and "always()" not in said:
        return False
    return all(_compared(t, known) for t in said if t != "always()")


def _compared(term: str, known: Mapping[str, str]) -> bool:
    match = re.fullmatch(r"([\w.-]+) (==|!=) '([^']*)'", term)
    assert match, f"not understood: {term}"
    return (known.get(match[1], "") == match[3]) is (match[2] == "==")


def _filled(texts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    return {
        name: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: known.get(m[1], ""), str(text))
        for name, text in texts.items()
    }


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def github_deploy(made: Checkout) -> Job:
    """The job that deploys; what the first job kept lies in `reports` already."""
    job = Job()
    for step in load("github/workflow.yml")["jobs"]["deploy"]["steps"]:
        if "run" in step and job.code == 0:
            known = {"vars.SAFEGUARD_PUBLIC_KEY": _read(key(made, ".pub"))}
            environ = _filled(step.get("env", {}), known)
            job.code, log = made.shell(step["run"], "bash", "-e", **environ)
            job.log += log
    return job


# GitLab and Jenkins


def gitlab_job(made: Checkout, name: str) -> Job:
    """One job: its lines in one shell that ends at the first that fails."""
    config = load("gitlab/gitlab-ci.yml")
    lines = [*config["default"]["before_script"], *config[name]["script"]]
    return _script(made, "\n".join(lines), "bash", "-eo", "pipefail")


def jenkins_stage(made: Checkout, name: str) -> Job:
    """One stage: each `sh` step a shell of its own, up to the first that fails."""
    job = Job()
    for script in jenkins_scripts(name):
        done = _script(made, script, "sh", "-xe")
        job.code, job.log = done.code, job.log + done.log
        if job.code:
            break
    return job


def jenkins_scripts(stage: str) -> Iterator[str]:
    text = (EXAMPLES / "jenkins" / "Jenkinsfile").read_text("utf-8")
    stages = re.split(r"stage\('(\w+)'\)", text)[1:]
    body = dict(zip(stages[::2], stages[1::2], strict=True))[stage]
    yield from re.findall(r"^\s*sh '([^']*)'$", body, re.MULTILINE)


def _script(made: Checkout, script: str, *start: str) -> Job:
    if not SIGNS:
        script = re.sub(r'\s--sign "\$\w+"', "", script)
    names = {"SIGNING_KEY": ".key", "PUBLIC_KEY": ".pub"}
    keys = {
        f"{start}{name}": str(key(made, ending))
        for name, ending in names.items()
        for start in ("", "SAFEGUARD_")
    }
    return Job(*made.shell(script, *start, **keys))
