"""The options by which a check is kind to the systems that it reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from safeguard.systems.opened import Kindness

_OPTIONS = (
    ("max_rate", "ROWS", 0.0, "Read at most so many rows a second of each system."),
    ("max_snapshot_age", "SECONDS", 0.0, "Hold no snapshot longer; what is not read then is undecided."),
    ("statement_timeout", "SECONDS", 0.0, "Let no statement run longer."),
    ("connections", "N", 2.0, "Connections that read one system at one time."),
    ("retry_for", "SECONDS", 120.0, "Wait so long for a system that went away."),
)
_WHOLE = ("connections",)


def kindness_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it is called with all of them as one dict `kindness`."""

    @wraps(command)
    def gathered(**arguments: Any) -> Any:
        kindness = {name: arguments.pop(name) for name, *_ in _OPTIONS}
        return command(**arguments, kindness=kindness)

    found: Callable[..., Any] = gathered
    for name, what, default, said in reversed(_OPTIONS):
        kind: click.ParamType = click.FloatRange(min=0)
        if name in _WHOLE:
            kind, default = click.IntRange(min=1), int(default)
        flag = f"--{name.replace('_', '-')}"
        said = f"{said} 0 is no limit." if default == 0 else said
        found = click.option(
            flag, type=kind, metavar=what, default=default, show_default=default != 0, help=said
        )(found)
    return found


def kindness_of(asked: dict[str, float]) -> Kindness:
    """What the options ask for."""
    from safeguard.systems.interface import Limits
    from safeguard.systems.opened import Kindness

    return Kindness(
        max_rate=asked["max_rate"],
        max_snapshot_age=asked["max_snapshot_age"],
        retry_for=asked["retry_for"],
        limits=Limits(
            connections=int(asked["connections"]), statement_timeout=asked["statement_timeout"]
        ),
    )
