"""What `safeguard init` writes, `safeguard check` runs without an edit.

A draft may find differences (exit code 1) or say what it could not decide (3); it never needs mending
(2) and never fails (70). Contents that nothing is left to decide of are compared whole.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from safeguard.demo import set_scene
from safeguard.drafting import Draft, draft
from scenarios.telling import check_plan
from servers import Database

DRAFTED = {
    "profile": {"kept": 58, "changed": 1},
    "invoice": {"kept": 405, "changed": 7},
    "invoice-line": {"kept": 2240},
}
"""Chinook's, whichever engine it comes from; what changed is told in test_chinook.py."""


def test_chinook_from_the_command_line(
    chinook_in_sqlite: str, chinook_in_postgresql: Database, tmp_path: Path
) -> None:
    """A SQLite file needs no password, the server's password is not written."""
    shop = chinook_in_postgresql.url
    plan = tmp_path / "plan" / "safeguard.yaml"
    said = _safeguard(
        "init", "--old", chinook_in_sqlite, "--new", f"shop={shop}", "--out", plan.parent
    )
    assert said.returncode == 0, said.stderr
    assert "${SHOP_URL}" in plan.read_text("utf-8")
    done = _safeguard("check", plan, "--out", tmp_path / "run", SHOP_URL=shop)
    assert done.returncode == 1, done.stdout + done.stderr
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text("utf-8"))
    sums = {c["content"]: _counted(c["sums"]["old"]) for c in verdict["contents"]}
    assert sums == DRAFTED
    assert verdict["exit_code"] == 1


def test_chinook_from_mariadb(
    chinook_in_mariadb: Database, chinook_in_postgresql: Database, tmp_path: Path
) -> None:
    sides = {"old": chinook_in_mariadb.url}, {"shop": chinook_in_postgresql.url}
    made, contents = _drafted_and_checked(*sides, tmp_path)
    assert {name: _counted(c.sums_old) for name, c in contents.items()} == DRAFTED
    assert _whole(contents) == set(DRAFTED)
    assert _asked(made, "no key or name ties to a customer")
    assert _asked(made, "Playlist, PlaylistTrack")


def test_sakila(
    sakila_in_mariadb: Database, sakila_in_postgresql: Database, tmp_path: Path
) -> None:
    sides = {"old": sakila_in_mariadb.url}, {"port": sakila_in_postgresql.url}
    made, contents = _drafted_and_checked(*sides, tmp_path)
    assert {name: _counted(c.sums_old) for name, c in contents.items()} == {
        "profile": {"changed": 599},
        "payment": {"kept": 16044, "changed": 5},
        "rental": {"kept": 16044},
    }
    assert _whole(contents) == {"profile", "payment", "rental"}
    assert _asked(made, "old.payment.last_update: no likely column in port.payment")


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """URLs of the demo without faults."""
    folder = tmp_path_factory.mktemp("fixed")
    set_scene(folder, 120, 7, faults=False)
    return {name: f"sqlite:///{folder}/{name}.sqlite" for name in ("old", "streaming", "dvd")}


def test_the_fixed_demo(fixed: dict[str, str], tmp_path: Path) -> None:
    """All is compared whole but the ratings, of which a person must say what stars became."""
    made, contents = _drafted_and_checked(*_sides(fixed), tmp_path)
    assert set(contents) == {"profile", "notify-me", "playlists", "queue", "ratings", "reviews"}
    assert _whole(contents) == set(contents) - {"ratings"}
    passed = {name for name, c in contents.items() if str(c.verdict) == "PASS"}
    assert passed == {"notify-me", "playlists"}
    causes = {name: set(c.causes) for name, c in contents.items() if c.causes}
    assert causes == {
        "profile": {"time_shift"},
        "queue": {"time_shift", "null_empty"},
        "ratings": {"time_shift"},
        "reviews": {"time_shift", "line_endings"},
    }
    assert _asked(made, "old.ratings.stars: integer became varchar(100)")
    assert _asked(made, "if they were written in America/Los_Angeles, not in UTC")
    assert _asked(made, "old.web_sessions: no likely home in the new systems")


