"""Drills of real databases and of the scenarios: whatever a plan looks like, what survives is real.

What survives a drafted plan's drill is what the draft left out: columns of the old system that it found
no home for. Each was looked at by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from safeguard.demo import set_scene
from safeguard.drafting import draft
from safeguard.drill.drilling import run_drill
from safeguard.drill.result import UNREAD, DrillResult
from safeguard.findings.progress import SilentProgress
from scenarios.stores import store_csv
from scenarios.test_scenarios import FIXTURES, _systems
from servers import Database

SCENARIOS = (
    "accept-each-form",
    "crosswalk-of-owners-and-items",
    "document-paths",
    "list-ties-in-old",
    "map-stars-to-thumbs",
    "merge-one",
    "merge-prefer",
    "merged-ids-declared",
    "move-with-other-names",
    "record-without-item",
    "split-due-in-both",
    "uuid-keys",
)


def test_chinook_as_init_drafts_it(
    chinook_in_mariadb: Database, chinook_in_postgresql: Database, tmp_path: Path
) -> None:
    """Every column of every drafted content has a field."""
    sides = {"old": chinook_in_mariadb.url}, {"shop": chinook_in_postgresql.url}
    result = _drafted_and_drilled(*sides, tmp_path)
    assert _caught_but(result, set())
    assert {c.content for c in result.contents if c.faults} == {
        "profile",
        "invoice",
        "invoice-line",
    }
    assert result.exit_code == 0


def test_sakila_as_init_drafts_it(
    sakila_in_mariadb: Database, sakila_in_postgresql: Database, tmp_path: Path
) -> None:
    """PostgreSQL's payments have no last_update: what was there can't be compared, and init asked.
    Of every profile a check says something already."""
    sides = {"old": sakila_in_mariadb.url}, {"port": sakila_in_postgresql.url}
    result = _drafted_and_drilled(*sides, tmp_path)
    assert _caught_but(result, {("payment", UNREAD, "last_update")})
    (survivor,) = result.survivors
    assert survivor.reason == (
        "`last_update` of old.payment (16,049 values) is not among the fields of "
        "contracts/payment.yaml"
    )
    (reason,) = result.reasons
    assert reason.startswith("profile: nothing could be planted")
    assert result.exit_code == 1


def test_a_column_that_may_go_is_tolerated_where_the_plan_says_so(
    sakila_in_mariadb: Database, sakila_in_postgresql: Database, tmp_path: Path
) -> None:
    sides = {"old": sakila_in_mariadb.url}, {"port": sakila_in_postgresql.url}
    draft(*sides, tmp_path / "plan")
    plan = tmp_path / "plan" / "safeguard.yaml"
    ignore = '{system: old, table: payment, columns: [last_update], reason: "kept by triggers"}'
    text = plan.read_text("utf-8") + f"coverage:\n  ignore: [{ignore}]\n"
    plan.write_text(text, encoding="utf-8")
    result = _drilled(plan, *sides, faults=60)
    assert result.survivors == ()
    (tolerated,) = (f for f in result.faults if f.kind == UNREAD)
    assert tolerated.reason == "the plan ignores old.payment.last_update: kept by triggers"


def test_the_fixed_demo_catches_all_that_is_planted(tmp_path: Path) -> None:
    scene = set_scene(tmp_path, 300, 7, faults=False)
    result, _ = run_drill(scene.plan, progress=SilentProgress(), environ={})
    assert _caught_but(result, set())
    assert result.score.planted == 400
    assert result.score.kinds >= 21
    assert result.exit_code == 0


def test_a_field_less_in_the_demo_is_exactly_that_survivor(tmp_path: Path) -> None:
    scene = set_scene(tmp_path, 300, 7, faults=False)
    queue = tmp_path / "contracts" / "queue.yaml"
    text = queue.read_text("utf-8").replace(", note: memo", "")
    lines = [line for line in text.splitlines() if not line.startswith("  note:")]
    queue.write_text("\n".join(lines), encoding="utf-8")
    result, _ = run_drill(scene.plan, faults=120, progress=SilentProgress(), environ={})
    assert _caught_but(result, {("queue", UNREAD, "note")})
    (survivor,) = result.survivors
    assert survivor.reason.endswith("is not among the fields of contracts/queue.yaml")


def test_the_demo_on_servers(fresh_database: Callable[[str], Database], tmp_path: Path) -> None:
    """Of PostgreSQL and MariaDB, nothing that any of them holds is touched."""
    kinds = {"old": "postgresql", "streaming": "postgresql", "dvd": "mariadb"}
    urls = {name: fresh_database(kind).url for name, kind in kinds.items()}
    scene = set_scene(tmp_path / "demo", 120, 7, faults=False, urls=urls)
    result, _ = run_drill(scene.plan, faults=200, progress=SilentProgress(), environ=scene.environ)
    assert _caught_but(result, set())
    again, _ = run_drill(scene.plan, faults=200, progress=SilentProgress(), environ=scene.environ)
    assert again.faults == result.faults


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_survives_in_a_scenario(name: str, tmp_path: Path) -> None:
    """Crosswalks, merges, maps, composite keys and lists with ties: with what is found there already."""
    folder = FIXTURES / name
    environ = {}
    for system, tables in _systems(folder).items():
        (tmp_path / system).mkdir()
        environ[f"{system.upper()}_URL"] = store_csv(tmp_path / system, tables)
    plan = folder / "safeguard.yaml"
    result, _ = run_drill(
        plan, faults=40, out=tmp_path / "drill", progress=SilentProgress(), environ=environ
    )
    assert result.score.planted > 0
    assert _caught_but(result, set())


# -- private -------------------------------------------------------------------------------------


def _drafted_and_drilled(
    old: Mapping[str, str], new: Mapping[str, str], folder: Path
) -> DrillResult:
    draft(old, new, folder / "plan")
    return _drilled(folder / "plan" / "safeguard.yaml", old, new)


def _drilled(
    plan: Path, old: Mapping[str, str], new: Mapping[str, str], faults: int = 250
) -> DrillResult:
    environ = {f"{name.upper()}_URL": url for name, url in {**old, **new}.items()}
    result, _ = run_drill(plan, faults=faults, progress=SilentProgress(), environ=environ)
    return result


def _caught_but(result: DrillResult, survivors: set[tuple[str, str, str]]) -> bool:
    """All that was planted was found as what it is, or is tolerated; but for these."""
    assert {(f.content, f.kind, f.field) for f in result.survivors} == survivors
    score = result.score
    assert score.planted == score.caught + score.tolerated + score.survived
    assert [f for f in result.faults if f.found and not f.right_kind] == []
    return True
