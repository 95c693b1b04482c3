"""The findings of a run: from the exchange into findings.parquet, and of one content into files that
a later try finds again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safeguard.comparing.buckets import Buckets
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


_OF_A_CONTENT = ("finding", "affected", "with_content")


def keep_findings(exchange: Exchange, buckets: Buckets, content: str, name: str) -> dict[str, str]:
    """Write what a content left in the exchange into synced files; table -> file."""
    found = {}
    for table in _OF_A_CONTENT:
        found[table] = f"{name}-{table}.arrow"
        rows = exchange.table(f"SELECT * FROM {table} WHERE content = {literal(content)}")
        buckets.write_table(found[table], rows, sync=True)
    return found


def recall_findings(exchange: Exchange, buckets: Buckets, files: Mapping[str, str]) -> None:
    """Put back what `keep_findings` wrote."""
    for table, name in files.items():
        exchange.insert(table, buckets.read_table(name))
