"""A check that is killed, interrupted or refused, and the one that goes on with it."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from check_runs import EXPECTED, Scene, connections, fill, found, nothing_left, told
from proxy import Proxy
from servers import Server

OLD, NEW = "killed_old", "killed_new"
BYTES = 10_000_000
"""Less than comes from the server when the two sides are read once."""


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


def scene_at(folder: Path, server: Server, port: int, **more: Any) -> Scene:
    urls = {n: server.url(d).replace(f":{server.port}/", f":{port}/") for n, d in SIDES.items()}
    return Scene(folder, urls, **more)


SIDES = {"old": OLD, "new": NEW}


@pytest.fixture
def scene(tmp_path: Path, server: Server, proxy: Proxy) -> Scene:
    return scene_at(tmp_path, server, proxy.port)


@pytest.fixture(scope="module")
def undisturbed(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], pa.Table]:
    """What a run says that nobody disturbs, and its findings."""
    scene = scene_at(tmp_path_factory.mktemp("undisturbed"), server, server.port)
    assert scene.check().code == 1
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)
    return told(scene), scene.findings


def same(scene: Scene, undisturbed: tuple[dict[str, Any], pa.Table]) -> None:
    assert told(scene) == undisturbed[0]
    assert scene.findings.equals(undisturbed[1])


# -- kill -9 --------------------------------------------------------------------------------------

SEED = 20261126
MOMENTS = sorted(random.Random(SEED).sample(range(100_000, BYTES), 4))
CALLS = [
    ("safeguard.runs.journal:RunJournal._keep", 2, "before"),  # a source is read, not yet noted
    ("safeguard.runs.journal:RunJournal._keep", 2, "after"),
    ("safeguard.runs.journal:RunJournal._keep", 4, "after"),  # a partition is joined
    ("safeguard.runs.journal:RunJournal.keep_result", 1, "before"),
    ("safeguard.runs.journal:RunJournal.keep_result", 1, "after"),  # the first content is done
    ("safeguard.checking:write_findings", 1, "after"),
]
"""Where the journal is about to say something, has just said it, or says more than the folder shows."""


def resumed(scene: Scene, server: Server, undisturbed: tuple[dict[str, Any], pa.Table]) -> None:
    """The killed run is UNDECIDED, has left no connection, and one that goes on with it is right."""
    run = scene.run
    assert scene.verdict["verdict"] == "UNDECIDED"
    went_on = scene.check("--resume", run.name)
    assert went_on.code == 1, went_on.err
    assert scene.run == run
    same(scene, undisturbed)
    nothing_left(scene, server, resumable=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_it_reads(moment, scene, proxy, server, undisturbed):
    check = scene.start()
    proxy.after(moment, check.kill)
    assert check.end().code == -signal.SIGKILL
    resumed(scene, server, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "times", "what"), CALLS)
def test_killed_at_a_step(call, times, what, scene, server, undisturbed):
    assert scene.start_until(call, times, what).end().code == -signal.SIGKILL
    resumed(scene, server, undisturbed)


def test_what_was_read_whole_is_not_read_again(scene, proxy, server, undisturbed):
    """Killed when the first content is done: going on reads the small one alone."""
    scene.start_until("safeguard.runs.journal:RunJournal.keep_result", 1, "after").end()
    before = proxy.received
    assert scene.check("--resume", "last").code == 1
    assert proxy.received - before < BYTES / 4
    same(scene, undisturbed)


@pytest.mark.slow
def test_killed_again_and_again(scene, proxy, server, undisturbed):
    """Each try is killed a little later than the one before; a fifth would come to the end."""
    for n in range(1, 5):
        more = () if n == 1 else ("--resume", "last")
        scene.start_until("safeguard.runs.journal:RunJournal._keep", n, "after", *more).end()
    resumed(scene, server, undisturbed)


# -- signals --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", [MOMENTS[0], MOMENTS[-1]])
def test_a_signal_while_it_reads(number, moment, scene, proxy, server, undisturbed):
    check = scene.start()
    proxy.after(moment, lambda: check.signal(number))
    interrupted(scene, check.end(), server)
    resumed(scene, server, undisturbed)


@pytest.mark.parametrize(
    ("call", "times"),
    [
        ("safeguard.checking:survey", 1),
        ("safeguard.runs.journal:RunJournal.keep_joined", 1),
        ("safeguard.runs.journal:RunJournal.keep_result", 2),
    ],
)
def test_a_signal_at_a_step(call, times, scene, server):
    check = scene.start_until(call, times, "SIGTERM").end()
    interrupted(scene, check, server)


def interrupted(scene: Scene, check: Any, server: Server) -> None:
    assert check.code == 130, check.err
    assert (scene.verdict["verdict"], scene.verdict["exit_code"]) == ("UNDECIDED", 130)
    command = f"safeguard check safeguard.yaml --resume {scene.run.name}"
    assert f"Resume with: {command}" in check.err
    nothing_left(scene, server, resumable=True)


# -- what is not gone on with ---------------------------------------------------------------------


def test_two_processes_do_not_write_one_run(scene, proxy, server, undisturbed):
    first = scene.start()
    refusals = []
    # The first one's reading is held up until the second has been refused.
    proxy.after(MOMENTS[0], lambda: refusals.append(scene.check("--resume", "last")))
    assert first.end().code == 1
    (second,) = refusals
    assert second.code == 2
    assert "another check is still writing this run" in second.err
    same(scene, undisturbed)
    nothing_left(scene, server, resumable=False)


@pytest.fixture(scope="module")
def killed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A run that was killed when its first source had been read."""
    scene = scene_at(tmp_path_factory.mktemp("killed"), server, server.port)
    scene.start_until("safeguard.runs.journal:RunJournal._keep", 2, "after").end()
    return scene


