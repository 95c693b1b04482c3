"""The findings of a run, from the exchange into findings.parquet."""

from __future__ import annotations

from pathlib import Path

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import literal
from safeguard.comparing.telling import COLUMNS
from safeguard.findings.result import Coverage
from safeguard.findings.words import Kind


def add_uncovered(exchange: Exchange, coverage: Coverage) -> None:
    """One finding a table that no contract speaks of: content is its name, new_value its entries."""
    for table in coverage.uncovered:
        entries = None if table.entries is None else str(table.entries)
        values = {
            "content": table.table,
            "kind": Kind.UNCOVERED,
            "old_value": entries,
            "system": table.system,
        }
        row = ", ".join(literal(values.get(c)) for c in COLUMNS)
        exchange.run(f"INSERT INTO finding SELECT {row}, 0, NULL, NULL")


def write_findings(exchange: Exchange, path: Path) -> None:
    """Write findings.parquet, whole or not at all, in the order content, kind, owner."""
    partial = path.with_name(f".{path.name}.partial")
    columns = ", ".join(f'"{c}"' for c in COLUMNS)
    exchange.run(
        f"""COPY (SELECT {columns} FROM finding
            ORDER BY content, kind, owner, "list", item, field, system)
        TO {literal(str(partial))} (FORMAT parquet)"""
    )
    partial.replace(path)
