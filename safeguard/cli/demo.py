"""`safeguard demo`: from nothing to a blocked rollout."""

from __future__ import annotations

import os
from pathlib import Path

import click

from safeguard.cli.systems_option import by_name
from safeguard.findings.trouble import UsageProblem

FOLDER = click.Path(file_okay=False, path_type=Path)
URL = "[NAME=]URL"


@click.command("demo")
@click.option(
    "--customers",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="How many customers.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Same seed, same content.")
@click.option("--fixed", is_flag=True, help="The migration done right: it ends with PASS.")
@click.option(
    "--folder",
    type=FOLDER,
    default=Path(".safeguard/demo"),
    help="Where it is made. Default: .safeguard/demo.",
)
@click.option(
    "--old",
    multiple=True,
    metavar="URL",
    callback=by_name,
    help="Empty database for the old system, instead of a SQLite file.",
)
@click.option(
    "--new",
    multiple=True,
    metavar=URL,
    callback=by_name,
    help="The same for a new one: streaming=URL, dvd=URL.",
)
def demo(
    customers: int, seed: int, fixed: bool, folder: Path, old: dict[str, str], new: dict[str, str]
) -> int:
    """Make up a DVD service that is being split in two, and check the split.

    The migration was hurried: it loses, moves and garbles what customers made, and the rollout is
    blocked. Ends with 0 when the check said what it should. Given databases must be empty.

    \b
    Examples:
      safeguard demo
      safeguard demo --fixed
      safeguard demo --customers 100000 --old "$OLD_URL" \\
          --new streaming="$STREAMING_URL" --new dvd="$DVD_URL"
    """
    from safeguard.systems.pandas_later import leave_pandas_out

    leave_pandas_out()
    from safeguard.cli.demonstration import demonstrate
    from safeguard.demo import set_scene

    urls = {**old, **new} or None
    click.echo(f"making {customers:,} customers and what they made in {folder}/ ...", err=True)
    try:
        scene = set_scene(folder, customers, seed, faults=not fixed, urls=urls)
    except OSError as error:
        if error.filename is None:  # not about a file: a bug of ours
            raise
        raise UsageProblem(f"{folder} can't be written: {error.strerror}") from error
    return demonstrate(scene, {**os.environ, **scene.environ}, fixed=fixed)
