"""What happens to a run in the middle: killed, interrupted, its database gone, its folder closed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.trouble import SafeguardError
from safeguard.findings.words import Verdict
from safeguard.planning.asking import Strategy
from safeguard.systems.opened import Kindness
from servers import Database, MariadbServer, PostgresqlServer, Server

SERIES = {
    "postgresql": "INSERT INTO queue SELECT i, i, 1, repeat('x', 50) FROM generate_series(1, 400000) i",
    "mariadb": "INSERT INTO queue SELECT seq, seq, 1, repeat('x', 50) FROM seq_1_to_400000",
}


IMPATIENT = Request(kindness=Kindness(retry_for=1), strategy=Strategy.STREAM)
"""Everything is read, so that something is still to be read when it happens."""


class During(SilentProgress):
    """Does something once, when a system has been counted and nothing has been read yet."""

    def __init__(self, system: str, act: Callable[[], object]) -> None:
        self.system, self.act, self.done = system, act, False

    def started(self, content: str, system: str, rows: int | None) -> None:
        if system == self.system and not self.done:
            self.done = True
            self.act()


@pytest.fixture
def own_server(request):
    """A server that a test may kill."""
    started: list[Server] = []

    def start(kind: str) -> Server:
        request.getfixturevalue(kind)  # skipped where there is none
        started.append(PostgresqlServer() if kind == "postgresql" else MariadbServer())
        return started[0]

    yield start
    for server in started:
        server.stop()


def filled(server: Server, kind: str, name: str) -> Database:
    server.create_database(name)
    database = Database(server, name)
    database.execute("CREATE TABLE queue (owner int, item int, place int, note text)", SERIES[kind])
    return database


def ended(shop, progress) -> str:
    """The verdict that a run left, however it ended."""
    try:
        run_check(
            shop.plan, out=shop.folder / "out", progress=progress, environ={}, request=IMPATIENT
        )
    except SafeguardError as error:
        assert error.exit_code in (2, 3)  # noqa: PT017 (a result is an answer too)
    return shop.verdict["verdict"]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("side", ["old", "new"])
def test_a_database_that_is_killed_while_it_is_read(shop, own_server, kind, side):
    server = own_server(kind)
    shop.write({"systems": {n: {"url": filled(server, kind, n).url} for n in ("old", "new")}})
    progress = During(side, server.kill)
    verdict = ended(shop, progress)
    assert progress.done
    assert verdict == "UNDECIDED"


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_table_that_is_dropped_while_the_other_side_is_read(shop, fresh_database, kind):
    old, new = fresh_database(kind), fresh_database(kind)
    for one in (old, new):
        one.execute(
            "CREATE TABLE queue (owner int, item int, place int, note text)",
            "INSERT INTO queue VALUES (1, 1, 1, 'a')",
        )
    shop.write({"systems": {n: {"url": d.url} for n, d in (("old", old), ("new", new))}})
    waiting = (
        "SET lock_timeout = '2s'; DROP TABLE queue"
        if kind == "postgresql"
        else "SET lock_wait_timeout = 2; DROP TABLE queue"
    )

    def drop() -> None:
        try:
            new.execute(waiting)
        except Exception:  # noqa: BLE001 (a lock that our snapshot holds is as good an answer)
            return
        dropped.append(True)

    dropped: list[bool] = []
    verdict = ended(shop, During("old", drop))
    assert verdict == ("UNDECIDED" if dropped else "PASS")


def test_rows_that_are_deleted_while_the_other_side_is_read_are_in_the_snapshot(
    shop, fresh_database
):
    old, new = fresh_database("postgresql"), fresh_database("mariadb")
    for one in (old, new):
        one.execute(
            "CREATE TABLE queue (owner int, item int, place int, note text)",
            "INSERT INTO queue VALUES (1, 1, 1, 'a')",
        )
    shop.write({"systems": {n: {"url": d.url} for n, d in (("old", old), ("new", new))}})
    assert ended(shop, During("old", lambda: new.execute("DELETE FROM queue"))) == "PASS"


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_csv_that_changes_while_it_is_compared(shop, name):
    for side in ("old", "new"):
        (shop.folder / side).mkdir()
        rows = "".join(f"{i},{i},1,a\n" for i in range(100_000))
        (shop.folder / side / "queue.csv").write_text("owner,item,place,note\n" + rows)
    shop.write(
        {"systems": {n: {"url": f"files:{n}/"} for n in ("old", "new")}},
        keys={"owner": "integer", "item": "integer"},
    )
    path = shop.folder / name / "queue.csv"

    def cut() -> None:
        path.write_text(path.read_text()[: -len("99999,99999,1,a\n")])

    assert ended(shop, During(name, cut)) == "UNDECIDED"


# -- signals ------------------------------------------------------------------------------------


def slow(shop, count: int = 300_000) -> None:
    """A check that takes some seconds."""
    rows = [(i, i, 1, "x" * 50) for i in range(count)]
    for name in ("old", "new"):
        shop.database(name, rows=rows)


def started(shop, wait: float = 0.5) -> subprocess.Popen[bytes]:
    """A check in the middle of its reading."""
    exchange = shop.folder / "out" / "exchange"
    shutil.rmtree(exchange, ignore_errors=True)  # an earlier one's, which could be gone on with
    process = subprocess.Popen(
        shop.command(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that runs tests in the background has them ignore Ctrl-C; a check's own must not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while not exchange.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(wait)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_is_undecided(shop, number):
    slow(shop)
    process = started(shop)
    process.send_signal(number)
    assert process.wait(60) == 130
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 130)


MOMENTS = (0.02, 0.2, 0.35, 0.5, 0.65, 0.8)
"""Parts of the time that a whole check takes."""


def test_ctrl_c_at_any_moment_is_no_bug_of_ours(shop):
    """DuckDB makes an error of its own of a signal that comes while it works."""
    slow(shop, 100_000)
    process = started(shop, 0)
    begun = time.monotonic()
    assert process.wait(120) == 0
    whole = time.monotonic() - begun
    ends = []
    for part in MOMENTS:
        process = started(shop, part * whole)
        process.send_signal(signal.SIGINT)
        ends.append((process.wait(60), shop.verdict["verdict"], shop.verdict["exit_code"]))
    # On a busy machine a check may be through before its moment comes: its PASS is written. Python
    # itself may die of the signal on the way out, which a shell calls 130 too.
    done = {(0, "PASS", 0), (-signal.SIGINT, "PASS", 0)}
    interrupted = {end for end in ends if end not in done}
    assert (130, "UNDECIDED", 130) in interrupted, ends
    assert interrupted <= {(130, "UNDECIDED", 130), (-signal.SIGINT, "UNDECIDED", 130)}, ends


def test_a_check_interrupted_as_it_opens_can_be_gone_on_with(shop):
    slow(shop)
    process = started(shop, 0)
    process.terminate()
    assert process.wait(60) == 130
    resumed = [*shop.command()[:5], "--resume", str(shop.folder / "out")]
    assert subprocess.run(resumed, capture_output=True, timeout=120).returncode == 0
    assert not (shop.folder / "out" / "exchange").exists()


def test_an_older_pass_is_gone_before_anything_heavy_is_loaded(shop):
    assert shop.run().returncode == 0
    assert shop.verdict["verdict"] == "PASS"
    # The module that compares can't be loaded at all: whatever ends the process then, and be it
    # Ctrl-C in its first second, the older PASS must not stand.
    blocked = (
        "import sys; sys.modules['safeguard.checking'] = None; "
        "from safeguard.cli import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", blocked, *shop.command()[3:]], capture_output=True, check=False
    )
    assert ended.returncode == 70
    assert shop.verdict["verdict"] == "UNDECIDED"


def test_a_killed_check_is_undecided(shop):
    slow(shop)
    process = started(shop)
    process.kill()
    process.wait(60)
    assert shop.verdict["verdict"] == "UNDECIDED"


# -- the run's folder ---------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["systems: [", "migration: x\n", ""])
def test_an_older_pass_is_overwritten_even_when_the_plan_is_broken(shop, plan):
    assert shop.run().returncode == 0
    shop.plan.write_text(plan)
    assert shop.run().returncode == 2
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 2)
    assert not (shop.folder / "out" / "report.html").exists()


def test_an_older_pass_is_overwritten_when_the_plan_is_gone(shop):
    assert shop.run().returncode == 0
    shop.plan.unlink()
    assert shop.run().returncode == 2
    assert shop.verdict["verdict"] == "UNDECIDED"


def test_an_unset_variable_is_named(shop):
    shop.write(
        {"systems": {"old": {"url": "${NO_SUCH_OLD_URL}"}, "new": {"url": "sqlite:///new.db"}}}
    )
    done = shop.run()
    assert done.returncode == 2
    assert "NO_SUCH_OLD_URL" in done.stderr


def test_a_folder_that_cannot_be_made_is_told(shop):
    (shop.folder / "out").write_text("a file")
    done = shop.run()
    assert done.returncode in (2, 3), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["verdict.json", "findings.parquet", "exchange"])
def test_a_folder_that_cannot_be_written_is_no_pass(shop, name):
    """A directory stands where a file must: what a full disk does, for root as well."""
    (shop.folder / "out" / name).mkdir(parents=True)
    (shop.folder / "out" / name / "in the way").write_text("x")
    done = shop.run()
    if name == "exchange":
        assert done.returncode == 0, "what an older run left of its exchange is cleared away"
    else:
        assert done.returncode in (2, 3), done.stderr


def test_a_disk_that_is_full_is_undecided(shop):
    """The largest file a process may write stands for the space that is left."""
    slow(shop)
    limit = ["prlimit", "--fsize=1000"]
    done = subprocess.run([*limit, *shop.command()], capture_output=True, text=True, timeout=120)
    assert done.returncode not in (0, 1, 2), done.stderr[-500:]
    assert shop.verdict["verdict"] == "UNDECIDED"


@pytest.mark.parametrize(
    "step", ["write_findings", "write_reports", "survey", "prepare", "decide", "read_customers"]
)
def test_a_crash_inside_is_undecided(shop, monkeypatch, step):
    assert shop.check().verdict is Verdict.PASS

    def crash(*_args, **_more):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(f"safeguard.checking.{step}", crash)
    with pytest.raises(ZeroDivisionError):
        shop.check()
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 70)


# -- one system by mistake ----------------------------------------------------------------------


def test_a_system_compared_with_itself_is_no_pass(shop):
    shop.write({"systems": {n: {"url": "sqlite:///old.db"} for n in ("old", "new")}})
    result = shop.check()
    assert result.verdict is Verdict.UNDECIDED
    assert "itself" in " ".join(result.reasons)
