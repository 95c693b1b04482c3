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
    assert table.cut == "20 of 2,774 shown; all of them are in findings.parquet"


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
