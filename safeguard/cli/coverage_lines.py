"""Coverage as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from safeguard.findings.result import Coverage, UncoveredTable


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """What is not covered first, then what was left out on purpose."""
    for table in coverage.uncovered:
        yield f"not covered  {table.system}.{table.table}{_size(table)}: {table.reason}"
    for ignored in coverage.ignored:
        yield f"ignored      {ignored.system}.{ignored.table}: {ignored.reason}"
    for column in coverage.unchecked_columns:
        yield f"unchecked    {column}: no contract names this column"
    yield from coverage.notes
    yield (
        f"{coverage.covered} of {coverage.tables} tables are covered, "
        f"{len(coverage.ignored)} ignored, {len(coverage.uncovered)} not covered."
    )


def _size(table: UncoveredTable) -> str:
    parts = [
        f"{count:,} {noun}"
        for count, noun in ((table.entries, "entries"), (table.customers, "customers"))
        if count is not None
    ]
    return f" ({' of '.join(parts)})" if parts else ""
