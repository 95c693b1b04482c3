"""Samples of a content as tables, one a kind of finding, with the columns that say something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeguard.findings.result import ContentResult, Sample
from safeguard.findings.words import Kind
from safeguard.reports.vocabulary import CAUSE_WORDS, KIND_MEANINGS, kind_word, number

MOST_SAMPLES = 20
_HEADERS: Mapping[str, str] = {
    "owner": "Customer",
    "list": "List",
    "item": "Item",
    "field": "Field",
    "old_value": "Old",
    "new_value": "New",
    "cause": "Why",
    "system": "Due in",
    "segment": "Segment",
    "waived_by": "Waived by",
}
_OTHER_HEADERS: Mapping[tuple[str, str], str] = {
    (Kind.MOVED, "old_value"): "Old place",
    (Kind.MOVED, "new_value"): "New place",
    (Kind.MISATTRIBUTED, "new_value"): "Now with customer",
    (Kind.MISROUTED, "new_value"): "Found in",
    (Kind.EXTRA, "system"): "In",
    (Kind.DUPLICATED, "system"): "In",
    (Kind.RESURRECTED, "system"): "In",
}
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    Kind.CHANGED: ("owner", "old_value", "new_value"),
    Kind.MOVED: ("owner", "item", "old_value", "new_value"),
}


@dataclass(frozen=True)
class Column:
    name: str
    header: str


@dataclass(frozen=True)
class SampleTable:
    """The samples of one kind. `found` counts all entries of it, `rows` are some of them."""

    kind: str
    title: str
    meaning: str
    found: int
    columns: tuple[Column, ...]
    rows: tuple[Sample, ...]

    @property
    def cut(self) -> str:
        """How many of how many are shown, in words; empty where all are."""
        shown = len(self.rows)
        if self.found <= shown:
            return ""
        if not shown:
            return "No example here; findings.parquet has all of them"
        rest = "all of them are in findings.parquet"
        return f"{number(shown)} of {number(self.found)} shown; {rest}"


def sample_tables(content: ContentResult) -> tuple[SampleTable, ...]:
    """A table for each kind of which something was found, the fixed order of kinds."""
    tables = []
    for kind in Kind:
        rows = tuple(s for s in content.samples if s.kind == kind)
        found = max(content.findings.get(kind, 0), len(rows))
        if found:
            tables.append(_table(kind, found, rows[:MOST_SAMPLES]))
    return tuple(tables)


def value_of(sample: Sample, name: str) -> tuple[str, str]:
    """What a cell shows, and its class: "", `none` (NULL) or `edge` (blanks made visible)."""
    value: str | None = getattr(sample, name)
    if value is None:
        is_value = sample.kind is Kind.CHANGED and name in ("old_value", "new_value")
        return ("no value" if is_value else "", "none")
    if name == "cause":
        return CAUSE_WORDS.get(value, value), ""
    if name in ("old_value", "new_value"):
        return ("empty text", "none") if value == "" else (_blanks_shown(value), "")
    return value, ""


def _table(kind: Kind, found: int, rows: Sequence[Sample]) -> SampleTable:
    always = _ALWAYS.get(kind, ())
    columns = tuple(
        Column(name, _OTHER_HEADERS.get((kind, name), header))
        for name, header in _HEADERS.items()
        if name in always or any(getattr(row, name) is not None for row in rows)
    )
    title = f"{number(found)} {kind_word(kind)}"
    return SampleTable(kind, title, KIND_MEANINGS[kind], found, columns, tuple(rows))


def _blanks_shown(text: str) -> str:
    """Blanks at the ends as open boxes: they are what is different, and nobody sees them."""
    start = len(text) - len(text.lstrip(" "))
    end = len(text.rstrip(" "))
    if end <= start:
        return "␣" * len(text)
    return "␣" * start + text[start:end] + "␣" * (len(text) - end)
