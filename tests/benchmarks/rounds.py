"""Runs the entries of a cell in turns, A B C A B C, each as a whole process in a fresh folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.cells import Cell, Entry
from benchmarks.contenders import LIMIT, PROGRAMS, Failed
from benchmarks.environments import Environments, NotInstalled
from benchmarks.hosts import BenchPostgresql
from benchmarks.stores import Stores, tell

MIB = 1 << 20
SERVERS_SETTLE_SECONDS = 0.1
"""After a client left, its backends end and their CPU is added to their server's."""

Status = Literal["right", "wrong", "failed", "timeout", "not installed"]


@dataclass(frozen=True)
class Run:
    """One run: seconds, MiB, and whether it found exactly what was planted.

    `cpu` is that of the contender, `server_cpu` that of the servers meanwhile. `statements` is the
    time from its first statement's start to its last one's end, as PostgreSQL's log has it.
    """

    status: Status
    reason: str = ""
    wall: float | None = None
    cpu: float | None = None
    server_cpu: float | None = None
    peak_mib: float | None = None
    statements: float | None = None
    found: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """For the results: what is unknown is left out, numbers are rounded to what they mean."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
            if value not in (None, "")
        }


@dataclass(frozen=True)
class Patience:
    """How often is measured, and when that ends early, in seconds."""

    rounds: int
    timeout: float
    once_above: float
    """Who took longer is not run again in this cell; the results show how many runs there were."""
    warm: bool = True
    """Whether each cell's data is read once before it is measured."""


def measure(
    cell: Cell, stores: Stores, environments: Environments, patience: Patience
) -> dict[str, list[Run]]:
    """The runs of each entry, round by round."""
    if patience.warm:
        _warm(cell, stores, environments, patience.timeout)
    runs: dict[str, list[Run]] = {entry.name: [] for entry in cell.entries}
    for number in range(patience.rounds):
        for entry in cell.entries:
            before = runs[entry.name]
            if before and _is_enough(before[-1], patience):
                continue
            run = run_once(entry, stores, environments, patience.timeout)
            before.append(run)
            tell(f"{cell.name}  {number + 1}/{patience.rounds}  {entry.name}: {_words(run)}")
    return runs


def _warm(cell: Cell, stores: Stores, environments: Environments, timeout: float) -> None:
    """Let the bare read bring all rows into the caches; how that goes is no result."""
    for job in dict.fromkeys(entry.job for entry in cell.entries):
        run_once(Entry("warm", LIMIT, job), stores, environments, timeout)


def run_once(entry: Entry, stores: Stores, environments: Environments, timeout: float) -> Run:
    """Run one entry in a fresh folder that is removed afterwards."""
    with _fresh_folder() as folder:
        try:
            command = entry.contender.command(entry.job, folder, environments)
        except NotInstalled as missing:
            return Run("not installed", str(missing))
        log_end = _log_end(stores)
        before = sum(server.cpu_seconds() for server in stores.started())
        taken, output, errors = _run(command, entry, folder, timeout)
        time.sleep(SERVERS_SETTLE_SECONDS)
        server_cpu = sum(server.cpu_seconds() for server in stores.started()) - before
        numbers = {
            "wall": taken["wall"],
            "cpu": taken["user"] + taken["system"],
            "server_cpu": server_cpu,
            "peak_mib": taken["peak_bytes"] / MIB,
            "statements": _statements(stores, log_end),
        }
        if taken["timed_out"] or taken["exit_code"]:
            for server in stores.started():
                server.end_sessions()
        if taken["timed_out"]:
            return Run("timeout", f"ended after {timeout:.0f} s", **numbers)
        return _judged(entry, output, errors, taken["exit_code"], numbers)


def _judged(entry: Entry, output: str, errors: str, code: int, numbers: dict[str, Any]) -> Run:
    try:
        found = entry.contender.found(output)
    except (Failed, ValueError, KeyError) as trouble:
        words = " ".join(errors.split())[-300:]
        return Run("failed", f"{trouble} (exit code {code}) {words}".strip(), **numbers)
    right = entry.contender.is_right(found, entry.job)
    reason = "" if right else f"planted: {entry.job.expected}"
    return Run("right" if right else "wrong", reason, **numbers, found=found)


def _run(
    command: list[str], entry: Entry, folder: Path, timeout: float
) -> tuple[dict[str, Any], str, str]:
    result, out, err = (folder / name for name in ("taken.json", "out.txt", "err.txt"))
    wrapper = [sys.executable, "-I", "-S", str(PROGRAMS / "measured.py"), str(result), str(timeout)]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        subprocess.run(
            [*wrapper, *command],
            cwd=folder,
            env=entry.contender.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    taken: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return taken, out.read_text(errors="replace"), err.read_text(errors="replace")


@contextmanager
def _fresh_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="safeguard-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _log_end(stores: Stores) -> int | None:
    started = {type(server) for server in stores.started()}
    return stores.postgresql.log_size() if BenchPostgresql in started else None


def _statements(stores: Stores, log_end: int | None) -> float | None:
    return None if log_end is None else stores.postgresql.statement_seconds(log_end)


def _is_enough(last: Run, patience: Patience) -> bool:
    return last.status == "not installed" or (last.wall or 0) > patience.once_above


def _words(run: Run) -> str:
    if run.wall is None:
        return f"{run.status}, {run.reason}"
    return f"{run.wall:.2f} s, {run.peak_mib:.0f} MiB, {run.status} {run.reason}".strip()
