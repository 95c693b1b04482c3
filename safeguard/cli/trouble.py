"""Tells a person what went wrong, on stderr, and which exit code says it to a machine."""

from __future__ import annotations

import os
import re
import sys
import traceback

import click

from safeguard.findings.trouble import Mistake, SystemProblem, UsageProblem

USAGE, UNDECIDED, BUG, INTERRUPTED = 2, 3, 70, 130

_JUDGES = ("check", "demo", "watch")
_CHECKS = ("check", "discover", "watch")

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]+(?=@)|((?:password|passwd|pwd|token)=)[^&\s'\"]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tell(error: BaseException, command: str = "") -> int:
    """Write the error to stderr and return its exit code: never 1, that is a verdict's.

    UNDECIDED is said of a check only: no other command has a verdict.
    """
    judges = command in _JUDGES
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            error.show()
            return USAGE
        case UsageProblem():
            _tell_mistakes(error.mistakes, checks=command in _CHECKS)
            return USAGE
        case SystemProblem():
            verdict = "UNDECIDED  This can't be called safe. " if judges else ""
            _write(f"{verdict}{error}{_notes(error)}\n{'exit code 3':>72}")
            return UNDECIDED
        case KeyboardInterrupt() | click.Abort():
            undecided = "UNDECIDED  Interrupted: nothing can be called safe."
            _write(f"{undecided if judges else 'Interrupted.'}{_notes(error)}")
            return INTERRUPTED
        case BrokenPipeError() | SystemExit(__context__=BrokenPipeError()):  # the latter is rich's
            _discard_output()
            return UNDECIDED
        case OSError(filename=str(name)):
            verdict = "UNDECIDED  " if judges else ""
            _write(f"{verdict}{name}: {error.strerror}\n{'exit code 3':>72}")
            return UNDECIDED
    _tell_bug(error)
    return BUG


def _notes(error: BaseException) -> str:
    """How to go on, below the rest, where somebody knows it."""
    return "".join(f"\n{'':11}{note}" for note in getattr(error, "__notes__", ()))


def _tell_mistakes(mistakes: tuple[Mistake, ...], *, checks: bool) -> None:
    places = [str(mistake).removesuffix(mistake.message).strip() for mistake in mistakes]
    width = max(map(len, places), default=0)
    for place, mistake in zip(places, mistakes, strict=True):
        _write(f"{place:<{width}}  {mistake.message}" if width else mistake.message)
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}"
    _write(f"{count + ('; nothing was checked.' if checks else '.'):<61}exit code 2")


def _tell_bug(error: BaseException) -> None:
    _write("".join(traceback.format_exception(error)).rstrip())
    _write("Sorry: this is a bug of safeguard, not a verdict. Nothing can be called safe.")
    _write(f"Please report it with the lines above.{'exit code 70':>34}")


def _write(text: str) -> None:
    """One line to stderr, without passwords and without what a terminal would act on."""
    text = _PASSWORD.sub(lambda m: f"{m[1] or m[2]}***", text)
    try:
        sys.stderr.write(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text) + "\n")
        sys.stderr.flush()
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Nobody reads any more: what is still buffered must not raise when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
