"""Options that several commands share, taken together as one dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click


@dataclass(frozen=True)
class Options:
    """`given` is name -> type, what stands for its value, default (0 is no limit), help. Used as a
    decorator, it gives a command these options; it is called with all of them as one dict `name`."""

    name: str
    given: Mapping[str, tuple[click.ParamType[Any], str, float, str]]

    def __call__(self, command: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a command."""

        @wraps(command)
        def gathered(**arguments: Any) -> Any:
            together = {name: arguments.pop(name) for name in self.given}
            return command(**arguments, **{self.name: together})

        found: Callable[..., Any] = gathered
        for name, (kind, what, default, said) in reversed(list(self.given.items())):
            found = click.option(
                f"--{name.replace('_', '-')}",
                type=kind,
                metavar=what,
                default=default,
                show_default=default != 0,
                help=said,
            )(found)
        return found
