"""The options by which a check is kind to the systems that it reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from safeguard.systems.opened import Kindness

_SECONDS = click.FloatRange(min=0)
_OPTIONS = {
    "max_rate": (
        click.IntRange(min=0),
        "ROWS",
        0,
        "Read at most so many rows a second and system.",
    ),
    "max_snapshot_age": (_SECONDS, "SECONDS", 0, "Hold no snapshot longer than this."),
    "statement_timeout": (_SECONDS, "SECONDS", 0, "Let no statement run longer than this."),
    "lock_timeout": (_SECONDS, "SECONDS", 60, "Wait so long for a table that somebody has locked."),
    "connections": (click.IntRange(min=1), "N", 2, "Connections that read a system at one time."),
    "retry_for": (_SECONDS, "SECONDS", 120, "Wait so long for a system that went away."),
}
"""Name -> type, what stands for its value, default (0 is no limit), help."""


def kindness_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it is called with all of them as one dict `kindness`."""

    @wraps(command)
    def gathered(**arguments: Any) -> Any:
        kindness = {name: arguments.pop(name) for name in _OPTIONS}
        return command(**arguments, kindness=kindness)

    found: Callable[..., Any] = gathered
    for name, (kind, what, default, said) in reversed(_OPTIONS.items()):
        found = click.option(
            f"--{name.replace('_', '-')}",
            type=kind,
            metavar=what,
            default=default,
            show_default=default != 0,
            help=said,
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
            connections=int(asked["connections"]),
            statement_timeout=asked["statement_timeout"],
            lock_timeout=asked["lock_timeout"],
        ),
    )
