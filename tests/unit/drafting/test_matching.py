"""Matching by name, by values and as the only one left; zones and crosswalks."""

from __future__ import annotations

import pytest

from safeguard.contract.types import TypeName
from safeguard.drafting.crosswalks import find_ids
from safeguard.drafting.matching import (
    likeness,
    majority,
    match_left,
    match_names,
    match_values,
    type_of,
)
from safeguard.drafting.survey import Survey, can_be
from safeguard.drafting.yaml_text import scalar
from safeguard.drafting.zones import likely_zone
from safeguard.systems.interface import Column, SourceType, Table

INTEGER, TEXT, TIMESTAMP = TypeName.INTEGER, TypeName.TEXT, TypeName.TIMESTAMP


def column(name: str, kind: TypeName | None = TEXT) -> Column:
    return Column(name, SourceType(kind))


@pytest.mark.parametrize(
    ("old", "new", "least", "most"),
    [
        ("BillingPostalCode", "billing_postal_code", 1, 1),
        ("ratings", "Rating", 1, 1),
        ("queue_items", "watchlist", 0.3, 0.9),
        ("notify_me", "alerts", 0.3, 0.9),
        ("title", "video", 0.3, 0.9),
        ("rated_at", "email", 0, 0),
        ("id", "id", 1, 1),
        ("ratings", "saved_searches", 0, 0.2),
    ],
)
def test_likeness(old: str, new: str, least: float, most: float) -> None:
    assert least <= likeness(old, new) <= most


def test_each_column_is_matched_once_and_the_best_first() -> None:
    old = [column("note"), column("memo")]
    found = match_names(old, [column("memo"), column("Note")])
    assert {name: m.column.name for name, m in found.items()} == {"note": "Note", "memo": "memo"}


def test_kinds_that_nothing_reads_alike_are_no_match() -> None:
    assert not match_names([column("note", TypeName.BYTES)], [column("note", TypeName.JSON)])


def test_values_tell_where_names_do_not() -> None:
    pairs = [((str(i), "x"), ("x", str(i))) for i in range(10)]
    found = match_values([column("a"), column("b")], [column("p"), column("q")], pairs)
    assert {name: m.column.name for name, m in found.items()} == {"a": "q"}


def test_one_value_everywhere_tells_nothing() -> None:
    pairs = [(("x",), ("x",))] * 10
    assert not match_values([column("a")], [column("p")], pairs)


def test_the_only_ones_left_of_a_kind() -> None:
    old = [column("added", TIMESTAMP), column("a"), column("b")]
    new = [column("queued", TIMESTAMP), column("p"), column("q")]
    assert set(match_left(old, new)) == {"added"}


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (INTEGER, INTEGER, "integer"),
        (INTEGER, TypeName.DECIMAL, "decimal"),
        (INTEGER, TEXT, "integer"),
        (TEXT, INTEGER, "integer"),
        (TEXT, TypeName.ENUM, "text"),
        (TEXT, TypeName.JSON, "json"),
        (TypeName.UUID, TEXT, "uuid"),
        (TypeName.DATE, TIMESTAMP, "timestamp"),
        (None, INTEGER, "integer"),
        (None, None, "text"),
        (TypeName.BYTES, TypeName.JSON, None),
    ],
)
def test_a_type_that_reads_both(old: TypeName, new: TypeName, wanted: str | None) -> None:
    found = type_of(column("c", old), [column("c", new)])
    assert (str(found) if found else None) == wanted


def test_majority_is_of_few_values_only() -> None:
    assert majority([("5", "up"), ("5", "up"), ("5", "down"), ("1", "down")]) == {
        "1": "down",
        "5": "up",
    }
    assert majority([(str(i), "x") for i in range(40)]) == {}


class TestZones:
    SUMMER = ("2011-07-01 09:00:00", "2011-07-01T16:00:00+00:00")
    WINTER = ("2011-01-01 09:00:00", "2011-01-01T17:00:00+00:00")

    def test_summer_and_winter_tell_the_zone(self) -> None:
        assert likely_zone([self.SUMMER, self.WINTER] * 5) == "America/Los_Angeles"

    def test_equal_as_they_stand(self) -> None:
        assert likely_zone([("2011-01-01 09:00:00", "2011-01-01 09:00:00")] * 9) is None

    def test_a_shift_that_is_no_zone(self) -> None:
        assert likely_zone([("2011-01-01 09:00:00", "2011-01-01 09:07:00")] * 9) is None

    def test_values_that_are_no_times(self) -> None:
        assert likely_zone([("0000-00-00", "infinity"), (None, "x")] * 9) is None


def test_crosswalks_are_known_by_their_names() -> None:
    class Empty:
        """A session that nobody asks."""

    def ids(*tables: Table) -> list[tuple[str, str, str]]:
        survey = Survey("new", Empty(), tables)  # type: ignore[arg-type]  # never asked
        return [(i.table, i.old, i.new) for i in find_ids(survey)]

    apart = Table("member_map", (column("legacy_id"), column("member_id")))
    within = Table(
        "members", (column("member_id"), column("old_customer_id"), column("name")), ("member_id",)
    )
    plain = Table("ratings", (column("member_id"), column("title_id")))
    assert ids(apart, within, plain) == [
        ("member_map", "legacy_id", "member_id"),
        ("members", "old_customer_id", "member_id"),
    ]


@pytest.mark.parametrize(
    ("value", "kind", "asked"),
    [
        ("12", INTEGER, True),
        ("-12", INTEGER, True),
        ("twelve", INTEGER, False),
        ("9" * 30, INTEGER, False),
        ("it's", TEXT, False),
        ("a\\", TEXT, False),
        ("6f9619ff-8b86-d011-b42d-00cf4fc964ff", TypeName.UUID, True),
        ("12", TypeName.UUID, False),
        ("2011-01-01", TIMESTAMP, False),
    ],
)
def test_only_safe_questions_are_asked(value: str, kind: TypeName, asked: bool) -> None:
    assert can_be(value, kind) is asked


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("queue_items", "queue_items"),
        ("Queue items", "Queue items"),
        ("yes", '"yes"'),
        ("1", '"1"'),
        ("a: b", '"a: b"'),
        ('say "x"', "'say \"x\"'"),
        ("a\nb", '"a\\nb"'),
        ("x ", '"x "'),
    ],
)
def test_scalars(text: str, written: str) -> None:
    assert scalar(text) == written
