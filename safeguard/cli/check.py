"""`safeguard check`: the gate itself."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import click

FORMATS = ("text", "json", "html", "md", "junit", "csv")
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("check")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
@click.option("--out", type=FOLDER, help="Folder for the reports. Default: .safeguard/runs/ID.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="Write this too; json: print verdict.json and nothing else.",
)
@click.option("--reveal", is_flag=True, help="Show free text in reports instead of masking it.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def check(plan: Path, out: Path | None, formats: tuple[str, ...], reveal: bool, quiet: bool) -> int:
    """Compare the old system with the new ones, entry by entry, and give the verdict.

    The exit code is the verdict: 0 PASS, 1 BLOCK, 3 UNDECIDED. With --format json, stdout carries
    verdict.json and nothing else.

    \b
    Examples:
      safeguard check
      safeguard check safeguard.yaml --out reports --format csv
      safeguard check --format json | jq .verdict
    """
    from safeguard.runs import create_run

    # The first act: whatever comes, no older verdict stands while the rest is still being loaded.
    folder = create_run(plan, out, dt.datetime.now(dt.UTC))
    from safeguard.check import run_check
    from safeguard.cli.show import progress_for, show

    with progress_for(quiet) as progress:
        result, path = run_check(
            plan,
            folder=folder,
            formats=formats,
            reveal=reveal,
            progress=progress,
            environ=os.environ,
        )
    show(result, path, as_json="json" in formats)
    return result.exit_code
