"""Python values become columns exactly, or the column is refused by name."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from safeguard import DidNotSurvive, assert_survives
from safeguard.surviving.values import NotExact, array_of

UTC = dt.UTC
NOON = dt.datetime(2024, 7, 1, 12, 0, 0, 1, UTC)
ONE = uuid.UUID("00000000-0000-0000-0000-000000000001")


class Medium(StrEnum):
    DVD = "dvd"


class Stars(IntEnum):
    FIVE = 5


class Plain(Enum):
    A = 1


BARELY_DIFFERENT: dict[str, tuple[Any, Any]] = {
    "beyond a double": (2**53, 2**53 + 1),
    "lowest of 64 bits": (-(2**63), -(2**63) + 1),
    "beyond 64 bits": (2**64 + 1, 2**64),
    "unsigned": (2**64 - 1, 2**64 - 2),
    "sixty digits": (10**60, 10**60 + 1),
    "decimal": (Decimal("0.1"), Decimal("0.10000000000000000000000000000000001")),
    "decimal of 76 digits": (Decimal("1" * 76), Decimal("1" * 75 + "2")),
    "decimal with an exponent": (Decimal("1E+20"), Decimal("1E+20") + 1),
    "float": (0.1 + 0.2, 0.3),
    "text": ("é", "e\u0301"),
    "text of blanks": ("a", "a "),
    "none and empty": (None, ""),
    "bytes": (b"\x00\xff", b"\x00\xfe"),
    "truth": (True, False),
    "instant": (NOON, NOON + dt.timedelta(microseconds=1)),
    "naive": (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None, microsecond=2)),
    "nanoseconds": (pd.Timestamp("2024-07-01T12:00:00.000000001Z"), pd.Timestamp(NOON)),
    "date": (dt.date(2024, 2, 29), dt.date(2024, 3, 1)),
    "early date": (dt.date(1, 1, 1), dt.date(1, 1, 2)),
    "time": (dt.time(23, 59, 59, 999999), dt.time(23, 59, 59)),
    "uuid": (ONE, uuid.UUID(int=2)),
    "number in json": ({"n": 2**70}, {"n": 2**70 + 1}),
    "decimal in json": ({"n": [Decimal("0.10"), None]}, {"n": [Decimal("0.11"), None]}),
    "text of a number in json": ({"n": 1}, {"n": "1"}),
    "order in json": ([1, 2], [2, 1]),
    "numpy": (np.int64(2**62), np.int64(2**62 + 1)),
}


def test_what_barely_differs_is_found_in_every_type() -> None:
    """One row and one column for each pair; row n differs in column n alone."""
    fields = [f"f{n}" for n in range(len(BARELY_DIFFERENT))]
    pairs = list(BARELY_DIFFERENT.values())
    old = [{"id": n, **dict(zip(fields, (a for a, _ in pairs), strict=True))} for n in range(99)]
    new = [dict(row) for row in old]
    for n, (_, other) in enumerate(pairs):
        new[n][fields[n]] = other
    contract = {"owner": "id", "shape": "record", "fields": fields}
    assert_survives(old=old, new=list(old), contract=contract, timezone="UTC")
    with pytest.raises(DidNotSurvive) as caught:
        assert_survives(old=old, new=new, contract=contract, timezone="UTC")
    assert caught.value.result.contents[0].findings == {"changed": len(pairs)}
    assert caught.value.result.contents[0].field_causes.keys() == set(fields)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (NOON, NOON.astimezone(ZoneInfo("Asia/Tokyo"))),
        (Decimal("1.5"), Decimal("1.50")),
        ({"a": 1, "b": Decimal("1.0")}, {"b": Decimal(1), "a": 1}),
        (Medium.DVD, "dvd"),
        (Stars.FIVE, 5),
        (b"ab", bytearray(b"ab")),
        (b"ab", memoryview(b"ab")),
        (True, np.bool_(True)),
        (0.5, np.float32(0.5)),
        (None, pd.NaT),
        (NOON, pd.Timestamp(NOON)),
    ],
)
def test_one_value_in_two_forms_is_one_value(one: Any, same: Any) -> None:
    rows = [{"id": 1, "f": one}], [{"id": 1, "f": same}]
    assert_survives(old=rows[0], new=rows[1], contract={"owner": "id", "fields": ["f"]})


def test_a_table_without_any_value_has_no_type() -> None:
    assert array_of([None, None]).type == pa.null()
    assert array_of([]).type == pa.null()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, True], "mixes int (row 0) and bool (row 1): make them one type"),
        ([None, 1, 1.0], "mixes int (row 1) and float (row 2): make them one type"),
        ([1, Decimal(1)], "mixes int (row 0) and Decimal (row 1)"),
        (["1", 1], "mixes str (row 0) and int (row 1)"),
        ([b"a", "a"], "mixes bytes (row 0) and str (row 1)"),
        ([NOON, NOON.replace(tzinfo=None)], "and datetime without a zone (row 1)"),
        ([dt.datetime(2024, 11, 3, 1, fold=1)], "row 0 is in a fold and has no zone: give it one"),
        ([dt.date(2024, 1, 1), NOON], "mixes date (row 0) and datetime (row 1)"),
        ([{"a": 1}, "{}"], "mixes JSON (row 0) and str (row 1)"),
        ([Decimal("NaN")], "row 0 is NaN, which no decimal can be"),
        ([None, Decimal("-Infinity")], "row 1 is -Infinity"),
        ([10**76], "needs 77 digits, and 76 can be kept: give it as text"),
        ([Decimal("1E+40"), Decimal("1E-40")], "needs 81 digits"),
        ([dt.timedelta(1)], "row 0 is of type datetime.timedelta, which has no exact form"),
        ([dt.time(1, tzinfo=UTC)], "row 0 is a time with a zone: give it as text"),
        ([Plain.A], "row 0 is Plain.A: give its `.value`"),
        ([object()], "row 0 is of type object"),
        ([1j], "row 0 is of type complex"),
        ([np.datetime64("2024-01-01T00:00:00.000000001")], "row 0 is of type numpy.datetime64"),
        (["\ud800"], "can't be kept exactly"),
        ([{"a": math.nan}], "row 0 has nan in its JSON, which JSON has not"),
        ([{"a": [{1: 2}]}], "row 0 has the key 1 in its JSON: keys are texts"),
        ([[NOON]], "row 0 has a datetime in its JSON"),
        ([[Decimal("NaN")]], "row 0 has a Decimal in its JSON"),
    ],
)
def test_what_can_not_be_kept_is_named(values: list[Any], said: str) -> None:
    with pytest.raises(NotExact) as caught:
        array_of(values)
    assert said in str(caught.value)
