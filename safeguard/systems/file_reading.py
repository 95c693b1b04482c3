"""What the readers of file formats hand on, and how they name trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safeguard.findings.trouble import SystemProblem
from safeguard.systems.duckdb_engine import literal, quoted
from safeguard.systems.interface import SourceType


@dataclass(frozen=True)
class Prepared:
    """A table of files, ready for DuckDB: a table function call, and the records that a second
    parser counted."""

    sql: str
    names: tuple[str, ...]
    records: int
    untyped: bool
    characters: int | None = None
    types: Mapping[str, SourceType] = field(default_factory=dict)
    flags: str = ""
    """Where each column `name` has one beside it that says which values are strings (JSONL): what
    that one's name begins with."""

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
