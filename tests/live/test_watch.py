"""A watch through its window: what each round looks at, what it leaves, and how it ends."""

from __future__ import annotations

import datetime as dt
import io
import json
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from safeguard.checking import Request
from safeguard.comparing.settling import Patience
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Verdict
from safeguard.reports.watching import WatchScreen
from safeguard.runs import since_of
from safeguard.watch import Round, Window, watch

LOSE = "DELETE FROM queue WHERE owner = 7 AND item = 7"
WRITE = "UPDATE queue SET note = 'x', written = now() WHERE owner = 3 AND item = 3"
LOSE_A_WRITTEN = "DELETE FROM queue WHERE owner = 3 AND item = 4"
AGAIN = "INSERT INTO queue VALUES (3, 4, 4, 'note', now())"

pytestmark = pytest.mark.postgres


class Seats:
    """Remembers the rounds, and does something before each next one."""

    def __init__(self, screen: WatchScreen, between: list) -> None:
        self.begins, self.says, self.waits = screen.begins, screen.says, screen.waits
        self.screen, self.between, self.rounds = screen, between, list[Round]()

    def ended(self, found: Round) -> None:
        self.rounds.append(found)
        self.screen.ended(found.number, found.since, found.result, found.folder)

    def wait(self, seconds: float) -> None:
        self.between.pop(0)()

    @property
    def window(self) -> Window:
        start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        closes = start + dt.timedelta(seconds=len(self.between))

        def now() -> dt.datetime:
            past = dt.datetime.now(dt.UTC)
            return past if self.between else past.replace(year=2200)

        return Window(every=0, until=closes.replace(year=2100), wait=self.wait, now=now)


@pytest.fixture
def watched(service):
    def run(*between, terminal: bool = False):
        text = io.StringIO()
        console = Console(file=text, width=120, force_terminal=terminal)
        with WatchScreen(console) as screen:
            seats = Seats(screen, list(between))
            request = Request(live=Patience(settle=0, tries=2, wait=lambda _: None))
            verdict = watch(service.plan, request, seats.window, seats, {})
        return verdict, seats.rounds, text.getvalue()

    return run


def test_after_a_pass_only_what_was_written_is_looked_at(service, watched):
    def write():
        for database in (service.old, service.new):
            database.execute(WRITE)

    def lose():
        service.new.execute(LOSE_A_WRITTEN)

    def mend():
        service.new.execute(AGAIN)

    verdict, rounds, log = watched(write, lose, mend)
    assert [r.result.verdict for r in rounds] == ["PASS", "UNDECIDED", "BLOCK", "PASS"]
    assert [r.since is None for r in rounds] == [True, False, False, True]
    assert [c.old for r in rounds for c in r.result.contents] == [4000, 20, 20, 4000]
    assert verdict is Verdict.PASS
    assert len(log.splitlines()) == 4
    assert "round 3  since" in log
    assert "BLOCK  queue: 1 lost" in log
    assert len({r.folder for r in rounds}) == 4
    for found in rounds:
        assert json.loads((found.folder / "verdict.json").read_text())["verdict"] == (
            found.result.verdict
        )


def test_a_screen_shows_the_trend(service, watched):
    _, _, screen = watched(lambda: service.new.execute(LOSE), lambda: None, terminal=True)
    assert "over the rounds" in screen
    assert "Ctrl-C" in screen


def test_the_verdict_is_that_of_the_last_whole_round(service, watched):
    service.new.execute(LOSE)
    assert watched()[0] is Verdict.BLOCK


def test_a_watch_that_is_interrupted_leaves_each_round_whole(service):
    command = [sys.executable, "-m", "safeguard", "watch", str(service.plan), "--every", "1h"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "round 1  whole  PASS" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    (run,) = (service.folder / ".safeguard" / "runs").iterdir()
    assert json.loads((run / "verdict.json").read_text())["verdict"] == "PASS"
    assert (run / "report.html").exists()


# Since


def test_since_compares_whose_entries_were_written_on_either_side(service):
    began = dt.datetime.now(dt.UTC)
    service.new.execute(LOSE, LOSE_A_WRITTEN)  # of owners 7 and 3; nothing tells of 7
    service.old.execute(WRITE)
    result = service.check(since=began, live=None)
    (content,) = result.contents
    assert {(s.kind, s.owner, s.item) for s in content.samples} == {
        ("lost", "3", "4"),
        ("changed", "3", "3"),
    }
    assert (content.old, content.new) == (20, 19)
    assert content.conservation.old
    assert content.conservation.new
    assert result.verdict is Verdict.BLOCK
    assert any("not seen" in reason for reason in content.reasons)


def test_since_never_passes(service):
    result = service.check(since=dt.datetime.now(dt.UTC), live=None)
    assert result.verdict is Verdict.UNDECIDED
    assert result.exit_code == 3


def test_an_entry_without_a_time_may_have_been_written(service):
    service.old.execute("UPDATE queue SET written = NULL, note = 'y' WHERE owner = 9 AND item = 0")
    (content,) = service.check(since=dt.datetime.now(dt.UTC), live=None).contents
    assert content.findings == {"changed": 1}


def test_a_content_that_does_not_say_when_is_compared_whole(service):
    path = service.folder / "q.yaml"
    contract = json.loads(path.read_text())
    del contract["updated_at"]
    path.write_text(json.dumps(contract))
    result = service.check(since=dt.datetime.now(dt.UTC), live=None)
    assert result.contents[0].old == 4000
    assert result.verdict is Verdict.UNDECIDED


def test_since_takes_a_run_that_passed_and_no_other(service):
    passed = service.check(live=None)
    out = str(service.folder / "out")
    assert since_of(service.plan, out) == dt.datetime.fromisoformat(passed.started_at)
    service.new.execute(LOSE)
    service.check(live=None)
    with pytest.raises(UsageProblem, match="ended with BLOCK"):
        since_of(service.plan, out)
    with pytest.raises(UsageProblem, match="has no time zone; write 2026-01-01T10:00Z"):
        since_of(service.plan, "2026-01-01T10:00")
    with pytest.raises(UsageProblem, match="there is no run `2025`"):
        since_of(service.plan, "2025")


def test_the_command_line_takes_live_and_since(service):
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "safeguard", "check", str(service.plan), "--quiet"]
        return subprocess.run([*command, *options], capture_output=True, text=True, timeout=60)

    out = str(service.folder / "first")
    first = run("--live", "--settle", "0", "--tries", "1", "--out", out)
    assert first.returncode == 0, first.stderr
    second = run("--since", out)
    assert second.returncode == 3
    assert "never a PASS" in second.stdout
    assert run("--since", "tomorrow").returncode == 2
    assert run("--since", out, "--resume", "last").returncode == 2
