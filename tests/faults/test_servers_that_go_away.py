"""A server that is killed while a check reads from it, and comes back, or never does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from check_runs import EXPECTED, Check, Scene, fill, found, nothing_left
from proxy import Proxy
from servers import PostgresqlServer, Server

OLD, NEW = "gone_old", "gone_new"
READING = 2_000_000
"""Bytes of one side, somewhere in the middle of its big table."""


@pytest.fixture(scope="module")
def own(
    postgresql: Server,
) -> Iterator[Server]:  # asked for so that it is skipped where there is none
    """A server that a test may kill; it is started again for the next one."""
    server = PostgresqlServer()
    fill(server, OLD, NEW)
    yield server
    server.stop()


@pytest.fixture
def server(own: Server) -> Server:
    if own._process is None:
        own.start()
    return own


@pytest.fixture
def sides(server: Server) -> Iterator[dict[str, Proxy]]:
    with Proxy(server.port) as old, Proxy(server.port) as new:
        yield {"old": old, "new": new}


@pytest.fixture
def scene(tmp_path: Path, server: Server, sides: dict[str, Proxy]) -> Scene:
    urls = {
        name: server.url(database).replace(f":{server.port}/", f":{sides[name].port}/")
        for name, database in (("old", OLD), ("new", NEW))
    }
    return Scene(tmp_path, urls)


def right(scene: Scene, check: Check, server: Server) -> None:
    assert check.code == 1, check.err
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [20_000, READING])
def test_killed_and_back(moment, scene, server, sides):
    """Early it answers questions, later it gives rows: what was asked is asked of a new snapshot."""
    killed = threading.Event()
    sides["old"].after(moment, lambda: (server.kill(), killed.set()))
    check = scene.start()
    assert killed.wait(60)
    server.start()
    right(scene, check.end(), server)
    assert "before its connection was lost" in scene.verdict["systems"]["old"]["snapshot"]


@pytest.mark.slow
def test_killed_and_never_back(scene, server, sides):
    sides["old"].after(READING, server.kill)
    check = scene.check("--retry-for", "3")
    assert check.code == 3, check.err
    assert "it did not come back within 3 s" in " ".join(scene.verdict["reasons"])
    assert f"Resume with: safeguard check safeguard.yaml --resume {scene.run.name}" in check.out
    assert (scene.run / "exchange").exists()
    server.start()
    right(scene, scene.check("--resume", "last"), server)


@pytest.mark.slow
def test_gone_before_it_is_resumed(scene, server, sides):
    scene.start_until("safeguard.runs.journal:RunJournal._keep", 2, "after").end()
    server.kill()
    check = scene.check("--resume", "last")
    assert check.code == 3
    assert scene.verdict["verdict"] == "UNDECIDED"
    server.start()
    right(scene, scene.check("--resume", "last"), server)
