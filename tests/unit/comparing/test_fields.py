"""One pair of values at a time: equal, tolerated (by what), changed (why), or not compared."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from safeguard.comparing.fields import CHANGED, EQUAL, NOT_COMPARED, TOLERATED, rule_for
from safeguard.comparing.sql import COLUMN_TYPE
from safeguard.contract.model import FieldSpec
from safeguard.contract.types import Type
from safeguard.planning.kinds import typed
from safeguard.planning.layout import FieldSlot
from safeguard.systems.canonical import canonical_value

BAD = object()
"""A value that does not parse."""
E_ACUTE, E_WITH_ACCENT = "\u00e9", "e\u0301"
GA, GA_JAMO = "\uac00", "\u1100\u1161"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEBREW, ARABIC = "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627"
INFINITE, MINUS_INFINITE, ZERO = "infinity", "-infinity", "0000-00-00"


@pytest.fixture(scope="module")
def database():
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def slot_of(kind: str, *accept: str, new: str | None = None, **more: Any) -> FieldSlot:
    spec = FieldSpec(accept=accept, map=more.pop("map", None))
    old = typed(Type.parse(kind), [])
    return FieldSlot("f0", "value", spec, old, (typed(Type.parse(new or kind), []),), **more)


def put(database: Any, table: str, value: Any, kind: Any, alternate: str | None = None) -> None:
    canonical = None if value in (BAD, None) else canonical_value(value, kind.type, kind.storage)
    second = None if alternate is None else canonical_value(alternate, kind.type, kind.storage)
    column = COLUMN_TYPE[kind.storage]
    database.execute(f"CREATE OR REPLACE TABLE {table} (f0 {column}, f0a {column}, bad VARCHAR)")
    bad = '{"f0": "what stood there"}' if value is BAD else None
    database.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", [canonical, second, bad])


def judged(
    database: Any, field: FieldSlot, old: Any, new: Any, old2: Any = None, new2: Any = None
) -> Any:
    """(code, forms, cause) of one pair, by the SQL of its rule."""
    put(database, "o", old, field.old, old2)
    put(database, "n", new, field.new[0], new2)
    rule = rule_for(field, 0)
    return database.execute(f"SELECT {rule.judged()} FROM o, n").fetchone()


# (accepted, old, new, the forms it counts under): None is changed, [] is equal
TEXTS = [
    ("", "a", "a", []),
    ("", "a", "A", None),
    ("", None, None, []),
    ("", None, "", None),
    ("", "a", "a ", None),
    ("", E_ACUTE, E_WITH_ACCENT, None),
    ("null_empty", None, "", ["null_empty"]),
    ("null_empty", "", None, ["null_empty"]),
    ("null_empty", "a", None, None),
    ("null_empty", " ", None, None),
    ("case", "Ärger", "ÄRGER", ["case"]),
    ("case", "ПРИВЕТ", "привет", ["case"]),
    ("case", "a", "b", None),
    ("case", "a\0b", "A\0c", None),
    ("whitespace", "\t a b\u00a0\r\n", "a b", ["whitespace"]),
    ("whitespace", "a b", "a  b", None),
    ("whitespace", "a\u3000", "a", None),
    ("line_endings", "a\r\nb\rc", "a\nb\nc", ["line_endings"]),
    ("line_endings", "a\r\n\r\n", "a\n", None),
    ("unicode_form", "caf" + E_WITH_ACCENT, "caf" + E_ACUTE, ["unicode_form"]),
    ("unicode_form", GA_JAMO, GA, ["unicode_form"]),
    ("unicode_form", "\ufb01", "fi", None),
    ("unicode_form", "e", E_ACUTE, None),
    ("unicode_form", E_ACUTE + "\0b", E_WITH_ACCENT + "\0b", ["unicode_form"]),
    ("unicode_form", E_ACUTE + "\0b", E_WITH_ACCENT + "\0c", None),
    ("unicode_form", E_ACUTE + "\0b", E_WITH_ACCENT, None),
    ("escaped", "a < b & c", "a &lt; b &amp; c", ["escaped"]),
    ("escaped", "&quot;x&#39;", "\"x'", ["escaped"]),
    ("escaped", "a < b", "a &gt; b", None),
    ("truncated(5)", "abcdefg", "abcde", ["truncated"]),
    ("truncated(5)", "abcdefg", "abcd", None),
    ("truncated(5)", "abcdefg", "abcdef", None),
    ("truncated(5)", "abcde", "abcd", None),
    ("truncated(5)", "abcdefg", None, None),
    ("truncated(5)", "abcdefg", "abcdx", None),
    ("truncated(4)", "日本語", "日", ["truncated"]),
    ("truncated(6)", "日本語", "日", None),
    ("truncated(20)", FAMILY + FAMILY, FAMILY, ["truncated"]),
    ("truncated(5)", "\U0001f600\U0001f600", "\U0001f600", ["truncated"]),
    ("truncated(4)", HEBREW, HEBREW[:2], ["truncated"]),
    ("truncated(4)", HEBREW, HEBREW[:1], None),
    ("case whitespace", " A", "a", ["case", "whitespace"]),
    ("case whitespace", "A", "a", ["case"]),
    ("case whitespace", " A", "b", None),
    ("null_empty whitespace", " ", None, ["null_empty", "whitespace"]),
    ("whitespace escaped", "a&nbsp;", "a", ["whitespace", "escaped"]),
    ("case truncated(3)", "ABCDE", "abc", ["case", "truncated"]),
    ("unicode_form truncated(2)", E_WITH_ACCENT + "a", E_ACUTE, ["unicode_form", "truncated"]),
    # the cut explains it, whatever else is accepted
    ("line_endings truncated(4)", "ab\r\ncd", "ab\r\n", ["truncated"]),
    ("line_endings truncated(4)", "ab\r\ncd", "ab\n", ["line_endings", "truncated"]),
    ("line_endings truncated(4)", "ab\r\ncd", "ab\ncd", ["line_endings"]),
    ("line_endings truncated(4)", "ab\r\ncd", "ab", None),
    ("line_endings truncated(3)", "ab\r\ncd", "ab\n", ["line_endings", "truncated"]),
    ("whitespace truncated(6)", "abc   def", "abc   ", ["truncated"]),
    ("whitespace truncated(6)", "abc   def", "abc", ["whitespace", "truncated"]),
    ("whitespace truncated(6)", "abc   def", "ab", None),
    ("whitespace truncated(4)", "  abc def", "abc", ["whitespace", "truncated"]),
    ("whitespace truncated(2)", "  hello", "  ", ["truncated"]),
    ("whitespace truncated(2)", "  hello", "he", ["whitespace", "truncated"]),
    ("whitespace truncated(9)", "  hello", "  ", None),
    ("whitespace null_empty truncated(2)", "  hello", None, "all"),
    ("whitespace truncated(2)", "  hello", None, None),
    ("escaped truncated(7)", "Tom &amp; Jerry", "Tom &am", ["truncated"]),
    ("escaped truncated(7)", "Tom & Jerry", "Tom &amp; J", ["escaped", "truncated"]),
    ("escaped whitespace truncated(4)", " a&lt;bcde ", "a&lt", ["whitespace", "truncated"]),
    ("unicode_form truncated(3)", "ae\u0301x", "ae", ["truncated"]),
    ("unicode_form truncated(3)", "ae\u0301x", "a", None),
    ("case truncated(4)", "\u0130stanbul", "\u0130st", ["truncated"]),
    ("case truncated(4)", "\u0130stanbul", "\u0130s", None),
    ("truncated(3)", "a\0b\0c", "a\0b", ["truncated"]),
    ("truncated(0)", "abc", "", ["truncated"]),
    ("truncated(3)", FAMILY, "", ["truncated"]),
    ("truncated(4)", FAMILY, FAMILY[:1], ["truncated"]),
    ("truncated(6)", FAMILY, FAMILY[:1], ["truncated"]),
    # each would do alone: counted under both, never under none
    ("whitespace line_endings", "a\r\n", "a\n", ["whitespace", "line_endings"]),
    ("whitespace line_endings case", "A\r\n", "a\n", ["case"]),
]


@pytest.mark.parametrize(("accepted", "old", "new", "forms"), TEXTS)
def test_texts(database, accepted, old, new, forms):
    code, counted, _ = judged(database, slot_of("text", *accepted.split()), old, new)
    if forms == "all":
        forms, counted = sorted(form.split("(")[0] for form in accepted.split()), sorted(counted)
    assert code == (CHANGED if forms is None else TOLERATED if forms else EQUAL)
    assert code != TOLERATED or counted == forms


NUMBERS = [
    ("decimal", "", "1.50", "1.5", []),
    ("decimal", "", "1.5", "1.51", None),
    ("decimal", "rounded(2)", "1.234", "1.23", ["rounded"]),
    ("decimal", "rounded(2)", "1.235", "1.24", ["rounded"]),
    ("decimal", "rounded(2)", "1.225", "1.22", ["rounded"]),
    ("decimal", "rounded(2)", "1.236", "1.23", None),
    ("decimal", "rounded(2)", "1.234", "1.2", None),
    ("decimal", "rounded(2)", "1.2341", "1.234", None),
    ("decimal", "rounded(2)", "-1.235", "-1.24", ["rounded"]),
    ("decimal", "rounded(2)", "1.23", None, None),
    ("decimal", "rounded(2)", None, "0", None),
    ("decimal", "rounded(0)", "9007199254740993.4", "9007199254740993", ["rounded"]),
    ("decimal", "rounded(0)", "9007199254740993.4", "9007199254740992", None),
    ("decimal", "rounded(2)", "0.00500000000000000001", "0", None),
    ("decimal", "rounded(2)", "0.00500000000000000001", "0.01", ["rounded"]),
    ("decimal", "rounded(2)", "0.33333333333333333333333333333333333333", "0.33", ["rounded"]),
    ("decimal", "rounded(13)", "1.0000000000004", "1", None),
    ("decimal", "rounded(13)", "1.00000000000004", "1", ["rounded"]),
    ("decimal", "rounded(40)", "1.5", "1.6", None),
    ("decimal", "rounded(2)", "9" * 60 + ".001", "9" * 60, ["rounded"]),
    ("decimal", "rounded(2)", "9" * 60 + ".006", "9" * 60, None),
    ("decimal", "rounded(2)", "123456789" * 3 + ".125", "123456789" * 3 + ".13", ["rounded"]),
    ("decimal", "rounded(2)", "-" + "123456789" * 3 + ".125", "123456789" * 3 + ".13", None),
    ("decimal", "rounded(2)", "-" + "12345" * 9 + ".125", "-" + "12345" * 9 + ".13", ["rounded"]),
    ("decimal", "rounded(2)", "5" + "0" * 30 + ".125", "5" + "0" * 29 + ".13", None),
    ("decimal", "rounded(2)", "6" + "0" * 30 + ".125", "5" + "0" * 30 + ".13", None),
    ("decimal", "rounded(0)", "9" * 26, "-" + "9" * 26, None),
    ("decimal", "rounded(0)", "9" * 22 + ".5", "1" + "0" * 22, ["rounded"]),
    ("decimal", "rounded(2)", "0.125", "0.13", ["rounded"]),
    ("decimal", "rounded(2)", "-0.001", "0", ["rounded"]),
    ("float", "", "0.1", "0.10000000000000002", None),
    ("float", "", "NaN", "NaN", []),
    ("float", "", "0", "-0", []),
    ("float", "rounded(1)", "0.26", "0.3", ["rounded"]),
    ("float", "rounded(1)", "0.26", "0.26000001", None),
    ("float", "rounded(1)", "NaN", "0", None),
    ("float(0.01)", "", "1.5", "1.505", ["within_tolerance"]),
    ("float(0.01)", "", "1.5", "1.5", []),
    ("float(0.5)", "", "1", "1.5", ["within_tolerance"]),
    ("float(0.5)", "", "1", "1.6", None),
    ("float(0.1)", "", "0.4", "0.3", ["within_tolerance"]),
    ("float(0.1)", "", "0.3", "0.4", ["within_tolerance"]),
    ("float(0.1)", "", "0.4", "0.29999999999999993", None),
    ("float(0.1)", "", "1000000000.4", "1000000000.3", ["within_tolerance"]),
    ("float(1e-7)", "", "4e-7", "3e-7", ["within_tolerance"]),
    ("float(0.1)", "", "1e17", "1.0000000000000002e17", None),
    ("float(0.1)", "", "1e300", "1.0000000000000002e300", None),
    ("float(0.1)", "", "1e300", "0.1", None),
    ("float(1e20)", "", "1e20", "2e20", ["within_tolerance"]),
    ("float(1e-30)", "", "1", "1.0000000000000002", None),
    ("float(0.1)", "", "Infinity", "1", None),
    ("float(0.01)", "", "NaN", "1", None),
    ("float(0.01)", "", "Infinity", "-Infinity", None),
    ("float(0.01)", "", "1", None, None),
    ("float(0.01)", "rounded(1)", "1.5", "1.505", ["within_tolerance"]),
    ("float(0.01)", "rounded(1)", "1.46", "1.5", ["rounded"]),
    ("time", "time_truncated(second)", "10:20:30.75", "10:20:30", ["time_truncated"]),
    ("time", "time_truncated(second)", "10:20:30.75", "10:20:31", None),
    ("time", "time_truncated(second)", "10:20:30.75+02", "10:20:30+02", ["time_truncated"]),
    ("time", "time_truncated(second)", "10:20:30.75+02", "10:20:30", None),
    ("time", "time_truncated(millisecond)", "10:20:30.12", "10:20:30.12", []),
    ("time", "time_truncated(millisecond)", "10:20:30.1209", "10:20:30.12", ["time_truncated"]),
    ("time", "time_truncated(millisecond)", "10:20:30.0004", "10:20:30", ["time_truncated"]),
    ("time", "time_truncated(minute)", "10:20:30.75", "10:20:00", ["time_truncated"]),
    ("time", "time_truncated(minute)", "10:20:30", "10:20:30.75", None),
    ("time", "time_truncated(hour)", "838:59:59", "838:00:00", ["time_truncated"]),
    ("time", "time_truncated(day)", "10:20:30+02", "00:00:00+02", ["time_truncated"]),
    ("time", "time_truncated(second)", "-00:00:00.5", "00:00:00", ["time_truncated"]),
]
MOMENT = "2011-11-06 10:20:30.123456"
MOMENTS = [
    ("", MOMENT, "2011-11-06 10:20:30.123457", None),
    ("time_truncated(millisecond)", MOMENT, "2011-11-06 10:20:30.123", ["time_truncated"]),
    ("time_truncated(second)", MOMENT, "2011-11-06 10:20:30", ["time_truncated"]),
    ("time_truncated(second)", MOMENT, "2011-11-06 10:20:31", None),
    ("time_truncated(second)", MOMENT, "2011-11-06 10:20:00", None),
    ("time_truncated(day)", MOMENT, "2011-11-06", ["time_truncated"]),
    ("time_truncated(second)", "1969-12-31 23:59:59.5", "1969-12-31 23:59:59", ["time_truncated"]),
    ("time_truncated(second)", "1969-12-31 23:59:59.5", "1970-01-01 00:00:00", None),
    ("time_truncated(second)", INFINITE, MINUS_INFINITE, None),
    ("time_truncated(day)", MINUS_INFINITE, INFINITE, None),
    ("time_truncated(day)", MINUS_INFINITE, "1900-01-01", None),
    ("time_truncated(day)", ZERO, "1970-01-01", None),
    ("time_truncated(day)", "1900-01-01", INFINITE, None),
    ("time_truncated(second)", INFINITE, INFINITE, []),
]
ALL = [*NUMBERS, *(("timestamp", *case) for case in MOMENTS)]


@pytest.mark.parametrize(("kind", "accepted", "old", "new", "forms"), ALL)
def test_numbers_and_times(database, kind, accepted, old, new, forms):
    code, counted, _ = judged(database, slot_of(kind, *accepted.split()), old, new)
    assert code == (CHANGED if forms is None else TOLERATED if forms else EQUAL)
    assert code != TOLERATED or counted == forms


def test_many_rows_with_every_sentinel_do_not_overflow(database):
    """With many rows DuckDB works out a branch for rows that its guard has ruled out."""
    ends = f"{2**63 - 1}, {-(2**63) + 1}, {-(2**63) + 2}"
    for table, step in (("o", 7), ("n", 5)):
        database.execute(
            f"""CREATE OR REPLACE TABLE {table} AS
            SELECT coalesce([{ends}][i % {step} + 1], i * 1000003) AS f0, i, NULL::VARCHAR AS bad
            FROM range(100000) r(i)"""
        )
    rule = rule_for(slot_of("timestamp", "time_truncated(day)"), 0)
    rows = database.execute(
        f"SELECT count(*), sum(x.code) FROM (SELECT {rule.judged()} FROM o JOIN n USING (i)) x"
    ).fetchone()
    assert rows[0] == 100_000


def test_a_fold_equals_either_of_its_readings(database):
    first, second = "2011-11-06 08:30:00", "2011-11-06 09:30:00"
    field = slot_of("timestamp", alternate_old=True, alternate_new=(True,))
    assert judged(database, field, first, second, old2=second)[:2] == (TOLERATED, ["time_fold"])
    assert judged(database, field, first, first, old2=second)[0] == EQUAL
    assert judged(database, field, second, first, new2=second)[:2] == (TOLERATED, ["time_fold"])
    assert judged(database, field, first, "2011-11-06 10:30:00", old2=second)[0] == CHANGED
    assert judged(database, field, first, None, old2=second)[0] == CHANGED


ZONED = [  # (zone, unit, old, new, is it cut?)
    ("Asia/Kolkata", "hour", "2025-06-01 18:15:00", "2025-06-01 17:30:00", True),
    ("Asia/Kolkata", "hour", "2025-06-01 18:15:00", "2025-06-01 18:00:00", True),
    ("Asia/Kolkata", "hour", "2025-06-01 18:15:00", "2025-06-01 18:30:00", False),
    ("Asia/Kolkata", "hour", "2025-06-01 18:15:00", "2025-06-01 16:30:00", False),
    ("Asia/Kolkata", "hour", "2025-06-01 18:15:00", "2025-06-01 17:45:00", False),
    ("Asia/Kolkata", "minute", "2025-06-01 18:15:30", "2025-06-01 18:15:00", True),
    ("America/Los_Angeles", "day", "2025-06-02 06:45:00", "2025-06-01 07:00:00", True),
    ("America/Los_Angeles", "day", "2025-06-02 06:45:00", "2025-06-02 07:00:00", False),
    ("America/Los_Angeles", "day", "2025-06-02 06:45:00", "2025-05-31 07:00:00", False),
    ("America/Los_Angeles", "day", "2025-06-02 06:45:00", "2025-06-02 05:00:00", False),
    ("America/Los_Angeles", "day", "2025-03-10 06:30:00", "2025-03-09 08:00:00", True),
    ("America/Los_Angeles", "day", "1960-01-02 06:30:00", "1960-01-01 08:00:00", True),
    ("America/Los_Angeles", "day", INFINITE, "2025-06-01 07:00:00", False),
    (None, "day", "2025-06-02 06:45:00", "2025-06-01 07:00:00", False),
]


@pytest.mark.parametrize(("zone", "unit", "old", "new", "cut"), ZONED)
def test_a_time_is_cut_on_the_clocks_that_it_was_written_by(database, zone, unit, old, new, cut):
    field = slot_of("timestamp", f"time_truncated({unit})", zone=zone)
    assert judged(database, field, old, new)[0] == (TOLERATED if cut else CHANGED)


VOTES = {"5": "up", "4": "up", "3": "none", "1": "down"}
MAPS = [
    (VOTES, "5", "up", EQUAL),
    (VOTES, "05", "up", EQUAL),
    (VOTES, "5", "down", CHANGED),
    (VOTES, "2", "down", NOT_COMPARED),
    (VOTES, "2", None, NOT_COMPARED),
    (VOTES, None, None, EQUAL),
    (VOTES, None, "none", CHANGED),
    (VOTES, "3", None, CHANGED),
    ({None: "none", "5": "up"}, None, "none", EQUAL),
    ({None: "none", "5": "up"}, None, None, CHANGED),
    ({None: "none"}, "5", "none", NOT_COMPARED),
    ({"5": None}, "5", None, EQUAL),
    ({"5": None}, "5", "up", CHANGED),
    ({"5": "it's"}, "5", "it's", EQUAL),
]


@pytest.mark.parametrize(("mapping", "old", "new", "code"), MAPS)
def test_maps(database, mapping, old, new, code):
    found = judged(database, slot_of("integer", new="text", map=mapping), old, new)
    assert found[0] == code
    if code == CHANGED:
        assert found[2] == ("nulled" if new is None and old is not None else "mapped_wrong")


@pytest.mark.parametrize(
    ("accepted", "new", "cause"),
    [
        ("line_endings", "Bon vin.\nTr", "truncated"),
        ("line_endings", "BON VIN.\nTRÈS BON.", "case"),
        ("case", "bon vin.\r\nTr", "truncated"),
        ("", "Bon vin.\nTr", "other"),
    ],
)
def test_what_is_accepted_does_not_hide_another_cause(database, accepted, new, cause):
    found = judged(database, slot_of("text", *accepted.split()), "Bon vin.\r\nTrès bon.", new)
    assert (found[0], found[2]) == (CHANGED, cause)


MAPPED = [  # (type of the keys, of the results, accepted, new, code, forms)
    ("integer", "text", "case", "UP", TOLERATED, ["case"]),
    ("integer", "text", "case", "down", CHANGED, None),
    ("text", "float", "rounded(1)", "1.3", TOLERATED, ["rounded"]),
    ("float(0.5)", "float", "", "1.5", TOLERATED, ["within_tolerance"]),
    ("float(0.5)", "text", "", "1.5", CHANGED, None),
    ("float(0.5)", "integer", "", "2", CHANGED, None),
    ("text", "timestamp", "time_truncated(day)", "2011-11-06", TOLERATED, ["time_truncated"]),
]


@pytest.mark.parametrize(("old", "new", "accepted", "value", "code", "forms"), MAPPED)
def test_what_is_accepted_of_a_mapped_value_goes_by_the_new_type(
    database, old, new, accepted, value, code, forms
):
    result = {"timestamp": MOMENT, "integer": "1", "float": "1.26"}.get(new, "up")
    field = slot_of(old, *accepted.split(), new=new, map={"5": result})
    found = judged(database, field, "5", value)
    assert found[0] == code
    assert forms is None or found[1] == forms


def test_the_second_reading_of_a_mapped_time_is_not_compared_with_its_result(database):
    field = slot_of("timestamp", new="text", map={MOMENT: "then"}, alternate_old=True)
    assert judged(database, field, MOMENT, "then", old2=MOMENT)[0] == EQUAL
    assert judged(database, field, MOMENT, "now", old2=MOMENT)[0] == CHANGED


PAIRS = [
    ("a", "a", True),
    ("a", "A", True),
    ("a", "b", False),
    (None, None, True),
    ("a", None, False),
]


@pytest.mark.parametrize(("old", "new", "same"), PAIRS)
def test_same_as_accepted_is_equal_or_tolerated(database, old, new, same):
    field = slot_of("text", "case")
    put(database, "o", old, field.old)
    put(database, "n", new, field.new[0])
    test = rule_for(field, 0).same_as_accepted()
    assert database.execute(f"SELECT {test} FROM o, n").fetchone() == (same,)


def test_a_value_that_the_map_does_not_know_is_same_as_nothing(database):
    field = slot_of("integer", "null_empty", new="text", map={"5": "up"})
    put(database, "o", "2", field.old)
    put(database, "n", None, field.new[0])
    test = rule_for(field, 0).same_as_accepted()
    assert database.execute(f"SELECT {test} FROM o, n").fetchone() == (False,)


@pytest.mark.parametrize(
    ("mapping", "folded"),
    [
        ({"5": "up", "1": "down"}, ""),
        (VOTES, "5 4"),
        ({None: "none", "3": "none", "5": "up"}, "3 NULL"),
        ({"3": None, "5": "up"}, "3 NULL"),
    ],
)
def test_what_a_lossy_map_folds(database, mapping, folded):
    field = slot_of("integer", new="text", map=mapping)
    rule = rule_for(field, 0)
    found = []
    for old in (*(k for k in mapping if k), None):
        put(database, "o", old, field.old)
        if database.execute(f"SELECT {rule.folded()} FROM o").fetchone()[0]:
            found.append(old or "NULL")
    assert found == folded.split()
    assert rule.is_lossy == bool(folded)


@pytest.mark.parametrize("mapping", [{"five": "up"}, {"5.5": "up"}])
def test_a_map_whose_key_does_not_parse_is_refused(mapping):
    with pytest.raises(ValueError, match="is not a value of type integer"):
        rule_for(slot_of("integer", new="text", map=mapping), 0)


@pytest.mark.parametrize(("old", "new"), [(BAD, "1"), ("1", BAD), (BAD, None), (BAD, BAD)])
@pytest.mark.parametrize("kind", ["integer", "float(1)", "timestamp", "text"])
def test_what_does_not_parse_is_not_compared(database, kind, old, new):
    good = "2011-11-06" if kind == "timestamp" else "1"
    sides = (good if side == "1" else side for side in (old, new))
    assert judged(database, slot_of(kind), *sides)[0] == NOT_COMPARED


CAUSES = [
    ("text", "a", None, "nulled"),
    ("text", "a", "", "emptied"),
    ("text", None, "", "null_empty"),
    ("text", "", None, "null_empty"),
    ("text", None, "a", "other"),
    ("text", "日本語のタイトル", "日本語", "truncated"),
    ("text", ARABIC, ARABIC[:3], "truncated"),
    ("text", FAMILY, FAMILY[:1], "truncated"),
    ("text", "na\u00efve", "na\ufffdve", "garbled"),
    ("text", "日本語", "\ufffd\ufffd\ufffd", "garbled"),
    ("text", "Straße", "STRAßE", "case"),
    ("text", HEBREW + " ", HEBREW, "whitespace"),
    ("text", "a\r\nb", "a\nb", "line_endings"),
    ("text", GA, GA_JAMO, "unicode_form"),
    ("text", "A & B", "A &amp; B", "escaped"),
    ("text", "the one", "the other", "other"),
    ("timestamp", "2011-07-01 12:00", "2011-07-01 05:00", "time_shift"),
    ("timestamp", "2011-07-01 12:00", "2011-07-01 17:30", "time_shift"),
    ("timestamp", MOMENT, "2011-11-06 10:20:30", "time_truncated"),
    ("timestamp", MOMENT, "2011-11-06", "time_truncated"),
    ("timestamp", "2011-07-01", "2012-07-01", "other"),
    ("timestamp", INFINITE, ZERO, "other"),
    ("timestamp", INFINITE, "1960-01-01", "other"),
    ("timestamp", "1960-01-01", MINUS_INFINITE, "other"),
    ("timestamp", INFINITE, None, "nulled"),
    ("decimal", "1.239", "1.24", "rounded"),
    ("decimal", "1.5", "150", "rescaled"),
    ("decimal", "0", "5", "other"),
    ("integer", "300", "255", "overflowed"),
    ("integer", "3000000000", "2147483647", "overflowed"),
    ("integer", "70000", "4464", "overflowed"),
    ("integer", "5", "50", "rescaled"),
    ("integer", "1", "2", "other"),
    ("decimal", "25.50", "25", "rounded"),
    ("integer", "5", "3", "other"),
    ("integer", "5", None, "nulled"),
    ("boolean", "true", "false", "other"),
]


@pytest.mark.parametrize(("kind", "old", "new", "cause"), CAUSES)
def test_causes(database, kind, old, new, cause):
    old, new = (f"{t}:00" if t and t.count(":") == 1 else t for t in (old, new))
    assert judged(database, slot_of(kind), old, new)[::2] == (CHANGED, cause)


EVIDENCE = [
    ("text", "日本語", "[3 characters, masked]", "日本語"),
    ("text", "", "[0 characters, masked]", ""),
    ("text", None, None, None),
    ("json", '{"a":1}', "[7 characters, masked]", '{"a":1}'),
    ("bytes", "\\x00ff", "[2 bytes, masked]", "00ff"),
    ("enum", "five", "five", "five"),
    ("integer", "5", "5", "5"),
    ("decimal", "1.50", "1.5", "1.5"),
    ("boolean", "t", "true", "true"),
    ("timestamp", "2011-11-06 10:20:30", "2011-11-06 10:20:30", "2011-11-06 10:20:30"),
    ("timestamp", None, None, None),
    ("timestamp", INFINITE, "infinity", "infinity"),
    ("timestamp", MINUS_INFINITE, "-infinity", "-infinity"),
    ("timestamp", ZERO, "0000-00-00 00:00:00", "0000-00-00 00:00:00"),
]


@pytest.mark.parametrize(("kind", "value", "masked", "revealed"), EVIDENCE)
@pytest.mark.parametrize("side", ["o", "n"])
def test_evidence_masks_free_text_unless_revealed(database, side, kind, value, masked, revealed):
    field = slot_of(kind)
    put(database, side, value, field.old)
    shown = [rule_for(field, 0).evidence(side, reveal) for reveal in (False, True)]
    assert database.execute(f"SELECT {', '.join(shown)} FROM {side}").fetchone() == (
        masked,
        revealed,
    )
