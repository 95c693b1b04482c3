"""What whole columns tell: the cause that the pair could not, and the sentence."""

from __future__ import annotations

import datetime as dt
import random
import struct
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from column_changes import changes_of
from safeguard.comparing import content, gathering

Pairs = list[tuple[Any, Any]]
YEAR = [dt.datetime(2023, 1, 1, 10, 7, 31) + dt.timedelta(hours=37 * i) for i in range(230)]
NEW_YORK = ZoneInfo("America/New_York")


def later(hours: float, when: Callable[[dt.datetime], bool] = lambda _: True) -> Pairs:
    return [(str(t), str(t + dt.timedelta(hours=hours))) for t in YEAR if when(t)]


def in_summer(moment: dt.datetime) -> bool:
    return bool(moment.replace(tzinfo=NEW_YORK).dst())


def as_utc(moment: dt.datetime) -> str:
    """What stands there when a time of New York is stored as UTC and read as if it were local."""
    return str(moment.replace(tzinfo=NEW_YORK).astimezone(dt.UTC).replace(tzinfo=None))


WRITTEN = {"clocks": "America/New_York", "as_written": True}
UTC = {"clocks": "UTC", "as_written": True}
LONG = ["a letter with ä, 日本 and more" + "x" * i for i in range(40)]


def single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


