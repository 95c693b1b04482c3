"""What a failed assertion says: the verdict, why, the sums, and the first findings side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from safeguard.findings.result import CheckResult, Sample
from safeguard.findings.words import Kind
from safeguard.reports.cases import verdict_case
from safeguard.reports.printable import clipped
from safeguard.reports.wording import sums_sentence

MOST = 10
"""Findings that are shown."""
_WIDEST = 60
_COLUMNS = ("kind", "owner", "list", "item", "field", "old_value", "new_value", "cause", "system")


def failure_text(result: CheckResult, found: Iterable[Sample]) -> str:
    """The message, its first line the verdict."""
    start = f"{result.verdict}  "
    told = verdict_case(result).text.splitlines()
    told += [sums_sentence(c) for c in result.contents if c.old or c.new]
    lines = [start + told[0], *(" " * len(start) + line for line in told[1:])]
    shown = list(islice(found, MOST + 1))
    if shown:
        lines += ["", *(f"  {line}" for line in _table(shown[:MOST]))]
    if len(shown) > MOST:
        lines.append(f"  … the first {MOST} findings of more")
    return "\n".join(lines)


def _table(found: Sequence[Sample]) -> list[str]:
    """The findings as a table without the columns that are empty."""
    rows = [[_cell(one, name) for name in _COLUMNS] for one in found]
    kept = [n for n in range(len(_COLUMNS)) if any(row[n] for row in rows)]
    head = [_COLUMNS[n].replace("_", " ") for n in kept]
    body = [head, *([row[n] for n in kept] for row in rows)]
    widths = [max(len(row[n]) for row in body) for n in range(len(kept))]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in body
    ]


def _cell(one: Sample, name: str) -> str:
    value = getattr(one, name)
    if value is None:
        return "NULL" if one.kind is Kind.CHANGED and name.endswith("_value") else ""
    return clipped(str(value), _WIDEST)
