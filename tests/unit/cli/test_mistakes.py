"""What a person is told who made a mistake: where it stands, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeguard.cli.shell import run
from safeguard.demo import set_scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small migration done right, in the working folder: safeguard.yaml and its contracts."""
    monkeypatch.chdir(tmp_path)
    made = set_scene(tmp_path, 3, 1, faults=False)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def told(scene: Path, capsys: pytest.CaptureFixture[str]):
    """What `check` says on stderr, and its exit code, after one text of a file was replaced."""

    def told(old: str, new: str, file: str = "safeguard.yaml") -> tuple[int, str]:
        text = (scene / file).read_text("utf-8")
        assert old in text, text
        (scene / file).write_text(text.replace(old, new), "utf-8")
        capsys.readouterr()
        return run(["check", "--quiet"]), capsys.readouterr().err

    return told


def line_of(text: str, word: str) -> int:
    return next(i for i, line in enumerate(text.split("\n"), 1) if word in line)


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ("sqlite:///gone.sqlite", "there is no SQLite file"),
        ("duckdb:///gone.duckdb", "there is no DuckDB file"),
        ("sqlite://", "names no file; write sqlite:///FILE"),
        ("files:gone", "there is no folder"),
        ("sqlit:///old.sqlite", "SQLAlchemy knows no `sqlit` here. Did you mean `sqlite`?"),
    ],
)
def test_a_system_that_cannot_be_opened_is_told_where_its_url_stands(told, scene, instead, message):
    line = line_of((scene / "safeguard.yaml").read_text("utf-8"), "sqlite:///old.sqlite")
    code, text = told("sqlite:///old.sqlite", instead)
    assert code == 2, text
    assert text.startswith(f"safeguard.yaml:{line}:10"), text
    assert message in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("table: customers", "table: custmers", "has no table `custmers`. Did you mean"),
        ("key: customer_id", "key: custmer_id", "Did you mean `customer_id`?"),
        ("plan <> 'free'", "plann <> 'free'", "plann"),
    ],
)
def test_a_mistake_about_the_customers_has_its_place(told, scene, old, new, message):
    line = line_of((scene / "safeguard.yaml").read_text("utf-8"), old)
    code, text = told(old, new)
    assert code == 2, text
    assert text.startswith(f"safeguard.yaml:{line}:"), text
    assert message in text
