"""YAML's traps: what is read is what was written, or it is refused with a place."""

from __future__ import annotations

import pytest

from safeguard.contract.yaml_text import MAX_BYTES, read_document


def value(text):
    document = read_document(text.encode(), "f.yaml")
    assert document.mistakes == ()
    return document.value


def refused(data):
    data = data if isinstance(data, bytes) else data.encode()
    return [str(mistake) for mistake in read_document(data, "f.yaml").mistakes]


@pytest.mark.parametrize(
    "written",
    ["NO", "no", "on", "y", "012", "0o14", "0x1F", "12:30:45", "3.50", "1_000", "1e3", ".nan",
     "true", "True", "2026-03-01", "2026-03-01T00:00:00Z", "=", "00123", "+5"],
)  # fmt: skip
def test_a_scalar_is_the_text_that_was_written(written):
    assert value(f"a: {written}\nb: [{written}]\n{written}: x") == {
        "a": written,
        "b": [written],
        written: "x",
    }


@pytest.mark.parametrize("written", ["~", "null", "Null", "NULL", ""])
def test_null_is_none_and_under_map_also_a_key(written):
    assert value(f"a: {written}\nmap:\n  ? {written}\n  : x\n") == {"a": None, "map": {None: "x"}}


def test_null_is_a_name_like_any_other_elsewhere():
    assert value("csv: {null: '', ~: x}") == {"csv": {"null": "", "~": "x"}}


def test_quoted_null_is_text():
    assert value("a: 'null'\nmap: {'~': x}") == {"a": "null", "map": {"~": "x"}}


def test_block_text_and_anchors():
    text = "a: |\n  SELECT 1\n  FROM t\nb: &x {c: d}\ne: *x\n"
    assert value(text) == {"a": "SELECT 1\nFROM t\n", "b": {"c": "d"}, "e": {"c": "d"}}


def test_bom_and_crlf():
    data = "\ufeffa: 1\r\nb:\r\n  - c\r\n".encode()
    document = read_document(data, "f.yaml")
    assert document.value == {"a": "1", "b": ["c"]}
    assert document.locate("b", 0) == (3, 5)


def test_places():
    document = read_document(b"a: 1\nb:\n  - c: [x, y]\nd: {e: f}\n", "f.yaml")
    assert document.locate("a") == (1, 4)
    assert document.locate("a", key=True) == (1, 1)
    assert document.locate("b") == (2, 1)
    assert document.locate("b", 0) == (3, 5)
    assert document.locate("b", 0, "c", 1) == (3, 12)
    assert document.locate("d", 0, "e") == (4, 8), "a single thing is its own element 0"
    assert document.locate("b", 0, "nothing", "here") == (3, 5)


REFUSED = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "3:1  `a` is written twice; first in line 1"),
    "tab": ("a:\n\t- b\n", "2:1  a tab can't indent YAML; use spaces"),
    "empty": ("", "1:1  the file is empty"),
    "only a comment": ("# nothing\n", "1:1  the file is empty"),
    "list": ("- a\n", "1:1  the file must be a mapping of keys to values; it is a list"),
    "scalar": ("a\n", "1:1  the file must be a mapping of keys to values; it is a single value"),
    "latin1": ("a: b\nc: ä\n".encode("latin-1"), "2:4  the file is not UTF-8 here"),
    "utf-16": ("a: b\n".encode("utf-16"), "1:1  the file is not UTF-8 here"),
    "control": ("a: b\nc: \0\n", "2:4  the character U+0000 can't stand in YAML"),
    "second document": ("a: b\n---\nc: d\n", "2:1  a second document starts here; a file holds one"),
    "colon": ("a: b: c\n", "1:5  a `:` can't stand here; is a quote or a line break missing?"),
    "undefined alias": ("a: *x\n", "1:4  undefined alias `x`: nothing has that anchor"),
    "open bracket": ("a: [b\n", "2:1  this is not YAML: expected ',' or ']'"),
    "recursion": ("a: &x\n  b: *x\n", "1:4  an alias can't stand inside what it names"),
    "merge": ("a: &x {b: c}\nd:\n  <<: *x\n", "3:3  `<<` is not part of YAML 1.2; write the keys out"),
    "python": ("a: !!python/os.system x\n", "1:4  the tag `!!python/os.system` is not read"),
    "set": ("a: !!set {b, c}\n", "1:4  the tag `!!set` is not read; write plain YAML"),
    "list key": ("? [a]\n: b\n", "1:3  a key must be a single value"),
    "deep": ("a: " + "[" * 5000 + "]" * 5000, "1:1  the file is nested too deeply"),
    "large": (b"a: " + b"x" * MAX_BYTES, "1:1  the file is larger than 1024 KiB"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_place(case):
    data, message = REFUSED[case]
    told = refused(data)
    assert len(told) == 1
    assert told[0].startswith(f"f.yaml:{message}")


def test_aliases_that_multiply_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        inner = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{inner}]")
    assert refused("\n".join(lines)) == [
        "f.yaml:1:1  the file holds more than 100,000 values, aliases counted"
    ]
