"""The disk of the run's folder is full: UNDECIDED, and the run goes on when there is room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from check_runs import EXPECTED, Check, Scene, fill, found, nothing_left, small_disk
from servers import Server

OLD, NEW = "room_old", "room_new"


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


@pytest.fixture
def scene(tmp_path: Path, server: Server) -> Scene:
    return Scene(tmp_path / "scene", {"old": server.url(OLD), "new": server.url(NEW)})


def no_room(scene: Scene, check: Check) -> None:
    """The large content is UNDECIDED; what the small one has lost is certain, where it had room."""
    assert check.code in (1, 3), check.err
    assert "room" in check.out + check.err or "can't be" in check.out + check.err
    verdicts = {c["content"]: c["verdict"] for c in scene.verdict.get("contents", ())}
    assert verdicts.get("ratings", "UNDECIDED") == "UNDECIDED"
    assert scene.verdict["verdict"] == ("BLOCK" if check.code == 1 else "UNDECIDED")


@pytest.mark.parametrize("size", ["8k", "200k", "4m"])
def test_a_full_disk(size, scene, server):
    """So small that the journal can't be begun; that no source fits; that some does."""
    runs = scene.folder / ".safeguard"
    with small_disk(runs, size) as mounted:
        if not mounted:
            pytest.skip("NOT TESTED, no file system may be mounted here: see the limit of files")
        no_room(scene, scene.check())
        grown = ["mount", "-o", "remount,size=200m", str(runs)]
        subprocess.run(grown, check=True)
        again = scene.check("--resume", "last")
        assert again.code == 1, again.err
        assert found(scene) == EXPECTED
        nothing_left(scene, server, resumable=False)


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_files_that_may_not_grow(size, scene, server):
    """The largest file that a process may write stands for a disk that is full."""
    scene.before = ("prlimit", f"--fsize={size}")
    no_room(scene, scene.check())
    scene.before = ()
    again = scene.check("--resume", "last")
    assert again.code == 1, again.err
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)
