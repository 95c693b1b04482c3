"""Where a plan and its contracts say what, for reports that show findings beside the files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from safeguard.contract.model import LoadedContract, LoadedPlan
from safeguard.findings.result import ContentResult


def with_lines(contents: Sequence[ContentResult], loaded: LoadedPlan) -> tuple[ContentResult, ...]:
    """The contents, each with the lines of its contract."""
    lines = {one.contract.content: _lines_of(one) for one in loaded.contracts}
    return tuple(replace(c, lines=lines.get(c.content, {})) for c in contents)


def lines_of_plan(loaded: LoadedPlan) -> dict[str, int]:
    """The line of each top key of the plan."""
    return {path: line for path, (line, _) in loaded.lines.items() if _is_top(path)}


def in_repository(plan: Path) -> str:
    """The plan's path from the root of its repository, with `/`.

    The root is the nearest folder above it that has `.git`; where there is none, the working folder;
    where the plan is not below that, the plan's own folder.
    """
    whole = Path(os.path.normpath(plan.absolute()))
    root = next((folder for folder in whole.parents if (folder / ".git").exists()), Path.cwd())
    return (whole.relative_to(root) if whole.is_relative_to(root) else Path(whole.name)).as_posix()


def _lines_of(loaded: LoadedContract) -> dict[str, int]:
    """The lines of the contract's top keys and of its fields."""
    fields = {f"fields.{name}" for name in loaded.contract.fields}
    return {p: line for p, (line, _) in loaded.lines.items() if _is_top(p) or p in fields}


def _is_top(path: str) -> bool:
    return bool(path) and "." not in path
