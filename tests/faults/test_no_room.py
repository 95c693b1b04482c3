"""The disk of the run's folder is full: UNDECIDED, and the run goes on when there is room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from check_runs import EXPECTED, Scene, fill, found, nothing_left, small_disk
from servers import Server

OLD, NEW = "room_old", "room_new"


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


@pytest.fixture
def scene(tmp_path: Path, server: Server) -> Scene:
    return Scene(tmp_path / "scene", {"old": server.url(OLD), "new": server.url(NEW)})


@pytest.mark.parametrize("size", ["8k", "200k", "4m"])
def test_a_full_disk(size, scene, server):
    """So small that the journal can't be begun; that no source fits; that some does."""
    runs = scene.folder / ".safeguard"
    with small_disk(runs, size) as mounted:
        if not mounted:
            pytest.skip("NOT TESTED, no file system may be mounted here: see the limit of files")
        check = scene.check()
        assert check.code == 3, check.err
        assert scene.verdict["verdict"] == "UNDECIDED"
        assert "room" in check.out + check.err or "can't be" in check.out + check.err
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
    check = scene.check()
    assert check.code == 3, check.err
    assert scene.verdict["verdict"] == "UNDECIDED"
    scene.before = ()
    again = scene.check("--resume", "last")
    assert again.code == 1, again.err
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)
