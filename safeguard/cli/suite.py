"""`safeguard suite`: what a contract implies, for those who run Great Expectations."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("suite")
@click.argument("contract", type=FILE)
@click.option(
    "--plan", type=FILE, help="The plan of this contract: ask the old systems for ranges, too."
)
@click.option("--out", type=FILE, help="A file instead of stdout.")
def suite(contract: Path, plan: Path | None, out: Path | None) -> int:
    """Write a suite of Great Expectations 1.x with what a contract implies of the new content.

    From the contract alone: keys that are never NULL, keys that stand once, the values of maps and
    booleans, and its own expectations. With --plan, ranges and labels of the old content, and the
    query that gives each system's columns the names of the contract. A suite never sees the old
    content, so it does not take the place of a check.

    \b
    Examples:
      safeguard suite contracts/ratings.yaml
      safeguard suite contracts/ratings.yaml --plan safeguard.yaml --out ratings.json
    """
    from safeguard.drafting.suite import suite_of

    made = suite_of(contract, plan, os.environ)
    text = json.dumps(made.document(), indent=2, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return 0
    out.write_text(text + "\n", encoding="utf-8")
    click.echo(f"{out}: {len(made.expectations)} expectations for {made.name}")
    return 0
