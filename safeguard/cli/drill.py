"""`safeguard drill`: prove that the check can fail."""

from __future__ import annotations

import os
from pathlib import Path

import click

from safeguard.cli.kindness import KINDNESS, kindness_of

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("drill")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
@click.option(
    "--faults",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help="Plant so many, of every kind that applies.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same faults.")
@click.option("--out", type=FOLDER, help="Folder for drill.json. Default: .safeguard/drills/ID.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    help="json: print drill.json and nothing else. Default: text.",
)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@KINDNESS
def drill(
    plan: Path,
    faults: int,
    seed: int,
    out: Path | None,
    form: str,
    quiet: bool,
    kindness: dict[str, float],
) -> int:
    """Plant faults into the new side of your own data, run the real compare, say which were caught.

    In memory: nothing is written to any system. Ends with 0 when every fault was caught or is
    tolerated by its contract, 1 when one survived, 3 when something could not be drilled.

    \b
    Examples:
      safeguard drill
      safeguard drill safeguard.yaml --faults 1000 --seed 7
      safeguard drill --format json | jq .survivors
    """
    from safeguard.systems.pandas_later import leave_pandas_out

    leave_pandas_out()
    from safeguard.cli.drill_lines import drill_lines
    from safeguard.cli.show import progress_for
    from safeguard.drill.drilling import run_drill

    with progress_for(quiet) as progress:
        result, folder = run_drill(
            plan,
            faults=faults,
            seed=seed,
            out=out,
            kindness=kindness_of(kindness),
            progress=progress,
            environ=os.environ,
        )
    if form == "json":
        click.echo((folder / "drill.json").read_text(encoding="utf-8").rstrip("\n"))
        return result.exit_code
    for line in drill_lines(result, folder):
        click.echo(line)
    return result.exit_code
