"""A server that ends our sessions, or refuses new ones, while a check reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from check_runs import EXPECTED, Check, Scene, connections, fill, found, nothing_left
from proxy import Proxy
from servers import Server

OLD, NEW = "ended_old", "ended_new"
READING = 2_000_000
"""Bytes of one side, somewhere in the middle of its big table."""
ONCE = 7_900_000
"""Bytes of one side of PostgreSQL, read once."""


@pytest.fixture(scope="module")
def server(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


@pytest.fixture
def sides(server: Server) -> Iterator[dict[str, Proxy]]:
    with Proxy(server.port) as old, Proxy(server.port) as new:
        yield {"old": old, "new": new}


def through(server: Server, sides: dict[str, Proxy]) -> dict[str, str]:
    return {
        name: server.url(database).replace(f":{server.port}/", f":{sides[name].port}/")
        for name, database in (("old", OLD), ("new", NEW))
    }


@pytest.fixture
def scene(tmp_path: Path, server: Server, sides: dict[str, Proxy]) -> Scene:
    return Scene(tmp_path, through(server, sides))


def right(scene: Scene, check: Check, server: Server) -> None:
    assert check.code == 1, check.err
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)


ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {} AND datname = '{}'"


@pytest.mark.parametrize("name", [OLD, NEW])
def test_a_reader_that_the_server_ends(name, scene, server, sides):
    """The snapshot still stands: its table is read again, and the other side is not."""
    side, other = ("old", "new") if name == OLD else ("new", "old")
    ended: list[int] = []
    reader = ENDED.format("query LIKE 'COPY%'", name)
    sides[side].after(READING, lambda: ended.append(len(server.query("postgres", reader))))
    right(scene, scene.check(), server)
    assert ended == [1]
    assert "was lost" not in scene.verdict["systems"][side]["snapshot"]
    assert sides[other].received < 1.2 * ONCE < sides[side].received


def test_a_snapshot_that_the_server_ends(scene, server, sides):
    holder = ENDED.format("query NOT LIKE 'COPY%' AND application_name LIKE 'safeguard%'", NEW)
    ended: list[int] = []
    sides["new"].after(READING, lambda: ended.append(len(server.query("postgres", holder))))
    right(scene, scene.check(), server)
    assert ended
    assert "before its connection was lost" in scene.verdict["systems"]["new"]["snapshot"]
    assert sides["old"].received < 1.2 * ONCE < sides["new"].received


ALL = ENDED.format("application_name LIKE 'safeguard%'", NEW)


@pytest.mark.parametrize("moment", [20_000, 100_000, 400_000, 700_000])
def test_sums_of_a_snapshot_that_is_lost(moment, scene, server, sides):
    """What they told is asked again of the new one, wherever it was lost on the way."""
    scene.options = ("--retry-for", "30")
    ended: list[int] = []
    sides["new"].after(moment, lambda: ended.append(len(server.query("postgres", ALL))))
    right(scene, scene.check(), server)
    assert ended
    ratings = scene.verdict["contents"][0]
    assert ratings["customers"]["with_content"] == 10_000
    assert ratings["old"] == 100_000


def test_a_server_that_takes_no_more_connections(scene, server, sides):
    """The readers are refused; what could not be opened is no content that was lost."""
    server.execute("postgres", f"ALTER DATABASE {NEW} CONNECTION LIMIT 1")
    server.execute("postgres", "CREATE ROLE visitor LOGIN PASSWORD 'x'")
    server.execute(NEW, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    try:
        url = f"postgresql://visitor:x@127.0.0.1:{server.port}/{NEW}"
        scene.urls["new"] = url
        scene.write()
        check = scene.check()
        assert check.code == 3, check.out
        assert "too many connections" in " ".join(scene.verdict["reasons"])
    finally:
        server.execute("postgres", f"ALTER DATABASE {NEW} CONNECTION LIMIT -1")
        server.execute(NEW, "DROP OWNED BY visitor")
        server.execute("postgres", "DROP ROLE visitor")
    assert not connections(server)


def test_a_connection_that_mariadb_kills(tmp_path: Path, mariadb: Server):
    """Its only one, and with it the snapshot."""
    fill(mariadb, OLD, NEW)
    killed: list[int] = []

    def kill() -> None:
        ids = f"SELECT id FROM information_schema.processlist WHERE db = '{NEW}'"
        ours = [row[0] for row in mariadb.query("", ids)]
        for number in ours:
            mariadb.execute("", f"KILL {number}")
        killed.extend(ours)

    with Proxy(mariadb.port) as old, Proxy(mariadb.port) as new:
        scene = Scene(tmp_path, through(mariadb, {"old": old, "new": new}))
        new.after(READING, kill)
        right(scene, scene.check(), mariadb)
    assert killed
    assert "before its connection was lost" in scene.verdict["systems"]["new"]["snapshot"]
