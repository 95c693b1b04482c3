"""`safeguard discover`: the coverage alone, without comparing anything."""

from __future__ import annotations

import os
from pathlib import Path

import click

from safeguard.cli.coverage_lines import coverage_lines


@click.command("discover")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
def discover(plan: Path) -> int:
    """Find the content in the old systems that no contract speaks of.

    Follows foreign keys and names from the customers to every table that hangs on them. Reads
    counts, compares nothing. Ends with 1 when something has no contract, because a check would block.

    \b
    Examples:
      safeguard discover
      safeguard discover plans/safeguard.yaml
    """
    from safeguard.checking import run_discover

    coverage = run_discover(plan, os.environ)
    for line in coverage_lines(coverage):
        click.echo(line)
    return 1 if coverage.uncovered else 0