COLUMNS: dict[str, tuple[str, Pairs, dict[str, Any], dict[str, int], list[str]]] = {
    "one shift": (
        "timestamp",
        later(-1),
        WRITTEN,
        {"time_shift": 230},
        ["230 of value are one hour early"],
    ),
    "half an hour": (
        "timestamp",
        later(5.5),
        UTC,
        {"time_shift": 230},
        ["230 of value are 5 hours 30 minutes late"],
    ),
    "summer time": (
        "timestamp",
        later(-1, in_summer),
        WRITTEN,
        {"time_shift": 154},
        ["154 of value are one hour early, all inside summer time of America/New_York"],
    ),
    "winter time": (
        "timestamp",
        later(1, lambda t: not in_summer(t)),
        WRITTEN,
        {"time_shift": 76},
        ["76 of value are one hour late, all outside summer time of America/New_York"],
    ),
    "summer time of nobody's zone": (
        "timestamp",
        later(-1, in_summer),
        UTC,
        {"time_shift": 154},
        [
            (
                "154 of value are one hour early, "
                "all inside summer time of America/New_York or America/Los_Angeles"
            )
        ],
    ),
    "few in summer": (
        "timestamp",
        later(-1, in_summer)[:9],
        WRITTEN,
        {"time_shift": 9},
        ["9 of value are one hour early"],
    ),
    "read as UTC": (
        "timestamp",
        [(str(t), as_utc(t)) for t in YEAR],
        WRITTEN,
        {"time_shift": 230},
        [
            "230 of value are as far off as America/New_York is from UTC: 4 hours late or 5 hours late"
        ],
    ),
    "shifts of no pattern": (
        "timestamp",
        [*later(-1)[:100], *later(3)[100:150]],
        UTC,
        {"time_shift": 150},
        ["100 of value are one hour early", "50 of value are 3 hours late"],
    ),
    "cut to hours, though quarters": (
        "timestamp",
        [
            (f"2023-01-01 {h:02}:{m}:00", f"2023-01-01 {h:02}:00:00")
            for h in range(24)
            for m in (15, 30, 45)
        ],
        UTC,
        {"time_truncated": 72},
        ["72 of value are cut to whole hours"],
    ),
    "cut to seconds": (
        "timestamp",
        [(f"{t}.9{i % 9 + 1}", str(t)) for i, t in enumerate(YEAR)],
        UTC,
        {"time_truncated": 230},
        ["230 of value are cut to whole seconds"],
    ),
    "rounded to seconds": (
        "timestamp",
        [
            (f"{t}.{i % 9 + 1}", str(t + dt.timedelta(seconds=i % 9 >= 4)))
            for i, t in enumerate(YEAR)
        ],
        UTC,
        {"rounded": 230},
        ["230 of value are rounded to whole seconds"],
    ),
    "the time of the migration": (
        "timestamp",
        [(str(t), "2026-03-01 02:00:00.123456") for t in YEAR],
        UTC,
        {"defaulted": 230},
        ["230 of value had 230 different values and became `2026-03-01 02:00:00.123456`"],
    ),
    "1970": (
        "timestamp",
        [(str(t), "1970-01-01") for t in YEAR[:3]],
        UTC,
        {"defaulted": 3},
        ["3 of value had 3 different values and became `1970-01-01 00:00:00`"],
    ),
    "2038": (
        "timestamp",
        [
            ("2040-01-01 00:00:00", "2038-01-19 03:14:07"),
            ("2045-05-05 05:05:05", "1909-03-29 22:36:49"),
        ],
        UTC,
        {"overflowed": 2},
        ["2 of value are later than 2038-01-19 03:14:07, where seconds in 32 bits end"],
    ),
    "a day early": (
        "date",
        [(str(t.date()), str(t.date() - dt.timedelta(1))) for t in YEAR],
        {},
        {"time_shift": 230},
        ["230 of value are one day early"],
    ),
    "day for month": (
        "date",
        [("2023-03-04", "2023-04-03"), ("2023-01-12", "2023-12-01")],
        {},
        {"other": 2},
        ["2 of value have day and month swapped"],
    ),
    "an hour of the day": ("time", [("10:15:30", "09:15:30")], {}, {"time_shift": 1}, []),
    "cut at characters": (
        "text",
        [(t, t[:25]) for t in LONG],
        {},
        {"truncated": 40},
        ["40 of value are cut off at 25 characters"],
    ),
    "cut at bytes": (
        "text",
        [
            (t, t.encode()[:20].decode(errors="ignore"))
            for t in ("日本語の長い題名です", "é日本語の長い題名です", "éé長い題名がここにある")
        ],
        {},
        {"truncated": 3},
        ["3 of value are cut off at 20 bytes"],
    ),
    "cut at bytes within a character": (
        "text",
        [
            (t, t.encode()[:20].decode(errors="replace"))
            for t in ("日本語の長い題名です", "é日本語の長い題名です", "éé長い題名がここにある")
        ],
        {},
        {"truncated": 3},
        ["3 of value are cut off at 20 bytes"],
    ),
    "one default": (
        "text",
        [(t, "unknown") for t in LONG],
        {},
        {"defaulted": 40},
        ["40 of value had 40 different values and became one value"],
    ),
    "one default, revealed": (
        "text",
        [(t, "unknown") for t in LONG],
        {"reveal": True},
        {"defaulted": 40},
        ["40 of value had 40 different values and became `unknown`"],
    ),
    "filled with a default": (
        "text",
        [(None, "unknown")] * 30,
        {},
        {"defaulted": 30},
        ["30 of value had none and became one value"],
    ),
    "a default of few values": (
        "enum",
        [(v, "free") for v in ("gold", "plus", "trial") for _ in range(30)],
        {},
        {"other": 90},
        [
            "30 of value were `gold` and became `free`",
            "30 of value were `plus` and became `free`",
            "30 of value were `trial` and became `free`",
        ],
    ),
    "cut to one start is no default": (
        "text",
        [(f"abc{t}", "abc") for t in LONG],
        {},
        {"truncated": 40},
        ["40 of value are cut off at 3 characters"],
    ),
    "the largest number is no default": (
        "integer",
        [(str(3 * 10**9 + i), "2147483647") for i in range(30)],
        {},
        {"overflowed": 30},
        ["30 of value are past 2147483647 and became it"],
    ),
    "past 2^53": (
        "integer",
        [(str(2**53 + 1), str(2**53)), (str(2**60 + 3), str(2**60))],
        {},
        {"overflowed": 2},
        [
            "2 of value are past 9007199254740992 (2^53), where a float of 8 bytes has not every number"
        ],
    ),
    "round the end": (
        "integer",
        [(str(2**32 + 5), "5"), (str(2**33 + 70_000), "70000")],
        {},
        {"overflowed": 2},
        ["2 of value went round past the end of their new type"],
    ),
    "one less": (
        "integer",
        [(str(i * i), str(i * i - 1)) for i in range(7, 60)],
        {},
        {"other": 53},
        ["53 of value are 1 less than they were"],
    ),
    "twice": (
        "integer",
        [(str(i * i), str(2 * i * i)) for i in range(7, 60)],
        {},
        {"rescaled": 53},
        ["53 of value are multiplied by 2"],
    ),
    "cents": (
        "decimal",
        [(f"{i}.99", f"{i}99") for i in range(1, 40)],
        {},
        {"rescaled": 39},
        ["39 of value are multiplied by 100"],
    ),
    "float32": (
        "float",
        [(repr(i / 7), repr(single(i / 7))) for i in range(1, 50) if i % 7],
        {},
        {"rounded": 42},
        ["42 of value are as a float of 4 bytes holds them"],
    ),
    "float32 of decimals": (
        "decimal",
        [("123456.789", "123456.7890625"), ("16777.2171", "16777.217")],
        {},
        {"rounded": 2},
        ["2 of value are as a float of 4 bytes holds them"],
    ),
    "two places": (
        "decimal",
        [(f"{i}.1{i % 9 + 1}7", f"{i}.1{i % 9 + 2}") for i in range(1, 20) if i % 9 < 8],
        {},
        {"rounded": 17},
        ["17 of value are rounded to 2 places"],
    ),
    "garbled": (
        "text",
        [
            (t, t.encode().decode("cp1252", "replace").replace("\ufffd", "\x9d"))
            for t in ("naïve", "für")
        ],
        {},
        {"garbled": 2},
        ["2 of value are UTF-8 read as Windows-1252"],
    ),
    "guids": (
        "uuid",
        [("00112233-4455-6677-8899-aabbccddeeff", "33221100-5544-7766-8899-aabbccddeeff")],
        {},
        {"garbled": 1},
        ["1 of value has the bytes of their first groups turned round"],
    ),
    "capitals": (
        "text",
        [("Ärger", "ÄRGER"), ("мир", "МИР")],
        {},
        {"case": 2},
        ["2 of value are in capitals now"],
    ),
    "truth": (
        "boolean",
        [("true", "false")] * 3,
        {},
        {"other": 3},
        ["3 of value were `true` and became `false`"],
    ),
    "maps": (
        "decimal",
        [("3.0", "down")] * 5,
        {"mapping": {"2.5": "down", "3.0": "up", "3.5": "up"}, "new": "text"},
        {"mapped_wrong": 5},
        [
            (
                "5 of value were `3.0` and became `down`; "
                "the contract's map says `up`, where its boundary lies"
            )
        ],
    ),
    "maps, to what it does not know": (
        "integer",
        [("1", "secret")],
        {"mapping": {"1": "up"}, "new": "text"},
        {"mapped_wrong": 1},
        ["1 of value was `1` and became another value; the contract's map says `up`"],
    ),
    "maps, and what was mapped is in another case": (
        "integer",
        [("1", "UP"), ("2", "UP"), ("3", "DOWN")],
        {"mapping": {"1": "up", "2": "up", "3": "down"}, "new": "text"},
        {"case": 3},
        ["3 of value are in capitals now"],
    ),
    "maps, and what was mapped ends in blanks": (
        "integer",
        [("1", "up "), ("2", "up ")],
        {"mapping": {"1": "up", "2": "up"}, "new": "enum"},
        {"whitespace": 2},
        ["2 of value have blanks at their end that were not there"],
    ),
    "maps, and what was mapped is empty": (
        "integer",
        [("1", ""), ("2", "")],
        {"mapping": {"1": None, "2": None}, "new": "text"},
        {"null_empty": 2},
        ["2 of value have an empty text for no value"],
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(exchange, name: str) -> None:
    kind, pairs, more, causes, patterns = COLUMNS[name]
    told = changes_of(exchange, kind, pairs, **more)
    assert dict(told.causes) == causes
    assert told.patterns == patterns


MAPPED = {
    "in capitals": ("integer", "text", {"1": "up"}, ("1", "UP")),
    "with a blank": ("integer", "text", {"1": "up"}, ("1", "up ")),
    "cut": ("integer", "text", {"1": "upwards"}, ("1", "upw")),
    "emptied": ("integer", "text", {"1": "up"}, ("1", "")),
    "nulled": ("integer", "text", {"1": "up"}, ("1", None)),
    "escaped": ("integer", "text", {"1": "up & on"}, ("1", "up &amp; on")),
    "garbled": ("integer", "text", {"1": "hé"}, ("1", "hÃ©")),
    "of another line ending": ("integer", "text", {"1": "a\nb"}, ("1", "a\r\nb")),
    "decomposed": ("integer", "text", {"1": "h\u00e9"}, ("1", "he\u0301")),
    "a text in capitals": ("text", "text", {"a": "up"}, ("a", "UP")),
    "a number that is off": ("text", "integer", {"a": "5"}, ("a", "6")),
    "a number that is rescaled": ("text", "decimal", {"a": "5"}, ("a", "500")),
    "a time that is off": (
        "text",
        "timestamp",
        {"a": "2024-07-01 10:00:00"},
        ("a", "2024-07-01 11:00:00"),
    ),
    "a truth that is turned round": ("text", "boolean", {"a": "true"}, ("a", "false")),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_mapped_column_is_told_by_what_its_map_says(exchange, name: str) -> None:
    """Its old and new values are of two types and two meanings: the new one stands beside what the
    map makes of the old one."""
    old, new, mapping, pair = MAPPED[name]
    told = changes_of(exchange, old, [pair] * 8, mapping=mapping, new=new)
    (cause,) = told.causes
    assert told.causes[cause] == 8
    if cause == "mapped_wrong":
        assert all("the contract's map says" in text for text in told.patterns)


def test_a_column_in_which_one_value_is_far_more_frequent_has_no_default(exchange) -> None:
    """Mixed at random, 95 % of one value: it gives way as often as it comes."""
    chance = random.Random(3)
    made = [
        "US" if chance.random() < 0.95 else f"country {chance.randint(1, 50)}" for _ in range(4000)
    ]
    moved = chance.sample(made, len(made))
    pairs = [(a, b) for a, b in zip(made, moved, strict=True) if a != b]
    assert dict(changes_of(exchange, "text", pairs).causes) == {"other": len(pairs)}


def test_every_changed_time_of_a_year_is_not_said_to_be_in_summer(exchange) -> None:
    pairs = later(-1, in_summer)
    told = changes_of(exchange, "timestamp", pairs, due=len(pairs), **WRITTEN)
    assert told.patterns == ["154 of value are one hour early"]


CONTRACT = {
    "shape": "record",
    "owner": "owner",
    "item": "item",
    "fields": {"value": None, "medium": None},
}


def _rows(*values: tuple[str | None, str | None]) -> list[dict[str, Any]]:
    return [{"owner": i, "item": 1, "value": v, "medium": m} for i, (v, m) in enumerate(values)]


def test_fields_that_are_swapped(compare) -> None:
    old = _rows(*((f"first {i}", f"last {i}") for i in range(12)))
    new = [row | {"value": row["medium"], "medium": row["value"]} for row in old]
    found = compare(old, new, contract=CONTRACT).result
    assert found.causes == {"swapped_fields": 24}
    assert [p.text for p in found.patterns] == [
        "12 of value are swapped with medium",
        "12 of medium are swapped with value",
    ]


def test_few_that_look_swapped_among_many_that_changed_are_not(compare) -> None:
    chance = random.Random(5)
    letters = [(chance.choice("abc"), chance.choice("abc")) for _ in range(400)]
    moved = [(chance.choice("abc"), chance.choice("abc")) for _ in range(400)]
    found = compare(_rows(*letters), _rows(*moved), contract=CONTRACT).result
    assert set(found.causes) == {"other"}


def test_patterns_of_two_new_systems_name_them(compare) -> None:
    old = _rows(*((f"a long text {i}", None) for i in range(5)))
    cut = [row | {"value": row["value"][:6]} for row in old]
    found = compare(old, old, cut, contract=CONTRACT).result
    assert [p.text for p in found.patterns] == ["5 of value in new1 are cut off at 6 characters"]


def test_patterns_are_the_same_in_many_partitions_and_any_order(compare, monkeypatch) -> None:
    chance = random.Random(11)
    texts = [f"a text of {i} and some {chance.random()}" for i in range(300)]
    old = _rows(*((t, t.upper()) for t in texts))
    new = _rows(*((t[:12] if i % 3 else t[::-1], "none") for i, t in enumerate(texts)))
    plain = compare(old, new, contract=CONTRACT).result
    monkeypatch.setattr(content, "PARTITION_BYTES", 8_000)
    monkeypatch.setattr(gathering, "BUCKET_BYTES", 4_000)
    chance.shuffle(old)
    chance.shuffle(new)
    cut = compare(old, new, contract=CONTRACT, batch_rows=7).result
    assert plain.causes == {"truncated": 200, "other": 100, "defaulted": 300}
    assert (cut.causes, cut.patterns) == (plain.causes, plain.patterns)
    assert [p.text for p in plain.patterns] == [
        "200 of value are cut off at 12 characters",
        "300 of medium had 300 different values and became `none`",
    ]
