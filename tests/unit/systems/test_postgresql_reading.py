"""Readers of PostgreSQL: in parts, under a joined snapshot, within limits, and given up at any time."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pytest

from postgresql_sessions import opened, read
from safeguard.contract.model import SystemSpec
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.interface import Limits, Part, Relation, Selection
from safeguard.systems.open import open_system
from safeguard.systems.postgresql import PostgresqlSession
from safeguard.systems.postgresql_connect import arguments
from selections import columns_of, expressions
from servers import Database

Fresh = Callable[[str], Database]
T = Relation("t")
ROWS = 300_000
SLOW = "SELECT pg_catalog.pg_sleep(600)::text AS v"
READING = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def filled(database: Database) -> None:
    """About 21 MB, not in the order of `i`, with gaps where rows were deleted."""
    database.execute(
        f"CREATE TABLE t AS SELECT (i * 7) % {ROWS + 1} AS i, repeat('x', 30) AS v"
        f" FROM generate_series(1, {ROWS}) i",
        "DELETE FROM t WHERE ctid >= '(2000,0)' AND ctid < '(2009,0)'",
        "VACUUM ANALYZE t",
    )


def seen(session: PostgresqlSession, selection: Selection, part: Part | None) -> list[int]:
    return [v for b in session.stream(selection, part) for v in b.column("i").to_pylist()]


def until(true: Callable[[], bool]) -> None:
    """Wait until it is true; a test that waits a minute has failed."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sleeping(database: Database) -> int:
    sql = f"SELECT count(*) {READING} AND state = 'active' AND wait_event = 'PgSleep'"
    return int(database.query(sql)[0][0])


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_parts_hold_each_row_once(fresh_database: Fresh, most: int) -> None:
    database = fresh_database("postgresql")
    filled(database)
    with opened(database) as session:
        where = Selection(T, columns_of(T, "i").outputs, "i > 5 OR i < 3")
        selection = session.resolve(where)
        parts = session.parts(selection, most)
        assert len(parts) == min(most, 2)
        assert [p.number for p in parts] == list(range(len(parts)))
        database.execute("INSERT INTO t SELECT i FROM generate_series(1, 100000) i")
        found = [v for p in parts for v in seen(session, selection, pickle.loads(pickle.dumps(p)))]
        assert sorted(found) == sorted(seen(session, selection, None))
        assert len(found) == session.count(T, where.where)[0]
        assert all(seen(session, selection, p) for p in parts)


