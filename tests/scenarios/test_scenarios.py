"""Run each folder of fixtures/ in several systems: the same findings must come out of all of them.

A scenario is a plan, its contracts, a folder of CSV files for each system, and `expected.yaml`.
`types.yaml`, where there is one, says which columns have which type where databases have types:
under `all`, or under the name of one system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from safeguard.findings.trouble import UsageProblem
from scenarios.stores import Table, read_table, store_csv, store_server, store_sqlite
from scenarios.telling import assert_content, assert_findings, check_plan
from servers import Database

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
SCENARIOS = sorted(folder for folder in FIXTURES.iterdir() if folder.is_dir())
PAIRINGS = ("csv-csv", "sqlite-sqlite", "postgresql-mariadb", "mariadb-postgresql")

FAULTS: dict[str, str] = {}
"""Scenario, or scenario and pairing as in a test's id: what is wrong there as yet."""


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def _cases() -> list[Any]:
    cases = []
    for pairing in PAIRINGS:
        for folder in SCENARIOS:
            if pairing not in _yaml(folder / "expected.yaml").get("pairings", PAIRINGS):
                continue
            name = f"{folder.name}-{pairing}"
            reason = FAULTS.get(name) or FAULTS.get(folder.name)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            cases.append(pytest.param(folder, pairing, id=name, marks=marks))
    return cases


@pytest.mark.parametrize(("folder", "pairing"), _cases())
def test_scenario(
    folder: Path, pairing: str, tmp_path: Path, fresh_database: Callable[[str], Database]
) -> None:
    expected = _yaml(folder / "expected.yaml")
    old_engine, new_engine = pairing.split("-")
    old = _old_systems(folder)
    environ = {}
    for system, tables in _systems(folder).items():
        engine = old_engine if system in old else new_engine
        environ[f"{system.upper()}_URL"] = _store(engine, tables, tmp_path / system, fresh_database)
    plan = folder / "safeguard.yaml"
    if "refused" in expected:
        with pytest.raises(UsageProblem, match=expected["refused"]):
            check_plan(plan, tmp_path / "run", environ)
        return
    result, findings = check_plan(plan, tmp_path / "run", environ)
    _assert_findings_of_contents(expected, findings)
    for content in result.contents:
        assert_content(content, expected["contents"][content.content])
    assert (str(result.verdict), result.exit_code) == (expected["verdict"], expected["exit_code"])
    used = {use.id: str(use.state) for use in result.waivers}
    assert used == expected.get("waivers", {})
    for sentence in expected.get("said", []):
        assert sentence in " ".join((*result.reasons, *result.notes)), result.notes


def _assert_findings_of_contents(expected: Any, findings: Sequence[dict[str, Any]]) -> None:
    """Every content of the findings is one that is expected."""
    for content in {*expected["contents"], *(f["content"] for f in findings)}:
        wanted = expected["contents"][content].get("findings", [])
        assert_findings([f for f in findings if f["content"] == content], wanted)


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario_is_told(folder: Path) -> None:
    """Each scenario says in two to five lines what happened and what must be said."""
    assert 2 <= len((folder / "README.md").read_text(encoding="utf-8").strip().splitlines()) <= 7
    assert _yaml(folder / "expected.yaml")


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) > 60


def _old_systems(folder: Path) -> set[str]:
    found = set()
    for name in _yaml(folder / "safeguard.yaml")["contracts"]:
        old = _yaml(folder / name)["old"]
        found |= {source["system"] for source in (old if isinstance(old, list) else [old])}
    return found


def _systems(folder: Path) -> dict[str, list[Table]]:
    types = _yaml(folder / "types.yaml") if (folder / "types.yaml").exists() else {}
    found = {}
    for system in _yaml(folder / "safeguard.yaml")["systems"]:
        columns = {**types.get("all", {}), **types.get(system, {})}
        tables = sorted((folder / system).glob("*.csv"))
        assert tables, f"{folder.name} has no tables of {system}"
        found[system] = [read_table(path, columns) for path in tables]
    return found


def _store(
    engine: str, tables: Sequence[Table], folder: Path, fresh_database: Callable[[str], Database]
) -> str:
    if engine in ("postgresql", "mariadb"):
        return store_server(engine, fresh_database(engine), tables)
    folder.mkdir()
    return {"csv": store_csv, "sqlite": store_sqlite}[engine](folder, tables)
