"""Which commands there are. Nothing heavy is imported until one of them is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Entry:
    """A command by its place, with the line that `safeguard --help` shows of it."""

    module: str
    attribute: str
    summary: str

    def load(self) -> click.Command:
        """Import the command."""
        command = getattr(importlib.import_module(self.module), self.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.module}:{self.attribute} is not a command")
        return command


COMMANDS = {
    "check": Entry("safeguard.cli.check", "check", "Compare old with new and give the verdict."),
    "demo": Entry("safeguard.cli.demo", "demo", "See a rollout being blocked, in one minute."),
    "discover": Entry("safeguard.cli.discover", "discover", "Which content has no contract yet?"),
    "drill": Entry("safeguard.cli.drill", "drill", "Plant faults, and see what a check catches."),
    "gate": Entry("safeguard.cli.gate", "gate", "May this rollout rely on that signed verdict?"),
    "init": Entry("safeguard.cli.init", "init", "Draft the plan and contracts from the systems."),
    "keygen": Entry(
        "safeguard.cli.keygen", "keygen", "Make the keys that verdicts are signed with."
    ),
    "plan": Entry("safeguard.cli.plan", "plan", "What would a check read, and how long?"),
    "report": Entry("safeguard.cli.report", "report", "Render a finished run again."),
    "schema": Entry("safeguard.cli.schema", "schema", "JSON Schema of plan, contract or waivers."),
    "suite": Entry(
        "safeguard.cli.suite", "suite", "Write what a contract implies for Great Expectations."
    ),
    "waive": Entry("safeguard.cli.waive", "waive", "Draft waivers for what a run found."),
    "watch": Entry("safeguard.cli.watch", "watch", "Check a live migration again and again."),
}
