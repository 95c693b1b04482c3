"""The command group, and the one place where an error becomes an exit code."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from types import FrameType
from typing import NoReturn

import click

from safeguard.cli import trouble
from safeguard.cli.registry import COMMANDS

COMPLETE = "_SAFEGUARD_COMPLETE"
_signals: list[int] = []
"""Those that came."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = COMMANDS.get(cmd_name)
        return entry.load() if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            if meant := get_close_matches(args[0], COMMANDS, n=1):
                said = f"No such command `{args[0]}`. Did you mean `{meant[0]}`?"
                raise click.UsageError(said, ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="content-safeguard", prog_name="safeguard")
def safeguard() -> None:
    """Proves that what customers made survives a service split, merge, move or shutdown. If it
    cannot prove that, it blocks the rollout.

    \b
    Examples:
      safeguard demo                    see a blocked rollout, with no set-up
      safeguard init --old "$OLD_URL" --new shop="$NEW_URL"
      safeguard check safeguard.yaml

    \b
    Exit codes:
      0  PASS          everything survived
      1  BLOCK         do not roll out
      2  mend the command, plan or contract
      3  UNDECIDED     it cannot be called safe
      70 a bug of ours    130 interrupted
    """


def main() -> NoReturn:
    """Run the command line and end the process."""
    # Loading the libraries makes a million objects that stay: to look through them for garbage again
    # and again takes a tenth of a short run.
    gc.set_threshold(50_000, 20, 50)
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell has it for background jobs
            signal.signal(number, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title is no reason to crash
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; whatever happens, the answer is one of the fixed exit codes."""
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 (an error that slips by would leave with 1: BLOCK)
        # What a module that was being imported makes of a signal is no bug of ours.
        said = KeyboardInterrupt() if _signals and isinstance(error, Exception) else error
        code = trouble.tell(said, next((a for a in arguments if a in COMMANDS), ""))
    return code


def _dispatch(arguments: Sequence[str]) -> int:
    """Run the command. click's own `main` is not used: it ends with 1 on a broken pipe."""
    if instruction := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(safeguard, {}, "safeguard", COMPLETE, instruction)
    with safeguard.make_context("safeguard", list(arguments)) as context:
        code = safeguard.invoke(context)
    if not isinstance(code, int):
        raise TypeError(f"a command must return its exit code, not {code!r}")
    return code


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    _signals.append(number)
    raise KeyboardInterrupt
