"""What GitHub Actions reads: annotations on stdout, outputs for later steps, and the job's summary.

The commands, their escapes and their limits: https://docs.github.com/actions/reference, "Workflow
commands for GitHub Actions"; how the runner reads them: actions/runner, ActionCommand.cs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import Mistake
from safeguard.findings.words import Kind, Verdict
from safeguard.reports import wording
from safeguard.reports.issues import Issue, Level, issues
from safeguard.reports.markdown import render_markdown
from safeguard.reports.printable import clipped
from safeguard.reports.vocabulary import number

PER_KIND = 10
"""GitHub shows so many errors, so many warnings and so many notices of a step, and drops the rest."""
SUMMARY_LIMIT = 1_000_000
"""Bytes; a step's summary above 1 MiB is refused whole."""
_COMMANDS: Mapping[Level, str] = {
    Level.ERROR: "error",
    Level.WARNING: "warning",
    Level.NOTE: "notice",
}
_LONGEST, _TITLE = 2_000, 200


def render_annotations(result: CheckResult) -> str:
    """One command a line: the verdict, then the gravest issues that fit into GitHub's limits."""
    lines: list[str] = []
    found = issues(result)
    for level in Level:
        told = [_annotation(i) for i in found if i.level is level]
        if level is _level(result.verdict):
            told.insert(0, _verdict(result))
        lines += _at_most(told, level)
    return "".join(f"{line}\n" for line in lines)


def render_mistakes(mistakes: Sequence[Mistake]) -> str:
    """Mistakes of the plan and its contracts as errors at their lines."""
    told = [
        command(
            "error",
            m.message,
            file=m.file,
            line=str(m.line or ""),
            col=str(m.column or ""),
            title="Safeguard: nothing was checked",
        )
        for m in mistakes
    ]
    return "".join(f"{line}\n" for line in _at_most(told, Level.ERROR))


def result_outputs(result: CheckResult, folder: str) -> dict[str, str]:
    """What later steps can branch on, by name: the verdict, the files, entries of each kind."""
    found = {kind: sum(c.findings.get(kind, 0) for c in result.contents) for kind in Kind}
    found[Kind.UNCOVERED] = len(result.coverage.uncovered)
    return {
        **ending_outputs(result.verdict, result.exit_code),
        "run": result.run,
        "folder": folder,
        "report": f"{folder}/report.html",
        "customers-affected": str(result.customers.affected),
        **{kind.value.replace("_", "-"): str(n) for kind, n in found.items()},
    }


def ending_outputs(verdict: Verdict, exit_code: int) -> dict[str, str]:
    """Of a check that ended before it had a result, all there is."""
    return {"verdict": verdict.value, "exit-code": str(exit_code)}


def render_outputs(outputs: Mapping[str, str], delimiter: str) -> str:
    """As the file of `GITHUB_OUTPUT` takes them. `delimiter` is random: no value can guess it."""
    return "".join(
        f"{name}<<{delimiter}\n{clipped(value, _LONGEST)}\n{delimiter}\n"
        for name, value in outputs.items()
    )


def render_summary(result: CheckResult, folder: str, already: int = 0) -> str:
    """The job's summary; `already` bytes are in the step's file. "" where not even a line fits."""
    page = render_markdown(result, folder=folder)
    if already + len(page.encode()) <= SUMMARY_LIMIT:
        return page
    short = f"## {result.verdict}: see report.html\n"
    return short if already + len(short) <= SUMMARY_LIMIT else ""


def command(name: str, message: str, **properties: str) -> str:
    """One workflow command. Nothing in `message` or `properties` ends it, or begins another."""
    given = ",".join(
        f"{key}={_property(clipped(value, _TITLE if key == 'title' else _LONGEST))}"
        for key, value in properties.items()
        if value
    )
    return f"::{name}{' ' if given else ''}{given}::{_data(clipped(message, _LONGEST))}"


def _level(verdict: Verdict) -> Level:
    return Level.NOTE if verdict is Verdict.PASS else Level.ERROR


def _verdict(result: CheckResult) -> str:
    title = f"Safeguard: {result.verdict}"
    return command(_COMMANDS[_level(result.verdict)], wording.headline(result), title=title)


def _annotation(issue: Issue) -> str:
    return command(
        _COMMANDS[issue.level],
        issue.text,
        file=issue.file,
        line=str(issue.line),
        title=issue.title,
    )


def _at_most(told: Sequence[str], level: Level) -> Iterator[str]:
    """All, or so many that there is room to say how many are left."""
    if len(told) <= PER_KIND:
        yield from told
        return
    yield from told[: PER_KIND - 1]
    left = number(len(told) - PER_KIND + 1)
    yield command(_COMMANDS[level], f"{left} more in the job's summary and report.html")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
