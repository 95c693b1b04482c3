"""The command group and the one place where errors become exit codes."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    raise SystemExit(70)
