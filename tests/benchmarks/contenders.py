"""Who is measured: how each is run on two sides, and what it says it found."""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.content import Planted
from benchmarks.environments import Environments
from benchmarks.plans import write_plan
from benchmarks.stores import Engine, Side

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
Found = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Two sides, what shape their rows have, and what differs between them."""

    old: Side
    new: Side
    planted: Planted
    lists: bool = False
    crosswalk: bool = False

    @property
    def expected(self) -> dict[str, int]:
        """The counts that an exact comparison finds."""
        return self.planted.as_dict()


class Failed(Exception):
    """The contender ran and gave no result; the message says why."""


class Contender(ABC):
    """One way to compare. `counts` are those of `Planted` that it can tell."""

    name: str
    title: str
    counts: tuple[str, ...] = ("lost", "extra", "changed")
    without: frozenset[Engine] = frozenset()
    """The engines that it can't read."""

    @abstractmethod
    def command(self, job: Job, folder: Path, environments: Environments) -> list[str]:
        """The command to measure; what it needs is written into the fresh folder."""

    @abstractmethod
    def found(self, output: str) -> Found:
        """What it found, from its standard output. Raises `Failed`."""

    def environment(self) -> dict[str, str]:
        """The environment that it is run in."""
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def is_right(self, found: Found, job: Job) -> bool:
        """Whether it found exactly what was planted."""
        return all(found.get(name) == job.expected[name] for name in self.counts)


class Safeguard(Contender):
    """`safeguard check` of this checkout."""

    name = "safeguard"
    title = "Safeguard"
    counts = ("old", "new", "lost", "extra", "changed", "moved")

    def command(self, job: Job, folder: Path, environments: Environments) -> list[str]:
        """See `Contender.command`."""
        write_plan(folder, job)
        return [sys.executable, "-m", "safeguard", "check", "--quiet", "--format", "json"]

    def environment(self) -> dict[str, str]:
        """This checkout goes before what is installed."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def found(self, output: str) -> Found:
        """See `Contender.found`."""
        if not output.strip():
            raise Failed("no verdict")
        verdict = json.loads(output)
        if verdict["verdict"] == "UNDECIDED":
            raise Failed(f"UNDECIDED: {'; '.join(map(str, verdict['reasons']))}")
        (content,) = verdict["contents"]
        kinds = dict.fromkeys(("lost", "extra", "changed", "moved"), 0) | content["findings"]
        return {
            "verdict": verdict["verdict"],
            "old": content["old"],
            "new": content["new"],
            **kinds,
        }

    def is_right(self, found: Found, job: Job) -> bool:
        """The counts, no finding of another kind, and the verdict that follows."""
        counts = {name: value for name, value in found.items() if name != "verdict"}
        blocked = any(n for name, n in job.expected.items() if name not in ("old", "new"))
        return counts == job.expected and found["verdict"] == ("BLOCK" if blocked else "PASS")


class Program(Contender):
    """One of the scripts in `programs/`, which print their counts as JSON."""

    def __init__(
        self, name: str, title: str, script: str, pins: str, counts: tuple[str, ...]
    ) -> None:
        self.name, self.title, self.counts = name, title, counts
        self._script, self._pins = script, pins

    def command(self, job: Job, folder: Path, environments: Environments) -> list[str]:
        """See `Contender.command`."""
        file = folder / "job.json"
        sides = {"old": job.old.as_dict(), "new": job.new.as_dict()}
        file.write_text(json.dumps(sides), encoding="utf-8")
        return [str(environments.python(self._pins)), str(PROGRAMS / self._script), str(file)]

    def found(self, output: str) -> Found:
        """See `Contender.found`."""
        if not output.strip():
            raise Failed("no counts")
        counts: Found = json.loads(output.splitlines()[-1])
        return counts


class Reladiff(Contender):
    """reladiff's own command, with the settings that measured best on the composite key."""

    name = "reladiff"
    title = "reladiff"
    without: frozenset[Engine] = frozenset(("sqlite", "parquet"))
    tuning = ("--bisection-factor", "64", "--bisection-threshold", "50000")
    options = ("-a", "hashdiff", "-j", "4", "--json", *tuning)

    def command(self, job: Job, folder: Path, environments: Environments) -> list[str]:
        """See `Contender.command`."""
        program = environments.python("reladiff").with_name("reladiff")
        tables = [part for side in (job.old, job.new) for part in (_plain_url(side), side.table)]
        owner, item, *fields = job.old.columns
        keys = ("-k", owner, "-k", item)
        columns = [part for field in fields for part in ("-c", field)]
        return [str(program), *tables, *keys, *columns, *self.options]

    def found(self, output: str) -> Found:
        """A changed row is shown twice: as it was and as it is."""
        signs: defaultdict[tuple[str, ...], str] = defaultdict(str)
        for line in output.splitlines():
            sign, row = json.loads(line)
            signs[tuple(row[:2])] += sign
        shown = ["".join(sorted(sign)) for sign in signs.values()]
        return {"lost": shown.count("-"), "extra": shown.count("+"), "changed": shown.count("+-")}


class OwnCommand(Contender):
    """A command of Safeguard that compares nothing, for the time that starting takes."""

    counts = ()

    def __init__(self, name: str, title: str, *arguments: str) -> None:
        self.name, self.title, self._arguments = name, title, arguments

    def command(self, job: Job, folder: Path, environments: Environments) -> list[str]:
        """See `Contender.command`."""
        return [sys.executable, "-m", "safeguard", *self._arguments]

    def environment(self) -> dict[str, str]:
        """As that of the check."""
        return Safeguard().environment()

    def found(self, output: str) -> Found:
        """See `Contender.found`."""
        if "safeguard" not in output:
            raise Failed("it printed no help")
        return {}


_ROWS, _KINDS = ("old", "new"), ("lost", "extra", "changed")
SAFEGUARD = Safeguard()
LIMIT = Program("limit", "bare read of both sides", "bare_limit.py", "limit", _ROWS)
COUNT = Program("count", "count(*) of both sides", "count_rows.py", "limit", _ROWS)
DUCKDB_JOIN = Program(
    "duckdb-join", "DuckDB, join by hand", "duckdb_join.py", "duckdb-join", (*_ROWS, *_KINDS)
)
DATACOMPY = Program(
    "datacompy", "datacompy (Polars)", "datacompy_polars.py", "datacompy", (*_ROWS, *_KINDS)
)
RELADIFF = Reladiff()
HELP = OwnCommand("help", "`safeguard --help`", "--help")
ALL: tuple[Contender, ...] = (SAFEGUARD, LIMIT, COUNT, DUCKDB_JOIN, DATACOMPY, RELADIFF)


def _plain_url(side: Side) -> str:
    return side.url.replace("mariadb:", "mysql:", 1)
