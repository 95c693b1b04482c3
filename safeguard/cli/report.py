"""`safeguard report`: a finished run in another form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from safeguard.findings.trouble import UsageProblem

FORMATS = ("text", "html", "md", "junit", "csv", "json", "sarif", "codequality", "github")


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="What to render it as. Default: text.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write. Default: stdout."
)
def report(run: Path, form: str, out: Path | None) -> int:
    """Render a finished run again, from its folder or id, or `last`. Compares nothing; ends with 0.

    \b
    Examples:
      safeguard report last
      safeguard report 2026-11-22T03-14-07Z --format md
      safeguard report .safeguard/runs/2026-11-22T03-14-07Z --format csv --out findings.csv
      safeguard report reports --format sarif --out safeguard.sarif
    """
    from safeguard.cli.render import folder_of, render

    folder = folder_of(run)
    if out is None:
        render(folder, form, sys.stdout)
        return 0
    try:
        file = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageProblem(f"{out} can't be written: {error.strerror}") from error
    with file:
        render(folder, form, file)
    return 0
