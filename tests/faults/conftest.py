"""A plan over two small shops, checked end to end; each test spoils one thing."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proxy import Proxy
from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from servers import Server

QUEUE = "CREATE TABLE queue (owner INTEGER, item INTEGER, place INTEGER, note TEXT)"
ROWS = [(1, 1, 1, "one"), (1, 2, 2, "two"), (2, 1, 1, "three"), (2, 3, 2, None)]
PLAN = {
    "migration": "faults",
    "kind": "move",
    "systems": {"old": {"url": "sqlite:///old.db"}, "new": {"url": "sqlite:///new.db"}},
    "contracts": ["queue.yaml"],
}
CONTRACT = {
    "content": "queue",
    "shape": "set",
    "owner": "owner",
    "item": "item",
    "fields": {"note": {}},
    "old": {"system": "old", "table": "queue"},
    "new": {"system": "new", "table": "queue"},
}


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """In front of the `server` that a module has."""
    with Proxy(server.port) as made:
        yield made


@dataclass
class Shop:
    """A folder with a plan. YAML is a superset of JSON, so that is what is written."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "safeguard.yaml"

    def database(
        self, name: str, *scripts: str, rows: Sequence[tuple[Any, ...]] = (), ddl: str = QUEUE
    ) -> None:
        path = self.folder / f"{name}.db"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        for script in (ddl, *scripts):
            connection.execute(script)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO queue VALUES ({marks})", rows)
        connection.commit()
        connection.close()

    def write(self, plan: Mapping[str, Any] | None = None, **contract: Any) -> None:
        self.plan.write_text(json.dumps(PLAN | dict(plan or {})))
        (self.folder / "queue.yaml").write_text(json.dumps(CONTRACT | contract))

    def check(self, **more: Any) -> CheckResult:
        result, folder = run_check(
            self.plan,
            out=self.folder / "out",
            request=Request(**more),
            progress=SilentProgress(),
            environ={},
        )
        written = json.loads((folder / "verdict.json").read_text())
        assert written["verdict"] == result.verdict
        assert written["exit_code"] == result.exit_code
        return result

    @property
    def verdict(self) -> dict[str, Any]:
        return json.loads((self.folder / "out" / "verdict.json").read_text())

    def command(self, *more: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "safeguard",
            "check",
            str(self.plan),
            "--out",
            str(self.folder / "out"),
            *more,
        ]

    def run(self, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*more),
            capture_output=True,
            text=True,
            env=os.environ | environ,
            timeout=120,
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Old and new are equal, and the plan passes: whatever a test sees is of its own making."""
    made = Shop(tmp_path)
    made.database("old", rows=ROWS)
    made.database("new", rows=ROWS)
    made.write()
    return made


@pytest.fixture
def sides(shop: Shop) -> Callable[..., CheckResult]:
    """`sides(old_rows, new_rows, fields=...)` checks a contract over two tables."""

    def run(
        old: Sequence[tuple[Any, ...]],
        new: Sequence[tuple[Any, ...]],
        ddl: str = QUEUE,
        /,
        *,
        new_ddl: str | None = None,
        plan: Mapping[str, Any] | None = None,
        **contract: Any,
    ) -> CheckResult:
        shop.database("old", rows=old, ddl=ddl)
        shop.database("new", rows=new, ddl=new_ddl or ddl)
        shop.write(plan, **contract)
        return shop.check()

    return run
