"""A service in the middle of its cutover, on two real databases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from safeguard.checking import Request, run_check
from safeguard.comparing.settling import Patience
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from servers import Database

TABLES = {
    "postgresql": """CREATE TABLE queue (owner int, item int, place int, note text,
    written timestamptz, PRIMARY KEY (owner, item));
    INSERT INTO queue SELECT o, i, i, 'note', '2026-01-01' FROM generate_series(1, 200) o,
    generate_series(0, 19) i""",
    "mariadb": """CREATE TABLE queue (owner int, item int, place int, note text,
    written datetime(6), PRIMARY KEY (owner, item));
    INSERT INTO queue SELECT o.seq, i.seq, i.seq, 'note', '2026-01-01' FROM seq_1_to_200 o,
    seq_0_to_19 i""",
}
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
    """Two databases, each of its engine, that are equal, and a plan."""

    def __init__(self, folder: Path, sides: Sequence[tuple[str, Database]]) -> None:
        self.folder = folder
        (_, self.old), (_, self.new) = sides
        for engine, database in sides:
            database.execute(TABLES[engine])
        self.plan = folder / "safeguard.yaml"
        systems = {
            "old": {"url": self.old.url, "timezone": "UTC"},
            "new": {"url": self.new.url, "timezone": "UTC"},
        }
        document = {"migration": "m", "kind": "move", "systems": systems, "contracts": ["q.yaml"]}
        self.plan.write_text(json.dumps(document))
        (folder / "q.yaml").write_text(json.dumps(CONTRACT))

    @contextmanager
    def writing(self, seed: int) -> Iterator[None]:
        """Both sides are written, the new one later."""
        script = Path(__file__).with_name("dual_writer.py")
        urls = [_driven(self.old.url), _driven(self.new.url)]
        command = [sys.executable, str(script), *urls, str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            try:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "writing\n"
                yield
                assert writer.poll() is None, "the writer ended before the check did"
            finally:
                writer.terminate()

    def check(self, environ: Mapping[str, str] | None = None, **request: object) -> CheckResult:
        result, _ = run_check(
            self.plan,
            out=self.folder / "out",
            request=Request(**{"live": PATIENCE} | request),  # type: ignore[arg-type]
            progress=SilentProgress(),
            environ=environ or {},
        )
        return result


def _driven(url: str) -> str:
    """The URL with the driver that SQLAlchemy needs by name."""
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    scheme, rest = url.split("://")
    return f"{drivers.get(scheme, scheme)}://{rest}"


@pytest.fixture
def engines() -> tuple[str, str]:
    """Of the old and the new side; a test may name others."""
    return ("postgresql", "postgresql")


@pytest.fixture
def service(tmp_path: Path, fresh_database, engines: tuple[str, str]) -> Service:
    return Service(tmp_path, [(engine, fresh_database(engine)) for engine in engines])
