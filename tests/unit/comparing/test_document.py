"""Which paths of two unequal documents differ, and what an order that means nothing forgives."""

from __future__ import annotations

import json

import pytest

from safeguard.comparing.document import MOST_PATHS, PathChange, changed_paths, equal_unordered
from safeguard.systems.canonical.documents import canonical_json


def paths(old: str, new: str, *unordered: str) -> list[tuple[str, str, str | None, str | None]]:
    found = changed_paths(canonical_json(old), canonical_json(new), unordered)
    return sorted((c.path, c.cause, c.old, c.new) for c in found)


def test_documents_too_deep_for_paths_are_changed_without_one() -> None:
    old, new = ("[" * 400 + value + "]" * 400 for value in "12")
    assert [(c.path, c.cause) for c in changed_paths(old, new)] in (
        [("", "other")],
        [("[0]" * 400, "other")],
    )
    old, new = (f'{{"a":[{"[" * 900}{value}{"]" * 900}]}}' for value in "12")
    assert changed_paths(old, new) == [PathChange("", "other", old, new)]


def test_half_characters_are_shown_escaped() -> None:
    found = changed_paths('{"\\ud800": "a\\udfff"}', '{"\\ud800": "b"}')
    assert found == [PathChange('["\\ud800"]', "other", '"a\\udfff"', '"b"')]


PATHS = [
    ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', [(".b", "other", "2", "3")]),
    ('{"a": {"b": [{"c": 1}]}}', '{"a": {"b": [{"c": 2}]}}', [(".a.b[0].c", "other", "1", "2")]),
    ('{"a": 1}', "{}", [(".a", "dropped", "1", None)]),
    ('{"a": null}', "{}", [(".a", "dropped", "null", None)]),
    ("{}", '{"a": {"b": 1}}', [(".a", "added", None, '{"b": 1}')]),
    ('{"a": 1}', '{"b": 1}', [(".a", "dropped", "1", None), (".b", "added", None, "1")]),
    ('{"a": [1, 2, 3]}', '{"a": [2, 3]}', [(".a[0]", "dropped", "1", None)]),
    ('{"a": [1]}', '{"a": [1, 2]}', [(".a[1]", "added", None, "2")]),
    ('{"a": "x"}', '{"a": null}', [(".a", "nulled", '"x"', "null")]),
    ('{"a": {"b": 1}}', '{"a": null}', [(".a", "nulled", '{"b": 1}', "null")]),
    ('{"a": null}', '{"a": "x"}', [(".a", "other", "null", '"x"')]),
    ('{"a": ""}', '{"a": null}', [(".a", "nulled", '""', "null")]),
    ('{"a": {}}', '{"a": []}', [(".a", "other", "{}", "[]")]),
    ("[1]", '{"a": 1}', [("", "other", "[1]", '{"a": 1}')]),
    ("null", "0", [("", "other", "null", "0")]),
    ('"日本"', '"日本語"', [("", "other", '"日本"', '"日本語"')]),
    # kinds that Python would take for each other
    ('{"a": true}', '{"a": 1}', [(".a", "other", "true", "1")]),
    ('{"a": 0}', '{"a": false}', [(".a", "other", "0", "false")]),
    ('{"a": 1}', '{"a": "1"}', [(".a", "other", "1", '"1"')]),
    ("[true, 2]", "[1, 2]", [("[0]", "other", "true", "1")]),
    ("[true, 2]", "[1, 3]", [("[0]", "other", "true", "1"), ("[1]", "other", "2", "3")]),
    # numbers that a float would take for each other
    (
        '{"a": 9007199254740993}',
        '{"a": 9007199254740992}',
        [(".a", "other", "9007199254740993", "9007199254740992")],
    ),
    ("[0.1]", "[0.10000000000000001]", [("[0]", "other", "0.1", "0.10000000000000001")]),
    # keys that are no plain words
    ('{"a.b": 1}', '{"a.b": 2}', [('["a.b"]', "other", "1", "2")]),
    ('{"a\\"b": 1}', '{"a\\"b": 2}', [('["a\\"b"]', "other", "1", "2")]),
    ('{"it\'s": 1}', '{"it\'s": 2}', [('["it\'s"]', "other", "1", "2")]),
    ('{"": 1, "0": 1}', '{"": 2, "0": 2}', [('[""]', "other", *"12"), ('["0"]', "other", *"12")]),
    ('{"a": {"b c": 1}}', '{"a": {"b c": 2}}', [('.a["b c"]', "other", "1", "2")]),
    ('{"タイトル": 1}', '{"タイトル": 2}', [(".タイトル", "other", "1", "2")]),
    (
        '{"__v": 1, "a": 1}',
        '{"__v": 2, "a": 2}',
        [(".__v", "other", *"12"), (".a", "other", *"12")],
    ),
]


