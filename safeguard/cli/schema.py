"""`safeguard schema`: what editors complete and check plans and contracts with."""

from __future__ import annotations

import json

import click

_NAMES = ("plan", "contract", "waivers")


@click.command("schema")
@click.argument("name", metavar="[plan|contract|waivers]", type=click.Choice(_NAMES))
def schema(name: str) -> int:
    """Print the JSON Schema of the plan, of a contract or of the waivers.

    \b
    Examples:
      safeguard schema plan > plan.schema.json
      safeguard schema contract > contract.schema.json

    The first line of a YAML file then tells the editor where it is:

    \b
      # yaml-language-server: $schema=./contract.schema.json
    """
    from safeguard.contract.schema import schema as schema_of

    click.echo(json.dumps(schema_of(name), indent=2, ensure_ascii=False))
    return 0
