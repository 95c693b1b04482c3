"""The plans of one pytest session, each checked once, whichever worker comes to it first."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import SafeguardError
from safeguard.runs import load_result


@dataclass
class SharedPlan:
    """A plan and its one check. What came of it stands in a file that all workers read."""

    path: Path
    out: Path | None
    note: Path
    collected: bool = False

    @cached_property
    def result(self) -> CheckResult:
        """The result; whoever asks first has the plan checked. Raises SafeguardError."""
        with _alone(self.note.with_suffix(".lock")):
            if not self.note.exists():
                self._check()
        told = self.told()
        if told is None or "folder" not in told:
            raise SafeguardError(told["problem"] if told else "its check did not end")
        return load_result(Path(told["folder"]))

    def told(self) -> dict[str, str] | None:
        """The folder of the run, or the problem that ended it; None where nobody has asked yet."""
        try:
            found: dict[str, str] = json.loads(self.note.read_bytes())
        except FileNotFoundError:
            return None
        return found

    def _check(self) -> None:
        """Check, and write down what came of it, a fault of our own too: it is not tried again."""
        from safeguard.api import check

        try:
            self._say(folder=str(check(self.path, out=self.out).folder.absolute()))
        except SafeguardError as problem:
            self._say(problem=str(problem))
        except Exception as fault:
            self._say(problem=f"a fault of Safeguard's own: {type(fault).__name__}: {fault}")
            raise

    def _say(self, **told: str) -> None:
        partial = self.note.with_suffix(".partial")
        partial.write_text(json.dumps(told), encoding="utf-8")
        partial.replace(self.note)


@dataclass
class PlanSession:
    """All plans of a session; `shared` is a folder that its workers have in common."""

    shared: Path
    plans: dict[Path, SharedPlan] = field(default_factory=dict)

    @classmethod
    def of(cls, config: pytest.Config, shared: Path) -> PlanSession:
        """The plans of `--safeguard`. Raises UsageError for one that is not there."""
        start = config.invocation_params.dir
        asked = [Path(os.path.normpath(start / name)) for name in config.option.safeguard_plans]
        for name, path in zip(config.option.safeguard_plans, asked, strict=True):
            if not path.is_file():
                raise pytest.UsageError(f"--safeguard: there is no plan {name}")
        paths = list(dict.fromkeys(asked))
        folders = _folders(paths, config)
        made = [
            SharedPlan(path, folder, shared / f"{number}.json")
            for number, (path, folder) in enumerate(zip(paths, folders, strict=True))
        ]
        return cls(shared, {plan.path: plan for plan in made})

    def plan_at(self, path: Path) -> SharedPlan | None:
        """The plan at this place, if it was asked for."""
        return self.plans.get(path)


def _folders(paths: list[Path], config: pytest.Config) -> list[Path | None]:
    """Where each plan's run goes. Raises UsageError where two would share a folder."""
    given = config.option.safeguard_out
    if given is None:
        return [None] * len(paths)
    out = config.invocation_params.dir / given
    if len(paths) == 1:
        return [out]
    below = [
        path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path.name
        for path in paths
    ]
    if len(set(map(str, below))) != len(below):
        raise pytest.UsageError("--safeguard-out: two plans outside the root have one name")
    return [out / each for each in below]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; a lock goes with the process that had it, however that ends."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
