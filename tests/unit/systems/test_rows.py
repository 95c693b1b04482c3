"""Python values into Arrow: exact, and never failing for a mix."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest

from safeguard.systems.rows import array_of

NOON = dt.datetime(2020, 1, 1, 12)


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ([1, None, 2**63 - 1], pa.int64(), None),
        ([1, 2**64 - 1, None], pa.string(), ["1", "18446744073709551615", None]),
        ([True, 5], pa.string(), ["true", "5"]),
        ([1, 0.1, "x", None], pa.string(), ["1", "0.1", "x", None]),
        (
            [b"\x00\xff", "a", 5, None],
            pa.struct([("text", pa.string()), ("bytes", pa.binary())]),
            [
                {"text": None, "bytes": b"\x00\xff"},
                {"text": "a", "bytes": None},
                {"text": "5", "bytes": None},
                None,
            ],
        ),
        ([memoryview(b"a"), None], pa.binary(), [b"a", None]),
        ([Decimal("1.50")], pa.string(), ["1.50"]),
        ([NOON, None], pa.timestamp("us"), None),
        ([NOON.replace(tzinfo=dt.UTC)], pa.string(), ["2020-01-01 12:00:00+00:00"]),
        ([dt.date(1, 1, 1)], pa.date32(), None),
        ([dt.time(1, 2, tzinfo=dt.UTC)], pa.string(), ["01:02:00+00:00"]),
        ([dt.timedelta(hours=-838, seconds=-1)], pa.string(), ["-838:00:01"]),
        ([dt.timedelta(microseconds=5)], pa.string(), ["00:00:00.000005"]),
        ([uuid.UUID(int=1)], pa.string(), ["00000000-0000-0000-0000-000000000001"]),
        ([{"a": [1, None]}], pa.string(), ['{"a": [1, null]}']),
        ([None, None], pa.null(), None),
        ([], pa.null(), None),
    ],
)
def test_columns(values: list[object], kind: pa.DataType, wanted: list[object] | None) -> None:
    array = array_of(values)
    assert array.type == kind
    assert array.to_pylist() == (values if wanted is None else wanted)


@pytest.mark.parametrize("value", [object(), {"a": Decimal("1.5")}, [float("nan")]])
def test_what_has_no_exact_text_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        array_of([value])
