"""`safeguard check` as a process of its own, over two databases, for tests that disturb it.

Nothing here waits for a time to pass: a test acts when so many bytes have come from a server (see
proxy.py), or when the process comes to a named call (see `Scene.start_until`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from servers import USER, Server

TIMEOUT = 120
"""Seconds. A check that takes longer hangs."""
ROWS = 100_000
RATINGS = "CREATE TABLE ratings (customer_id int, title_id int, stars int, note text)"
QUEUE = "CREATE TABLE queue (customer_id int, title_id int, place int)"
_FILL = {
    "postgresql": ("i", "generate_series(1, {n}) i"),
    "mysql": ("seq", "seq_1_to_{n}"),
}
SPOIL = (
    "DELETE FROM ratings WHERE customer_id % 1000 = 7",
    "UPDATE ratings SET stars = 9 WHERE customer_id % 1500 = 3",
    "DELETE FROM queue WHERE customer_id = 11",
)
"""What the migration did wrong. `EXPECTED` counts it."""
EXPECTED = {"ratings": {"lost": 100, "changed": 70}, "queue": {"lost": 10}}

_CONTRACTS: dict[str, dict[str, Any]] = {
    "ratings": {"shape": "record", "fields": {"stars": {}, "note": {}}},
    "queue": {"shape": "list", "order": "place"},
}
_UNTIL = """
import importlib, os, signal, sys
where, calls, what = sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1)
module, _, path = where.partition(":")
*holders, name = path.split(".")
holder = importlib.import_module(module)
for one in holders:
    holder = getattr(holder, one)
called = getattr(holder, name)
left = [calls]

def counted(*args, **more):
    left[0] -= 1
    if left[0] == 0 and what == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = called(*args, **more)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL if what == "after" else getattr(signal, what))
    return found

setattr(holder, name, counted)
from safeguard.cli import main
main()
"""


def fill(server: Server, old: str, new: str) -> None:
    """Make the two databases of a scene, the new one with everything that `SPOIL` does."""
    for name in (old, new):
        server.create_database(name)
        fill_database(server, name)
    server.execute(new, *SPOIL)


def fill_database(server: Server, name: str) -> None:
    """The old side's content."""
    i, series = _FILL[server.scheme]
    rows, few = series.format(n=ROWS), series.format(n=ROWS // 10)
    server.execute(
        name,
        RATINGS,
        QUEUE,
        f"INSERT INTO ratings SELECT {i} % {ROWS // 10}, {i} / 10, {i} % 5, repeat('x', 40) FROM {rows}",
        f"INSERT INTO queue SELECT {i} % {ROWS // 100}, {i}, {i} FROM {few}",
    )


@dataclass
class Scene:
    """A plan's folder. `urls` are of the systems old and new."""

    folder: Path
    urls: dict[str, str]
    contents: tuple[str, ...] = ("ratings", "queue")
    options: tuple[str, ...] = ("--retry-for", "30")
    environ: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """A program that starts the check, such as one that limits it."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.write()

    def write(self, **plan: Any) -> None:
        """Write plan and contracts; YAML is a superset of JSON."""
        names = [f"{name}.yaml" for name in self.contents]
        systems = {name: {"url": url} for name, url in self.urls.items()}
        whole = {"migration": "faults", "kind": "move", "systems": systems, "contracts": names}
        self.plan.write_text(json.dumps(whole | plan))
        for name in self.contents:
            sides = {side: {"system": side, "table": name} for side in ("old", "new")}
            one = {"content": name, "owner": "customer_id", "item": "title_id", **_CONTRACTS[name]}
            (self.folder / f"{name}.yaml").write_text(json.dumps(one | sides))

    @property
    def plan(self) -> Path:
        return self.folder / "safeguard.yaml"

    @property
    def run(self) -> Path:
        """The newest run's folder."""
        return max((self.folder / ".safeguard" / "runs").iterdir())

    @property
    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run / "verdict.json").read_text())
        return found

    @property
    def findings(self) -> pa.Table:
        return pq.read_table(self.run / "findings.parquet")

    def start(self, *more: str) -> Check:
        """Start a check."""
        return self._started(["-m", "safeguard"], *more)

    def start_until(self, call: str, times: int, what: str, *more: str) -> Check:
        """Start a check that gets a signal as it comes to a `module:function` for the n-th time: what
        is `before` or `after` (kill -9), or the name of a signal that comes after the call."""
        return self._started(["-c", _UNTIL, call, str(times), what], *more)

    def check(self, *more: str) -> Check:
        """A check from beginning to end."""
        return self.start(*more).end()

    def _started(self, program: list[str], *more: str) -> Check:
        command = [*program, "check", "safeguard.yaml", "--quiet", *self.options, *more]
        return Check(
            subprocess.Popen(
                [*self.before, sys.executable, *command],
                cwd=self.folder,
                env=os.environ | {"COLUMNS": "200", "CI": ""} | self.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                # A shell that runs tests in the background has them ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
        )


@dataclass
class Check:
    """One process."""

    process: subprocess.Popen[str]
    out: str = ""
    err: str = ""

    @property
    def code(self) -> int:
        return int(self.process.returncode)

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = TIMEOUT) -> Check:
        """Wait for its end. One that hangs fails the test."""
        try:
            self.out, self.err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.out, self.err = self.process.communicate()
            raise AssertionError(f"the check hangs\n{self.out}\n{self.err}") from None
        assert "Traceback" not in self.err, self.err
        return self


def told(scene: Scene) -> dict[str, Any]:
    """What a verdict says of the content, without what differs from run to run."""
    own = ("run", "started_at", "finished_at", "plan_digest", "systems")
    return {k: v for k, v in scene.verdict.items() if k not in own}


def found(scene: Scene) -> dict[str, dict[str, int]]:
    """content -> kind -> entries, of those that have any."""
    contents = scene.verdict.get("contents", ())
    return {c["content"]: {k: n for k, n in c["findings"].items() if n} for c in contents}


def nothing_left(scene: Scene, *servers: Server, resumable: bool) -> None:
    """No connection of ours on a server, no file of ours that nobody needs."""
    for server in servers:
        wait_for(lambda server=server: not connections(server), f"orphans on {server.scheme}")
    left = [p.name for p in scene.run.rglob("*")]
    assert not [name for name in left if name.endswith(".partial") or name == ".lock"], left
    assert (scene.run / "exchange").exists() == resumable, left
    assert not list((scene.run / "exchange").glob("spill/*")), left


_OURS = {
    "postgresql": "SELECT pid, query FROM pg_stat_activity WHERE application_name LIKE 'safeguard%'",
    "mysql": "SELECT id, info FROM information_schema.processlist "
    f"WHERE user = '{USER}' AND id <> connection_id()",
}


def connections(server: Server) -> list[tuple[Any, ...]]:
    """What a check has open on a server."""
    name = "postgres" if server.scheme == "postgresql" else ""
    return server.query(name, _OURS[server.scheme])


def wait_for(state: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until a state is reached; fail when it is not."""
    deadline = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """A file system of so many bytes on `folder`; False where we may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = shutil.which("mount") and subprocess.run(mount, capture_output=True, check=False)
    mounted = bool(done) and done.returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
