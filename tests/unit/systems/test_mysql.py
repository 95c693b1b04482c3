"""MariaDB, on a real server: exact reading, one snapshot, read only, clear failures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.interface import Output, Relation, Selection
from safeguard.systems.missing import MissingRelation
from safeguard.systems.mysql import MysqlSession
from selections import columns_of, expressions
from servers import Database

Fresh = Callable[[str], Database]
T = Relation("t")


@contextmanager
def opened(database: Database) -> Iterator[MysqlSession]:
    session = MysqlSession("old", database.url)
    try:
        yield session
    finally:
        session.close()


def read(session: MysqlSession, selection: Selection) -> list[dict[str, Any]]:
    batches = list(session.stream(session.resolve(selection)))
    assert all(b.num_rows <= 65_536 for b in batches)
    return [row for b in batches for row in b.to_pylist()]


def test_one_snapshot_from_opening_to_closing(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with opened(database) as session:
        database.execute("INSERT INTO t VALUES (2)")
        assert read(session, columns_of(T, "a")) == [{"a": 1}]
        database.execute("DELETE FROM t WHERE a = 1")
        assert read(session, columns_of(T, "a")) == [{"a": 1}]
        assert session.count(T, None, "a = 1", "a = 2") == (1, 1, 0)


def test_a_stream_given_up_keeps_the_snapshot(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_100000")
    with opened(database) as session:
        selection = session.resolve(columns_of(T, "a"))
        database.execute("DELETE FROM t")
        stream = session.stream(selection)
        next(stream)
        with pytest.raises(SystemProblem, match="by the thread that asks"):
            session.count(T, None)
        stream.close()  # type: ignore[attr-defined]  # a generator
        assert session.count(T, None) == (100_000,)
        assert sum(b.num_rows for b in session.stream(selection)) == 100_000


@pytest.mark.parametrize("expression", ["NEXTVAL(s)", "writes()"])
def test_writing_is_refused_by_the_server(fresh_database: Fresh, expression: str) -> None:
    database = fresh_database("mariadb")
    database.execute(
        "CREATE TABLE t (a int); CREATE SEQUENCE s; INSERT INTO t VALUES (1)",
        "CREATE FUNCTION writes() RETURNS int MODIFIES SQL DATA "
        "BEGIN INSERT INTO t VALUES (9); RETURN 9; END",
    )
    with opened(database) as session:
        with pytest.raises((UsageProblem, SystemProblem)):
            read(session, expressions(T, expression))
        for sql in ("INSERT INTO t VALUES (9)", "DROP TABLE t", "SELECT 1; DELETE FROM t"):
            with pytest.raises((UsageProblem, SystemProblem)):
                session._ask(sql)
    assert database.query("SELECT count(*) FROM t") == [(1,)]


def test_hard_text_and_lone_null(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    hard = [
        "",
        "a\nb\r",
        '"',
        "\\N",
        "\\",
        ",",
        "\ufeffx",
        " x ",
        "\0",
        "e\u0301",
        "🎬",
        "x" * 70_000,
    ]
    literals = ", ".join(f"(CONVERT(X'{v.encode().hex()}' USING utf8mb4))" for v in hard)
    database.execute("CREATE TABLE t (i int AUTO_INCREMENT PRIMARY KEY, v longtext)")
    database.execute(f"INSERT INTO t (v) VALUES {literals}, (NULL)")
    with opened(database) as session:
        assert [r["v"] for r in read(session, columns_of(T, "v"))] == [*hard, None]


def test_a_value_longer_than_a_packet(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t AS SELECT REPEAT('xyz', 12000000) AS v, 1 AS i")
    with opened(database) as session:
        (row,) = read(session, columns_of(T, "v", "i"))
    assert row == {"v": "xyz" * 12_000_000, "i": 1}


def test_names_and_signs_of_any_kind(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE `T 1-x` (`We ird``%s:x` int)", "INSERT INTO `T 1-x` VALUES (1)")
    with opened(database) as session:
        relation = Relation("T 1-x")
        assert read(session, columns_of(relation, "We ird`%s:x")) == [{"We ird`%s:x": 1}]
        found = read(session, expressions(relation, "'100%s :a %(b)s' -- the end"))
        assert found == [{"x0": "100%s :a %(b)s"}]
        with pytest.raises(MissingRelation, match="T 1-x"):
            session.columns(Relation("T 1-y"))


def test_values_of_every_kind(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    told: dict[str, tuple[str, Any]] = {
        "bigint unsigned": ("18446744073709551615", 2**64 - 1),
        "bigint": ("-9223372036854775808", -(2**63)),
        "tinyint(1)": ("1", 1),
        "decimal(65,30)": (
            "'12345678901234567890123456789012345.5'",
            "12345678901234567890123456789012345.500000000000000000000000000000",
        ),
        "float": ("0.1", 0.10000000149011612),
        "double": ("1e-300", 1e-300),
        "char(5)": ("'a  '", "a"),
        "binary(3)": ("'a'", b"a\0\0"),
        "varchar(9) character set latin1": ("'é'", "é"),
        "enum('a','b')": ("'b'", "b"),
        "set('x','y')": ("'y,x'", "x,y"),
        "json": ("'{\"a\": 1.00}'", '{"a": 1.00}'),
        "datetime(6)": (
            "'9999-12-31 23:59:59.999999'",
            dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
        ),
        "timestamp(3) null": ("'2020-01-01 00:00:00.5'", dt.datetime(2020, 1, 1, 0, 0, 0, 500_000)),
        "time": ("'-838:59:59'", "-838:59:59"),
        "year": ("2020", 2020),
        "bit(12)": ("b'101'", 5),
        "bit(64)": ("~0", 2**64 - 1),
        "uuid": ("'00000000-0000-0000-0000-0000000000AB'", "00000000-0000-0000-0000-0000000000ab"),
        "date": ("'2020-02-02'", dt.date(2020, 2, 2)),
        "blob": ("X'00ff'", b"\x00\xff"),
    }
    names = [f"c{i}" for i in range(len(told))]
    created = ", ".join(f"{n} {t}" for n, t in zip(names, told, strict=True))
    database.execute(
        f"SET time_zone = '+00:00'; CREATE TABLE t ({created});"
        f"INSERT INTO t VALUES ({', '.join(v for v, _ in told.values())})"
    )
    with opened(database) as session:
        (row,) = read(session, columns_of(T, *names))
    assert dict(zip(told, row.values(), strict=True)) == {t: v for t, (_, v) in told.items()}


def test_zero_dates_come_as_they_are(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute(
        "SET sql_mode = ''; CREATE TABLE t (d datetime); INSERT INTO t VALUES ('0000-00-00')"
    )
    with opened(database) as session:
        assert read(session, columns_of(T, "d")) == [{"d": "0000-00-00 00:00:00"}]


def test_what_is_outside_the_snapshot_is_said(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t (a int); CREATE TABLE loose (a int) ENGINE=MyISAM")
    with opened(database) as session:
        session.count(T, None)
        assert "loose" not in session.info.snapshot
        assert session.info.whole_snapshot
        session.count(Relation("loose"), None)
        assert "loose (MyISAM)" in session.info.snapshot
        assert not session.info.whole_snapshot


@pytest.mark.parametrize(
    ("relation", "condition"),
    [
        (Relation("seen"), None),
        (Relation(query="SELECT * FROM `loose`"), None),
        (Relation(query="SELECT * FROM seen"), None),
        (T, "a IN (SELECT a FROM loose)"),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
def test_what_is_outside_is_found_behind_views_and_sql(
    fresh_database: Fresh, relation: Relation, condition: str | None, streamed: bool
) -> None:
    database = fresh_database("mariadb")
    database.execute(
        "CREATE TABLE t (a int); CREATE TABLE loose (a int) ENGINE=MyISAM;"
        "CREATE VIEW seen AS SELECT * FROM loose"
    )
    with opened(database) as session:
        if streamed:
            read(session, Selection(relation, columns_of(relation, "a").outputs, condition))
        else:
            session.count(relation, condition)
        assert not session.info.whole_snapshot
        assert "loose (MyISAM)" in session.info.snapshot


def test_what_is_outside_is_found_in_another_database(fresh_database: Fresh) -> None:
    database, other = fresh_database("mariadb"), fresh_database("mariadb")
    other.execute("CREATE TABLE loose (a int) ENGINE=MyISAM; CREATE TABLE t (a int)")
    with opened(database) as session:
        session.count(Relation(f"{other.name}.t"), None)
        assert session.info.whole_snapshot
        session.count(Relation(f"{other.name}.loose"), None)
        assert not session.info.whole_snapshot


def test_mistakes_quote_the_expression(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t (a int)")
    with opened(database) as session:
        bad = Selection(T, expressions(T, "nope + 1", "a").outputs, "zzz = 1")
        with pytest.raises(UsageProblem) as caught:
            session.resolve(bad)
        assert len(caught.value.mistakes) == 2
        assert "`nope + 1`: Unknown column 'nope'" in str(caught.value)
        assert session.count(T, None) == (0,)


@pytest.mark.parametrize("fault", ["DROP TABLE t", "TRUNCATE t"])
def test_a_table_that_went_away_or_was_emptied(fresh_database: Fresh, fault: str) -> None:
    database = fresh_database("mariadb")
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with opened(database) as session:
        selection = Selection(T, (Output("a", "a", True),))
        database.execute(f"SET lock_wait_timeout = 3; {fault}")
        with pytest.raises((SystemProblem, MissingRelation)):
            list(session.stream(selection))


def test_a_killed_server_is_a_system_problem(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    database.execute(
        "CREATE TABLE t AS SELECT seq AS i, REPEAT('x', 500) AS v FROM seq_1_to_200000"
    )
    with opened(database) as session:
        selection = session.resolve(columns_of(T, "i", "v"))
        stream = session.stream(selection)
        next(stream)
        database.server.kill()
        try:
            with pytest.raises(SystemProblem) as caught:
                list(stream)
            with pytest.raises(SystemProblem):
                session.count(T, None)
        finally:
            database.server.start()
    assert "***@" in str(caught.value)
