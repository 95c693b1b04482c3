"""Ids are given anew between two moments of the new system: what was translated before is of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from check_runs import EXPECTED, Scene, fill, found, nothing_left
from proxy import Proxy
from servers import Server

OLD, NEW = "walk_old", "walk_new"
READING = 2_000_000
MAPPED = (
    "CREATE TABLE member_map AS SELECT DISTINCT customer_id AS old_id FROM ratings",
    "ALTER TABLE member_map ADD COLUMN new_id int",
    "UPDATE member_map SET new_id = old_id + 1000000",
    "UPDATE ratings SET customer_id = customer_id + 1000000",
)
ANEW = (
    "BEGIN",
    "UPDATE member_map SET new_id = new_id + 1",
    "UPDATE ratings SET customer_id = customer_id + 1",
    "COMMIT",
)
ENDED = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'safeguard%' AND datname = '{NEW}'"""


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    postgresql.execute(NEW, *MAPPED)
    return postgresql


@pytest.fixture
def scene(tmp_path: Path, server: Server, proxy: Proxy) -> Scene:
    through = server.url(NEW).replace(f":{server.port}/", f":{proxy.port}/")
    made = Scene(tmp_path, {"old": server.url(OLD), "new": through})
    path = made.folder / "ratings.yaml"
    contract = json.loads(path.read_text())
    ids = {"system": "new", "table": "member_map", "old": "old_id", "new": "new_id"}
    contract["new"]["crosswalk"] = {"customer_id": ids}
    path.write_text(json.dumps(contract))
    return made


def test_a_snapshot_that_is_lost_takes_its_crosswalk_along(scene, server, proxy):
    """The second snapshot has other ids: translated by the first one's, everything would be lost."""

    def end() -> None:
        server.execute(NEW, "; ".join(ANEW))
        server.query("postgres", ENDED)

    proxy.after(READING, end)
    check = scene.check()
    assert check.code == 1, check.err
    assert found(scene) == EXPECTED
    assert "before its connection was lost" in scene.verdict["systems"]["new"]["snapshot"]
    nothing_left(scene, server, resumable=False)


@pytest.mark.parametrize("changes", [True, False])
def test_a_run_that_is_resumed_looks_whether_its_crosswalk_is_the_same(
    changes, scene, server, proxy
):
    """Both sources had been read; they are read again where the ids have changed, else not."""
    scene.start_until("safeguard.runs.journal:RunJournal._keep", 3, "after").end()
    if changes:
        server.execute(NEW, "; ".join(ANEW))
    before = proxy.received
    check = scene.check("--resume", "last")
    assert check.code == 1, check.err
    assert found(scene) == EXPECTED
    assert (proxy.received - before > READING) == changes
    nothing_left(scene, server, resumable=False)
