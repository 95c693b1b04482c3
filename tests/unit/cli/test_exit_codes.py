"""Each exit code, one by one: what ends with it, and that nothing else does."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from safeguard.cli.registry import COMMANDS, Entry
from safeguard.cli.shell import run
from safeguard.cli.trouble import tell
from safeguard.findings.trouble import Mistake, SystemProblem, UsageProblem


@dataclass(frozen=True)
class Inline(Entry):
    """A command that is there for one test."""

    body: Callable[[], object] = lambda: 0

    def load(self) -> click.Command:
        return click.Command("inline", callback=self.body)


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    def ends(body: Callable[[], object]) -> int:
        monkeypatch.setitem(COMMANDS, "inline", Inline("", "", "", body))
        return run(["inline"])

    return ends


def raising(error: BaseException) -> Callable[[], object]:
    def body() -> object:
        raise error

    return body


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_verdict_is_handed_on_as_it_is(ends_with, code):
    assert ends_with(lambda: code) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageProblem("no such table"), 2),
        (click.UsageError("which plan?"), 2),
        (click.ClickException("no"), 2),
        (SystemProblem("dvd went away"), 3),
        (BrokenPipeError(), 3),
        (PermissionError(13, "Permission denied", "reports/verdict.json"), 3),
        (ValueError("a bug"), 70),
        (OSError("no file's fault"), 70),
        (EOFError(), 70),
        (MemoryError(), 70),
        (RecursionError(), 70),
        (AssertionError(), 70),
        (SystemExit(1), 70),
        (ExceptionGroup("two", [ValueError(), SystemProblem("x")]), 70),
        (BaseException("a panic in a library"), 70),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_an_error_ends_with_its_code_and_never_with_a_verdicts(ends_with, error, code, capsys):
    assert ends_with(raising(error)) == code
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [None, "0", 0.0, []])
def test_a_command_that_forgets_its_exit_code_does_not_pass(ends_with, answer):
    assert ends_with(lambda: answer) == 70


def test_mistakes_are_told_together_and_counted(ends_with, capsys):
    error = UsageProblem(
        Mistake("unknown key `colums`. Did you mean `columns`?", "contracts/queue.yaml", 9, 5),
        Mistake("DVD_URL is not set in the environment.", "safeguard.yaml", 6, 19),
        Mistake("and one without a place"),
    )
    assert ends_with(raising(error)) == 2
    assert capsys.readouterr().err.splitlines() == [
        "contracts/queue.yaml:9:5  unknown key `colums`. Did you mean `columns`?",
        "safeguard.yaml:6:19       DVD_URL is not set in the environment.",
        "                          and one without a place",
        "3 mistakes.                                                  exit code 2",
    ]


def test_one_mistake_is_one(ends_with, capsys):
    assert ends_with(raising(UsageProblem("no plan"))) == 2
    assert capsys.readouterr().err.splitlines() == [
        "no plan",
        "1 mistake.                                                   exit code 2",
    ]


@pytest.mark.parametrize(
    ("error", "command", "told"),
    [
        (UsageProblem("no plan"), "check", "nothing was checked"),
        (UsageProblem("no plan"), "discover", "nothing was checked"),
        (SystemProblem("no login"), "check", "UNDECIDED  This can't be called safe. no login"),
        (KeyboardInterrupt(), "check", "UNDECIDED  Interrupted"),
    ],
)
def test_a_check_says_that_there_is_no_verdict(error, command, told, capsys):
    tell(error, command)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init", "report", "discover"])
@pytest.mark.parametrize(
    "error",
    [SystemProblem("no login"), KeyboardInterrupt(), PermissionError(13, "denied", "reports")],
)
def test_only_a_check_speaks_of_a_verdict(error, command, capsys):
    assert tell(error, command) in (3, 130)
    told = capsys.readouterr().err
    assert "UNDECIDED" not in told
    assert "safe" not in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "RUN", "--out", "file/report.html"], "file/report.html can't be written: Not"),
        (["demo", "--folder", "file/demo"], "file/demo can't be written: Not a directory"),
        (["check", "--out", "file/out"], "file/out can't be written: Not a directory"),
        (
            ["init", "--old", "sqlite:///a.db", "--new", "sqlite:///b.db", "--out", "file/x"],
            "file/x can't be written: Not a directory",
        ),
    ],
)
def test_what_cannot_be_written_is_a_mistake(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("RUN").mkdir()
    Path("RUN/verdict.json").write_text("{}")
    for name in ("a.db", "b.db"):
        connection = sqlite3.connect(name)
        connection.executescript(
            "CREATE TABLE customers (customer_id INTEGER PRIMARY KEY);"
            "CREATE TABLE likes (customer_id INTEGER REFERENCES customers, title INTEGER,"
            " PRIMARY KEY (customer_id, title));"
            "INSERT INTO customers VALUES (1), (2); INSERT INTO likes VALUES (1, 5), (2, 6)"
        )
        connection.close()
    assert run(arguments) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "UNDECIDED" not in told


def test_a_misspelt_command_is_told_with_the_nearest(capsys):
    assert run(["chekc"]) == 2
    assert "No such command `chekc`. Did you mean `check`?" in capsys.readouterr().err


def test_a_bug_shows_its_traceback_and_apologises(ends_with, capsys):
    ends_with(raising(ValueError("boom")))
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "ValueError: boom" in told
    assert "not a verdict" in told
    assert "exit code 70" in told


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://ada:hunter2@db/old",
        "mysql+pymysql://ada:hunter2@db:3306/old?charset=utf8mb4",
        "postgresql://db/old?user=ada&password=hunter2",
    ],
)
@pytest.mark.parametrize("kind", [SystemProblem, UsageProblem, ValueError])
def test_a_password_never_reaches_stderr(ends_with, capsys, kind, secret):
    ends_with(raising(kind(f"could not open {secret}: refused")))
    told = capsys.readouterr().err
    assert "refused" in told
    assert "hunter2" not in told


def test_a_message_cannot_steer_the_terminal(ends_with, capsys):
    ends_with(raising(UsageProblem("column \x1b[2J\x9b31m\rPASS")))
    assert not {"\x1b", "\x9b", "\r"} & set(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["check", "--help"], 0),
        (["--version"], 0),
        ([], 2),
        (["chekc"], 2),
        (["--bad"], 2),
        (["check", "--format", "nope"], 2),
        (["schema"], 2),
    ],
)
def test_the_module_ends_with_the_same_codes(arguments, code):
    done = subprocess.run([sys.executable, "-m", "safeguard", *arguments], capture_output=True)
    assert done.returncode == code, done.stderr.decode()


def _script(body: str) -> list[str]:
    lines = [
        "import click, sys, time",
        "from safeguard.cli.registry import COMMANDS, Entry",
        "from safeguard.cli.shell import main",
        "class Inline(Entry):",
        "    def load(self): return click.Command('inline', callback=body)",
        f"def body(): {body}",
        "COMMANDS['inline'] = Inline('', '', '')",
        "main()",
    ]
    return [sys.executable, "-c", "\n".join(lines), "inline"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_with_130(number):
    script = _script("print('ready', flush=True); time.sleep(60)")
    with subprocess.Popen(
        script,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs tests in the background has them ignore Ctrl-C; the command must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Interrupted" in told
    assert b"Traceback" not in told


@pytest.mark.parametrize("size", [10, 1_000_000], ids=["buffered", "more than a pipe holds"])
def test_a_reader_who_went_away_is_no_pass_and_no_noise(size):
    script = _script(f"click.echo('x' * {size}); return 0")
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert told == b""


def test_text_that_stdout_cannot_encode_is_no_crash():
    script = _script(r"click.echo('\u9031'); return 0")
    environment = {"PYTHONIOENCODING": "latin-1", "PATH": ""}
    done = subprocess.run(script, capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (0, b"\\u9031\n")


@pytest.mark.parametrize("error", [SystemProblem("the disk is full"), KeyboardInterrupt()])
def test_how_to_go_on_is_the_last_that_is_said(error, capsys):
    error.add_note("Resume with: safeguard check safeguard.yaml --resume last")
    tell(error, "check")
    said = capsys.readouterr().err.replace("exit code 3", "").strip()
    assert said.endswith("Resume with: safeguard check safeguard.yaml --resume last")
