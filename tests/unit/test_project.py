"""The repo's own promises: layers that fail the build, an example of each thing it ships."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HOMES = {
    "sqlalchemy": {"systems", "runs"},
    "duckdb": {"comparing", "runs", "systems"},
    "click": {"cli"},
    "jinja2": {"reports"},
    "rich": {"reports", "cli"},
    "deepdiff": {"comparing"},
    "cryptography": {"gate"},
    "numpy": {"systems", "comparing"},
}
ONE_MODULE = {"deepdiff": {"comparing"}, "cryptography": {"gate"}}
"""Libraries that even the rest of their room may not import."""
ROOMS = {p.name for p in (ROOT / "safeguard").iterdir() if (p / "__init__.py").is_file()}


@pytest.mark.parametrize("library", HOMES)
def test_every_room_but_a_librarys_home_is_forbidden_to_import_it(library):
    contracts = SETTINGS["tool"]["importlinter"]["contracts"]
    rules = [c for c in contracts if c.get("forbidden_modules") == [library]]
    forbidden = {m.removeprefix("safeguard.") for c in rules for m in c["source_modules"]}
    expected = ROOMS - HOMES[library] | ONE_MODULE.get(library, set())
    assert forbidden == expected | {"api", "checking", "watch"}


def test_what_ci_installs_is_pinned_and_names_no_place_it_came_from():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line and "@" not in line for line in pins)


def test_every_dependency_has_a_lower_bound_and_a_pin():
    project = SETTINGS["project"]
    pinned = (ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-")
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["cluster"], *extras["dev"]]
    for requirement in wanted:
        if requirement == "content-safeguard[cluster]":  # an extra of our own
            continue
        name = requirement.split(">=")[0].split("[")[0].lower().replace("_", "-")
        assert f"\n{name}==" in pinned
    assert all(
        ">=" in requirement for requirement in (*project["dependencies"], *extras["cluster"])
    )
