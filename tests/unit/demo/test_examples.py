"""The example contracts: loaded, speaking of the tables that the demo makes, and in the wheel."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from safeguard.contract.load import load_plan
from safeguard.demo import set_scene
from safeguard.demo.scene import CONTRACTS, SYSTEMS, examples
from safeguard.demo.tables import KNOWN

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    scene = set_scene(tmp_path_factory.mktemp("demo"), 5, 1, faults=False)
    return load_plan(scene.plan, scene.environ)


def test_the_plan_and_its_contracts_load(plan):
    assert [loaded.contract.content for loaded in plan.contracts] == list(CONTRACTS)
    assert set(plan.plan.systems) == set(SYSTEMS)


def test_they_speak_only_of_tables_that_are_there(plan):
    tables = {name: {t.name: t.names for t in known} for name, known in KNOWN.items()}
    for loaded in plan.contracts:
        for source in (*loaded.contract.old, *loaded.contract.new):
            columns = tables[source.system][source.table]
            assert set(source.columns.values()) <= set(columns)


def test_with_urls_given_the_plan_names_variables_and_no_password(tmp_path):
    urls = {name: f"sqlite:///{name}.sqlite?password=hunter2" for name in SYSTEMS}
    scene = set_scene(tmp_path, 1, 1, faults=False, urls=urls)
    assert "hunter2" not in scene.plan.read_text("utf-8")
    assert scene.environ == {variable: urls[name] for name, variable in SYSTEMS.items()}


def test_the_examples_are_one_copy_that_a_wheel_takes_along():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"contracts": "safeguard/demo/contracts"}
    assert examples().samefile(ROOT / "contracts")
    assert {p.stem for p in examples().glob("*.yaml")} == {*CONTRACTS, "safeguard"}
