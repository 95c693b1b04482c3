"""`safeguard plan`: what a check would do, and how long it would take."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from safeguard.cli.plan_lines import plan_data, plan_lines


@click.command("plan")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    help="json: the same as data, sizes in bytes and times in seconds. Default: text.",
)
@click.option(
    "--strategy",
    type=click.Choice(("auto", "stream")),
    default="auto",
    help="As it would be given to check.",
)
def plan(plan: Path, form: str, strategy: str) -> int:
    """Say how each content would be compared and why, how much there is to read, and how long it takes.

    Reads the first rows of each table and the engines' statistics, and compares nothing: it gives no
    verdict. Ends with 0.

    \b
    Examples:
      safeguard plan
      safeguard plan plans/safeguard.yaml --format json
    """
    from safeguard.checking import run_plan
    from safeguard.planning.asking import Strategy

    found = run_plan(plan, os.environ, Strategy(strategy))
    if form == "json":
        click.echo(json.dumps(plan_data(found), indent=2, ensure_ascii=False))
    else:
        for line in plan_lines(found):
            click.echo(line)
    return 0
