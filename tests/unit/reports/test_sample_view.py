from __future__ import annotations

import pytest

import result_examples as examples
from safeguard.findings.words import Kind
from safeguard.reports.sample_view import MOST_SAMPLES, sample_tables, value_of


def test_a_table_for_each_kind_found_even_without_a_sample() -> None:
    tables = sample_tables(examples.content(findings={"lost": 3, "changed": 1, "moved": 0}))
    assert [t.title for t in tables] == ["3 lost", "1 changed"]
    assert tables[0].cut == "No example here; findings.parquet has all of them"


def test_columns_that_say_nothing_are_left_out() -> None:
    lost, *_ = sample_tables(examples.content(samples=(examples.sample(),)))
    assert [c.header for c in lost.columns] == ["Customer", "Item", "Due in", "Segment"]


def test_changed_always_shows_old_beside_new() -> None:
    (table,) = sample_tables(examples.content(samples=(examples.sample(Kind.CHANGED),)))
    assert {"Old", "New"} < {c.header for c in table.columns}


def test_long_tables_are_cut_and_say_so() -> None:
    rows = (examples.sample(),) * (MOST_SAMPLES + 5)
    (table,) = sample_tables(examples.content(samples=rows, findings={"lost": 2_774}))
    assert len(table.rows) == MOST_SAMPLES
    assert table.cut == "20 of 2,774 entries; all of them are in findings.parquet"


@pytest.mark.parametrize(
    ("old", "shown"),
    [
        (None, ("no value", "none")),
        ("", ("empty text", "none")),
        (" a b  ", ("␣a b␣␣", "")),
        ("  ", ("␣␣", "")),
        ("plain", ("plain", "")),
    ],
)
def test_values_that_nobody_sees_are_made_visible(old: str | None, shown: tuple[str, str]) -> None:
    assert value_of(examples.sample(Kind.CHANGED, old_value=old), "old_value") == shown


def test_no_value_is_said_only_where_a_value_could_be() -> None:
    assert value_of(examples.sample(Kind.LOST), "old_value") == ("", "none")


def test_one_entry_in_several_systems_is_one_row_that_names_them() -> None:
    rows = (
        examples.sample(system="dvd"),
        examples.sample(system="streaming"),
        examples.sample(system="dvd", item="2"),
        examples.sample(system="dvd", item="2"),
    )
    (table,) = sample_tables(examples.content(samples=rows, findings={"lost": 35}))
    assert [row.system for row in table.rows] == ["dvd, streaming", "dvd", "dvd"]
    assert table.cut.startswith("3 of 35 entries;")


def test_two_changed_fields_of_one_entry_are_two_rows_and_one_entry() -> None:
    rows = tuple(examples.sample(Kind.CHANGED, field=f) for f in ("a", "b"))
    (table,) = sample_tables(examples.content(samples=rows, findings={"changed": 9}))
    assert len(table.rows) == 2
    assert table.cut.startswith("1 of 9 entries;")


def test_positions_are_named_as_stored() -> None:
    moved = examples.sample(Kind.MOVED, old_value="2", new_value="5")
    (table,) = sample_tables(examples.content(samples=(moved,), findings={"moved": 1}))
    assert {"Old position", "New position"} < {c.header for c in table.columns}
    assert table.meaning.endswith("as stored.")
