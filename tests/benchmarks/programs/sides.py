"""What a contender's program is given: a job file with both sides. Runs in environments of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Side:
    """See `benchmarks.stores.Side`."""

    engine: str
    table: str
    columns: list[str]
    path: str
    port: int
    database: str
    user: str

    @property
    def url(self) -> str:
        """A URL as ADBC and connectorx take it."""
        if self.engine == "sqlite":
            return f"sqlite://{self.path}"
        scheme = "mysql" if self.engine == "mariadb" else self.engine
        return f"{scheme}://{self.user}:{self.user}@127.0.0.1:{self.port}/{self.database}"

    @property
    def rows(self) -> str:
        """SQL of all rows."""
        return f"SELECT {', '.join(self.columns)} FROM {self.table}"


def both() -> tuple[Side, Side]:
    """The old and the new side of the job that the command line names."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return Side(**job["old"]), Side(**job["new"])


def at_once(read: Callable[[Side], Any], old: Side, new: Side) -> list[Any]:
    """Read both sides in two threads; the drivers let go of the interpreter while they read."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, (old, new)))


def answer(**counts: int) -> None:
    """Hand the counts to the benchmark."""
    sys.stdout.write(json.dumps(counts) + "\n")
