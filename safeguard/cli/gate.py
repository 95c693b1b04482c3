"""`safeguard gate`: what a deploy job asks before it goes on."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import click

from safeguard.cli.moments import Duration
from safeguard.findings.trouble import UsageProblem


@click.command("gate")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="PUB",
    help="Public key that is trusted: a file, or env:NAME. May be repeated.",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    default=Path("safeguard.yaml"),
    show_default=True,
    help="The plan that the rollout relies on.",
)
@click.option(
    "--max-age",
    type=Duration(),
    required=True,
    metavar="DURATION",
    help="How old the older snapshot may be: 90s, 15m, 2h.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    help="json: print the answer as data and nothing else.",
)
@click.option("--serve", metavar="HOST:PORT", help="Answer webhooks instead, until it is ended.")
def gate(
    files: tuple[Path, ...],
    keys: tuple[str, ...],
    plan: Path,
    max_age: dt.timedelta,
    form: str,
    serve: str | None,
) -> int:
    """Say whether a rollout may rely on a signed verdict: a PASS, signed by a trusted key, young
    enough, for this very plan, these contracts and these databases. Of several FILEs each must.

    Ends with 0 if so, with 1 for anything else that FILE may hold. No system is asked.

    \b
    Examples:
      safeguard gate verdict.dsse.json --key safeguard.pub --max-age 2h
      safeguard gate verdict.dsse.json --key env:SAFEGUARD_PUB --max-age 30m --format json
      safeguard gate verdict.dsse.json --key safeguard.pub --max-age 2h --serve 0.0.0.0:8080
    """
    from safeguard.cli.keys import keys_to_trust
    from safeguard.gate.admission import Admission
    from safeguard.reports.admitting import admission_document, admission_lines, all_pass
    from safeguard.runs.signed import weigh

    trusted = keys_to_trust(keys, os.environ)

    def weighed(file: Path) -> Admission:
        return weigh(file, plan, trusted, max_age, os.environ, dt.datetime.now(dt.UTC))

    if serve:
        from safeguard.cli.serving import serve_gate

        return serve_gate(serve, files, weighed)
    try:
        admissions = {str(file): weighed(file) for file in files}
    except OSError as error:
        raise UsageProblem(
            f"{error.filename or 'a FILE'} can't be read: {error.strerror or error}"
        ) from error
    if form == "json":
        click.echo(json.dumps(admission_document(admissions), indent=2))
    else:
        for line in admission_lines(admissions):
            click.echo(line)
    return 0 if all_pass(admissions) else 1
