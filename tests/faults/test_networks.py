"""A network between us and the databases that cuts, swallows, delays or refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_runs import EXPECTED, Check, Scene, fill, found, nothing_left
from proxy import Proxy
from servers import Server

OLD, NEW = "network_old", "network_new"
MOMENTS = (20_000, 2_000_000)
"""Bytes of the old side: it answers questions, it gives rows."""


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    made: Server = request.getfixturevalue(request.param)
    fill(made, OLD, NEW)
    return made


@pytest.fixture
def scene(tmp_path: Path, server: Server, proxy: Proxy) -> Scene:
    through = server.url(OLD).replace(f":{server.port}/", f":{proxy.port}/")
    return Scene(tmp_path, {"old": through, "new": server.url(NEW)})


def right(scene: Scene, check: Check, server: Server) -> None:
    assert check.code == 1, check.err
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_cut(moment, scene, proxy, server):
    proxy.after(moment, proxy.cut)
    right(scene, scene.check(), server)
    assert "before its connection was lost" in scene.verdict["systems"]["old"]["snapshot"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", ["stop", "refuse"])
def test_gone(how, moment, scene, proxy, server):
    """Packets vanish, or every connection is refused: within --retry-for it is UNDECIDED."""
    proxy.after(moment, getattr(proxy, how))
    check = scene.check("--retry-for", "3")
    assert check.code == 3, check.err
    assert scene.verdict["verdict"] == "UNDECIDED"
    assert "did not come back within 3 s" in " ".join(scene.verdict["reasons"]) + check.err
    proxy.go_on()
    right(scene, scene.check("--resume", "last"), server)


@pytest.mark.slow
def test_swallowed_for_a_moment(scene, proxy, server):
    """What was held back comes in the end: nothing was lost, and nothing is read again."""
    check = scene.start()
    proxy.after(2_000_000, lambda: setattr(proxy, "delay", 0.0))
    proxy.after(1_000_000, lambda: setattr(proxy, "delay", 0.2))
    right(scene, check.end(), server)
    assert "was lost" not in scene.verdict["systems"]["old"]["snapshot"]


@pytest.mark.slow
def test_delayed(scene, proxy, server):
    proxy.delay = 0.01
    right(scene, scene.check("--retry-for", "3"), server)
    assert "was lost" not in scene.verdict["systems"]["old"]["snapshot"]
