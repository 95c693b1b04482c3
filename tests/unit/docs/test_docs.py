"""The documentation is run: its commands, its YAML and its links.

A console block after `<!-- run -->` is run, the blocks of one page in one folder, one after the
other. Lines below a `$` command must stand in its output in that order; a line `…` leaves some out.
A command must end with 0, unless `$ echo $?` below it shows another code. A block after
`<!-- file NAME -->` is written into that folder before what comes after it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from _pytest.mark import ParameterSet
from ruamel.yaml import YAML

from safeguard.cli.registry import COMMANDS
from safeguard.contract.load import load_plan
from safeguard.contract.types import AcceptForm
from safeguard.findings.words import Cause, Kind

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SKIP = "…"

_FENCE = re.compile(
    r"(?P<mark><!-- (?:run|file (?P<file>[\w.]+)) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Commands

_PROGRAMS = {
    "safeguard": "-m safeguard",
    "python": "",
    "pytest": "-m pytest -p safeguard.pytest_plugin -p no:cacheprovider",
}
"""As they are where this checkout is installed."""


@dataclass(frozen=True)
class Step:
    """A command, what is shown below it, the exit code that it must have, and what it reads."""

    command: str
    shown: tuple[str, ...] = ()
    code: int = 0
    read: str = ""


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for fence in _FENCE.finditer(page.read_text(encoding="utf-8")):
        if fence["file"]:
            found.append(Step(f"cat > {fence['file']}", read=fence["text"]))
        elif fence["mark"] and fence["kind"] in ("console", "sh"):
            found += _steps_of(fence["text"])
    return found


def _steps_of(block: str) -> Iterator[Step]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert not parts[0].strip(), "a run block starts with a command"
    commands = [part.splitlines() for part in parts[1:]]
    for here, after in zip(commands, [*commands[1:], [""]], strict=True):
        if here[0] != "echo $?":
            code = int(after[1]) if after[0] == "echo $?" else 0
            yield Step(here[0], tuple(here[1:]), code)


def missing(shown: tuple[str, ...], output: str) -> str | None:
    """The first shown line that the output does not have in its place."""
    lines, place, anywhere = output.splitlines(), 0, False
    for line in shown:
        if line == SKIP:
            anywhere = True
            continue
        rest = [x.rstrip() for x in (lines[place:] if anywhere else lines[place : place + 1])]
        if line.rstrip() not in rest:
            return line
        place, anywhere = place + rest.index(line.rstrip()) + 1, False
    return None if anywhere or not shown or place == len(lines) else f"(more: {lines[place]})"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """`safeguard` is this checkout's, and output is as wide as where nobody sits."""
    programs = tmp_path / ".bin"
    programs.mkdir()
    for name, arguments in _PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    dropped = ("COLUMNS", "FORCE_COLOR", "PYTEST_ADDOPTS")
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    path = f"{programs}{os.pathsep}{kept['PATH']}"
    return kept | {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": str(tmp_path),
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if steps(p)], ids=named)
def test_commands_do_what_the_page_shows(
    page: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for step in steps(page):
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=step.read,
            text=True,
            timeout=120,
        )
        assert done.returncode == step.code, f"$ {step.command}\n{done.stdout}"
        line = missing(step.shown, done.stdout)
        assert line is None, f"$ {step.command}\nnot in its place: {line}\n{done.stdout}"


def test_the_pages_that_teach_by_commands_are_run() -> None:
    run = {named(page) for page in PAGES if steps(page)}
    assert run >= {
        "README.md",
        "docs/guide/first-check.md",
        "docs/guide/in-ci.md",
        "docs/guide/pytest.md",
        "docs/guide/python-api.md",
        "docs/guide/reading-the-report.md",
        "docs/guide/signed-verdicts.md",
    }


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        ((), True),
        (("one", "two", "three"), True),
        (("one", SKIP), True),
        ((SKIP, "two", SKIP), True),
        (("one", SKIP, "three"), True),
        (("one",), False),
        (("two", SKIP), False),
        ((SKIP, "two"), False),
        ((SKIP, "three", SKIP, "one", SKIP), False),
        ((SKIP, "tw", SKIP), False),
    ],
)
def test_shown_lines_are_held_to_the_output(shown: tuple[str, ...], fits: bool) -> None:
    assert (missing(shown, "one\ntwo\nthree\n") is None) is fits


# YAML


def yaml_blocks(start: str) -> list[ParameterSet]:
    found: list[ParameterSet] = []
    for page in PAGES:
        texts = [f["text"] for f in _FENCE.finditer(page.read_text("utf-8")) if f["kind"] == "yaml"]
        chosen = [t for t in texts if re.search(start, t, re.MULTILINE)]
        found += [pytest.param(t, id=f"{named(page)}-{i}") for i, t in enumerate(chosen)]
    return found


@pytest.mark.parametrize("text", yaml_blocks(""))
def test_yaml_is_yaml(text: str) -> None:
    assert YAML(typ="safe").load(io.StringIO(text)) is not None


@pytest.mark.parametrize("text", yaml_blocks("^migration:"))
def test_plans_load(text: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    names = re.findall(r"\$\{(\w+)\}", text)
    loaded = load_plan(tmp_path / "plan.yaml", dict.fromkeys(names, "sqlite:///any.sqlite"))
    assert loaded.contracts


@pytest.mark.parametrize("text", yaml_blocks("^content:"))
def test_contracts_load(text: str, tmp_path: Path) -> None:
    (tmp_path / "contract.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(plan_around(text), encoding="utf-8")
    loaded = load_plan(tmp_path / "plan.yaml", {})
    assert loaded.contracts[0].contract.content


def plan_around(text: str) -> str:
    """A plan with the systems that a contract names."""
    contract = YAML(typ="safe").load(io.StringIO(text))
    olds, news = (
        {s["system"] for s in (side if isinstance(side, list) else [side])}
        for side in (contract["old"], contract["new"])
    )
    kind = "merge" if len(olds) > 1 else "split" if len(news) > 1 else "move"
    names = sorted(olds | news | set(re.findall(r"\bsystem: (\w+)", text)))
    systems = "".join(f"  {name}: {{url: 'sqlite:///{name}.sqlite'}}\n" for name in names)
    return f"migration: m\nkind: {kind}\nsystems:\n{systems}contracts: [contract.yaml]\n"


# Links


def anchors(page: Path) -> set[str]:
    """As code hosts make them: lower case, no punctuation, blanks to hyphens."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in _HEADING.findall(text))
    return set(plain)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in _LINK.findall(text):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert not broken


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        links = _LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links]
    pages = {p for p in PAGES if p.is_relative_to(ROOT / "docs")}
    assert {named(p) for p in pages - reached} == set()


# The command line


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_and_option_has_its_place_in_the_reference(name: str) -> None:
    text = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    own = [s for s in sections if s.startswith(f"safeguard {name}\n")]
    assert len(own) == 1
    options = [p for p in COMMANDS[name].load().params if isinstance(p, click.Option)]
    assert [o.opts[0] for o in options if f"`{o.opts[0]}" not in own[0]] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_each_command_is_named(name: str, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.search(rf"`(safeguard )?{name}`", text)


# Words


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/guide/when-the-check-blocks.md", [*Kind, *Cause]),
        ("docs/what-we-cannot-see.md", [*Kind]),
        ("docs/reference/contract.md", [*AcceptForm]),
    ],
)
def test_every_word_is_explained(page: str, words: list[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [word for word in words if not re.search(rf"`{word}[`(]", text)] == []
