"""Every command can be loaded, has help with examples, is documented; listing them is cheap."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from safeguard.cli.registry import COMMANDS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
HEAVY = {
    *("duckdb", "pyarrow", "sqlalchemy", "pydantic", "deepdiff", "jinja2", "pandas", "rich"),
    "cryptography",
}


@pytest.mark.parametrize("name", COMMANDS)
class TestEveryCommand:
    def test_can_be_loaded_under_its_name(self, name):
        assert COMMANDS[name].load().name == name

    def test_its_first_sentence_is_not_the_list_again(self, name):
        text = COMMANDS[name].load().help or ""
        assert len(text.splitlines()[0]) > 20

    def test_shows_examples_that_it_would_accept(self, name):
        command = COMMANDS[name].load()
        section = (command.help or "").split("Examples:")[1].split("\n\n")[0]
        lines = re.sub(r"\\\n\s+", "", section)
        examples = re.findall(rf"^\s*safeguard {name}(.*)$", lines, re.MULTILINE)
        assert examples
        known = {option for parameter in command.params for option in parameter.opts}
        for example in examples:
            assert set(re.findall(r"--[a-z-]+", example)) <= known

    def test_every_option_has_help(self, name):
        options = [p for p in COMMANDS[name].load().params if isinstance(p, click.Option)]
        assert all(option.help for option in options)

    def test_is_documented_with_every_option(self, name):
        reference = REFERENCE.read_text(encoding="utf-8")
        section = re.search(
            rf"^## safeguard {name}\n(.*?)(?=^## |\Z)", reference, re.MULTILINE | re.DOTALL
        )
        assert section, f"docs/reference/cli.md has no `## safeguard {name}`"
        for parameter in COMMANDS[name].load().params:
            for option in parameter.opts if isinstance(parameter, click.Option) else ():
                assert option in section[1]


def test_the_reference_knows_no_command_that_is_not_there():
    documented = re.findall(r"^## safeguard (\S+)$", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["demo", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    script = (
        "import sys\nfrom safeguard.cli.shell import run\n"
        f"assert run({arguments!r}) == 0\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert HEAVY.isdisjoint(done.stdout.split())


def test_help_lists_every_command():
    done = subprocess.run([sys.executable, "-m", "safeguard", "-h"], capture_output=True, text=True)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_set_up(shell, tmp_path):
    environment = {"_SAFEGUARD_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "safeguard"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "_safeguard_completion" in done.stdout


def test_completion_completes_commands():
    environment = {
        "_SAFEGUARD_COMPLETE": "bash_complete",
        "COMP_WORDS": "safeguard che",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "safeguard"], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "plain,check"
