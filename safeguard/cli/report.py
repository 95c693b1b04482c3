"""`safeguard report`: a finished run in another form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FORMATS = ("text", "html", "md", "junit", "csv", "json")


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Default: text.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
def report(run: Path, form: str, out: Path | None) -> int:
    """Render a finished run again, from its folder or id. Compares nothing; ends with 0.

    \b
    Examples:
      safeguard report 2026-11-22T03-14-07Z
      safeguard report .safeguard/runs/2026-11-22T03-14-07Z --format csv --out findings.csv
      safeguard report reports --format md >> "$GITHUB_STEP_SUMMARY"
    """
    from safeguard.cli.render import folder_of, render

    folder = folder_of(run)
    if out is None:
        render(folder, form, sys.stdout)
        return 0
    with out.open("w", encoding="utf-8", newline="") as file:
        render(folder, form, file)
    return 0
