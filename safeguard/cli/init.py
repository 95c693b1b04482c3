"""`safeguard init`: a first draft of plan and contracts, from what the systems tell."""

from __future__ import annotations

import os
from pathlib import Path

import click

from safeguard.cli.systems_option import by_name

FOLDER = click.Path(file_okay=False, path_type=Path)
URL = "[NAME=]URL"


@click.command("init")
@click.option(
    "--old", multiple=True, required=True, metavar=URL, callback=by_name, help="An old system."
)
@click.option(
    "--new",
    multiple=True,
    required=True,
    metavar=URL,
    callback=by_name,
    help="A new system; give each of several a name.",
)
@click.option("--out", type=FOLDER, default=Path(), help="Folder for the files. Default: here.")
def init(old: dict[str, str], new: dict[str, str], out: Path) -> int:
    """Look at the systems and draft safeguard.yaml and a contract for each content found.

    A draft is a proposal: read it before you trust it. Passwords are not written into the files.

    \b
    Examples:
      safeguard init --old "$OLD_URL" --new shop="$NEW_URL"
      safeguard init --old "$OLD_URL" --new streaming="$STREAMING_URL" --new dvd="$DVD_URL"
      safeguard init --old eu="$EU_URL" --old us="$US_URL" --new all="$NEW_URL" --out plans
    """
    from safeguard.drafting import draft

    drafted = draft(old, new, out, os.environ)
    for line in drafted.lines:
        click.echo(line)
    return 0
