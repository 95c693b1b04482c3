"""`--format github`: what a step of GitHub Actions is told, on stdout and in the runner's files."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import Mistake, SafeguardError, SystemProblem, UsageProblem
from safeguard.findings.words import Verdict
from safeguard.reports.github import (
    command,
    ending_outputs,
    render_annotations,
    render_mistakes,
    render_outputs,
    render_summary,
    result_outputs,
)
from safeguard.runs import shown

_SUMMARY, _OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"


class Step:
    """The step of a workflow that a check runs in; one that is not `asked` is told nothing."""

    def __init__(self, asked: bool, environ: Mapping[str, str], out: TextIO) -> None:
        self._asked, self._environ, self._out = asked, environ, out
        self._token = ""

    def stop_commands(self) -> None:
        """From here on the runner takes no line for a command, whatever text it is made of."""
        if self._asked:
            self._token = secrets.token_hex(16)
            self._say(f"{command('stop-commands', self._token)}\n")

    def tell(self, result: CheckResult, folder: Path) -> None:
        """The result. Raises SystemProblem where a file of the runner can't be written."""
        if self._asked:
            self._resume_commands()
            tell_github(result, folder, self._environ, self._out)

    def tell_end(self, error: BaseException) -> None:
        """That there is no result, and why. The lines that follow are no commands."""
        if not self._asked:
            return
        self._resume_commands()
        self._say(render_mistakes(_mistakes(error)))
        with suppress(SafeguardError):
            _append_outputs(self._environ, ending_outputs(Verdict.UNDECIDED, _exit_code(error)))
        self.stop_commands()

    def _resume_commands(self) -> None:
        self._say(f"::{self._token}::\n")

    def _say(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


@contextmanager
def github_for(formats: Sequence[str], environ: Mapping[str, str]) -> Iterator[Step]:
    """The step that is told of a check, where `formats` asks for it.

    With json, stdout is verdict.json's; the runner reads commands on stderr too.
    """
    step = Step("github" in formats, environ, sys.stderr if "json" in formats else sys.stdout)
    step.stop_commands()
    try:
        yield step
    except BaseException as error:
        step.tell_end(error)
        raise


def tell_github(result: CheckResult, folder: Path, environ: Mapping[str, str], out: TextIO) -> None:
    """Annotations to `out`; outputs and summary into the runner's files, where it names them."""
    out.write(render_annotations(result))
    _append_outputs(environ, result_outputs(result, shown(folder)))
    if summary := environ.get(_SUMMARY):
        _append(summary, render_summary(result, shown(folder), _size(Path(summary))))


# -- private -------------------------------------------------------------------------------------


def _append_outputs(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    if path := environ.get(_OUTPUT):
        _append(path, render_outputs(outputs, f"safeguard-{secrets.token_hex(16)}"))


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SystemProblem(f"{path} can't be written: {error.strerror}") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mistakes(error: BaseException) -> tuple[Mistake, ...]:
    if isinstance(error, UsageProblem):
        return error.mistakes
    return (Mistake(str(error)),) if isinstance(error, SafeguardError) else ()


def _exit_code(error: BaseException) -> int:
    match error:
        case SafeguardError():
            return error.exit_code
        case KeyboardInterrupt():
            return 130
        case OSError():
            return 3
    return 70
