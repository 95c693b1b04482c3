"""One customer's list laid out in rows: old and new, with what stayed in place side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from safeguard.findings.result import ListLine, ListSample

_IN_PLACE = ("kept", "changed", "orphaned", "not_compared")
_INVISIBLE = ("deleted",)
_OLD_LABELS: Mapping[str, str] = {
    "kept": "",
    "lost": "gone",
    "changed": "changed",
    "misattributed": "now with another customer",
    "misrouted": "in the wrong system",
    "orphaned": "its customer is missing",
    "not_compared": "not checked",
    "not_due": "not due here",
    "overlapped": "one with another entry",
}
_NEW_LABELS: Mapping[str, str] = {
    "partner": "",
    "duplicated": "here twice",
    "extra": "never added by the customer",
    "resurrected": "was deleted, is back",
    "orphaned": "its customer is missing",
    "not_compared": "not checked",
    "not_due": "not due here",
}
_GONE = ("lost", "misattributed", "misrouted")


@dataclass(frozen=True)
class Cell:
    """An entry at its place. `tone` is "", gone, changed, moved, added or unknown."""

    place: str
    item: str
    label: str
    tone: str


@dataclass(frozen=True)
class Row:
    """What stands on each side at one height; None is a gap."""

    old: Cell | None
    new: Cell | None


def rows_of(sample: ListSample) -> tuple[Row, ...]:
    """Both sides in their own order; entries that stayed in place share a row.

    Where most have moved hardly any could, and the rows are the ranks.
    """
    old = _places(sample.old, sample.cut)
    new = _places(sample.new, sample.cut)
    old_cells = _cells(old, _moves(new), "moved to", _OLD_LABELS)
    new_cells = _cells(new, _moves(old), "moved from", _NEW_LABELS)
    if exactly_reversed(sample) or (_mostly_moved(old) and _mostly_moved(new)):
        return tuple(Row(*pair) for pair in zip_longest(old_cells, new_cells))
    rows: list[Row] = []
    done = 0
    for (_, line), cell in zip(old, old_cells, strict=True):
        partner = _partner(line, new, done)
        if partner is None:
            rows.append(Row(cell, None))
            continue
        rows += [Row(None, new_cells[i]) for i in range(done, partner)]
        rows.append(Row(cell, new_cells[partner]))
        done = partner + 1
    return (*rows, *(Row(None, cell) for cell in new_cells[done:]))


def exactly_reversed(sample: ListSample) -> bool:
    """Whether the new list is the old one backwards, and nothing is cut from either."""
    old = [line.item for _, line in _places(sample.old, 0)]
    new = [line.item for _, line in _places(sample.new, 0)]
    return not sample.cut and old == new[::-1] != new


_Placed = Sequence[tuple[str, ListLine]]


def _places(lines: Sequence[ListLine], cut: int) -> _Placed:
    """What the customer sees, counted from 1; of a cut list, the stored positions."""
    seen = [line for line in lines if line.status not in _INVISIBLE]
    if cut:
        return [(line.position or "", line) for line in seen]
    return [(str(place), line) for place, line in enumerate(seen, 1)]


def _mostly_moved(lines: _Placed) -> bool:
    return sum(line.status == "moved" for _, line in lines) * 3 > len(lines) * 2


def _moves(lines: _Placed) -> Mapping[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for place, line in lines:
        if line.status == "moved":
            places[line.item].append(place)
    return places


def _cells(
    lines: _Placed, moves: Mapping[str, list[str]], verb: str, labels: Mapping[str, str]
) -> list[Cell]:
    left = {item: list(places) for item, places in moves.items()}
    cells = []
    for place, line in lines:
        label = labels.get(line.status, line.status.replace("_", " "))
        if line.status == "moved":
            other = left.get(line.item)
            label = _moved_label(verb, place, other.pop(0) if other else None)
        cells.append(Cell(place, line.item, label, _tone(line.status)))
    return cells


def _moved_label(verb: str, place: str, other: str | None) -> str:
    if other is None:
        return "moved"
    return f"{verb} {other}" if other != place else ""


def _partner(line: ListLine, new: _Placed, start: int) -> int | None:
    if line.status not in _IN_PLACE:
        return None
    for index in range(start, len(new)):
        other = new[index][1]
        if other.item == line.item and other.status in ("partner", "orphaned", "not_compared"):
            return index
    return None


def _tone(status: str) -> str:
    if status in _GONE:
        return "gone"
    if status in ("duplicated", "extra", "resurrected"):
        return "added"
    if status in ("not_compared", "not_due", "overlapped"):
        return "unknown"
    return {"changed": "changed", "moved": "moved", "orphaned": "changed"}.get(status, "")
