"""A clock that jumps changes what a run is called, and nothing that it waits for or measures."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import safeguard
from check_runs import EXPECTED, Scene, fill, found
from servers import Server

LABELS = {
    *(
        "checking.py",
        "runs/folder.py",
        "cli/check.py",
        "watch.py",
        "cli/moments.py",
        "cli/waive.py",
    ),
    *("systems/opened.py", "cli/gate.py", "drill/drilling.py"),
}
"""Where the time of day is written down, as when a run or a snapshot began, or is what a person
named, as when a watch ends, a waiver expires or a verdict is too old."""
_JUMPS = """
import datetime, sys, time
import pyarrow; pyarrow.array([0])  # loads C code, of pandas too, that knows the real class alone
real, seen = datetime.datetime, []

class Jumping(real):
    @classmethod
    def now(cls, tz=None):
        seen.append(1)
        return real.now(tz) - datetime.timedelta(days=1) * (len(seen) > 1)

datetime.datetime = Jumping
day = time.time
time.time = lambda: day() - 86400 * (len(seen) > 0)
from safeguard.cli import main
main()
"""


def test_a_day_back_in_the_middle(tmp_path: Path, postgresql: Server) -> None:
    fill(postgresql, "clock_old", "clock_new")
    urls = {side: postgresql.url(f"clock_{side}") for side in ("old", "new")}
    scene = Scene(tmp_path, urls)
    check = scene._started(["-c", _JUMPS], "--max-snapshot-age", "600", "--max-rate", "10000000")
    assert check.end().code == 1, check.err
    assert found(scene) == EXPECTED
    assert scene.verdict["finished_at"] < scene.verdict["started_at"]
    evidence = json.loads((scene.run / "evidence.json").read_text())
    assert 0 < evidence["seconds"] < 600


def test_the_time_of_day_is_only_written_down() -> None:
    """Durations and deadlines are of the monotonic clock: see that nobody asks another one."""
    root = Path(safeguard.__file__).parent
    asked = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _time_of_day(node.func)
    }
    assert asked == LABELS


def _time_of_day(called: ast.expr) -> bool:
    text = ast.unparse(called)
    return text in ("time.time", "time.time_ns", "time.localtime", "time.gmtime") or text.endswith(
        (".now", ".today", ".utcnow")
    )
