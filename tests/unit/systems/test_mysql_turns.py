"""One connection for all: whose turn it is, what is given up, cut off, limited or strained."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
import pymysql
import pytest

from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.interface import Limits, Output, Part, Relation, Selection
from safeguard.systems.mysql import MysqlSession
from servers import Database, MariadbServer

Fresh = Callable[[str], Database]
T = Relation("t")
A = (Output("a", "a", is_column=True),)
ENDLESS = Relation(query="SELECT seq AS a FROM seq_1_to_1000000000000")
ASLEEP = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(1000)'"
WAIT = 60


@contextmanager
def opened(database: Database, limits: Limits = Limits()) -> Iterator[MysqlSession]:
    with closing(MysqlSession("old", database.url, limits)) as session:
        yield session


def endless(session: MysqlSession) -> Iterator[pa.RecordBatch]:
    """A stream that has begun, and would take days."""
    stream = session.stream(session.resolve(Selection(ENDLESS, A)))
    assert next(stream).num_rows > 0
    return stream


def test_one_part_holds_all(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_5")
    with opened(database) as session:
        selection = session.resolve(Selection(T, A))
        (part,) = session.parts(selection, 8)
        assert part == Part()
        assert sum(b.num_rows for b in session.stream(selection, part)) == 5
        assert session.ticket() is None


def test_an_endless_stream_given_up_keeps_the_snapshot(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_5")
    with opened(database) as session:
        database.execute("DELETE FROM t")
        for _ in range(3):
            endless(session).close()  # type: ignore[attr-defined]  # a generator
            assert session.count(T, None) == (5,)
        assert session.alive()


def test_a_second_stream_waits_for_the_first(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_300000")
    with ThreadPoolExecutor(4) as pool, opened(database) as session:
        selection = session.resolve(Selection(T, A))
        first = session.stream(selection)
        rows = next(first).num_rows
        others = [
            pool.submit(lambda: sum(b.num_rows for b in session.stream(selection)))
            for _ in range(2)
        ]
        count = pool.submit(session.count, T, None)
        assert not any(f.done() for f in (*others, count))
        assert rows + sum(b.num_rows for b in first) == 300_000
        assert [f.result(WAIT) for f in others] == [300_000, 300_000]
        assert count.result(WAIT) == (300_000,)


def test_an_abandoned_stream_lets_the_next_one_in(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_5")
    with ThreadPoolExecutor(1) as pool, opened(database) as session:
        stream = endless(session)
        count = pool.submit(session.count, T, None)
        assert not count.done()
        del stream
        assert count.result(WAIT) == (5,)


def test_a_stream_kept_by_a_thread_that_ended_is_not_waited_for(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    kept: list[Any] = []
    with opened(database) as session:
        thread = threading.Thread(target=lambda: kept.append(endless(session)))
        thread.start()
        thread.join(WAIT)
        with pytest.raises(SystemProblem, match="left unfinished"):
            session._ask("SELECT 1")
        kept.pop().close()
        assert session._ask("SELECT 1") == [("1",)]


def test_closing_wakes_who_waits_and_who_reads(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with ThreadPoolExecutor(2) as pool, opened(database) as session:
        stream = endless(session)
        waits = pool.submit(session._ask, "SELECT 1")
        session.close()
        with pytest.raises(SystemProblem, match="closed"):
            waits.result(WAIT)
        with pytest.raises(SystemProblem, match="Lost connection"):
            list(stream)
        assert not session.alive()


def test_closing_wakes_a_thread_that_waits_for_the_server(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with ThreadPoolExecutor(1) as pool, opened(database) as session:
        slow = pool.submit(session._ask, "SELECT SLEEP(1000)")
        while not database.query(ASLEEP):
            assert not slow.done()
        session.close()
        with pytest.raises(SystemProblem):
            slow.result(WAIT)


def test_an_error_amid_the_rows_leaves_the_snapshot(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    query = "SELECT IF(seq < 200000, seq, (SELECT a FROM t)) AS a FROM seq_1_to_300000"
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_2")
    with opened(database) as session:
        stream = session.stream(session.resolve(Selection(Relation(query=query), A)))
        assert next(stream).num_rows > 0
        with pytest.raises(UsageProblem, match="more than 1 row"):
            list(stream)
        database.execute("DELETE FROM t")
        assert session.count(T, None) == (2,)


def test_a_statement_is_limited_in_time(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with opened(database, Limits(statement_timeout=0.5)) as session:
        with pytest.raises(SystemProblem, match="max_statement_time"):
            list(endless(session))
        assert session.alive()


def test_a_killed_connection_is_not_alive(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with opened(database) as session:
        assert session.alive()
        stream = endless(session)
        assert session.alive()
        stream.close()  # type: ignore[attr-defined]  # a generator
        database.execute(f"KILL {session._connection_id}")
        assert not session.alive()
        with pytest.raises(SystemProblem):
            session._ask("SELECT 1")


def test_a_connection_outside_of_its_transaction_is_not_alive(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with opened(database) as session:
        session._ask("COMMIT")
        assert not session.alive()


class CutProxy:
    """Hands a connection on to a server, and cuts it after so many bytes of the answers."""

    def __init__(self, port: int, most: int) -> None:
        self._target, self._most = port, most
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        asks = threading.Thread(target=self._copy, args=(client, server, None), daemon=True)
        asks.start()
        self._copy(server, client, self._most)
        for end in (client, server):
            end.shutdown(socket.SHUT_RDWR)
        asks.join(WAIT)
        for end in (client, server, self._listener):
            end.close()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket, most: int | None) -> None:
        left = most
        while (left is None or left) and (data := source.recv(65_536)):
            data = data if left is None else data[:left]
            left = left if left is None else left - len(data)
            target.sendall(data)


@pytest.mark.parametrize("most", [300_000, 300_001, 300_002, 300_005, 3_000_000])
def test_a_connection_cut_amid_a_packet(fresh_database: Fresh, most: int) -> None:
    database = fresh_database("mariadb")
    proxy = CutProxy(database.server.port, most)
    url = database.url.replace(f":{database.server.port}/", f":{proxy.port}/")
    with closing(MysqlSession("old", url)) as session:
        selection = session.resolve(Selection(ENDLESS, A))
        with pytest.raises(SystemProblem, match="Lost connection"):
            list(session.stream(selection))
        assert not session.alive()


def test_a_dead_network_is_noticed_by_the_kernel(fresh_database: Fresh) -> None:
    with opened(fresh_database("mariadb")) as session:
        sock = session._connection._sock
        assert sock.gettimeout() is None
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
        waits = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert waits + 3 * sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 60


def test_a_server_that_never_greets_is_given_up(tmp_path: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mysql://u:secret@127.0.0.1:{silent.getsockname()[1]}/d"
        with pytest.raises(SystemProblem) as caught:
            MysqlSession("old", url, Limits(connect_timeout=0.5))
    assert "secret" not in str(caught.value)


def test_a_quiet_server_is_not_strained(fresh_database: Fresh) -> None:
    with opened(fresh_database("mariadb")) as session:
        assert session.strain() == ""
        stream = endless(session)
        assert session.strain() == ""
        stream.close()  # type: ignore[attr-defined]  # a generator


def test_waits_for_locks_are_strain(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t (a int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    server = database.server
    assert isinstance(server, MariadbServer)
    with ThreadPoolExecutor(1) as pool, opened(database) as session:
        first, second = server._connect(database.name), server._connect(database.name)
        with closing(first), closing(second):
            first.cursor().execute("BEGIN")
            first.cursor().execute("DELETE FROM t")
            waits = pool.submit(second.cursor().execute, "UPDATE t SET a = 2")
            while not (said := session.strain()):
                assert not waits.done()
            assert said == "1 statements wait for locks of rows"
            first.cursor().execute("COMMIT")
            waits.result(WAIT)


def test_a_lost_second_connection_is_opened_again(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with opened(database) as session:
        assert session.strain() == ""
        database.execute(f"KILL {session._aside._connection.thread_id()}")
        assert session.strain() == ""


def test_a_server_that_is_gone_is_strained_and_raises_nothing(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    with opened(database) as session:
        database.server.kill()
        try:
            assert "does not answer" in session.strain()
            assert not session.alive()
        finally:
            database.server.start()


def test_no_statement_is_left_prepared(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_5")
    with opened(database) as session:
        selection = session.resolve(Selection(T, A))
        for _ in range(20):
            list(session.stream(selection))
        endless(session).close()  # type: ignore[attr-defined]  # a generator
        session._ask("SELECT 1")
        (count,) = database.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
        assert count[1] == "0"
    with pytest.raises(pymysql.Error):
        session._connection.ping(reconnect=False)
