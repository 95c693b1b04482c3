"""The options that name systems: `--old URL`, `--new NAME=URL`."""

from __future__ import annotations

import re
from pathlib import Path

import click


def by_name(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Option callback: the systems by name. A URL alone takes the option's own name."""
    systems: dict[str, str] = {}
    for value in values:
        match = re.fullmatch(r"(?:([A-Za-z_][A-Za-z0-9_-]*)=)?(\S*:\S*)", value)
        if not match:
            raise click.BadParameter(_instead(value, f"--{param.name}"), ctx, param)
        name = match[1] or str(param.name)
        if name in systems:
            raise click.BadParameter(f"two systems are named `{name}`; write NAME=URL", ctx, param)
        systems[name] = match[2]
    return systems


def _instead(value: str, option: str) -> str:
    """What to write for a value that is no URL."""
    name, equals, place = value.rpartition("=")
    if not place.strip():
        return f"{option} is empty: is the variable set?"
    named = name + equals
    schemes = {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb"}
    if scheme := schemes.get(Path(place).suffix.lower()):
        return f"write {named}{scheme}:///{place}"
    if Path(place).is_dir():
        return f"write {named}files:{place}"
    return "write NAME=URL, such as dvd=postgresql://host/dvd"
