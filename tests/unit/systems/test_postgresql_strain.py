"""What a session sees of its server: that its snapshot stands, and whom the reading is in the way of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from postgresql_sessions import opened
from safeguard.systems.interface import Relation
from safeguard.systems.postgresql import ALIVE_SECONDS
from selections import columns_of, expressions
from servers import Database, PostgresqlServer, find_program


class Standby(PostgresqlServer):
    """A streaming copy of another server."""

    def __init__(self, primary: PostgresqlServer) -> None:
        self._primary = primary
        super().__init__()

    def _install(self) -> None:
        backup = find_program("pg_basebackup", "postgresql")
        source = self._primary.url().removesuffix("/")
        self._run([backup, "-D", str(self.data), "-R", "-c", "fast", "-d", source])


Fresh = Callable[[str], Database]
T = Relation("t")


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_who_waits_for_the_reading_is_told(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t AS SELECT i, repeat('x', 900) AS v FROM generate_series(1, 90000) i"
    )
    with opened(database) as session, opened(database, ticket=session.ticket()) as joined:
        assert session.strain() == ""
        stream = joined.stream(joined.resolve(columns_of(T, "i", "v")))
        next(stream)
        assert session.strain() == ""
        changing = threading.Thread(target=database.execute, args=["ALTER TABLE t ADD w int"])
        changing.start()
        waits = "1 session waits for a lock that the reading holds"
        until(lambda: session.strain() == waits)
        assert joined.strain() == waits
        stream.close()  # type: ignore[attr-defined]  # a generator
        changing.join(60)
        assert session.strain() == ""


def test_others_who_wait_for_others_are_none_of_ours(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (i int)")
    with opened(database) as session, psycopg.connect(database.url) as holder:
        holder.execute("LOCK TABLE t")
        waiter = threading.Thread(target=database.execute, args=["SELECT FROM t"])
        waiter.start()
        until(lambda: database.query("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)])
        assert session.strain() == ""
        holder.rollback()
        waiter.join(60)


def test_a_watch_that_is_cut_off_says_nothing_and_comes_back(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state = 'idle'"
    )
    with opened(database) as session:
        assert session.strain() == ""
        assert database.query(cut) == [(True,)]
        assert session.strain() == ""
        assert session.strain() == ""
        assert session.alive()
        assert database.query(cut) == [(True,)]  # it had come back


def test_a_session_whose_backend_ended_is_not_alive(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    with opened(database) as session:
        assert session.alive()
        assert database.query(end) == [(True,)]
        assert not session.alive()
        assert not session.alive()


def test_a_session_that_is_asked_something_long_is_alive(
    fresh_database: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = fresh_database("postgresql")
    monkeypatch.setattr("safeguard.systems.postgresql.ALIVE_SECONDS", ALIVE_SECONDS / 10)
    with opened(database) as session, ThreadPoolExecutor(1) as pool:
        sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        long = Relation(query="SELECT 1 FROM pg_sleep(600)")
        counting = pool.submit(session.count, long, None)
        until(lambda: database.query(f"SELECT count(*) {sleeping}") == [(1,)])
        try:
            assert session.alive()
        finally:
            database.query(f"SELECT pg_terminate_backend(pid) {sleeping}")
        assert counting.exception(60) is not None
        assert not session.alive()


def test_a_server_in_recovery_can_be_read_and_joined() -> None:
    server = PostgresqlServer()
    try:
        database = Database(server, "postgres")
        database.execute("CREATE TABLE t AS SELECT generate_series(1, 10) AS i", "CHECKPOINT")
        server.kill()
        (server.data / "standby.signal").touch()
        server.start()
        with opened(database) as session, opened(database, ticket=session.ticket()) as joined:
            recovery = expressions(T, "pg_is_in_recovery()")
            (batch,) = joined.stream(joined.resolve(recovery))
            assert batch.to_pylist() == [{"x0": True}] * 10
            assert session.strain() == joined.strain() == ""
    finally:
        server.stop()


def test_a_standby_that_lags_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safeguard.systems.postgresql_strain.LAG_SECONDS", 0)
    primary = PostgresqlServer()
    try:
        standby = Standby(primary)
        try:
            old, copy = Database(primary, "postgres"), Database(standby, "postgres")
            old.execute("CREATE TABLE t (i int)")
            until(lambda: copy.query("SELECT to_regclass('t') IS NOT NULL") == [(True,)])
            with opened(copy) as session:
                assert session.strain() == ""
                copy.execute("SELECT pg_wal_replay_pause()")
                old.execute("INSERT INTO t VALUES (1)")
                until(lambda: "seconds behind" in session.strain())
                copy.execute("SELECT pg_wal_replay_resume()")
                until(lambda: session.strain() == "")
        finally:
            standby.stop()
    finally:
        primary.stop()
