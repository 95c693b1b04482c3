"""What the readers of file formats hand on, and how they name trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from safeguard.findings.trouble import SystemProblem
from safeguard.systems.duckdb_engine import literal, quoted
from safeguard.systems.interface import Part, SourceType


@dataclass(frozen=True)
class Span:
    """Rows `first` to `last` (not included) of one file, by its place in the table's files."""

    file: int
    first: int
    last: int

    @property
    def rows(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Prepared:
    """A table of files, ready for DuckDB: a table function and its options, and the records that a
    second parser counted. The `spans`, in their order, are what one part may hold without another.
    """

    function: str
    files: tuple[Path, ...]
    options: str
    names: tuple[str, ...]
    records: int
    spans: tuple[Span, ...]
    untyped: bool
    characters: int | None = None
    types: Mapping[str, SourceType] = field(default_factory=dict)
    flags: str = ""
    """Where each column `name` has one beside it that says which values are strings (JSONL): what
    that one's name begins with."""
    header: tuple[Path, ...] = ()
    """Where no file need have all columns: one without rows that has, read beside each."""

    @property
    def sql(self) -> str:
        """All of it, to stand after FROM."""
        return self._read(self.files)

    def parts(self, most: int) -> tuple[Part, ...]:
        """Up to `most` runs of spans, with about as many rows each."""
        total, before = max(sum(span.rows for span in self.spans), 1), 0
        runs: dict[int, list[int]] = {}
        for span in self.spans:
            run = min(most - 1, (before + span.rows // 2) * most // total)
            runs.setdefault(run, []).extend((span.file, span.first, span.last))
            before += span.rows
        ranges = [tuple(run) for run in runs.values()] or [()]
        return tuple(Part(number, each) for number, each in enumerate(ranges))

    def sql_of(self, part: Part) -> str:
        """The rows of one part, to stand after FROM."""
        numbers = list(map(int, part.range))
        spans = [Span(*numbers[n : n + 3]) for n in range(0, len(numbers), 3)]
        whole, chosen = [], []
        for file, own in groupby(spans, lambda span: span.file):
            taken = list(own)
            if taken == [span for span in self.spans if span.file == file]:
                whole.append(self.files[file])
            else:
                chosen.append(self._cut(file, taken[0].first, taken[-1].last))
        if whole or not chosen:
            chosen.append(f"SELECT * FROM {self._read(tuple(whole) or self.files)}")
        return f"({' UNION ALL '.join(chosen)})"

    def _cut(self, file: int, first: int, last: int) -> str:
        source = self._read((self.files[file],), ", file_row_number=true")
        rows = f"file_row_number BETWEEN {first} AND {last - 1}"
        return f"SELECT * EXCLUDE (file_row_number) FROM {source} WHERE {rows}"

    def _read(self, files: tuple[Path, ...], more: str = "") -> str:
        return f"{self.function}({file_list(files + self.header)}, {self.options}{more})"

    def raw(self, name: str) -> str:
        """SQL of a column as it is handed on."""
        column = quoted(name)
        if not self.flags:
            return column
        packed = f"struct_pack(text := {column}, string := {quoted(self.flags + name)})"
        return f"CASE WHEN {column} IS NOT NULL THEN {packed} END"


def malformed(path: Path, line: int, why: str) -> SystemProblem:
    """A line that cannot be read. It is named and not shown."""
    return SystemProblem(f"{path.name}:{line}  {why}")


def file_list(files: tuple[Path, ...]) -> str:
    """A DuckDB list of exactly these files: `*`, `?` and `[` in a name are not patterns."""
    escape = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})
    return "[" + ", ".join(literal(str(path).translate(escape)) for path in files) + "]"
