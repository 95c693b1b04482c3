from __future__ import annotations

import pytest

from safeguard.findings.result import ListLine, ListSample
from safeguard.reports.list_view import Cell, exactly_reversed, rows_of


def _rows(old: str, new: str, cut: int = 0) -> list[tuple[str, str]]:
    """Lists as `item:status` words; a side of a row as `place item label`, `-` for a gap."""
    sample = ListSample("queue", "streaming", "7", None, _lines(old), _lines(new), cut)
    return [(_said(row.old), _said(row.new)) for row in rows_of(sample)]


def _lines(words: str) -> tuple[ListLine, ...]:
    pairs = (word.split(":") for word in words.split())
    return tuple(ListLine(str(10 * i), item, s) for i, (item, s) in enumerate(pairs, 1))


def _said(cell: Cell | None) -> str:
    return "-" if cell is None else f"{cell.place} {cell.item} {cell.label}".strip()


def test_lost_entries_stand_where_they_were() -> None:
    assert _rows("a:kept b:lost c:kept", "a:partner c:partner") == [
        ("1 a", "1 a"),
        ("2 b gone", "-"),
        ("3 c", "2 c"),
    ]


def test_moved_entries_say_from_where_to_where() -> None:
    assert _rows("a:moved b:kept c:changed", "b:partner c:partner a:moved") == [
        ("1 a moved to 3", "-"),
        ("2 b", "1 b"),
        ("3 c changed", "2 c"),
        ("-", "3 a moved from 1"),
    ]


def test_surplus_stands_where_the_customer_would_find_it() -> None:
    assert _rows("a:kept b:kept", "x:extra a:partner a:duplicated b:partner") == [
        ("-", "1 x never added by the customer"),
        ("1 a", "2 a"),
        ("-", "3 a here twice"),
        ("2 b", "4 b"),
    ]


def test_deleted_entries_are_not_seen_and_cut_lists_show_stored_positions() -> None:
    assert _rows("a:kept z:deleted b:kept", "a:partner b:partner") == [
        ("1 a", "1 a"),
        ("2 b", "2 b"),
    ]
    assert _rows("a:kept b:lost", "a:partner", cut=3) == [("10 a", "10 a"), ("20 b gone", "-")]


def test_an_item_that_stands_twice_moves_twice() -> None:
    assert _rows("a:moved a:moved b:kept", "b:partner a:moved a:moved") == [
        ("1 a moved to 2", "1 b"),
        ("2 a moved to 3", "2 a moved from 1"),
        ("3 b", "3 a moved from 2"),
    ]


def test_an_unknown_status_is_shown_and_an_empty_list_has_no_rows() -> None:
    assert _rows("a:strange_thing", "") == [("1 a strange thing", "-")]
    assert _rows("", "") == []


def test_a_list_of_moved_entries_is_two_plain_columns() -> None:
    assert _rows("a:moved b:moved c:kept", "c:partner b:moved a:moved") == [
        ("1 a moved to 3", "1 c"),
        ("2 b", "2 b"),
        ("3 c", "3 a moved from 1"),
    ]


@pytest.mark.parametrize(
    ("new", "cut", "backwards"),
    [
        ("c:partner b:moved a:moved", 0, True),
        ("c:partner b:moved a:moved", 4, False),
        ("c:partner a:moved b:moved", 0, False),
        ("c:partner b:moved", 0, False),
    ],
)
def test_a_reversed_list_is_called_so(new: str, cut: int, backwards: bool) -> None:
    old = _lines("a:moved z:deleted b:moved c:kept")
    sample = ListSample("queue", "streaming", "7", None, old, _lines(new), cut)
    assert exactly_reversed(sample) is backwards