def test_a_part_reads_only_its_blocks(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    filled(database)
    with opened(database) as session:
        selection = session.resolve(columns_of(T, "i"))
        first, second = session.parts(selection, 2)
        assert second.range == (first.range[1],)  # open ended
        plan = database.query(f"EXPLAIN SELECT i FROM t WHERE ctid >= '({second.range[0]},0)'")
        assert "Tid Range Scan" in plan[0][0]


def test_what_is_no_plain_table_is_one_part(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    filled(database)
    database.execute(
        "CREATE VIEW w AS SELECT * FROM t; CREATE TABLE p (i int) PARTITION BY HASH (i);"
        "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "INSERT INTO p SELECT i FROM t; CREATE TABLE parent AS SELECT * FROM t;"
        "CREATE TABLE child () INHERITS (parent); CREATE TABLE small (i int);"
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM t"
    )
    with opened(database) as session:

        def parts(relation: Relation) -> int:
            return len(session.parts(session.resolve(columns_of(relation, "i")), 2))

        for whole in ("w", "p", "parent", "small"):
            assert parts(Relation(whole)) == 1
        assert parts(Relation(query="SELECT i FROM t")) == 1
        assert parts(Relation("m")) == parts(T) == 2


def test_a_table_rewritten_between_two_parts_is_refused(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    filled(database)
    with opened(database) as session:
        selection = session.resolve(columns_of(T, "i"))
        first, second = session.parts(selection, 2)
        seen(session, selection, first)
        database.execute("VACUUM FULL t")
        with pytest.raises(SystemProblem, match="rewritten"):
            seen(session, selection, second)


def test_a_ticket_joins_the_snapshot(fresh_database: Fresh, tmp_path: Path) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (i int)", "INSERT INTO t VALUES (1)")
    with opened(database) as first:
        database.execute("INSERT INTO t VALUES (2)")
        ticket = first.ticket()
        joined = open_system("old", SystemSpec(url=database.url), tmp_path, ticket=ticket)
        try:
            assert isinstance(joined, PostgresqlSession)
            assert joined.ticket() == ticket
            assert joined.info == first.info
            assert joined.count(T, None) == (1,)
            first.close()
            assert not first.alive()
            assert joined.alive()
            assert read(joined, columns_of(T, "i")) == [{"i": 1}]
        finally:
            joined.close()
    for gone in (ticket, "no'such"):
        with pytest.raises(SystemProblem, match="can't be joined"):
            PostgresqlSession("old", database.url, ticket=gone)


def test_readers_are_limited(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    filled(database)
    with opened(database, Limits(connections=1)) as session:
        selection = session.resolve(columns_of(T, "i"))
        first = session.stream(selection)
        next(first)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(seen, session, selection, None)
            try:
                assert database.query(f"SELECT count(*) {READING}") == [(2,)]  # it and the first
                assert not second.done()
            finally:
                first.close()  # type: ignore[attr-defined]  # a generator
            assert len(second.result(60)) == session.count(T, None)[0]


def test_a_statement_that_takes_too_long(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    with opened(database, Limits(statement_timeout=0.2)) as session:
        slow = session.resolve(columns_of(Relation(query=SLOW), "v"))
        with pytest.raises(SystemProblem, match="statement timeout"):
            read(session, slow)
        with pytest.raises(SystemProblem, match="statement timeout"):
            session.count(Relation(query="SELECT pg_sleep(600)"), None)
        assert session.alive()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS a) TO STDOUT; COMMIT; INSERT INTO t VALUES (9) --",
        "SELECT 1 AS a) AS q) TO STDOUT; COMMIT; INSERT INTO t VALUES (9); COPY (SELECT 1 FROM (SELECT 1",
        "SELECT 1 AS a) AS q) TO PROGRAM 'true' --",
        "SELECT 1 AS a; COMMIT; INSERT INTO t VALUES (9)",
        "SELECT 1 AS a /*",
        "SELECT 1 AS a --",
    ],
)
def test_no_second_statement_in_a_contracts_sql(fresh_database: Fresh, query: str) -> None:
    """The stream alone, without what `resolve` would refuse before."""
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (i int)")
    with opened(database) as session:
        type_of_a = session.resolve(columns_of(Relation(query="SELECT 1 AS a"), "a")).outputs
        smuggled = [
            Selection(Relation(query=query), type_of_a),
            Selection(T, type_of_a, query),
            Selection(
                T, session.resolve(expressions(T, "1")).outputs[:0] + type_of_a, f"true) {query}"
            ),
        ]
        for selection in smuggled:
            if query.endswith("a --") and selection is smuggled[0]:
                assert read_unresolved(session, selection) == [{"a": 1}]
                continue
            with pytest.raises(UsageProblem):
                read_unresolved(session, selection)
        assert session.alive()
    assert database.query("SELECT count(*) FROM t") == [(0,)]


def read_unresolved(session: PostgresqlSession, selection: Selection) -> list[dict[str, object]]:
    return [row for b in session.stream(selection) for row in b.to_pylist()]


def test_settings_hold_where_it_is_read(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        f"ALTER DATABASE \"{database.name}\" SET DateStyle = 'SQL, DMY'",
        f'ALTER DATABASE "{database.name}" SET idle_session_timeout = 1000',
        f'ALTER DATABASE "{database.name}" SET extra_float_digits = 0',
    )
    names = {
        "transaction_read_only": "on",
        "default_transaction_read_only": "on",
        "transaction_isolation": "repeatable read",
        "row_security": "off",
        "DateStyle": "ISO, MDY",
        "TimeZone": "UTC",
        "extra_float_digits": "1",
        "client_encoding": "UTF8",
        "idle_session_timeout": "0",
    }
    asked = expressions(Relation(query="SELECT 1"), *(f"current_setting('{n}')" for n in names))
    with opened(database) as session:
        for _ in range(2):  # a new reader, and one that is used again
            (row,) = read(session, asked)
            assert list(row.values()) == list(names.values())


def test_ctrl_c_is_heard_while_the_server_is_silent(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")

    def interrupt() -> None:
        until(lambda: sleeping(database) == 1)
        os.kill(os.getpid(), signal.SIGINT)

    with opened(database) as session:
        slow = session.resolve(columns_of(Relation(query=SLOW), "v"))
        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(KeyboardInterrupt):
            list(session.stream(slow))
        other.join()
        until(lambda: sleeping(database) == 0)
        assert session.count(Relation(query="SELECT 1"), None) == (1,)


def test_closing_ends_what_other_threads_read(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    with ThreadPoolExecutor(1) as pool, opened(database) as session:
        slow = session.resolve(columns_of(Relation(query=SLOW), "v"))
        reading = pool.submit(lambda: list(session.stream(slow)))
        until(lambda: sleeping(database) == 1)
        session.close()
        with pytest.raises(SystemProblem, match=r"given up|canceling"):
            reading.result(60)
    until(lambda: database.query(f"SELECT count(*) {READING}") == [(0,)])


def test_a_stream_given_up_leaves_no_connection(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t AS SELECT i, repeat('x', 900) v FROM generate_series(1, 90000) i"
    )
    with opened(database) as session:
        stream = session.stream(session.resolve(columns_of(T, "i", "v")))
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # a generator
        readers = f"SELECT count(*) {READING} AND query LIKE 'COPY%'"
        until(lambda: database.query(readers) == [(0,)])
        database.execute("SET lock_timeout = '5s'; DROP TABLE t")


def test_rows_of_nothing_and_of_nulls_are_counted(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t AS SELECT NULL::int AS i, NULL::text AS v FROM generate_series(1, 200000)",
        "CREATE TABLE none (i int)",
    )
    with opened(database) as session:
        assert read(session, columns_of(Relation("none"), "i")) == []
        rows = read(session, columns_of(T, "i", "v"))
        assert rows == [{"i": None, "v": None}] * 200_000


def test_two_outputs_of_one_name(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    with opened(database) as session:
        twice = columns_of(Relation(query="SELECT 1 AS a"), "a", "a")
        (batch,) = session.stream(session.resolve(twice))
    assert batch.schema.names == ["a", "a"]
    assert batch.columns == [pa.array([1], pa.int32())] * 2


def test_a_network_that_goes_silent(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    filled(database)
    with relayed(database) as (near, silence):
        session = PostgresqlSession("old", near)
        selection = session.resolve(columns_of(T, "i", "v"))
        stream = session.stream(selection)
        next(stream)
        assert session.alive()
        silence()
        started = time.monotonic()
        assert not session.alive()
        assert session.strain() == ""
        stream.close()  # type: ignore[attr-defined]  # a generator
        session.close()
        assert time.monotonic() - started < 20


def test_what_the_url_says_of_the_network_holds() -> None:
    ours = arguments("postgresql://u@h/d", Limits(connect_timeout=3.5))
    assert ours["connect_timeout"] == 4
    assert ours["tcp_user_timeout"] == 30_000
    assert ours["keepalives_idle"] == 10
    theirs = arguments("postgresql://u@h/d?tcp_user_timeout=5&connect_timeout=7", Limits())
    assert theirs["tcp_user_timeout"] == "5"
    assert theirs["connect_timeout"] == "7"


@contextmanager
def relayed(database: Database) -> Iterator[tuple[str, Callable[[], None]]]:
    """A URL that goes through a relay, and what makes the relay pass nothing on, and say nothing."""
    passing = threading.Event()
    passing.set()
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as near:

        def pump(source: socket.socket, sink: socket.socket) -> None:
            with suppress(OSError):
                while (data := source.recv(65_536)) and passing.is_set():
                    sink.sendall(data)
                if passing.is_set():
                    sink.shutdown(socket.SHUT_WR)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = near.accept()
                    server = socket.create_connection(("127.0.0.1", database.server.port))
                    ends.extend((caller, server))
                    for pair in ((caller, server), (server, caller)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        url = database.url.replace(f":{database.server.port}/", f":{near.getsockname()[1]}/")
        try:
            yield url, passing.clear
        finally:
            near.shutdown(socket.SHUT_RDWR)
            for end in ends:
                end.close()
