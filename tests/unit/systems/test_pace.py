"""How fast a run may read, by a clock that only the test moves."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from safeguard.systems import pace
from safeguard.systems.pace import LONGEST_PAUSE, WATCH_SECONDS, Pace


class Clock(threading.Event):
    """Time passes only where somebody waits; `waits` are the seconds of each."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.waits = 1000.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += timeout
        return self.is_set()


class Strained:
    """A session; what it says of its strain, one word after the other, the last one for ever."""

    def __init__(self, *said: str) -> None:
        self.said, self.asked = list(said), 0

    def strain(self) -> str:
        self.asked += 1
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def paced(clock: Clock, max_rate: float, *said: str) -> tuple[Pace, Strained, list[str]]:
    session, told = Strained(*said or ("",)), list[str]()
    given: Any = session
    return Pace(lambda: given, max_rate, told.append, clock), session, told


def test_without_a_rate_nothing_waits(clock):
    pace, _, told = paced(clock, 0)
    for _ in range(1000):
        pace.spend(1_000_000)
    assert clock.waits == told == []


@pytest.mark.parametrize(("rate", "rows", "batches"), [(1000, 100, 50), (1000, 5000, 4), (1, 1, 3)])
def test_so_many_rows_take_so_long(clock, rate, rows, batches):
    pace, _, _ = paced(clock, rate)
    began = clock.now
    for _ in range(batches):
        pace.spend(rows)
    assert clock.now - began == pytest.approx(rows * batches / rate)
    assert len(clock.waits) == batches


def test_readers_of_one_system_share_its_rate(clock):
    """Two that spend at one moment are through one after the other."""
    pace, _, _ = paced(clock, 100)
    assert [pace._owed(50), pace._owed(50)] == [0.5, 1.0]


def test_what_was_not_used_is_not_saved_up(clock):
    pace, _, _ = paced(clock, 100)
    clock.now += 3600
    pace.spend(100)
    assert clock.waits == [1.0]


def test_a_strained_system_is_given_room(clock):
    pace, session, told = paced(clock, 0, "3 sessions wait", "3 sessions wait", "")
    clock.now += WATCH_SECONDS
    pace.spend(10)
    assert told == ["reading slowly: 3 sessions wait"]
    assert session.asked == 3
    assert sum(clock.waits) == pytest.approx(2 * WATCH_SECONDS)


def test_it_is_read_slowly_and_not_never(clock):
    pace, _, _ = paced(clock, 0, "the standby lags")
    clock.now += WATCH_SECONDS
    pace.spend(10)
    assert sum(clock.waits) == LONGEST_PAUSE


def test_it_is_asked_only_now_and_then(clock):
    pace, session, _ = paced(clock, 0)
    for _ in range(100):
        clock.now += WATCH_SECONDS / 10
        pace.spend(10)
    assert session.asked == 10


def test_a_run_that_is_stopped_does_not_wait(clock):
    pace, _, _ = paced(clock, 1, "strained")
    clock.now += WATCH_SECONDS
    clock.set()
    pace.spend(1)
    assert len(clock.waits) == 1  # which an event that is set ends at once
