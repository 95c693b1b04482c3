"""What was measured, as JSON: written after every cell, read by the page and the chart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cells import Cell
from benchmarks.rounds import Run

JsonObject = dict[str, Any]


def as_json(cell: Cell, runs: dict[str, list[Run]], when: JsonObject) -> JsonObject:
    """One cell with all of its runs; what a run found is kept where it was not right."""
    entries = {
        entry.name: {
            "title": entry.contender.title,
            "rows": entry.job.planted.old,
            "planted": entry.job.expected,
            "runs": [_run(run) for run in runs[entry.name]],
        }
        for entry in cell.entries
    }
    head = {"part": cell.part, "pair": cell.pair, "state": cell.state}
    return {**head, **when, "entries": entries}


def _run(run: Run) -> JsonObject:
    shown = run.as_dict()
    if run.status == "right":
        shown.pop("found", None)
    return shown


@dataclass(frozen=True)
class Results:
    """`about` is the surroundings; `cells` are by name."""

    about: JsonObject
    cells: dict[str, JsonObject]

    @classmethod
    def read(cls, path: Path) -> Results:
        """From a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """Into a file, one run a line, so that two of them can be compared by eye."""
        body = {"about": self.about, "cells": self.cells}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_dumped(body, 0) + "\n", encoding="utf-8")

    def runs(self, cell: str, entry: str) -> list[JsonObject]:
        """All runs, failed ones too; none where it was not measured."""
        entries: JsonObject = self.cells.get(cell, {}).get("entries", {})
        found: list[JsonObject] = entries.get(entry, {}).get("runs", [])
        return found

    def is_right(self, cell: str, entry: str) -> bool:
        """Whether it was measured and every run found what was planted."""
        runs = self.runs(cell, entry)
        return bool(runs) and all(run["status"] == "right" for run in runs)

    def median(self, cell: str, entry: str, what: str) -> float | None:
        """The median over the runs that ended by themselves."""
        values = [run[what] for run in self.runs(cell, entry) if _counts(run, what)]
        return median(values) if values else None

    def spread(self, cell: str, entry: str) -> tuple[float, float] | None:
        """The shortest and the longest time, of the runs that ended by themselves."""
        walls = [run["wall"] for run in self.runs(cell, entry) if _counts(run, "wall")]
        return (min(walls), max(walls)) if walls else None

    def ratio(
        self, over: tuple[str, str], under: tuple[str, str], what: str = "wall", of_over: str = ""
    ) -> float | None:
        """The median of the ratios of each round; (cell, entry) over (cell, entry)."""
        pairs = zip(self.runs(*over), self.runs(*under), strict=False)
        ratios = [
            a[of_over or what] / b[what]
            for a, b in pairs
            if _counts(a, of_over or what) and _counts(b, what)
        ]
        return median(ratios) if ratios else None

    def of_part(self, part: str) -> Iterator[tuple[str, JsonObject]]:
        """The cells of a part, with their names."""
        return ((name, cell) for name, cell in self.cells.items() if cell["part"] == part)


def _counts(run: JsonObject, what: str) -> bool:
    return run["status"] in ("right", "wrong") and bool(run.get(what))


def _dumped(value: Any, depth: int) -> str:
    """JSON with objects of plain values on one line."""
    plain = json.dumps(value, ensure_ascii=False)
    if (depth and len(plain) <= 240) or not isinstance(value, dict | list) or not value:
        return plain
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_dumped(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{outer}}}"
    return "[\n" + ",\n".join(inner + _dumped(item, depth + 1) for item in value) + f"\n{outer}]"
