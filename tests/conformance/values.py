"""The table: value x type x system -> canonical value, BAD or UNSUPPORTED.

A row is one value of one type. Each system it names stores that value in its own words: a declared
type and an SQL literal (sqlite, generic, duckdb, postgresql, mariadb), an Arrow type and a Python
value (parquet), a cell with its quotes (csv), a JSON token (jsonl). Whatever stored it, the same
canonical value must come out.
"""

# ruff: noqa: E501 - a row of the table is a line

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from safeguard.systems.canonical import INFINITY, MINUS_INFINITY, ZERO_DATE

BAD = "<does not parse>"
UNSUPPORTED = "<not compared: no canonical form>"
PACIFIC = "America/Los_Angeles"


@dataclass(frozen=True)
class Row:
    """One value: `type` as in a contract, its canonical form, and how each system stores it."""

    name: str
    type: str
    canonical: Any
    stored: dict[str, Any]
    zone: str | None = None
    second: int | None = None
    """The other reading of a time in a fold or gap."""
    wide: bool = False
    """Integers kept as text."""
    as_written: bool = False
    nanoseconds: bool = False


def at(moment: str, nanos: bool = False) -> int:
    """Microseconds since 1970 UTC of a moment in UTC."""
    utc = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    micros = (utc - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return micros * 1000 if nanos else micros


def everywhere(sql: dict[str, str], literal: str, text: str, arrow: Any) -> dict[str, Any]:
    """The same SQL literal in every database, the same text in CSV and JSONL."""
    stored: dict[str, Any] = {name: (declared, literal) for name, declared in sql.items()}
    return {**stored, "csv": text, "jsonl": f'"{text}"', "parquet": arrow}


def sql(declared: str, literal: str, *systems: str) -> dict[str, Any]:
    return dict.fromkeys(
        systems or ("sqlite", "duckdb", "postgresql", "mariadb"), (declared, literal)
    )


def types(sqlite: str, duckdb: str, postgresql: str, mariadb: str) -> dict[str, str]:
    return {"sqlite": sqlite, "duckdb": duckdb, "postgresql": postgresql, "mariadb": mariadb}


INTEGERS = types("BIGINT", "BIGINT", "bigint", "bigint")
NUMERICS = types("TEXT", "DECIMAL(38,10)", "numeric", "decimal(38,10)")
DOUBLES = types("REAL", "DOUBLE", "double precision", "double")
TEXTS = types("TEXT", "VARCHAR", "text", "text character set utf8mb4")
BOOLEANS = types("BOOLEAN", "BOOLEAN", "boolean", "tinyint(1)")
STAMPS = types("DATETIME", "TIMESTAMP", "timestamp", "datetime(6)")
DATES = types("DATE", "DATE", "date", "date")
TIMES = types("TIME", "TIME", "time", "time(6)")
DOCUMENTS = types("JSON", "JSON", "jsonb", "json")
US = pa.timestamp("us")
NINES = "9" * 65
UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
HEX = UUID.replace("-", "")

# fmt: off
INTEGER_ROWS = [
    Row("largest", "integer", 2**63 - 1, everywhere(INTEGERS, str(2**63 - 1), str(2**63 - 1), (pa.int64(), 2**63 - 1))),
    Row("smallest", "integer", -(2**63), everywhere(INTEGERS, str(-(2**63)), str(-(2**63)), (pa.int64(), -(2**63)))),
    Row("beyond_doubles", "integer", 2**53 + 1, {**sql("BIGINT", str(2**53 + 1)), "csv": str(2**53 + 1), "jsonl": str(2**53 + 1), "parquet": (pa.int64(), 2**53 + 1)}),
    Row("unsigned", "integer", str(2**64 - 1), {"duckdb": ("UBIGINT", str(2**64 - 1)), "mariadb": ("bigint unsigned", str(2**64 - 1)), "postgresql": ("numeric(20)", str(2**64 - 1)), "csv": str(2**64 - 1), "jsonl": str(2**64 - 1), "parquet": (pa.uint64(), 2**64 - 1), "sqlite": ("TEXT", f"'{2**64 - 1}'")}, wide=True),
    Row("unsigned_in_64_bits", "integer", BAD, {"duckdb": ("UBIGINT", str(2**64 - 1)), "csv": str(2**64 - 1), "jsonl": str(2**64 - 1), "parquet": (pa.uint64(), 2**64 - 1)}),
    Row("huge", "integer", NINES, {"postgresql": ("numeric", NINES), "mariadb": ("decimal(65)", NINES), "csv": NINES, "jsonl": NINES, "parquet": (pa.decimal256(65, 0), Decimal(NINES))}, wide=True),
    Row("hugeint", "integer", str(2**127 - 1), {"duckdb": ("HUGEINT", str(2**127 - 1))}, wide=True),
    Row("leading_zeros", "integer", 7, {"csv": "007", "jsonl": '"007"', "sqlite": ("TEXT", "'007'")}),
    Row("quoted_null_token", "integer", BAD, {"csv": '"\\N"'}),
    Row("null", "integer", None, {**sql("INTEGER", "NULL"), "csv": "\\N", "jsonl": "null", "parquet": (pa.int32(), None)}),
    Row("empty", "integer", BAD, {"csv": "", "jsonl": '""', "sqlite": ("INTEGER", "''")}),
    Row("blank_before", "integer", BAD, {"csv": " 1", "jsonl": '" 1"'}),
    Row("text", "integer", BAD, {"csv": "1.0", "jsonl": '"1.0"', "sqlite": ("INTEGER", "'many'")}),
    Row("whole_decimal", "integer", 1, {"duckdb": ("DECIMAL(5,2)", "1.00"), "postgresql": ("numeric(5,2)", "1.00"), "mariadb": ("decimal(5,2)", "1.00"), "parquet": (pa.decimal128(5, 2), Decimal("1.00"))}),
    Row("fraction", "integer", BAD, {"duckdb": ("DECIMAL(5,2)", "1.50"), "postgresql": ("numeric(5,2)", "1.50"), "mariadb": ("decimal(5,2)", "1.50"), "sqlite": ("INTEGER", "1.5"), "parquet": (pa.decimal128(5, 2), Decimal("1.50"))}),
]

DECIMAL_ROWS = [
    Row("trailing_zeros", "decimal", "1.5", {**everywhere(NUMERICS, "'1.50'", "1.50", (pa.decimal128(10, 2), Decimal("1.50"))), "jsonl": "1.50"}),
    Row("digits_65", "decimal", f"-{NINES[2:]}.25", {"postgresql": ("numeric", f"-{NINES[2:]}.25"), "mariadb": ("decimal(65,2)", f"-{NINES[2:]}.25"), "csv": f"-{NINES[2:]}.25", "jsonl": f"-{NINES[2:]}.25", "parquet": (pa.decimal256(65, 2), Decimal(f"-{NINES[2:]}.25")), "sqlite": ("TEXT", f"'-{NINES[2:]}.25'")}),
    Row("tiny", "decimal", "0.0000000001", everywhere(NUMERICS, "'0.0000000001'", "1e-10", (pa.decimal128(38, 10), Decimal("0.0000000001")))),
    Row("minus_zero", "decimal", "0", everywhere(NUMERICS, "'-0.00'", "-0.00", (pa.float64(), -0.0))),
    Row("real_is_its_shortest", "decimal", "0.1", {"sqlite": ("DECIMAL(5,2)", "0.1"), "duckdb": ("FLOAT", "0.1"), "parquet": (pa.float32(), 0.1), "jsonl": "0.1", "postgresql": ("real", "0.1"), "mariadb": ("double", "0.1")}),
    Row("nan", "decimal", "NaN", {"postgresql": ("numeric", "'NaN'"), "csv": "NaN", "jsonl": '"nan"', "parquet": (pa.float64(), math.nan), "duckdb": ("DOUBLE", "'nan'")}),
    Row("infinity", "decimal", "-Infinity", {"postgresql": ("numeric", "'-Infinity'"), "csv": "-inf", "jsonl": '"-Infinity"', "parquet": (pa.float64(), -math.inf), "duckdb": ("DOUBLE", "'-inf'"), "sqlite": ("REAL", "-9e999")}),
    Row("exponent", "decimal", "1" + "0" * 30, {"csv": "1e30", "jsonl": "1E30", "sqlite": ("REAL", "1e30"), "duckdb": ("DOUBLE", "1e30")}),
    Row("no_number", "decimal", BAD, {"csv": '"1,5"', "jsonl": '"1_0"', "sqlite": ("DECIMAL(5,2)", "'1,5'")}),
]

FLOAT_ROWS = [
    Row("nan", "float", math.nan, {"duckdb": ("DOUBLE", "'nan'"), "postgresql": ("double precision", "'NaN'"), "csv": "NaN", "jsonl": '"NaN"', "parquet": (pa.float64(), math.nan)}),
    Row("minus_zero", "float", 0.0, everywhere(DOUBLES, "-0.0", "-0.0", (pa.float64(), -0.0))),
    Row("infinity", "float", math.inf, {"duckdb": ("DOUBLE", "'inf'"), "postgresql": ("double precision", "'Infinity'"), "csv": "Infinity", "jsonl": '"inf"', "parquet": (pa.float64(), math.inf), "sqlite": ("REAL", "9e999")}),
    Row("single", "float", 0.1, {"duckdb": ("FLOAT", "0.1"), "postgresql": ("real", "0.1"), "csv": "0.1", "jsonl": "0.1", "parquet": (pa.float32(), 0.1)}),
    Row("shortest", "float", 0.1 + 0.2, {**everywhere(DOUBLES, "0.30000000000000004", "0.30000000000000004", (pa.float64(), 0.1 + 0.2)), "duckdb": ("DOUBLE", "'0.30000000000000004'::DOUBLE")}),
    Row("largest", "float", 1.7976931348623157e308, {**everywhere(DOUBLES, "1.7976931348623157e308", "1.7976931348623157e308", (pa.float64(), 1.7976931348623157e308)), "duckdb": ("DOUBLE", "'1.7976931348623157e308'::DOUBLE")}),
    Row("overflow", "float", BAD, {"csv": "1e400", "jsonl": "1e400"}),
    Row("underflow", "float", BAD, {"csv": "1e-400", "jsonl": "1e-400"}),
    Row("between_two_doubles", "float", BAD, {**sql("BIGINT", str(2**53 + 1)), "csv": str(2**53 + 1), "jsonl": str(2**53 + 1), "parquet": (pa.int64(), 2**53 + 1)}),
]

TEXT_ROWS = [
    Row("decomposed", "text", "e\u0301  ", everywhere(TEXTS, "'e\u0301  '", "e\u0301  ", (pa.string(), "e\u0301  "))),
    Row("empty", "text", "", {**sql("VARCHAR(9)", "''"), "csv": '""', "jsonl": '""', "parquet": (pa.string(), "")}),
    Row("null", "text", None, {**sql("VARCHAR(9)", "NULL"), "csv": "\\N", "jsonl": "null", "parquet": (pa.string(), None)}),
    Row("word_null", "text", "NULL", {**sql("VARCHAR(9)", "'NULL'"), "csv": "NULL", "jsonl": '"NULL"', "parquet": (pa.string(), "NULL")}),
    Row("u0000", "text", "a\0b", {"sqlite": ("TEXT", "CAST(x'610062' AS TEXT)"), "duckdb": ("VARCHAR", "'a' || chr(0) || 'b'"), "mariadb": ("text", "CONCAT('a', CHAR(0), 'b')"), "csv": "a\0b", "jsonl": '"a\\u0000b"', "parquet": (pa.string(), "a\0b")}),
    Row("blank_padded", "text", "ab", {"postgresql": ("char(5)", "'ab'"), "mariadb": ("char(5)", "'ab'"), "csv": "ab"}),
    Row("char_of_sqlite_pads_nothing", "text", "ab  ", {"sqlite": ("CHAR(5)", "'ab  '"), "generic": None, "duckdb": ("CHAR(5)", "'ab  '")}),
    Row("emoji", "text", "\U0001f3ac", everywhere(TEXTS, "'\U0001f3ac'", "\U0001f3ac", (pa.string(), "\U0001f3ac"))),
    Row("line_endings", "text", "a\r\nb\rc\n", {"csv": '"a\r\nb\rc\n"', "jsonl": '"a\\r\\nb\\rc\\n"', "parquet": (pa.string(), "a\r\nb\rc\n"), "sqlite": ("TEXT", "'a\r\nb\rc\n'"), "duckdb": ("VARCHAR", "'a\r\nb\rc\n'")}),
    Row("not_utf8", "text", BAD, {"duckdb": ("BLOB", "'\\xFF'::BLOB"), "parquet": (pa.binary(), b"\xff"), "sqlite": ("BLOB", "x'ff'"), "mariadb": ("varbinary(9)", "x'ff'")}),
    Row("enum", "enum", "Dvd", {"duckdb": ("ENUM('Dvd', 'stream')", "'Dvd'"), "mariadb": ("enum('Dvd','stream')", "'Dvd'"), "postgresql": ("text", "'Dvd'"), "csv": "Dvd", "jsonl": '"Dvd"', "parquet": (pa.dictionary(pa.int8(), pa.string()), "Dvd"), "sqlite": ("TEXT", "'Dvd'")}),
    Row("set", "text", "a,c", {"mariadb": ("set('a','b','c')", "'c,a'")}),
]

BOOLEAN_ROWS = [
    Row("true", "boolean", True, {**everywhere(BOOLEANS, "true", "t", (pa.bool_(), True)), "jsonl": "true"}),
    Row("false", "boolean", False, {**everywhere(BOOLEANS, "false", "0", (pa.bool_(), False)), "jsonl": "0"}),
    Row("two", "boolean", BAD, {"sqlite": ("BOOLEAN", "2"), "mariadb": ("tinyint(1)", "2"), "csv": "2", "jsonl": "2", "parquet": (pa.int8(), 2), "duckdb": ("TINYINT", "2")}),
    Row("yes", "boolean", BAD, {"sqlite": ("BOOLEAN", "'yes'"), "csv": "yes", "jsonl": '"yes"', "parquet": (pa.string(), "yes")}),
    Row("bit", "boolean", True, {"mariadb": ("bit(1)", "b'1'"), "parquet": (pa.binary(), b"\x01"), "sqlite": ("BLOB", "x'01'")}),
]

UUID_ROWS = [
    Row("upper", "uuid", UUID, {"sqlite": ("TEXT", f"'{UUID.upper()}'"), "duckdb": ("UUID", f"'{UUID.upper()}'"), "postgresql": ("uuid", f"'{UUID.upper()}'"), "mariadb": ("uuid", f"'{UUID.upper()}'"), "csv": HEX, "jsonl": f'"{UUID.upper()}"', "parquet": (pa.string(), HEX.upper())}),
    Row("binary16", "uuid", UUID, {"sqlite": ("BLOB", f"x'{HEX}'"), "duckdb": ("BLOB", f"unhex('{HEX}')"), "postgresql": ("bytea", f"'\\x{HEX}'"), "mariadb": ("binary(16)", f"x'{HEX}'"), "parquet": (pa.binary(16), bytes.fromhex(HEX))}),
    Row("braces", "uuid", BAD, {"sqlite": ("TEXT", f"'{{{UUID}}}'"), "csv": f"{{{UUID}}}", "jsonl": f'"{{{UUID}}}"', "parquet": (pa.string(), f"{{{UUID}}}")}),
    Row("binary15", "uuid", BAD, {"sqlite": ("BLOB", f"x'{HEX[2:]}'"), "mariadb": ("varbinary(16)", f"x'{HEX[2:]}'"), "parquet": (pa.binary(), bytes.fromhex(HEX[2:]))}),
]

BYTES_ROWS = [
    Row("any", "bytes", b"\x00\xff", {"sqlite": ("BLOB", "x'00ff'"), "duckdb": ("BLOB", "unhex('00ff')"), "postgresql": ("bytea", "'\\x00ff'"), "mariadb": ("varbinary(9)", "x'00ff'"), "parquet": (pa.binary(), b"\x00\xff"), "csv": "\\x00FF", "jsonl": '"\\\\x00ff"'}),
    Row("text_is_no_bytes", "bytes", BAD, {"csv": "00ff", "jsonl": '"00ff"', "sqlite": ("TEXT", "'00ff'")}),
]

DATE_ROWS = [
    Row("year_1", "date", "0001-01-01", everywhere(DATES, "'0001-01-01'", "0001-01-01", (pa.date32(), dt.date(1, 1, 1)))),
    Row("year_9999", "date", "9999-12-31", everywhere(DATES, "'9999-12-31'", "9999-12-31", (pa.date32(), dt.date(9999, 12, 31)))),
    Row("year_12020", "date", "12020-01-01", {"duckdb": ("DATE", "'12020-01-01'"), "postgresql": ("date", "'12020-01-01'"), "csv": "12020-01-01", "jsonl": '"12020-01-01"', "parquet": (pa.date32(), 3_670_687)}),
    Row("bc", "date", "0044-03-15 BC", {"duckdb": ("DATE", "'0044-03-15 (BC)'"), "postgresql": ("date", "'0044-03-15 BC'"), "csv": "0044-03-15 BC"}),
    Row("infinity", "date", "infinity", {"duckdb": ("DATE", "'infinity'"), "postgresql": ("date", "'infinity'"), "csv": "infinity", "jsonl": '"infinity"'}),
    Row("zero", "date", "0000-00-00", {"mariadb": ("date", "'0000-00-00'"), "csv": "0000-00-00", "jsonl": '"0000-00-00"', "sqlite": ("DATE", "'0000-00-00'")}),
    Row("leap_day_that_is_none", "date", BAD, {"csv": "2011-02-29", "jsonl": '"2011-02-29"', "sqlite": ("DATE", "'2011-02-29'"), "parquet": (pa.string(), "2011-02-29")}),
    Row("with_time", "date", BAD, {"csv": "2011-02-28 10:00:00", "sqlite": ("DATE", "'2011-02-28 10:00:00'"), "duckdb": ("TIMESTAMP", "'2011-02-28 10:00:00'"), "parquet": (US, dt.datetime(2011, 2, 28, 10))}),
]

TIME_ROWS = [
    Row("fraction", "time", "10:20:30.12", everywhere(TIMES, "'10:20:30.120'", "10:20:30.120", (pa.time64("us"), dt.time(10, 20, 30, 120_000)))),
    Row("midnight_at_the_end", "time", "24:00:00", {**sql("TIME", "'24:00:00'"), "csv": "24:00:00", "jsonl": '"24:00:00"'}),
    Row("long", "time", "-838:59:59", {"mariadb": ("time", "'-838:59:59'"), "csv": "-838:59:59", "jsonl": '"-838:59:59"', "sqlite": ("TIME", "'-838:59:59'")}),
    Row("zoned", "time", "10:00:00+02", {"duckdb": ("TIMETZ", "'10:00:00+02'"), "postgresql": ("timetz", "'10:00:00+02'"), "csv": "10:00:00+02:00"}),
    Row("no_time", "time", BAD, {"csv": "10h", "jsonl": '"25"', "sqlite": ("TIME", "'10:61:00'")}),
]

_FOLD, _GAP = "2011-11-06 01:30:00", "2011-03-13 02:30:00"
TIMESTAMP_ROWS = [
    Row("year_1", "timestamp", at("0001-01-01"), everywhere({k: v for k, v in STAMPS.items() if k != "mariadb"}, "'0001-01-01 00:00:00'", "0001-01-01 00:00:00", (US, dt.datetime(1, 1, 1)))),
    Row("year_9999", "timestamp", at("9999-12-31 23:59:59.999999"), everywhere(STAMPS, "'9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999", (US, dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)))),
    Row("year_9999_in_a_zone", "timestamp", at("9999-12-31 23:59:59") + 8 * 3_600_000_000, everywhere(STAMPS, "'9999-12-31 23:59:59'", "9999-12-31 23:59:59", (US, dt.datetime(9999, 12, 31, 23, 59, 59))), zone=PACIFIC),
    Row("summer_of_2040", "timestamp", at("2040-07-01 07:00:00"), everywhere(STAMPS, "'2040-07-01 00:00:00'", "2040-07-01 00:00:00", (US, dt.datetime(2040, 7, 1))), zone=PACIFIC),
    Row("infinity", "timestamp", INFINITY, {"duckdb": ("TIMESTAMP", "'infinity'"), "postgresql": ("timestamp", "'infinity'"), "csv": "infinity", "jsonl": '"infinity"', "parquet": (US, 2**63 - 1)}, zone=PACIFIC),
    Row("minus_infinity", "timestamp", MINUS_INFINITY, {"duckdb": ("TIMESTAMPTZ", "'-infinity'"), "postgresql": ("timestamptz", "'-infinity'"), "csv": "-infinity"}, zone=PACIFIC),
    Row("zero", "timestamp", ZERO_DATE, {"mariadb": ("datetime", "'0000-00-00 00:00:00'"), "csv": "0000-00-00 00:00:00", "jsonl": '"0000-00-00 00:00:00"', "sqlite": ("DATETIME", "'0000-00-00'")}, zone=PACIFIC),
    Row("half_zero", "timestamp", BAD, {"mariadb": ("datetime", "'2011-00-00 00:00:00'"), "csv": "2011-00-00 00:00:00"}),
    Row("aware", "timestamp", at("2011-06-01 10:00:00"), {"duckdb": ("TIMESTAMPTZ", "'2011-06-01 12:00:00+02'"), "postgresql": ("timestamptz", "'2011-06-01 12:00:00+02'"), "csv": "2011-06-01 12:00:00+02", "jsonl": '"2011-06-01T10:00:00Z"', "sqlite": ("DATETIME", "'2011-06-01 15:30:00+05:30'"), "parquet": (pa.timestamp("ms", "UTC"), dt.datetime(2011, 6, 1, 10))}, zone=PACIFIC),
    Row("naive", "timestamp", at("2011-06-01 19:00:00.25"), everywhere(STAMPS, "'2011-06-01 12:00:00.250'", "2011-06-01 12:00:00.25", (pa.timestamp("ms"), dt.datetime(2011, 6, 1, 12, 0, 0, 250_000))), zone=PACIFIC),
    Row("as_written", "timestamp", at(_GAP), everywhere(STAMPS, f"'{_GAP}'", _GAP, (US, dt.datetime.fromisoformat(_GAP))), zone=PACIFIC, as_written=True),
    Row("fold", "timestamp", at("2011-11-06 08:30:00"), everywhere(STAMPS, f"'{_FOLD}'", _FOLD, (US, dt.datetime.fromisoformat(_FOLD))), zone=PACIFIC, second=at("2011-11-06 09:30:00")),
    Row("gap", "timestamp", at("2011-03-13 10:30:00"), everywhere(STAMPS, f"'{_GAP}'", _GAP, (US, dt.datetime.fromisoformat(_GAP))), zone=PACIFIC, second=at("2011-03-13 09:30:00")),
    Row("nanoseconds", "timestamp", at("2011-06-01 10:00:00", nanos=True) + 1, {"duckdb": ("TIMESTAMP_NS", "'2011-06-01 10:00:00.000000001'"), "csv": "2011-06-01 10:00:00.000000001", "jsonl": '"2011-06-01 10:00:00.000000001Z"', "parquet": (pa.timestamp("ns", "UTC"), at("2011-06-01 10:00:00", nanos=True) + 1)}, nanoseconds=True),
    Row("too_fine", "timestamp", BAD, {"duckdb": ("TIMESTAMP_NS", "'2011-06-01 10:00:00.000000001'"), "csv": "2011-06-01 10:00:00.000000001", "sqlite": ("DATETIME", "'2011-06-01 10:00:00.000000001'"), "parquet": (pa.timestamp("ns"), 1)}),
    Row("epoch_seconds", "timestamp", BAD, {"sqlite": ("DATETIME", "1306922400"), "csv": "1306922400", "jsonl": "1306922400", "duckdb": ("BIGINT", "1306922400"), "parquet": (pa.int64(), 1_306_922_400)}),
    Row("no_such_day", "timestamp", BAD, {"sqlite": ("DATETIME", "'2011-02-29 10:00:00'"), "csv": "2011-02-29 10:00:00", "jsonl": '"2011-06-01 24:00:00"'}),
    Row("bc", "timestamp", -62_167_219_200_000_000 - 31_536_000_000_000, {"duckdb": ("TIMESTAMP", "'0002-01-01 (BC) 00:00:00'"), "postgresql": ("timestamp", "'0002-01-01 BC'"), "csv": "0002-01-01 00:00:00 BC"}),
]

