"""Real servers under load: a writer changes both sides while they are checked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from safeguard.check import Request, run_check
from safeguard.comparing.settling import Patience
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.words import Verdict
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
QUIET_OWNER = 200
"""The writer leaves this one alone."""
RUNS = [pytest.param(n, marks=[pytest.mark.slow] if n >= 3 else []) for n in range(10)]


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


@pytest.mark.postgres
@pytest.mark.parametrize("run", RUNS)
def test_what_is_on_its_way_is_no_finding(service: Service, run: int) -> None:
    with service.writing(run):
        result = service.check()
    (content,) = result.contents
    assert content.conservation.old, content.conservation.detail
    assert content.conservation.new, content.conservation.detail
    assert not {kind: n for kind, n in content.findings.items() if kind != "not_compared" and n}
    assert content.looked is not None
    assert content.looked.settled > 0, "the writer wrote nothing that was on its way"
    assert result.verdict is Verdict.PASS or "chang" in " ".join(result.reasons)


@pytest.mark.postgres
@pytest.mark.parametrize("run", RUNS)
def test_a_planted_loss_is_found_among_it(service: Service, run: int) -> None:
    service.new.execute(f"DELETE FROM queue WHERE owner = {QUIET_OWNER} AND item = {run}")
    with service.writing(100 + run):
        result = service.check()
    assert result.verdict is Verdict.BLOCK
    (content,) = result.contents
    assert content.findings["lost"] == 1
    assert set(content.findings) <= {"lost", "not_compared"}
    assert [(s.owner, s.item) for s in content.samples if s.kind == "lost"] == [
        (str(QUIET_OWNER), str(run))
    ]