def test_the_fixed_demo_with_its_questions_answered(fixed: dict[str, str], tmp_path: Path) -> None:
    """The zone that the draft asks about and the map that it proposes leave what was planned."""
    old, new = _sides(fixed)
    draft(old, new, tmp_path / "plan")
    plan = tmp_path / "plan" / "safeguard.yaml"
    zone = plan.read_text("utf-8").replace("timezone: UTC", "timezone: America/Los_Angeles", 1)
    plan.write_text(zone, encoding="utf-8")
    ratings = plan.parent / "contracts" / "ratings.yaml"
    lines = ratings.read_text("utf-8").splitlines()
    here = next(i for i, line in enumerate(lines) if "say how" in line)
    lines[here] = f"  {lines[here + 1].partition('entries say: ')[2]}"
    ratings.write_text("\n".join(lines), encoding="utf-8")
    result, _ = check_plan(plan, tmp_path / "run", {})
    contents = {c.content: c for c in result.contents}
    assert _whole(contents) == set(contents)
    assert {name: set(c.causes) for name, c in contents.items() if c.causes} == {
        "queue": {"null_empty"},
        "reviews": {"line_endings"},
    }
    assert [u.table for u in result.coverage.uncovered] == ["web_sessions"]


def test_the_hurried_demo(tmp_path: Path) -> None:
    """Planted faults come out of a drafted plan too, beside what it could not decide."""
    scene = set_scene(tmp_path, 300, 7, faults=True)
    urls = {name: f"sqlite:///{tmp_path}/{name}.sqlite" for name in ("old", "streaming", "dvd")}
    _, contents = _drafted_and_checked(*_sides(urls), tmp_path)
    planted = {key: n for key, n in scene.built.expected.items() if key[0] in contents}
    shadowed = {"changed"}  # of every entry here, until the time zone is said
    for (content, kind), number in planted.items():
        if kind not in shadowed:
            assert contents[content].findings[kind] == number, (content, kind)
    assert len(planted) > 8


def test_the_demo_on_servers(fresh_database: Callable[[str], Database], tmp_path: Path) -> None:
    """PostgreSQL to PostgreSQL and MariaDB: what is undecided stays the same."""
    kinds = {"old": "postgresql", "streaming": "postgresql", "dvd": "mariadb"}
    urls = {name: fresh_database(kind).url for name, kind in kinds.items()}
    set_scene(tmp_path / "demo", 120, 7, faults=False, urls=urls)
    _, contents = _drafted_and_checked(*_sides(urls), tmp_path)
    assert set(contents) == {"profile", "notify-me", "playlists", "queue", "ratings", "reviews"}
    assert _whole(contents) == set(contents) - {"ratings"}


# -- private -------------------------------------------------------------------------------------


def _drafted_and_checked(
    old: Mapping[str, str], new: Mapping[str, str], folder: Path
) -> tuple[Draft, dict[str, Any]]:
    """The draft, and the contents of its check, by name: of a run that is no mistake and no crash."""
    made = draft(old, new, folder / "plan")
    environ = {f"{name.upper()}_URL": url for name, url in {**old, **new}.items()}
    result, findings = check_plan(folder / "plan" / "safeguard.yaml", folder / "run", environ)
    assert result.exit_code in (0, 1, 3)
    for content in result.contents:
        assert content.conservation.old, content.conservation.detail
        assert content.conservation.new, content.conservation.detail
        assert bool(content.reasons) == (str(content.verdict) != "PASS")
    assert {f["content"] for f in findings if f["kind"] != "uncovered"} <= {
        c.content for c in result.contents
    }
    return made, {c.content: c for c in result.contents}


def _whole(contents: Mapping[str, Any]) -> set[str]:
    """Contents of which all was compared."""
    return {name for name, c in contents.items() if not c.findings.get("not_compared")}


def _counted(sums: Mapping[str, int]) -> dict[str, int]:
    return {str(status): n for status, n in sums.items() if n}


def _sides(urls: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    return {"old": urls["old"]}, {name: urls[name] for name in ("streaming", "dvd")}


def _asked(made: Draft, question: str) -> bool:
    return any(line.startswith("?") and question in line for line in made.lines)


def _safeguard(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safeguard", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **environ}
    )