_NESTED = '{"b": [1e2, -0, 1.10], "a": {"x": "é\\u0000\\ud800"}}'
JSON_ROWS = [
    Row("sorted_and_exact", "json", '{"a":"é","b":[100,0,1.1]}', {**sql("JSON", "'{\"b\": [1e2, -0, 1.10], \"a\": \"é\"}'"), "csv": '"{""b"": [1e2, -0, 1.10], ""a"": ""\\u00e9""}"', "jsonl": '{"b": [1E+2, 0, 1.1], "a": "é"}', "parquet": (pa.string(), '{"b":[100.0,-0,1.1],"a":"é"}')}),
    Row("surrogates", "json", '{"a":{"x":"é\\u0000\\ud800"},"b":[100,0,1.1]}', {"sqlite": ("JSON", f"'{_NESTED}'"), "postgresql": ("json", f"'{_NESTED}'"), "jsonl": _NESTED, "parquet": (pa.string(), _NESTED), "csv": '"' + _NESTED.replace('"', '""') + '"'}),
    Row("big_number", "json", str(2**64 + 1), {"postgresql": ("jsonb", f"'{2**64 + 1}'"), "sqlite": ("TEXT", f"'{2**64 + 1}'"), "csv": str(2**64 + 1), "parquet": (pa.string(), str(2**64 + 1)), "jsonl": str(2**64 + 1)}),
    Row("null_of_json", "json", "null", {**sql("JSON", "'null'"), "csv": "null", "parquet": (pa.string(), "null")}),
    Row("null_of_sql", "json", None, {**sql("JSON", "NULL"), "csv": "\\N", "jsonl": "null", "parquet": (pa.string(), None)}),
    Row("repeated_key", "json", BAD, {"sqlite": ("JSON", "'{\"a\":1,\"a\":1}'"), "postgresql": ("json", "'{\"a\":1,\"a\":1}'"), "mariadb": ("json", "'{\"a\":1,\"a\":1}'"), "jsonl": '{"a":1,"a":1}', "csv": '"{""a"":1,""a"":1}"'}),
    Row("nan", "json", BAD, {"sqlite": ("JSON", "'[NaN]'"), "csv": "[NaN]", "parquet": (pa.string(), "NaN")}),
    Row("array", "json", '["a",null]', {"duckdb": ("VARCHAR[]", "['a', NULL]"), "postgresql": ("text[]", "ARRAY['a', NULL]"), "parquet": (pa.list_(pa.string()), ["a", None]), "jsonl": '["a", null]'}),
    Row("struct", "json", '{"a":1,"b":[true]}', {"duckdb": ("STRUCT(b BOOLEAN[], a UBIGINT)", "{'b': [true], 'a': 1}"), "parquet": (pa.struct({"b": pa.list_(pa.bool_()), "a": pa.int8()}), {"b": [True], "a": 1})}),
    Row("inexact_inside", "json", UNSUPPORTED, {"duckdb": ("DECIMAL(38,10)[]", "[1.5]"), "parquet": (pa.list_(pa.binary()), [b"x"])}),
    Row("interval", "text", UNSUPPORTED, {"duckdb": ("INTERVAL", "INTERVAL 1 DAY"), "parquet": (pa.duration("us"), 1)}),
]

ROWS = tuple(
    INTEGER_ROWS + DECIMAL_ROWS + FLOAT_ROWS + TEXT_ROWS + BOOLEAN_ROWS + UUID_ROWS + BYTES_ROWS
    + DATE_ROWS + TIME_ROWS + TIMESTAMP_ROWS + JSON_ROWS
)
