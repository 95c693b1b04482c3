"""The options that name systems: `--old URL`, `--new NAME=URL`."""

from __future__ import annotations

import re

import click


def by_name(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Option callback: the systems by name. A URL alone takes the option's own name."""
    systems: dict[str, str] = {}
    for value in values:
        match = re.fullmatch(r"(?:([A-Za-z_][A-Za-z0-9_-]*)=)?(\S*:\S*)", value)
        if not match:
            raise click.BadParameter(
                "write NAME=URL, such as dvd=postgresql://host/dvd", ctx, param
            )
        name = match[1] or str(param.name)
        if name in systems:
            raise click.BadParameter(f"two systems are named `{name}`; write NAME=URL", ctx, param)
        systems[name] = match[2]
    return systems
