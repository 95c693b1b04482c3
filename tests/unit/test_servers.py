"""The test servers themselves: they start, survive a kill with their data, and leave nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from servers import Database

SERVERS = ["postgresql", "mariadb"]


@pytest.mark.parametrize("kind", SERVERS)
def test_data_survive_a_kill(kind: str, fresh_database: Callable[[str], Database]) -> None:
    database = fresh_database(kind)
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
    database.server.kill()
    database.server.start()
    assert database.query("SELECT count(*), sum(a) FROM t") == [(2, 3)]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_dump_is_run_by_the_client(
    kind: str, fresh_database: Callable[[str], Database], tmp_path: Path
) -> None:
    database = fresh_database(kind)
    dump = tmp_path / "dump.sql"
    dump.write_text("CREATE TABLE t (a varchar(20));\nINSERT INTO t VALUES ('é');\n")
    database.run_script(dump)
    assert database.query("SELECT a FROM t") == [("é",)]
    with pytest.raises(RuntimeError, match="nonsense"):
        database.run_script("SELECT * FROM nonsense;")


@pytest.mark.parametrize("name", ["PostgresqlServer", "MariadbServer"])
def test_no_server_outlives_a_killed_test_run(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("postgresql" if name[0] == "P" else "mariadb")  # skips where missing
    code = (
        f"import servers, time; s = servers.{name}(); "
        "print(s._process.pid, s._root, flush=True); time.sleep(60)"
    )
    command, folder = [sys.executable, "-c", code], Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as child:
        assert child.stdout is not None
        server, root = child.stdout.readline().split()
        child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while _alive(int(server)) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(root, ignore_errors=True)
    assert not _alive(int(server))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
