"""findings.csv: one finding a row, safe to open in a spreadsheet.

NULL is an empty cell without quotes and every text is quoted, so '' is written `""`. A text that a
spreadsheet would run as a formula gets a leading apostrophe; read `findings.parquet` for exact values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TextIO

from safeguard.findings.result import Sample
from safeguard.reports.printable import without_surrogates

COLUMNS = tuple(f.name for f in fields(Sample))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")


def render_csv(rows: Iterable[Sample], out: TextIO) -> None:
    """Write a header and a line for each finding as it comes; `out` needs newline=""."""
    out.write(",".join(COLUMNS) + "\r\n")
    out.writelines(",".join(_cell(getattr(row, name)) for name in COLUMNS) + "\r\n" for row in rows)


def _cell(value: str | None) -> str:
    if value is None:
        return ""
    text = without_surrogates(str(value))
    if text.startswith(_FORMULA):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"'
