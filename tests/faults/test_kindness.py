"""What a run may ask of its systems: how long it holds a snapshot, and what is left of it then."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from check_runs import EXPECTED, Scene, connections, fill, found, nothing_left, wait_for
from safeguard.contract.load import load_plan
from safeguard.findings.trouble import ConnectionLost, SystemProblem
from safeguard.systems.interface import Limits, Relation
from safeguard.systems.opened import Kindness, open_systems
from safeguard.systems.postgresql import PostgresqlSession
from servers import Server

OLD, NEW = "kind_old", "kind_new"
HELD = "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND datname = '{}'"


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


@pytest.fixture
def scene(tmp_path: Path, server: Server) -> Scene:
    return Scene(tmp_path, {"old": server.url(OLD), "new": server.url(NEW)})


def test_a_snapshot_that_is_too_old_is_let_go(scene, server):
    """On the server, too, while the run still goes on."""
    kindness = Kindness(max_snapshot_age=1)
    with open_systems(load_plan(scene.plan, {}), kindness) as systems:
        old = systems["old"]
        assert server.query("postgres", HELD.format(OLD)) == [(1,)]
        wait_for(lambda: server.query("postgres", HELD.format(OLD)) == [(0,)], "it is still held")
        with pytest.raises(ConnectionLost) as lost:
            old.count(Relation("queue"), None)
        with pytest.raises(
            SystemProblem, match="the snapshot was held for 1 s, the most that --max"
        ):
            systems.mend("old", lost.value)
        systems.fresh("old")  # the next content gets a new one
        assert systems["old"].count(Relation("queue"), None) == (10_000,)


@pytest.mark.slow
def test_a_check_that_is_too_slow_for_its_snapshot(scene, server, proxy):
    scene.urls["old"] = server.url(OLD).replace(f":{server.port}/", f":{proxy.port}/")
    scene.write()
    proxy.after(1_000_000, lambda: setattr(proxy, "delay", 1.0))
    check = scene.check("--max-snapshot-age", "8")
    proxy.delay = 0
    assert check.code in (1, 3), check.err  # the next content has a snapshot of its own
    ratings = scene.verdict["contents"][0]
    assert (ratings["content"], ratings["verdict"]) == ("ratings", "UNDECIDED")
    assert "--max-snapshot-age" in " ".join(ratings["reasons"])
    nothing_left(scene, server, resumable=True)
    assert scene.check("--resume", "last").code == 1
    assert found(scene) == EXPECTED


def test_no_more_connections_than_are_allowed(scene, server, proxy):
    """One holds the snapshot, one sees what the server bears, so many read."""
    seen: list[int] = []
    scene.urls["old"] = server.url(OLD).replace(f":{server.port}/", f":{proxy.port}/")
    scene.write()

    def look() -> None:
        seen.append(len(server.query("postgres", f"{MINE} AND datname = '{OLD}'")))

    for moment in range(500_000, 7_500_000, 500_000):
        proxy.after(moment, look)
    assert scene.check("--connections", "1").code == 1
    assert seen
    assert max(seen) <= 3


MINE = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'safeguard%'"


def test_every_connection_has_its_limits(server):
    limits = Limits(statement_timeout=7, lock_timeout=5)
    session = PostgresqlSession("old", server.url(OLD), limits)
    try:
        (relation,) = [t for t in session.tables() if t.name == "queue"]
        assert relation.columns
        shown = {
            name: session._ask(f"SHOW {name}")[0][0]
            for name in ("statement_timeout", "lock_timeout", "client_connection_check_interval")
        }
    finally:
        session.close()
    assert shown == {
        "statement_timeout": "7s",
        "lock_timeout": "5s",
        "client_connection_check_interval": "2s",
    }


def test_a_question_that_is_waited_for_ends_when_its_session_is_closed(server):
    """Even one that waits for a lock, in another thread; and nothing of it stays on the server."""
    session = PostgresqlSession("old", server.url(OLD))
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            session.count(Relation("ratings"), None)
        except SystemProblem as problem:
            ended.append(problem)

    with psycopg.connect(server.url(OLD)) as other:
        other.execute("LOCK TABLE ratings IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=ask)
        thread.start()
        blocked = "SELECT pid FROM pg_locks WHERE NOT granted"
        wait_for(lambda: bool(server.query("postgres", blocked)), "it does not wait")
        session.close()
        thread.join(20)
        assert ended
        wait_for(lambda: not connections(server), "an orphan")
