"""SQLite systems made of a script, and drafts of them that were loaded."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from safeguard.contract.load import load_plan
from safeguard.contract.model import Contract, LoadedPlan
from safeguard.drafting import Draft, draft

MakeSystem = Callable[[str, str], str]


class Drafted:
    """A draft, its plan as the loader reads it, and its files' texts."""

    def __init__(self, made: Draft, folder: Path) -> None:
        self.lines = made.lines
        self.loaded: LoadedPlan = load_plan(folder / "safeguard.yaml", {})
        self.texts = {p.name: p.read_text(encoding="utf-8") for p in made.files}

    def __getitem__(self, content: str) -> Contract:
        found = {e.contract.content: e.contract for e in self.loaded.contracts}
        return found[content]

    @property
    def contents(self) -> set[str]:
        return {e.contract.content for e in self.loaded.contracts}

    @property
    def open(self) -> list[str]:
        return [line.removeprefix("?").strip() for line in self.lines if line.startswith("?")]


@pytest.fixture
def system(tmp_path: Path) -> MakeSystem:
    """`system("old", "CREATE TABLE ...")` gives the URL of a SQLite file."""

    def make(name: str, script: str) -> str:
        path = tmp_path / f"{name}.sqlite"
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def drafted(tmp_path: Path) -> Callable[..., Drafted]:
    """`drafted(old_url, new=url, ...)` drafts and loads."""

    def make(old: str | dict[str, str], **new: str) -> Drafted:
        folder = tmp_path / "drafted"
        olds = {"old": old} if isinstance(old, str) else old
        return Drafted(draft(olds, new, folder), folder)

    return make
