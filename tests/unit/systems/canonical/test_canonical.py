"""What parses and what does not, of text; every other source is in tests/conformance."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from safeguard.contract.types import Type
from safeguard.systems.canonical import (
    CanonicalColumn,
    Storage,
    canonical_batch,
    canonical_schema,
    canonical_value,
)
from safeguard.systems.interface import SourceType

INT64, TEXT, FLOAT64 = Storage.INT64, Storage.TEXT, Storage.FLOAT64


@pytest.mark.parametrize(
    ("text", "declared", "storage", "canonical"),
    [
        ("-0", "integer", INT64, 0),
        ("-0", "integer", TEXT, "0"),
        ("0" * 30 + "1", "integer", INT64, 1),
        ("+01.500", "decimal(2)", TEXT, "1.5"),
        ("-.5e-3", "decimal", TEXT, "-0.0005"),
        ("5.", "decimal", TEXT, "5"),
        ("-nan", "decimal", TEXT, "NaN"),
        ("100", "decimal", TEXT, "100"),
        ("123456789012345678901234567890.10", "decimal", TEXT, "123456789012345678901234567890.1"),
        ("1e22", "float", FLOAT64, 1e22),
        ("0.10000000000000001", "float(0.01)", FLOAT64, 0.1),
        ("9007199254740992", "float", FLOAT64, 2.0**53),
        ("TRUE", "boolean", Storage.BOOL, True),
        ("2012-02-29", "date", TEXT, "2012-02-29"),
        ("10:00", "time", TEXT, "10:00:00"),
        ("10:00:00.000+05:30", "time", TEXT, "10:00:00+05:30"),
        ("1970-01-01", "timestamp", INT64, 0),
        ("1969-12-31T23:59:59.999999Z", "timestamp", INT64, -1),
        ("1970-01-01 00:00:00.0000010", "timestamp", INT64, 1),
        ("1970-01-01 01:00:00+0100", "timestamp", INT64, 0),
        (" [1e2, 100.0] ", "json", TEXT, "[100,100]"),
        ('"\\u00e9\\/"', "json", TEXT, '"é/"'),
        (None, "json", TEXT, None),
    ],
)
def test_values_of_text(text: str | None, declared: str, storage: Storage, canonical: Any) -> None:
    assert canonical_value(text, Type.parse(declared), storage) == canonical


@pytest.mark.parametrize(
    ("declared", "storage", "texts"),
    [
        (
            "integer",
            INT64,
            ["", " 1", "1 ", "1\n", "+1", "1.0", "1e2", "0x1", "1_0", "\u0661", "--1"],
        ),
        ("integer", INT64, ["9223372036854775808", "-9223372036854775809"]),
        ("integer", TEXT, ["", "1.0", "NaN", "1\n"]),
        ("decimal", TEXT, ["", ".", "e5", "1,5", "1\n", "++1", "1e999999999", "\u0661.5", "nanx"]),
        ("float", FLOAT64, ["", "1e400", "-1e-400", "0x1p3", "9007199254740993", "1.5\n", "1f"]),
        ("boolean", Storage.BOOL, ["", "yes", "no", "on", "2", "-1", "true ", "y"]),
        ("uuid", TEXT, ["", "0" * 31, "0" * 33, "g" * 32, "0" * 32 + "\n"]),
        ("bytes", Storage.BINARY, ["", "00", "\\x0", "\\x0g"]),
        ("date", TEXT, ["", "2011-2-1", "2011-02-30", "20110201", "2011-02-01\n", "02/01/2011"]),
        ("date", TEXT, ["2011-02-01 00:00:00", "1900-02-29", "2011-13-01", "0000-13-00"]),
        ("time", TEXT, ["", "1:00:00", "10:60:00", "10:00:60", "10", "10:00:00 PM"]),
        ("timestamp", INT64, ["", "0", "2011-01-01 24:00:00", "2011-01-01 00:00", "now"]),
        ("timestamp", INT64, ["2011-01-01 00:00:00.0000001", "2011-01-01 00:00:00 UTC"]),
        ("timestamp", INT64, ["294277-01-01 00:00:00", "2011-01-01 00:00:60", "2011-01-01\n"]),
        ("timestamp", INT64, ["2011-02-29", "2011-00-00 00:00:00", "2011-01-01  00:00:00"]),
        ("timestamp", INT64, ["2011-01-01Z", "2011-01-01-05", "2011-01-01 00:00:00+99"]),
        ("json", TEXT, ["", "nul", "NaN", "-Infinity", "01", "{'a':1}", '{"a":1,"a":2}', "[1,]"]),
        ("json", TEXT, ['{"\\u0061":1,"a":2}', "[" * 100_000, "1 2", '"\t"', "1e999999999"]),
    ],
)
def test_what_does_not_parse(declared: str, storage: Storage, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match="is not a value of type"):
            canonical_value(text, Type.parse(declared), storage)


def test_a_batch_keeps_its_rows_and_says_which_values_are_bad() -> None:
    columns = (
        CanonicalColumn("n", SourceType(None), Type.parse("integer"), INT64),
        CanonicalColumn(
            "at", SourceType(None), Type.parse("timestamp"), INT64, zone="UTC", alternate=True
        ),
    )
    raw = pa.record_batch(
        [pa.array(["1", "x" * 500, None, "3"]), pa.array(["1970-01-01", "y", None, "z"])],
        names=["n", "at"],
    )
    batch = canonical_batch(raw, columns)
    assert batch.schema == canonical_schema(columns)
    assert batch.schema.names == ["n", "at", "at__alt", "bad"]
    assert batch.column("n").to_pylist() == [1, None, None, 3]
    bad = [text and json.loads(text) for text in batch.column("bad").to_pylist()]
    assert bad == [None, {"n": "x" * 200, "at": "y"}, None, {"at": "z"}]


@pytest.mark.parametrize(
    "declared", ["integer", "decimal", "float", "uuid", "date", "time", "json"]
)
def test_no_rows_and_only_nulls(declared: str) -> None:
    storage = {"integer": INT64, "float": FLOAT64}.get(declared, TEXT)
    column = CanonicalColumn("v", SourceType(None), Type.parse(declared), storage)
    for kind in (pa.string(), pa.binary(), pa.null(), pa.float64(), pa.large_string()):
        for values in ([], [None, None]):
            raw = pa.record_batch([pa.array(values, kind)], names=["v"])
            batch = canonical_batch(raw, (column,))
            assert batch.column("v").to_pylist() == values
            assert batch.column("bad").null_count == len(values)


def test_slices_are_read_as_themselves() -> None:
    ids = [bytes([n]) * 16 for n in range(5)]
    column = CanonicalColumn("v", SourceType(None), Type.parse("uuid"), TEXT)
    raw = pa.record_batch([pa.array(ids, pa.binary(16))], names=["v"]).slice(2, 2)
    found = canonical_batch(raw, (column,)).column("v").to_pylist()
    assert [text.replace("-", "") for text in found] == ["02" * 16, "03" * 16]


def test_a_type_is_kept_in_no_storage_but_its_own() -> None:
    with pytest.raises(TypeError):
        canonical_value("1", Type.parse("timestamp"), TEXT)
