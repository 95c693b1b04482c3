"""Somebody else works on the tables that a check reads: locks, drops, alters, empties them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from check_runs import EXPECTED, QUEUE, SPOIL, Scene, fill, found, nothing_left
from proxy import Proxy
from servers import Server

OLD, NEW = "used_old", "used_new"
READING = 1_000_000
"""Bytes of the old side: the big table is being read, the small one was planned and is not yet."""


@pytest.fixture(scope="module")
def filled(postgresql: Server) -> Server:
    fill(postgresql, OLD, NEW)
    return postgresql


@pytest.fixture
def server(filled: Server) -> Iterator[Server]:
    yield filled
    filled.execute(NEW, "DROP TABLE IF EXISTS queue", QUEUE)
    rows = "INSERT INTO queue SELECT i % 1000, i, i FROM generate_series(1, 10000) i"
    filled.execute(NEW, rows, *(sql for sql in SPOIL if "queue" in sql))


@pytest.fixture
def scene(tmp_path: Path, server: Server, proxy: Proxy) -> Scene:
    through = server.url(OLD).replace(f":{server.port}/", f":{proxy.port}/")
    return Scene(tmp_path, {"old": through, "new": server.url(NEW)})


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Nobody else may even read the table."""
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        connection.rollback()


def undecided(scene: Scene, content: str, why: str) -> None:
    """That content alone, with the reason; the other one has what it has."""
    contents = {c["content"]: c for c in scene.verdict["contents"]}
    assert contents[content]["verdict"] == "UNDECIDED"
    assert why in " ".join(contents[content]["reasons"])
    (other,) = set(contents) - {content}
    assert found(scene)[other] == EXPECTED[other]


def test_a_lock_from_the_start(scene, server):
    with locked(server.url(NEW), "ratings"):
        check = scene.check("--lock-timeout", "1")
    assert check.code == 1, check.err  # what was lost of the other content is certain
    undecided(scene, "ratings", "lock timeout")
    assert scene.check("--resume", "last").code == 1
    assert found(scene) == EXPECTED
    nothing_left(scene, server, resumable=False)


def test_a_lock_of_mariadb(tmp_path, mariadb):
    fill(mariadb, OLD, NEW)
    scene = Scene(tmp_path, {"old": mariadb.url(OLD), "new": mariadb.url(NEW)})
    with mariadb._connect(NEW) as connection:
        connection.cursor().execute("LOCK TABLES ratings WRITE")
        check = scene.check("--lock-timeout", "1")
    assert check.code == 1, check.err
    undecided(scene, "ratings", "Lock wait timeout exceeded")
    assert scene.check("--resume", "last").code == 1
    assert found(scene) == EXPECTED
    nothing_left(scene, mariadb, resumable=False)


def test_a_lock_that_comes_while_it_reads(scene, server, proxy):
    lock = locked(server.url(NEW), "queue")
    proxy.after(READING, lock.__enter__)
    check = scene.check("--lock-timeout", "1")
    lock.__exit__(None, None, None)
    assert check.code == 1, check.err
    undecided(scene, "queue", "lock timeout")
    nothing_left(scene, server, resumable=True)


def test_a_lock_that_is_let_go_in_time(scene, server, proxy):
    lock = locked(server.url(NEW), "queue")
    proxy.after(READING, lock.__enter__)
    check = scene.start("--lock-timeout", "60")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        waits = b"SELECT 1 FROM pg_locks WHERE NOT granted"
        while connection.execute(waits).fetchone() is None:
            assert check.process.poll() is None
    lock.__exit__(None, None, None)
    assert check.end().code == 1
    assert found(scene) == EXPECTED


def test_a_statement_that_takes_too_long(scene, server, proxy):
    """It takes long because it waits for a lock, and is allowed to."""
    lock = locked(server.url(NEW), "queue")
    proxy.after(READING, lock.__enter__)
    check = scene.check("--lock-timeout", "0", "--statement-timeout", "5")
    lock.__exit__(None, None, None)
    assert check.code == 1, check.out
    undecided(scene, "queue", "statement timeout")
    nothing_left(scene, server, resumable=True)
    assert scene.check("--resume", "last", "--statement-timeout", "60").code == 1
    assert found(scene) == EXPECTED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DROP TABLE queue", "does not exist"),
        ("ALTER TABLE queue DROP COLUMN title_id", "does not exist"),
        ("ALTER TABLE queue RENAME TO line", "does not exist"),
        ("ALTER TABLE queue ALTER place TYPE bigint", "rewritten"),
        ("TRUNCATE queue", "truncated"),
        ("DELETE FROM queue; VACUUM FULL queue", "rewritten"),
    ],
)
def test_a_table_that_changes_between_planning_and_reading(change, why, scene, server, proxy):
    statements = change.split("; ")
    proxy.after(READING, lambda: server.execute(NEW, *statements))
    check = scene.check()
    server.execute(NEW, "DROP TABLE IF EXISTS line")
    assert check.code == 1, check.err
    undecided(scene, "queue", why)


def test_rows_that_go_while_it_reads_are_in_the_snapshot(scene, server, proxy):
    proxy.after(READING, lambda: server.execute(NEW, "DELETE FROM queue"))
    assert scene.check().code == 1
    assert found(scene) == EXPECTED


def test_a_column_that_is_added_is_nobodys_business(scene, server, proxy):
    add = "ALTER TABLE queue ADD COLUMN seen boolean"
    proxy.after(READING, lambda: server.execute(NEW, add))
    assert scene.check().code == 1
    assert found(scene) == EXPECTED
