"""`safeguard check`: the gate itself."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import click

from safeguard.cli.kindness import KINDNESS, kindness_of
from safeguard.cli.live import PATIENCE, patience_of

FORMATS = ("text", "json", "html", "md", "junit", "csv", "sarif", "codequality", "github")
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("check")
@click.argument("plan", type=click.Path(path_type=Path), default=Path("safeguard.yaml"))
@click.option("--out", type=FOLDER, help="Folder for the reports. Default: .safeguard/runs/ID.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="Write this too; json: print verdict.json and nothing else; github: annotations, outputs "
    "and summary of a GitHub Actions step.",
)
@click.option("--reveal", is_flag=True, help="Show free text in reports instead of masking it.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.option(
    "--strategy",
    type=click.Choice(("auto", "stream")),
    default="auto",
    help="auto asks the servers for sums where that tells enough; stream reads everything.",
)
@click.option("--resume", metavar="RUN", help="Go on with a run that did not end: its id, or last.")
@click.option(
    "--cluster", metavar="ADDRESS", default="", help="Let the workers of this Dask cluster do it."
)
@click.option(
    "--exchange", metavar="PLACE", default="", help="Folder or fsspec URL that all workers see."
)
@click.option(
    "--live", is_flag=True, help="Both sides are being written: look again at what differs."
)
@click.option(
    "--since",
    metavar="MOMENT|RUN",
    help="Only what changed since: a time with its zone, or a run that passed.",
)
@click.option(
    "--sign",
    metavar="KEY",
    help="Sign the verdict with this private key: a file, or env:NAME.",
)
@PATIENCE
@KINDNESS
def check(
    plan: Path,
    out: Path | None,
    formats: tuple[str, ...],
    reveal: bool,
    quiet: bool,
    strategy: str,
    resume: str | None,
    cluster: str,
    exchange: str,
    live: bool,
    since: str | None,
    sign: str | None,
    patience: dict[str, float],
    kindness: dict[str, float],
) -> int:
    """Compare the old system with the new ones, entry by entry, and give the verdict.

    The exit code is the verdict: 0 PASS, 1 BLOCK, 3 UNDECIDED. With --format json, stdout carries
    verdict.json and nothing else.

    \b
    Examples:
      safeguard check
      safeguard check safeguard.yaml --out reports --format csv
      safeguard check --format json | jq .verdict
      safeguard check --resume last
      safeguard check --live --settle 10
      safeguard check --sign safeguard.key
      safeguard check --format github --format sarif --out reports
    """
    from safeguard.runs import create_run, resume_run, since_of

    if resume and out:
        raise click.UsageError("--resume goes on in the folder of its run: leave --out away.")
    if resume and since:
        raise click.UsageError("--since begins a new check: leave --resume away.")
    # The first act: whatever comes, no older verdict stands while the rest is still being loaded.
    folder = resume_run(plan, resume) if resume else create_run(plan, out, dt.datetime.now(dt.UTC))
    from safeguard.systems.pandas_later import leave_pandas_out

    leave_pandas_out()
    from safeguard.checking import Request, run_check
    from safeguard.cli.github import github_for
    from safeguard.cli.keys import key_to_sign
    from safeguard.cli.show import progress_for, show
    from safeguard.planning.asking import Strategy

    with github_for(formats, os.environ) as github:
        request = Request(
            formats,
            reveal,
            kindness_of(kindness),
            cluster,
            exchange,
            Strategy(strategy),
            live=patience_of(patience) if live else None,
            since=since_of(plan, since) if since else None,
            key=key_to_sign(sign, os.environ) if sign else None,
        )
        with progress_for(quiet) as progress:
            result, path = run_check(
                plan, folder=folder, request=request, progress=progress, environ=os.environ
            )
        show(result, path, as_json="json" in formats)
        github.tell(result, path)
    return result.exit_code
