"""The hash that PostgreSQL computes of a row sees every bit of it, on every server alike."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Limits, Output, Relation, Selection, SourceType
from safeguard.systems.postgresql import PostgresqlSession
from safeguard.systems.postgresql_hash import probes, refusal, row_hash
from safeguard.systems.sums import Hashed, Question

pytestmark = pytest.mark.postgres

T = TypeName
APART = {
    T.INTEGER: ("NULL", "0", "1", "-1", "4294967296", "-4294967297", "9007199254740993::int8"),
    T.DECIMAL: ("NULL", "0", "1.5", "-1.5", "15", "0.15", "9007199254740993", "'NaN'::numeric"),
    T.DATE: ("NULL", "date '2000-01-01'", "date '2000-01-02'", "date 'infinity'"),
    T.TIMESTAMP: (
        "NULL",
        "timestamp '2000-01-01'",
        "timestamp '2000-01-01 01:11:34.967295'",
        "timestamp '-infinity'",
    ),
    T.BYTES: ("NULL", "''::bytea", r"'\x00'::bytea", r"'\x0000'::bytea"),
    T.BOOLEAN: ("NULL", "true", "false"),
    T.TEXT: ("NULL", "''", "' '", "'a'", "'a '", "'A'", r"U&'e\0301'", r"U&'\00e9'"),
}


def one(sql: str, kind: TypeName) -> str:
    return row_hash([(Output("x", f"({sql})", is_column=False), kind)])


@pytest.mark.parametrize("kind", APART)
def test_values_that_differ_hash_apart(fresh_database, kind):
    database = fresh_database("postgresql")
    values = APART[kind]
    ((found,),) = database.query(f"SELECT ARRAY[{', '.join(one(v, kind) for v in values)}]")
    for (a, x), (b, y) in combinations(zip(values, found, strict=True), 2):
        assert x != y, (a, b)


@pytest.mark.parametrize(
    ("kind", "same"),
    [
        (T.DECIMAL, ("1.5", "1.500", "1.5::numeric(20, 9)")),
        (T.DECIMAL, ("7", "7::smallint", "7.0")),
        (T.INTEGER, ("7", "7::smallint", "7::int8")),
        (T.TEXT, ("'a'::text", "'a'::varchar(9)", "'a' COLLATE \"POSIX\"")),
        (
            T.TIMESTAMP,
            ("timestamp '2000-01-01 00:00:00.5'", "timestamp(1) '2000-01-01 00:00:00.5'"),
        ),
    ],
)
def test_equal_values_hash_alike_however_they_are_declared(fresh_database, kind, same):
    database = fresh_database("postgresql")
    ((found,),) = database.query(f"SELECT ARRAY[{', '.join(one(v, kind) for v in same)}]")
    assert len(set(found)) == 1


def test_values_swapped_between_two_rows_do_not_cancel(fresh_database):
    database = fresh_database("postgresql")
    columns = [(Output(n, n, is_column=True), T.INTEGER) for n in ("a", "b")]
    database.execute("CREATE TABLE pairs (n int, swapped bool, a int8, b int8)")
    rng = random.Random(5)
    rows = []
    for n in range(500):
        a, b, c, d = rng.sample(range(1000), 4)
        rows += [(n, "false", a, b), (n, "false", c, d), (n, "true", a, d), (n, "true", c, b)]
    values = ", ".join(f"({n}, {swapped}, {a}, {b})" for n, swapped, a, b in rows)
    database.execute(f"INSERT INTO pairs VALUES {values}")
    sums = database.query(f"SELECT n, swapped, sum({row_hash(columns)}) FROM pairs GROUP BY 1, 2")
    assert len({total for *_, total in sums}) == 1000


def test_probes_are_the_same_in_another_database_and_locale(fresh_database):
    kinds = sorted(APART)
    one_server, other = fresh_database("postgresql"), fresh_database("postgresql")
    found = one_server.query(probes(kinds))
    assert found == other.query(probes(kinds))
    assert len(set(found[0][0])) > 50


@pytest.mark.parametrize(
    ("kind", "source", "refused"),
    [
        (T.TEXT, SourceType(T.TEXT, "varchar(9)"), False),
        (T.TEXT, SourceType(T.TEXT, "char(9)", blank_padded=True), True),
        (T.TEXT, SourceType(T.TEXT, "citext"), True),
        (T.TEXT, SourceType(T.ENUM, "mood"), True),
        (T.DECIMAL, SourceType(T.INTEGER, "int4"), False),
        (T.INTEGER, SourceType(T.DECIMAL, "numeric(9,0)"), True),
        (T.INTEGER, SourceType(T.INTEGER, "oid"), True),
        (T.FLOAT, SourceType(T.FLOAT, "float8"), True),
        (T.JSON, SourceType(T.JSON, "jsonb"), True),
        (T.TIME, SourceType(T.TIME, "timetz"), True),
    ],
)
def test_only_types_that_it_sees_whole_are_hashed(kind, source, refused):
    assert bool(refusal(kind, source)) is refused


@pytest.mark.parametrize("indexed", [False, True])
def test_buckets_add_up_to_all_rows_and_owners(fresh_database, indexed):
    database = fresh_database("postgresql")
    database.execute(
        "CREATE TABLE t (owner int, item int, gone bool)",
        "INSERT INTO t SELECT nullif(n % 500, 0), n, n % 10 = 0 FROM generate_series(1, 5000) n",
    )
    if indexed:
        database.execute("CREATE INDEX ON t (owner)", "VACUUM ANALYZE t")
    session = PostgresqlSession("old", database.url, Limits(connections=2))
    try:
        deleted = () if indexed else (Output("d", "gone", is_column=False, condition=True),)
        outputs = (Output("k0", "owner", is_column=True), Output("k1", "item", is_column=True))
        selection = session.resolve(Selection(Relation(table="t"), (*outputs, *deleted)))
        keys = (Hashed("k0", T.INTEGER),), (Hashed("k1", T.INTEGER),)
        question = Question(selection, *keys, (None,), None if indexed else "d")
        assert session.sums.scheme(question).refused == ""
        sums = session.sums.bucket_sums(question)
        owners = [row for batch in session.sums.live_owners(question) for row in batch.to_pylist()]
        assert sum(b.rows for b in sums.values()) == 5000
        assert sum(b.deleted for b in sums.values()) == (0 if indexed else 500)
        assert sum(b.routes[0].due for b in sums.values()) == (5000 if indexed else 4500)
        assert len(owners) == len({row["k0"] for row in owners}) == (500 if indexed else 450)
        some = tuple(sorted(sums))[:40]
        part = session.sums.only_buckets(question, some)
        first = session.sums.first_owners(question, 9)
        assert len(first) == (9 if indexed else 0)
        if indexed:
            alone = session.sums.owner_sums(question, first)
            assert {owner: b.rows for owner, b in alone.items()} == dict.fromkeys(first, 10)
        read = sum(batch.num_rows for batch in session.stream(part))
        assert read == sum(sums[n].rows for n in some)
    finally:
        session.close()
