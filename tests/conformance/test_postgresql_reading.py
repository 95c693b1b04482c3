"""PostgreSQL's values, read by the driver's binary form, mean what the server's own text says.

The server writes each value by COPY in CSV, in the settings of our sessions; the canonical form of that
text and of what the stream gives must be the same, alone and amid ordinary values of its type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pytest

from safeguard.contract.types import Type, TypeName
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import Output, Relation, Selection, SourceType
from safeguard.systems.postgresql import PostgresqlSession
from servers import Database

STORAGES = {
    TypeName.INTEGER: Storage.INT64,
    TypeName.TIMESTAMP: Storage.INT64,
    TypeName.FLOAT: Storage.FLOAT64,
    TypeName.BOOLEAN: Storage.BOOL,
    TypeName.BYTES: Storage.BINARY,
}
STAMPS = [
    "infinity",
    "-infinity",
    "4714-11-24 00:00:00 BC",
    "4713-01-01 00:00:00 BC",
    "0001-12-31 23:59:59.999999 BC",
    "0001-01-01 00:00:00",
    "1969-12-31 23:59:59.999999",
    "2000-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
    "294247-01-10 04:00:54.775806",
    "294247-01-10 04:00:54.775807",
    "294247-01-10 04:00:54.775808",
    "294276-12-31 23:59:59.999999",
]
VALUES: dict[str, list[str]] = {
    "int2": ["-32768", "32767"],
    "int4": ["-2147483648", "2147483647"],
    "int8": ["-9223372036854775808", "9223372036854775807"],
    "oid": ["0", "3000000000", "4294967295"],
    "positive": ["1"],
    "numeric": ["NaN", "Infinity", "-Infinity", "1.23456", "-0.00001", "1e130", "9" * 300 + ".50"],
    "numeric(12,5)": ["1234567.89012", "-0.00001"],
    "float4": ["0.1", "3.4028235e38", "1e-45", "16777217", "NaN", "-Infinity", "-0"],
    "float8": ["0.1", "1e-300", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "-0"],
    "bool": ["true", "false"],
    "text": ["", " x ", "\ufeffx", "a\r\nb", "\\N", '"', "e\u0301", "\U0001f3ac", "NULL"],
    "varchar(9)": ["", "x "],
    "char(5)": ["a ", "", "\ufeff"],
    '"char"': ["a", ""],
    "name": ["n"],
    "citext_like": ["Ab"],
    "mood": ["so, so"],
    "bytea": ["\\x", "\\x00ff5c"],
    "timestamp": STAMPS,
    "timestamptz": [*STAMPS, "2020-02-02 00:00+05:30"],
    "timestamp(6)": STAMPS[:-4],
    "timestamp(5)": ["294247-01-10 04:00:54.7758", "infinity"],
    "timestamp(4)": ["infinity", "-infinity", "2011-06-01 10:00:01"],
    "timestamp(3)": ["294276-12-31 23:59:59", "2011-06-01 10:00:01.25"],
    "timestamptz(6)": ["294247-01-10 04:00:54.775807"],
    "timestamp(0)": ["infinity", "2011-06-01 10:00:01"],
    "date": ["infinity", "-infinity", "4714-11-24 BC", "0001-01-01", "9999-12-31", "5874897-12-31"],
    "time": ["00:00", "24:00", "10:20:30.12"],
    "timetz": ["10:00+05:30", "24:00-15:59"],
    "interval": ["1 year -2 mons 3 days -04:05:06.7", "-178000000 years"],
    "uuid": ["0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"],
    "json": ['{"b": 1.00, "a": "\\u0000"}', "null"],
    "jsonb": ['{"b": 1.00, "a": 18446744073709551617}', "null"],
    "xml": ['<?xml version="1.0" encoding="latin1"?><a/>', "<a>é</a>"],
    "inet": ["1.2.3.4", "1.2.3.4/8", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "bit(3)": ["101"],
    "varbit": ["", "1"],
    "int4range": ["[1,5)", "empty"],
}


@pytest.mark.parametrize("declared", VALUES)
def test_binary_values_mean_what_the_servers_text_says(
    declared: str, fresh_database: Callable[[str], Database]
) -> None:
    database = fresh_database("postgresql")
    database.execute(
        "CREATE DOMAIN positive AS int8 CHECK (value > 0); CREATE DOMAIN citext_like AS text;"
        "CREATE TYPE mood AS ENUM ('so, so')"
    )
    literals = ", ".join(f"({_literal(value)}::{declared})" for value in VALUES[declared])
    database.execute(f"CREATE TABLE t (v {declared})")
    database.execute(f"INSERT INTO t VALUES {literals}, (NULL)")
    assert _streamed(database, "v") == _copied(database, "v")


@pytest.mark.parametrize(
    "expression",
    ["ARRAY[1.10, NULL]", "ROW(1, '')", "'{{1,2},{3,4}}'::int[]", "'[0:1]={1,2}'::int[]"],
)
def test_arrays_and_rows_are_the_servers_json(
    expression: str, fresh_database: Callable[[str], Database]
) -> None:
    database = fresh_database("postgresql")
    database.execute("CREATE TYPE pair AS (a int, b text)", "CREATE TABLE t AS SELECT 1 AS one")
    typed = expression.replace("ROW(1, '')", "ROW(1, '')::pair")
    with_session = PostgresqlSession("old", database.url)
    try:
        chosen = Selection(Relation("t"), (Output("v", typed, False),))
        (batch,) = with_session.stream(with_session.resolve(chosen))
    finally:
        with_session.close()
    assert batch.column("v").to_pylist() == [database.query(f"SELECT to_json({typed})::text")[0][0]]


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _streamed(database: Database, name: str) -> list[dict[str, Any]]:
    session = PostgresqlSession("old", database.url)
    try:
        resolved = session.resolve(Selection(Relation("t"), (Output(name, name, True),)))
        (batch,) = session.stream(resolved)
    finally:
        session.close()
    return _canonical(batch, resolved.outputs[0].type)


def _copied(database: Database, name: str) -> list[dict[str, Any]]:
    session = PostgresqlSession("old", database.url)
    try:
        source = (
            session.resolve(Selection(Relation("t"), (Output(name, name, True),))).outputs[0].type
        )
        with (
            session._main.cursor() as cursor,
            cursor.copy(b"COPY t TO STDOUT (FORMAT csv)") as copy,
        ):
            data = b"v\n" + b"".join(copy)
    finally:
        session.close()
    options = csv.ConvertOptions(
        column_types={"v": pa.string()},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parsing = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    text = csv.read_csv(pa.BufferReader(data), parse_options=parsing, convert_options=options)["v"]
    if source.kind is TypeName.BOOLEAN:
        text = pa.chunked_array([[{"t": "true", "f": "false"}.get(v) for v in text.to_pylist()]])
    batch = pa.RecordBatch.from_arrays([text.combine_chunks()], names=["v"])
    return _canonical(batch, source)


def _canonical(batch: pa.RecordBatch, source: SourceType) -> list[dict[str, Any]]:
    assert source.kind is not None
    storage = STORAGES.get(source.kind, Storage.TEXT)
    column = CanonicalColumn("v", source, Type(source.kind), storage, zone="America/Los_Angeles")
    found = canonical_batch(batch, (column,)).to_pylist()
    # What does not parse is told by the text on one side, and the same to us.
    return [{"v": repr(row["v"]), "bad": row["bad"] is not None} for row in found]
