"""`safeguard waive`: waivers for what a run found, to be filled in and signed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click


@click.command("waive")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--append",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add them to this file of waivers. Default: print them.",
)
def waive(run: Path, append: Path | None) -> int:
    """Draft a waiver for each thing that a finished run found; nothing is waived by that.

    One a content, kind, cause, field and system, for as many entries as were found. The reason and who
    approves are left open: a plan with an open one is refused.

    \b
    Examples:
      safeguard waive last
      safeguard waive 2026-11-22T03-14-07Z --append waivers.yaml
    """
    from safeguard.cli.render import folder_of
    from safeguard.drafting.waivers import append_to, drafted, groups_of
    from safeguard.runs import FINDINGS, load_result

    folder = folder_of(run)
    result, today = load_result(folder), dt.datetime.now(dt.UTC).date()
    groups = groups_of(result, folder / FINDINGS)
    if not groups:
        click.echo("# nothing was found that can be waived and is not")
    elif append is None:
        ids = [use.id for use in result.waivers]
        click.echo(f"waivers:\n{drafted(groups, result, today, ids)}", nl=False)
    else:
        append_to(append, groups, result, today)
        many = "1 waiver" if len(groups) == 1 else f"{len(groups):,} waivers"
        click.echo(f"{many} added to {append}. Next: fill in `reason` and `approved_by` of each,")
        click.echo(f"and name the file in the plan: `waivers: {append.name}`")
    return 0
