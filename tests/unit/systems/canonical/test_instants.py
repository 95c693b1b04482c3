"""The vectorised way and zoneinfo's rules must give the same instants, in every zone and year."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeguard.contract.types import Type, TypeName
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import SourceType

ZONES = ("America/Los_Angeles", "Europe/Amsterdam", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
EPOCH = dt.datetime(1970, 1, 1)


def read(raw: pa.Array, zone: str, *, as_written: bool = False) -> list[tuple[int, int | None]]:
    column = CanonicalColumn(
        "at",
        SourceType(None),
        Type(TypeName.TIMESTAMP),
        Storage.INT64,
        zone=zone,
        as_written=as_written,
        alternate=True,
    )
    found = canonical_batch(pa.record_batch([raw], names=["at"]), (column,)).to_pydict()
    assert found["bad"] == [None] * len(raw)
    return list(zip(found["at"], found["at__alt"], strict=True))


def micros(naive: dt.datetime, zone: str, fold: int) -> int:
    offset = naive.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset()
    assert offset is not None
    return (naive - EPOCH - offset) // dt.timedelta(microseconds=1)


def expected(naive: dt.datetime, zone: str) -> tuple[int, int | None]:
    first, second = micros(naive, zone, 0), micros(naive, zone, 1)
    return first, None if first == second else second


@settings(deadline=None)
@given(st.lists(st.datetimes(), max_size=20), st.sampled_from(ZONES))
def test_every_naive_time_is_read_as_zoneinfo_reads_it(
    moments: list[dt.datetime], zone: str
) -> None:
    wanted = [expected(moment, zone) for moment in moments]
    assert read(pa.array(moments, pa.timestamp("us")), zone) == wanted
    texts = pa.array([moment.isoformat(" ") for moment in moments], pa.string())
    assert read(texts, zone) == wanted


@pytest.mark.parametrize("zone", ZONES)
def test_each_quarter_of_an_hour_of_a_year_with_its_folds_and_gaps(zone: str) -> None:
    start = dt.datetime(2011, 1, 1)
    moments = [start + dt.timedelta(minutes=15 * n) for n in range(365 * 96)]
    found = read(pa.array(moments, pa.timestamp("us")), zone)
    assert found == [expected(moment, zone) for moment in moments]


def test_an_offset_in_a_fold_is_never_lost_to_the_wall_time() -> None:
    texts = ["2025-11-02 01:30:00-07:00", "2025-11-02 01:30:00-08:00", "2025-11-02 03:30:00-08:00"]
    column = CanonicalColumn(
        "at",
        SourceType(None),
        Type(TypeName.TIMESTAMP),
        Storage.INT64,
        zone="America/Los_Angeles",
        as_written=True,
    )
    found = canonical_batch(pa.record_batch([pa.array(texts)], names=["at"]), (column,)).to_pydict()
    assert [
        (at is None, bad is None) for at, bad in zip(found["at"], found["bad"], strict=True)
    ] == [
        (True, False),
        (True, False),
        (False, True),
    ]


@settings(deadline=None)
@given(st.datetimes(timezones=st.sampled_from([ZoneInfo(zone) for zone in ZONES])))
def test_wall_time_of_an_instant_is_that_of_its_zone(moment: dt.datetime) -> None:
    utc = moment.astimezone(dt.UTC) if 2 < moment.year < 9998 else moment.replace(tzinfo=dt.UTC)
    zone = "America/Los_Angeles"
    text = pa.array([utc.replace(tzinfo=None).isoformat(" ") + "Z"])
    try:
        wall = utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except OverflowError:
        return
    if expected(wall, zone)[1] is not None:
        return
    wanted = (wall - EPOCH) // dt.timedelta(microseconds=1)
    assert read(text, zone, as_written=True) == [(wanted, None)]
    raw = pa.array([utc], pa.timestamp("us", "UTC"))
    assert read(raw, zone, as_written=True) == [(wanted, None)]
