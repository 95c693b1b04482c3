"""How a runner of GitHub Actions reads what a step writes, for tests of what it is made to read.

After actions/runner, `ActionCommand.cs` and `ActionCommandManager.cs`, and GitHub's page on workflow
commands: a command is `::name key=value,..::text` at the start of a line, or `##[name ..]text`
anywhere in it; after `stop-commands` only the token is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAMES = {
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "warning",
}
_STOP = "stop-commands"
SHOWN = {"error": 10, "warning": 10, "notice": 10}
"""Annotations of each kind that are shown of one step."""
SUMMARY = 1024 * 1024
"""Bytes of a step's summary above which it is refused."""


@dataclass(frozen=True)
class Command:
    name: str
    text: str
    properties: dict[str, str] = field(default_factory=dict)


def commands(log: str) -> list[Command]:
    """What the runner acts on in the lines of a step."""
    found: list[Command] = []
    token = ""
    for line in re.split(r"\r\n|\r|\n", log):
        names = {*NAMES, _STOP, *([token] if token else [])}
        command = _second(line, names) or _first(line, names)
        if command is None:
            continue
        if token:
            token = "" if command.name == token else token
        elif command.name == _STOP:
            token = command.text
        else:
            found.append(command)
    return found


def _second(line: str, names: set[str]) -> Command | None:
    match = re.match(r"\s*::(.*?)::(.*)$", line, re.DOTALL)
    if match is None:
        return None
    name, _, rest = match[1].partition(" ")
    if name.lower() not in names:
        return None
    pairs = [pair.split("=", 1) for pair in rest.strip().split(",") if "=" in pair]
    given = {key: _unescaped(value, {"%3A": ":", "%2C": ","}) for key, value in pairs}
    return Command(name.lower(), _unescaped(match[2], {}), given)


def _first(line: str, names: set[str]) -> Command | None:
    match = re.search(r"##\[([^\] ]*)[^\]]*\](.*)$", line, re.DOTALL)
    return Command(match[1].lower(), match[2]) if match and match[1].lower() in names else None


def _unescaped(text: str, more: dict[str, str]) -> str:
    for written, meant in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(written, meant)
    return text


def outputs(written: str) -> dict[str, str]:
    """The outputs in a file of `GITHUB_OUTPUT`. Raises ValueError where the runner refuses it."""
    found, lines = {}, iter(written.splitlines())
    for line in lines:
        name, heredoc, delimiter = line.partition("<<")
        if not heredoc or "=" in name:
            name, is_set, value = line.partition("=")
            if not is_set:
                raise ValueError(f"invalid format: {line!r}")
            found[name] = value
            continue
        value = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        else:
            raise ValueError(f"no end of {name}")
        found[name] = "\n".join(value)
    return found
