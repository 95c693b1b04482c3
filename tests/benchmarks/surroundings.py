"""On what was measured: machine, versions, checkout."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.environments import versions
from benchmarks.hosts import Host, settings

_OURS = ("duckdb", "pyarrow", "psycopg", "PyMySQL")


def about(servers: list[Host]) -> dict[str, Any]:
    """Machine and versions; `servers` are those that run."""
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "cpu": _field("/proc/cpuinfo", "model name"),
            "memory_gib": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 1024**2, 1),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            "python": platform.python_version(),
            **{server.scheme: _server_version(server) for server in servers},
            "safeguard's own": {name: version(name) for name in _OURS},
            "contenders": versions(),
        },
        "settings": settings(),
    }


def now() -> dict[str, Any]:
    """The day, the checkout that is measured, and how many processes want a core at this moment."""
    load = round(os.getloadavg()[0], 1)
    return {"day": datetime.now(UTC).date().isoformat(), "commit": _commit(), "load": load}


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip()

    changed = "and changes" if git("status", "--porcelain", "--", "safeguard") else ""
    return f"{git('rev-parse', '--short', 'HEAD')} {changed}".strip()


def _server_version(server: Host) -> str:
    database = "postgres" if server.scheme == "postgresql" else ""
    ((text,),) = server.query(database, "SELECT version()")
    return " ".join(str(text).split()[:2]) if server.scheme == "postgresql" else str(text)


def _field(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "unknown 0"
    )
