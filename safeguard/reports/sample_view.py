"""Samples of a content as tables, one a kind of finding, with the columns that say something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safeguard.findings.result import ContentResult, Sample
from safeguard.findings.words import Kind
from safeguard.reports.vocabulary import CAUSE_WORDS, KIND_MEANINGS, entries, kind_word, number

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
    (Kind.MOVED, "old_value"): "Old position",
    (Kind.MOVED, "new_value"): "New position",
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
        shown = _entries(self.rows)
        if self.found <= shown:
            return ""
        if not shown:
            return "No example here; findings.parquet has all of them"
        rest = "all of them are in findings.parquet"
        return f"{number(shown)} of {entries(self.found)}; {rest}"


def sample_tables(content: ContentResult) -> tuple[SampleTable, ...]:
    """A table for each kind of which something was found, the fixed order of kinds."""
    tables = []
    for kind in Kind:
        rows = _merged([s for s in content.samples if s.kind == kind])
        found = max(content.findings.get(kind, 0), _entries(rows))
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
    meaning = KIND_MEANINGS[kind]
    if kind is Kind.MOVED and any(row.old_value or row.new_value for row in rows):
        meaning += " Positions are shown as stored."
    return SampleTable(kind, title, meaning, found, columns, tuple(rows))


def _merged(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """One entry in several systems as one row that names them all."""
    rows: list[tuple[Sample, list[str | None]]] = []
    open_rows: dict[Sample, list[int]] = {}
    for sample in samples:
        same = replace(sample, system=None)
        places = open_rows.setdefault(same, [])
        free = next((i for i in places if sample.system not in rows[i][1]), None)
        if free is None:
            places.append(len(rows))
            rows.append((same, [sample.system]))
        else:
            rows[free][1].append(sample.system)
    return tuple(
        replace(s, system=", ".join(sorted(filter(None, names))) or None) for s, names in rows
    )


def _entries(rows: Sequence[Sample]) -> int:
    """Different entries: one with two changed fields has two rows."""
    seen: set[tuple[str | None, ...]] = set()
    many = 0
    for row in rows:
        whole = (row.owner, row.list, row.item, row.system, row.field)
        first = (row.owner, row.list, row.item)
        many += first not in seen or whole in seen
        seen |= {first, whole}
    return many


def _blanks_shown(text: str) -> str:
    """Blanks at the ends as open boxes: they are what is different, and nobody sees them."""
    start = len(text) - len(text.lstrip(" "))
    end = len(text.rstrip(" "))
    if end <= start:
        return "␣" * len(text)
    return "␣" * start + text[start:end] + "␣" * (len(text) - end)
