"""MariaDB's binary rows against the server's own text of the same values."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Output, Relation, Selection, SourceType
from safeguard.systems.mysql import MysqlSession
from servers import Database

Fresh = Callable[[str], Database]
T = Relation("t")
ROWS = 70_000
"""More than a batch."""


def stream(database: Database, *names: str) -> list[pa.RecordBatch]:
    session = MysqlSession("old", database.url)
    try:
        outputs = tuple(Output(n, n, is_column=True) for n in names)
        return list(session.stream(session.resolve(Selection(T, outputs))))
    finally:
        session.close()


def values(database: Database, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(r.values()) for b in stream(database, *names) for r in b.to_pylist()]


def filled(database: Database, columns: str, *literals: str) -> None:
    """A table `t` with these rows, in order; zero dates are let in."""
    rows = ", ".join(f"({row})" for row in literals)
    database.execute(
        f"SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';"
        f"CREATE TABLE t (i int AUTO_INCREMENT PRIMARY KEY, {columns})",
    )
    if literals:
        names = ", ".join(part.split()[0] for part in columns.split(", "))
        database.execute(
            "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';"
            f"INSERT INTO t ({names}) VALUES {rows}"
        )


@pytest.mark.parametrize(
    ("declared", "literal", "found"),
    [
        ("tinyint", "-128", -128),
        ("tinyint unsigned", "255", 255),
        ("smallint", "-32768", -32768),
        ("smallint unsigned", "65535", 65535),
        ("mediumint", "-8388608", -8388608),
        ("mediumint unsigned", "16777215", 16777215),
        ("int", "-2147483648", -2147483648),
        ("int unsigned", "4294967295", 4294967295),
        ("int(8) zerofill", "42", 42),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("bigint unsigned", "18446744073709551615", 2**64 - 1),
        ("year", "0", 0),
        ("year", "2155", 2155),
        ("bit(1)", "b'1'", 1),
        ("bit(64)", "~0", 2**64 - 1),
        ("double", "2.2250738585072014e-308", 2.2250738585072014e-308),
        ("double", "1.7976931348623157e308", 1.7976931348623157e308),
        ("decimal(65,0)", "-" + "9" * 65, "-" + "9" * 65),
        ("decimal(4,4)", "-0.0001", "-0.0001"),
        ("date", "'0000-00-00'", "0000-00-00"),
        ("date", "'2011-00-00'", "2011-00-00"),
        ("date", "'2011-02-31'", "2011-02-31"),
        ("date", "'0001-01-01'", dt.date(1, 1, 1)),
        ("date", "'9999-12-31'", dt.date(9999, 12, 31)),
        ("date", "'1900-02-29'", "1900-02-29"),
        ("date", "'2000-02-29'", dt.date(2000, 2, 29)),
        ("datetime", "'2011-02-03'", dt.datetime(2011, 2, 3)),
        ("datetime", "'2011-02-03 04:05:06'", dt.datetime(2011, 2, 3, 4, 5, 6)),
        ("datetime(3)", "'2011-02-03 04:05:06.007'", dt.datetime(2011, 2, 3, 4, 5, 6, 7000)),
        ("datetime(6)", "'1000-01-01 00:00:00.000001'", dt.datetime(1000, 1, 1, 0, 0, 0, 1)),
        ("datetime(6)", "'2011-00-03 04:05:06.000007'", "2011-00-03 04:05:06.000007"),
        ("datetime", "'0000-00-00'", "0000-00-00 00:00:00"),
        ("timestamp(6)", "'2038-01-19 03:14:07.999999'", None),
        ("time", "'00:00:00'", dt.time()),
        ("time(6)", "'23:59:59.999999'", dt.time(23, 59, 59, 999_999)),
        ("time", "'24:00:00'", "24:00:00"),
        ("time(3)", "'-00:00:00.5'", "-00:00:00.500000"),
        ("time(6)", "'-838:59:59.999999'", "-838:59:59.999999"),
        ("time", "'838:59:59'", "838:59:59"),
        ("varchar(5)", "''", ""),
        ("varbinary(5)", "''", b""),
        ("longblob", "X'00ff0a'", b"\x00\xff\n"),
        ("varchar(9) character set utf8mb3", "'dž'", "dž"),
        ("set('a','b')", "''", ""),
        ("inet6", "'::1'", "::1"),
    ],
)
def test_the_ends_of_every_type(
    fresh_database: Fresh, declared: str, literal: str, found: Any
) -> None:
    database = fresh_database("mariadb")
    if found is None:
        found = dt.datetime(2038, 1, 19, 3, 14, 7, 999_999)
    filled(database, f"v {declared} NULL", literal, "NULL", literal)
    assert [repr(v) for (v,) in values(database, "v")] == [repr(found), "None", repr(found)]


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 65_535, 65_536, 2_097_000, 2_097_160])
def test_texts_of_every_length_of_length(fresh_database: Fresh, size: int) -> None:
    database = fresh_database("mariadb")
    filled(database, "v longtext", "'first'", f"REPEAT('x', {size})", "NULL", "'last'")
    assert values(database, "v") == [("first",), ("x" * size,), (None,), ("last",)]


@pytest.mark.parametrize("around", [-1, 0, 1])
def test_a_row_as_long_as_a_packet_can_be(fresh_database: Fresh, around: int) -> None:
    database = fresh_database("mariadb")
    head = 1 + 1 + 4 + 4  # of the row, the NULLs, the number, and of the text's own length
    size = 0xFFFFFF - head + around
    filled(database, "v longtext", "'first'", f"REPEAT('x', {size})", "'last'")
    found = values(database, "i", "v")
    assert [(i, len(v)) for i, v in found] == [(1, 5), (2, size), (3, 4)]


def test_floats_come_as_their_own_bits(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    chance = random.Random(7)
    doubles = [chance.uniform(-1, 1) * 10.0 ** chance.randint(-300, 300) for _ in range(500)]
    filled(database, "v double, w float", *(f"{d!r}, 16777216" for d in doubles))
    assert values(database, "v", "w") == [(d, 16777216.0) for d in doubles]
    (batch,) = stream(database, "w")
    assert batch.schema.types == [pa.float32()]


def test_bytes_that_are_no_text_are_handed_on(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    filled(database, "v varbinary(9)", "'a'", "X'ff'")
    session = MysqlSession("old", database.url)
    try:
        declared_text = Output("v", "v", True, type=SourceType(TypeName.TEXT))
        (batch,) = session.stream(Selection(T, (declared_text,)))
    finally:
        session.close()
    assert batch.column(0).to_pylist() == [b"a", b"\xff"]


@pytest.mark.parametrize("rows", [0, 1, 65_535, 65_536, 65_537])
def test_as_many_rows_as_there_are(fresh_database: Fresh, rows: int) -> None:
    database = fresh_database("mariadb")
    database.execute(f"CREATE TABLE t AS SELECT seq AS a FROM seq_1_to_65537 WHERE seq <= {rows}")
    batches = stream(database, "a")
    assert [a for b in batches for a in b.column(0).to_pylist()] == list(range(1, rows + 1))
    assert all(0 < b.num_rows <= 65_536 for b in batches)


def test_nulls_in_any_of_three_hundred_columns(fresh_database: Fresh) -> None:
    database = fresh_database("mariadb")
    names = [f"c{n}" for n in range(300)]
    kinds = ("int", "varchar(20)", "datetime", "decimal(9,2)", "double", "time")
    made = ("7", "'é'", "'2011-02-03 04:05:06'", "1.50", "0.5", "'01:02:03'")
    read = (7, "é", dt.datetime(2011, 2, 3, 4, 5, 6), "1.50", 0.5, dt.time(1, 2, 3))
    chance = random.Random(3)
    given = [[chance.random() < 0.5 for _ in names] for _ in range(200)]
    columns = ", ".join(f"{n} {kinds[i % 6]}" for i, n in enumerate(names))
    rows = [
        ", ".join(made[i % 6] if there else "NULL" for i, there in enumerate(row)) for row in given
    ]
    filled(database, columns, *rows)
    wanted = [tuple(read[i % 6] if t else None for i, t in enumerate(row)) for row in given]
    assert values(database, *names) == wanted


def test_many_rows_of_mixed_lengths_against_the_servers_text(fresh_database: Fresh) -> None:
    """Runs of equal rows, of unequal ones, and both in turn: as the server itself prints them."""
    database = fresh_database("mariadb")
    database.execute(
        "CREATE TABLE t AS SELECT seq AS i,"
        " IF(seq % 9001 < 4000, NULL, REPEAT('é', seq * 7919 % 300)) AS s,"
        " IF(seq DIV 700 % 2, seq * 1.25, NULL) AS d,"
        " CAST(TIMESTAMPADD(MICROSECOND, IF(seq DIV 5000 % 2, 0, seq * 331),"
        " TIMESTAMPADD(SECOND, seq * 3600, '1995-01-01')) AS datetime(6)) AS m"
        f" FROM seq_1_to_{ROWS}"
    )
    told = database.query("SELECT i, s, CAST(d AS char), CAST(m AS char) FROM t ORDER BY i")
    found = sorted(values(database, "i", "s", "d", "m"))
    assert len(found) == ROWS
    assert [(i, s, None if d is None else Decimal(d), f"{m:%F %T.%f}") for i, s, d, m in found] == [
        (i, s, None if d is None else Decimal(d), m) for i, s, d, m in told
    ]