def refusal(scene: Scene, *more: str) -> str:
    check = scene.check("--resume", scene.run.name, *more)
    assert check.code == 2
    assert scene.verdict["verdict"] == "UNDECIDED"
    return check.err


def test_a_changed_plan_is_not_gone_on_with(killed):
    killed.write(policy={"warn": ["extra", "moved"]})
    said = refusal(killed)
    killed.write()
    assert "the plan or a contract changed since" in said
    assert "ratings (" in said  # what would have to be read again


def test_a_changed_contract_is_not_gone_on_with(killed):
    path = killed.folder / "ratings.yaml"
    before = path.read_text()
    path.write_text(json.dumps(json.loads(before) | {"title": "Stars"}))
    said = refusal(killed)
    path.write_text(before)
    assert "the plan or a contract changed since" in said


def test_another_way_to_mask_is_not_gone_on_with(killed):
    assert "--reveal changed since" in refusal(killed, "--reveal")


def test_another_program_does_not_go_on(killed, monkeypatch):
    program = (
        "import sys, safeguard; safeguard.__version__ = '99.0'\n"
        "from safeguard.cli import main; main()"
    )
    check = killed._started(["-c", program], "--resume", killed.run.name).end()
    assert check.code == 2
    assert "the program (it was safeguard " in check.err
    assert "99.0" in check.err


def test_another_database_is_not_gone_on_with(tmp_path, server):
    scene = scene_at(tmp_path, server, server.port)
    scene.environ = {"OLD_URL": scene.urls["old"], "NEW_URL": scene.urls["new"]}
    scene.urls = {"old": "${OLD_URL}", "new": "${NEW_URL}"}
    scene.write()
    scene.start_until("safeguard.runs.journal:RunJournal._keep", 2, "after").end()
    scene.environ["OLD_URL"] = server.url(NEW)
    assert "the url of old changed since" in refusal(scene)


def test_a_run_that_ended_is_not_gone_on_with(scene, undisturbed):
    assert scene.check().code == 1
    check = scene.check("--resume", "last")
    assert check.code == 2
    assert "it ended with BLOCK, and nothing was left to do" in check.err
    assert scene.verdict["verdict"] == "BLOCK"


def test_a_run_that_never_was_is_not_gone_on_with(killed):
    name = killed.run.name
    near = name[:-3] + "99Z"
    check = killed.check("--resume", near)
    assert check.code == 2
    assert f"there is no run `{near}`" in check.err
    assert f"Did you mean `{name}`?" in check.err


def test_a_folder_that_is_no_run_is_not_gone_on_with(killed, tmp_path):
    check = killed.check("--resume", str(tmp_path))
    assert check.code == 2
    assert "is no run's folder" in check.err


def test_a_run_elsewhere_is_gone_on_with_by_its_folder(scene, server, undisturbed):
    """What it says for that can be pasted."""
    check = scene.start_until(
        "safeguard.runs.journal:RunJournal._keep", 2, "SIGTERM", "--out", "my reports"
    ).end()
    assert "Resume with: safeguard check safeguard.yaml --resume 'my reports'" in check.err
    assert scene.check("--resume", "my reports").code == 1
    assert not (scene.folder / "my reports" / "exchange").exists()
    assert not connections(server)
