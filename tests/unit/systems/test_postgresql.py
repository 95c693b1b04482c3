"""PostgreSQL, on a real server: exact reading, one snapshot, read only, clear failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postgresql_sessions import opened, read
from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.interface import Output, Relation, Selection
from safeguard.systems.missing import MissingRelation
from safeguard.systems.postgresql import PostgresqlSession
from selections import columns_of, expressions
from servers import Database

Fresh = Callable[[str], Database]


def values(database: Database, *sql: str) -> list[Any]:
    with opened(database) as session:
        (row,) = read(session, expressions(Relation(query="SELECT 1"), *sql))
    return list(row.values())


T = Relation("t")


def test_one_snapshot_from_opening_to_closing(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with opened(database) as session:
        database.execute("INSERT INTO t VALUES (2)")
        assert read(session, columns_of(T, "a")) == [{"a": 1}]
        database.execute("DELETE FROM t WHERE a = 1")
        assert read(session, columns_of(T, "a")) == [{"a": 1}]
        assert session.count(T, None, "a = 1", "a = 2") == (1, 1, 0)
        assert "snapshot 0000" in session.info.snapshot
        assert session.info.version.startswith("15")


def test_streams_may_run_side_by_side_and_be_given_up(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t AS SELECT generate_series(1, 200000) AS a")
    with opened(database) as session:
        selection = session.resolve(columns_of(T, "a"))
        first, second = session.stream(selection), session.stream(selection)
        batch = next(first)
        assert batch == next(second)
        assert session.count(T, None) == (200_000,)
        first.close()  # type: ignore[attr-defined]  # a generator
        assert sum(b.num_rows for b in second) == 200_000 - batch.num_rows
        assert sum(b.num_rows for b in session.stream(selection)) == 200_000


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('s')",
        "SELECT writes()",
        "WITH w AS (INSERT INTO t VALUES (9) RETURNING a) SELECT a FROM w",
        "SELECT 1) AS q; COMMIT; INSERT INTO t VALUES (9); SELECT * FROM (SELECT 1",
        "SELECT 1) TO STDOUT; COMMIT; INSERT INTO t VALUES (9) --",
    ],
)
def test_writing_is_refused_by_the_server(fresh_database: Fresh, query: str) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t (a int); CREATE SEQUENCE s;"
        "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS "
        "'INSERT INTO t VALUES (9) RETURNING 9'"
    )
    with opened(database) as session:
        with pytest.raises(UsageProblem):
            read(session, expressions(Relation(query=query), "1"))
        with pytest.raises(UsageProblem):
            session.count(Relation(query=query), None)
        assert session.count(T, None) == (0,)  # the snapshot is alive
    assert database.query("SELECT count(*) FROM t") == [(0,)]
    assert database.query("SELECT is_called FROM s") == [(False,)]


def test_even_our_own_connections_cannot_write(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (a int)")
    for statement in ("INSERT INTO t VALUES (1)", "CREATE TEMP TABLE x (a int)", "DROP TABLE t"):
        with opened(database) as session, pytest.raises(UsageProblem, match="read-only"):
            session._ask(statement)


def test_null_is_not_empty_and_lone_columns_keep_their_rows(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    hard = [
        "",
        "a\nb",
        "\r\n",
        '"',
        '""',
        "\\N",
        "\\.",
        ",",
        "\ufeffx",
        " x ",
        "\x01",
        "NULL",
        "é\u0301",
    ]
    literals = ", ".join("(U&'" + "".join(f"\\+{ord(c):06x}" for c in v) + "')" for v in hard)
    database.execute("CREATE TABLE t (v text)", f"INSERT INTO t VALUES {literals}, (NULL), (NULL)")
    with opened(database) as session:
        got = [row["v"] for row in read(session, columns_of(T, "v"))]
    assert got == [*hard, None, None]


def test_a_byte_order_mark_at_the_start_is_content(fresh_database: Fresh) -> None:
    assert values(fresh_database("postgresql"), "U&'\\FEFFx'", "U&'\\FEFF'") == [
        "\ufeffx",
        "\ufeff",
    ]


def test_a_value_of_fifty_megabytes(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t AS SELECT i, CASE WHEN i = 2 THEN repeat(E'\"\\n', 25000000) ELSE 'x' END AS v"
        " FROM generate_series(1, 3) i"
    )
    with opened(database) as session:
        got = {row["i"]: row["v"] for row in read(session, columns_of(T, "i", "v"))}
    assert got[1] == got[3] == "x"
    assert got[2] == '"\n' * 25_000_000


def test_names_of_any_letters(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    name = 'We ird"-%s:x'
    quoted = name.replace('"', '""')
    database.execute(
        'CREATE SCHEMA "Other.One"',
        f'CREATE TABLE "Other.One"."T 1" ("{quoted}" int, "Select" int)',
    )
    database.execute('INSERT INTO "Other.One"."T 1" VALUES (1, 2)')
    with opened(database) as session:
        relation = Relation("Other.One.T 1")
        assert [c.name for c in session.columns(relation)] == [name, "Select"]
        assert [t.name for t in session.tables()] == ["Other.One.T 1"]
        assert read(session, columns_of(relation, name, "Select")) == [{name: 1, "Select": 2}]
        found = expressions(relation, "'100%s :a' || ' %(b)s' -- the end")
        assert read(session, found) == [{"x0": "100%s :a %(b)s"}]


def test_values_at_the_ends(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    told = {
        "9223372036854775807::bigint": 2**63 - 1,
        "'NaN'::numeric": "NaN",
        "1e-300::float8": 1e-300,
        "0.5::float4": 0.5,
        "123456789012345678901234567890.12345678901234567890::numeric": (
            "123456789012345678901234567890.12345678901234567890"
        ),
        "'24:00'::time": "24:00:00",
        "'\\x00ff'::bytea": b"\x00\xff",
        "''::bytea": b"",
        "NULL::bytea": None,
        "true": True,
        "NULL::boolean": None,
        "ARRAY[1.10, NULL]": "[1.10,null]",
        "'{\"a\": 1.00}'::json": '{"a": 1.00}',
        "'a  '::char(5)": "a    ",
        "'1 day 2 hours'::interval": "1 day 02:00:00",
        "B'101'": "101",
    }
    assert dict(zip(told, values(database, *told), strict=True)) == told


def test_types(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN price AS numeric(6,2);"
        "CREATE TABLE t (a price, b mood, c timestamptz, d char(3), e real, f money, g money[], h point)"
    )
    with opened(database) as session:
        types = {c.name: c.type for c in session.columns(T)}
        expected = [
            TypeName.DECIMAL,
            TypeName.ENUM,
            TypeName.TIMESTAMP,
            TypeName.TEXT,
            TypeName.FLOAT,
        ]
        assert [types[c].kind for c in "abcde"] == expected
        assert types["a"].declared == "numeric(6,2)"
        assert types["c"].aware
        assert types["d"].blank_padded
        assert types["e"].single
        assert all(types[c].unsupported for c in "fgh")
        resolved = session.resolve(columns_of(T, *"abcdefgh"))
        assert [o.type for o in resolved.outputs] == list(types.values())


def test_keys_views_and_partitions(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);"
        "CREATE TABLE t (a int, b int, p int NOT NULL REFERENCES parent, PRIMARY KEY (b, a))"
        " PARTITION BY RANGE (a);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);"
        "CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one"
    )
    with opened(database) as session:
        tables = {t.name: t for t in session.tables()}
        assert list(tables) == ["m", "parent", "t", "v"]
        assert tables["t"].primary_key == ("b", "a")
        assert tables["parent"].unique_keys == (("code",),)
        (key,) = tables["t"].foreign_keys
        assert (key.columns, key.parent, key.parent_columns) == (("p",), "parent", ("id",))
        assert tables["v"].is_view
        assert tables["m"].is_view
        assert [c.nullable for c in tables["t"].columns] == [False, False, False]


def test_mistakes_quote_the_expression_and_leave_the_snapshot(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE queue_items (a int, b text)")
    with opened(database) as session:
        bad = Selection(
            Relation("queue_items"), expressions(T, "nope + 1", "b", "a +").outputs, "a = 'x'"
        )
        with pytest.raises(UsageProblem) as caught:
            session.resolve(bad)
        assert len(caught.value.mistakes) == 3
        assert 'old: `nope + 1`: column "nope" does not exist' in str(caught.value)
        assert "`a = 'x'`: invalid input syntax" in str(caught.value)
        with pytest.raises(MissingRelation, match="Did you mean `queue_items`"):
            session.columns(Relation("queue_item"))
        with pytest.raises(UsageProblem, match="division by zero"):
            session.count(Relation("queue_items"), "1 / 0 = 1")
        broken = columns_of(Relation(query="SELEC 1"), "a")
        with pytest.raises(UsageProblem, match="`SELEC 1`: syntax error"):
            session.resolve(broken)
        assert session.count(Relation("queue_items"), None) == (0,)


def test_an_expression_that_fails_on_a_row(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (a text)", "INSERT INTO t VALUES ('1'), ('x')")
    with opened(database) as session:
        with pytest.raises(UsageProblem, match="invalid input syntax"):
            read(session, expressions(T, "a::int"))
        assert len(read(session, columns_of(T, "a"))) == 2


def test_conditions_are_true_or_false(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (NULL)")
    with opened(database) as session:
        selection = Selection(T, (Output("c", "a = 1", False, condition=True),), "true")
        assert read(session, selection) == [{"c": True}, {"c": False}]


def test_a_table_that_went_away_or_was_emptied(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TABLE t (a int); CREATE TABLE u (a int); INSERT INTO u VALUES (1)")
    with opened(database) as session:
        gone = session.resolve(columns_of(T, "a"))
        database.execute("TRUNCATE u")
        with pytest.raises(SystemProblem, match=r"public\.u was truncated"):
            read(session, columns_of(Relation("u"), "a"))
        with pytest.raises(SystemProblem, match="truncated"):
            session.count(Relation(query="SELECT * FROM u"), None)
        with pytest.raises(SystemProblem, match="does not exist"):
            _drop_and_read(database, session, gone)


def _drop_and_read(database: Database, session: PostgresqlSession, gone: Selection) -> None:
    database.execute("SET lock_timeout = '5s'; DROP TABLE t")
    list(session.stream(gone))


def test_hidden_rows_are_refused(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY few ON t USING (a < 10); GRANT SELECT ON t TO PUBLIC;"
        "CREATE TABLE secret (a int)"
    )
    user = f"reader_{database.name}"
    database.execute(f"CREATE USER {user} PASSWORD 'reader-pw'")
    url = database.url.replace(database.url.split("@")[0], f"postgresql://{user}:reader-pw")
    session = PostgresqlSession("old", url)
    with pytest.raises(SystemProblem, match="row-level security"):
        session.count(T, None)
    with pytest.raises(SystemProblem, match="permission denied"):
        session.count(Relation("secret"), None)
    session.close()


def test_a_killed_server_is_a_system_problem(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t AS SELECT i, repeat('x', 1000) AS v FROM generate_series(1, 200000) i"
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
            with pytest.raises(SystemProblem):
                next(session.stream(selection))
        finally:
            database.server.start()
    assert "***@" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(fresh_database: Fresh) -> None:
    database = fresh_database("postgresql")
    name = f"{database.name}_ascii"
    database.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    ascii_database = Database(database.server, name)
    ascii_database.execute("CREATE TABLE t AS SELECT E'\\xff'::text AS v, '\\x01'::bytea AS b")
    with opened(ascii_database) as session:
        assert read(session, columns_of(T, "b")) == [{"b": b"\x01"}]
        with pytest.raises(SystemProblem, match="0xff"):
            read(session, columns_of(T, "v"))
