"""A service in the middle of its cutover, on two real databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safeguard.checking import Request, run_check
from safeguard.comparing.settling import Patience
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from servers import Database

TABLE = """CREATE TABLE queue (owner int, item int, place int, note text, written timestamptz,
    PRIMARY KEY (owner, item));
    INSERT INTO queue SELECT o, i, i, 'note', '2026-01-01' FROM generate_series(1, 200) o,
    generate_series(0, 19) i"""
CONTRACT = {
    "content": "queue",
    "shape": "list",
    "owner": "owner",
    "item": "item",
    "order": "place",
    "fields": {"note": {"type": "text"}},
    "updated_at": "written",
    "old": {"system": "old", "table": "queue"},
    "new": {"system": "new", "table": "queue"},
}
PATIENCE = Patience(settle=2.2, tries=5)


class Service:
    """Two databases that are equal, and a plan."""

    def __init__(self, folder: Path, old: Database, new: Database) -> None:
        self.folder, self.old, self.new = folder, old, new
        for database in (old, new):
            database.execute(TABLE)
        self.plan = folder / "safeguard.yaml"
        systems = {"old": {"url": old.url}, "new": {"url": new.url}}
        document = {"migration": "m", "kind": "move", "systems": systems, "contracts": ["q.yaml"]}
        self.plan.write_text(json.dumps(document))
        (folder / "q.yaml").write_text(json.dumps(CONTRACT))

    @contextmanager
    def writing(self, seed: int) -> Iterator[None]:
        """Both sides are written, the new one later."""
        script = Path(__file__).with_name("dual_writer.py")
        command = [sys.executable, str(script), _plain(self.old), _plain(self.new), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            try:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "writing\n"
                yield
                assert writer.poll() is None, "the writer ended before the check did"
            finally:
                writer.terminate()

    def check(self, **request: object) -> CheckResult:
        result, _ = run_check(
            self.plan,
            out=self.folder / "out",
            request=Request(**{"live": PATIENCE} | request),  # type: ignore[arg-type]
            progress=SilentProgress(),
            environ={},
        )
        return result


def _plain(database: Database) -> str:
    return database.url.replace("postgresql+psycopg", "postgresql")


@pytest.fixture
def service(tmp_path: Path, fresh_database) -> Service:
    return Service(tmp_path, fresh_database("postgresql"), fresh_database("postgresql"))
