"""Waivers of runs that were disturbed: killed and gone on with, live, with a clock set back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from check_runs import EXPECTED, Scene, fill, found
from safeguard.checking import run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.words import Verdict, WaiverState
from safeguard.runs import create_run
from servers import Server

RATINGS = EXPECTED["ratings"]
FOREVER = "2999-12-31"


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, "waived_old", "waived_new")
    return postgresql


@pytest.fixture
def scene(tmp_path: Path, server: Server) -> Scene:
    made = Scene(tmp_path, {side: server.url(f"waived_{side}") for side in ("old", "new")})
    made.write(waivers="waivers.yaml")
    return made


def sign(scene: Scene, expires: str = FOREVER, **ceilings: int) -> None:
    """Waivers for all that was spoilt, with other ceilings where they are named."""
    wanted = {"lost": 100, "changed": 70} | ceilings
    every: list[dict[str, Any]] = [
        {"id": f"W-{kind}", "content": "ratings", "kind": kind, "at_most": most}
        for kind, most in wanted.items()
    ]
    every.append({"id": "W-queue", "content": "queue", "kind": "lost", "at_most": 10})
    more = {"reason": "a test", "approved_by": "Ada", "expires": expires}
    (scene.folder / "waivers.yaml").write_text(json.dumps({"waivers": [w | more for w in every]}))


def states(scene: Scene) -> dict[str, str]:
    return {use["id"]: use["state"] for use in scene.verdict["waivers"]}


def all_is_waived(scene: Scene) -> None:
    assert scene.verdict["verdict"] == "PASS"
    assert found(scene) == EXPECTED
    waived = {c["content"]: c["waived"] for c in scene.verdict["contents"]}
    assert waived == EXPECTED
    assert scene.verdict["customers"]["affected"] == 0
    rows = scene.findings.to_pylist()
    assert {r["waived_by"] for r in rows} == {"W-lost", "W-changed", "W-queue"}


def test_a_run_is_gone_on_with_after_its_waivers_changed(scene: Scene) -> None:
    """The first content was compared before the kill: what it left is waived like the rest."""
    sign(scene, lost=1)
    call = "safeguard.runs.journal:RunJournal.keep_result"
    scene.start_until(call, 1, "after").end()
    assert scene.verdict["verdict"] == "UNDECIDED"
    sign(scene)
    resumed = scene.check("--resume", "last")
    assert resumed.code == 0, resumed.err
    all_is_waived(scene)


def test_it_is_held_to_the_waivers_that_are_there_at_the_end(scene: Scene) -> None:
    sign(scene)
    scene.start_until("safeguard.runs.journal:RunJournal.keep_result", 2, "after").end()
    sign(scene, lost=99)
    assert scene.check("--resume", "last").code == 1
    assert states(scene)["W-lost"] == "overfull"
    assert "waiver W-lost covers 100 entries, more than its 99" in str(scene.verdict["reasons"])


def test_a_live_check_waives_what_stays(scene: Scene) -> None:
    sign(scene)
    live = scene.check("--live", "--settle", "0.1", "--tries", "2")
    assert live.code == 0, live.err
    all_is_waived(scene)


def test_a_clock_that_was_set_back_prolongs_no_waiver(shop) -> None:
    """It was tomorrow when the run began, and the waiver expires in between."""
    shop.database("new", rows=[(1, 2, 2, "two"), (2, 1, 1, "three"), (2, 3, 2, None)])
    shop.write({"waivers": "waivers.yaml"})
    now = dt.datetime.now(dt.UTC)
    ends = (now + dt.timedelta(hours=12)).isoformat(timespec="seconds")
    waiver = {"id": "W-1", "content": "queue", "kind": "lost", "at_most": 1, "expires": ends}
    every = {"waivers": [waiver | {"reason": "a test", "approved_by": "Ada"}]}
    (shop.folder / "waivers.yaml").write_text(json.dumps(every))
    assert shop.check().verdict is Verdict.PASS
    tomorrow = create_run(shop.plan, shop.folder / "out", now + dt.timedelta(days=1))
    result, _ = run_check(shop.plan, folder=tomorrow, progress=SilentProgress(), environ={})
    assert [use.state for use in result.waivers] == [WaiverState.EXPIRED]
    assert result.verdict is Verdict.BLOCK