@pytest.mark.parametrize(("old", "new", "changes"), PATHS)
def test_paths(old, new, changes):
    assert paths(old, new) == changes


EQUAL_AS_WRITTEN = [
    ("1", "1.0"),
    ("100", "1e2"),
    ('{"a": 1, "b": 2}', '{"b": 2.00, "a": 1}'),
    ('"\\u00e9"', '"é"'),
]


@pytest.mark.parametrize(("old", "new"), EQUAL_AS_WRITTEN)
def test_equal_documents_have_one_canonical_text(old, new):
    assert canonical_json(old) == canonical_json(new)


UNORDERED = [
    ("[1, 2]", "[2, 1]", ["$"], True),
    ("[1, 2]", "[2, 1]", [], False),
    ('{"a": [1, 2]}', '{"a": [2, 1]}', ["a"], True),
    ('{"a": [1, 2]}', '{"a": [2, 1]}', ["$.a"], True),
    ('{"a": [1, 2]}', '{"a": [2, 1]}', ["b"], False),
    ('{"a": [1, 2]}', '{"a": [2, 1, 1]}', ["a"], False),
    ('{"a": [1, 1, 2]}', '{"a": [1, 2, 2]}', ["a"], False),
    ('{"a": [1, 2]}', '{"a": {"b": [2, 1]}}', ["a"], False),
    ('{"a": [1, true]}', '{"a": [true, 1]}', ["a"], True),
    ('{"a": [1, 2]}', '{"a": [2, true]}', ["a"], False),
    ('{"a": [1]}', '{"a": ["1"]}', ["a"], False),
    ('{"a": [1, "\\u00001"]}', '{"a": ["\\u00001", 1]}', ["a"], True),
    ('{"a": [9007199254740993]}', '{"a": [9007199254740992]}', ["a"], False),
    ('[{"t": [1, 2]}]', '[{"t": [2, 1]}]', ["[].t"], True),
    ('[{"t": [1, 2]}]', '[{"t": [2, 1]}]', ["$[*].t"], True),
    ('[{"t": [1]}, {"t": [2]}]', '[{"t": [2]}, {"t": [1]}]', ["[].t"], False),
    ("[[1, 2], [3]]", "[[2, 1], [3]]", ["$[*]"], True),
    # an order inside must not decide the order outside
    ('{"a": [{"t": [1, 9]}, {"t": [5]}]}', '{"a": [{"t": [5]}, {"t": [9, 1]}]}', ["a"], False),
    (
        '{"a": [{"t": [1, 9]}, {"t": [5]}]}',
        '{"a": [{"t": [5]}, {"t": [9, 1]}]}',
        ["a", "a[].t"],
        True,
    ),
    (
        '{"a": [{"t": [1, 9]}, {"t": [5]}]}',
        '{"a": [{"t": [5]}, {"t": [9, 1]}]}',
        ["a[].t", "a"],
        True,
    ),
]


@pytest.mark.parametrize(("old", "new", "unordered", "equal"), UNORDERED)
def test_unordered(old, new, unordered, equal):
    assert equal_unordered(canonical_json(old), canonical_json(new), unordered) is equal
    assert equal_unordered(canonical_json(new), canonical_json(old), unordered) is equal


def test_an_unordered_array_names_what_it_lost():
    assert paths('{"a": [1, 2, 3]}', '{"a": [3, 1]}', "a") == [(".a[1]", "dropped", "2", None)]


def test_unequal_documents_in_which_nothing_is_found_are_still_changed():
    same = '{"a":1}'
    (change,) = changed_paths(same, same)
    assert (change.path, change.cause) == ("", "other")


@pytest.mark.parametrize("more", [0, 1, 30])
def test_many_paths_are_counted_and_not_all_named(more):
    count = MOST_PATHS + more
    old, new = (json.dumps({f"k{i}": n for i in range(count)}) for n in (1, 2))
    found = changed_paths(old, new)
    assert len(found) == MOST_PATHS
    if more:
        assert (found[-1].path, found[-1].new) == ("", f"and {more + 1} more paths")
    else:
        assert all(change.path for change in found)


def test_a_document_as_deep_as_can_be_read_has_its_path():
    old, new = ('{"a":' * 300 + value + "}" * 300 for value in "12")
    (change,) = changed_paths(canonical_json(old), canonical_json(new))
    assert (change.path, change.old, change.new) == (".a" * 300, "1", "2")
