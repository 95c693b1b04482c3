"""Drills of real databases, by plans that `safeguard init` wrote and by the examples.

What survives a drafted plan's drill is what the draft left out: columns of the old system that it found
no home for. They were looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from safeguard.demo import set_scene
from safeguard.drafting import draft
from safeguard.drill.drilling import run_drill
from safeguard.drill.result import UNREAD, DrillResult, Fate
from safeguard.findings.progress import SilentProgress
from servers import Database


def drilled(old: Mapping[str, str], new: Mapping[str, str], folder: Path) -> DrillResult:
    draft(old, new, folder / "plan")
    environ = {f"{name.upper()}_URL": url for name, url in {**old, **new}.items()}
    plan = folder / "plan" / "safeguard.yaml"
    result, _ = run_drill(plan, progress=SilentProgress(), environ=environ)
    return result


def test_chinook(
    chinook_in_mariadb: Database, chinook_in_postgresql: Database, tmp_path: Path
) -> None:
    sides = {"old": chinook_in_mariadb.url}, {"shop": chinook_in_postgresql.url}
    result = drilled(*sides, tmp_path)
    show(result)


def test_sakila(
    sakila_in_mariadb: Database, sakila_in_postgresql: Database, tmp_path: Path
) -> None:
    sides = {"old": sakila_in_mariadb.url}, {"port": sakila_in_postgresql.url}
    result = drilled(*sides, tmp_path)
    show(result)


def show(result):
    from safeguard.cli.drill_lines import drill_lines

    print("\n".join(drill_lines(result, Path("x"))))
    for c in result.contents:
        print(c.content, c.absent)
    for f in result.faults:
        if f.right_cause is False or (f.fate == "caught" and not f.right_kind):
            print(f)


def test_the_demo_on_servers(fresh_database: Callable[[str], Database], tmp_path: Path) -> None:
    kinds = {"old": "postgresql", "streaming": "postgresql", "dvd": "mariadb"}
    urls = {name: fresh_database(kind).url for name, kind in kinds.items()}
    scene = set_scene(tmp_path / "demo", 120, 7, faults=False, urls=urls)
    result, _ = run_drill(scene.plan, progress=SilentProgress(), environ=scene.environ)
    show(result)
