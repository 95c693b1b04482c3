"""What is done about a system that was lost: whose snapshot is replaced, when, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import ConnectionLost, SystemProblem
from safeguard.systems.opened import TRIES, Kindness, Systems

LOST = ConnectionLost("the line is dead")


class Stub:
    """A session of which a test says whether its snapshot stands."""

    def __init__(self, name: str, number: int) -> None:
        self.info = SystemInfo(name, "stub", "1", f"snapshot {number}")
        self.stands, self.closed = True, threading.Event()

    def alive(self) -> bool:
        return self.stands

    def strain(self) -> str:
        return ""

    def close(self) -> None:
        self.stands = False
        self.closed.set()


class Host:
    """Opens stubs; `away` times it can't."""

    def __init__(self) -> None:
        self.opened, self.away = 0, 0

    def open(self, name: str) -> Any:
        if self.away:
            self.away -= 1
            raise SystemProblem(f"{name}: connection refused")
        self.opened += 1
        return Stub(name, self.opened)


@pytest.fixture
def host() -> Host:
    return Host()


Make = Callable[..., Systems]


@pytest.fixture
def make(host: Host) -> Iterator[Make]:
    made: list[Systems] = []

    def systems(*names: str, **kindness: float) -> Systems:
        sessions = {name: host.open(name) for name in names or ("old", "new")}
        made.append(Systems(sessions, host.open, Kindness(**kindness)))  # type: ignore[arg-type]
        return made[-1]

    yield systems
    for one in made:
        one.close()


def stub(systems: Systems, name: str) -> Any:
    return systems[name]


def test_a_snapshot_that_stands_is_kept(make, host):
    systems = make()
    before = systems["old"]
    assert systems.mend("old", LOST) is False
    assert systems["old"] is before
    assert systems.snapshots(["old", "new"]) == (0, 0)


def test_a_snapshot_that_is_gone_is_replaced_and_named(make, host):
    systems = make()
    stub(systems, "old").stands = False
    host.away = 2  # it takes a while until it is back
    assert systems.mend("old", LOST) is True
    assert systems.snapshots(["old", "new"]) == (0, 1)  # by name: new, old
    (old, new) = systems.infos()
    assert old.snapshot == "snapshot 3; before its connection was lost: snapshot 1"
    assert new.snapshot == "snapshot 2"


def test_what_was_read_is_as_old_as_the_first_snapshot_whatever_replaced_it(host):
    """What was read before a snapshot was replaced may count still."""
    taken = {"old": "2026-03-01T12:00:00+00:00"}
    systems = Systems({"old": host.open("old"), "new": host.open("new")}, host.open, taken_at=taken)
    try:
        stub(systems, "old").stands = False
        assert systems.mend("old", LOST) is True
        systems.rest()
        systems.fresh("old")
        assert [info.taken_at for info in systems.infos()] == [taken["old"], ""]
    finally:
        systems.close()


def test_one_that_never_comes_back_is_given_up_in_time(make, host):
    systems = make(retry_for=0.5)
    stub(systems, "old").stands = False
    host.away = 10**9
    with pytest.raises(SystemProblem, match=r"refused; it did not come back within 0\.5 s"):
        systems.mend("old", LOST)


def test_one_that_was_waited_for_in_vain_is_not_waited_for_again(make, host):
    """Twenty contents do not wait twenty times; but when it is back, the next one is read."""
    systems = make(retry_for=0.5)
    stub(systems, "old").stands = False
    host.away = 10**9
    for _ in range(20):
        left = host.away
        with pytest.raises(SystemProblem, match="did not come back"):
            systems.mend("old", LOST)
    assert left - host.away == 1
    host.away = 0
    assert systems.mend("old", LOST) is True


def test_what_is_asked_is_asked_again_of_every_system_that_was_lost(make, host):
    systems = make()
    answers: list[Any] = [LOST, ("old", "new")]

    def ask() -> Any:
        if isinstance(found := answers.pop(0), ConnectionLost):
            stub(systems, "old").stands = stub(systems, "new").stands = False
            raise found
        return found

    assert systems.steadily(ask) == ("old", "new")
    assert systems.snapshots(["old", "new"]) == (1, 1)


def test_what_is_lost_again_and_again_ends(make):
    systems = make(retry_for=5)
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise ConnectionLost("again")

    with pytest.raises(ConnectionLost, match="again"):
        systems.steadily(ask)
    assert len(asked) == TRIES


def test_a_refusal_is_not_asked_again(make):
    def ask() -> None:
        asked.append(1)
        raise SystemProblem("permission denied")

    asked: list[int] = []
    with pytest.raises(SystemProblem, match="permission denied"):
        make().steadily(ask)
    assert asked == [1]


def test_a_system_that_is_waited_for_and_does_not_answer_is_given_up(make):
    systems = make(retry_for=1)
    silent = stub(systems, "old")
    silent.stands = False
    with systems.awaited("old"):
        assert silent.closed.wait(20)
    assert not stub(systems, "new").closed.is_set()


def test_one_that_answers_when_it_is_asked_is_left_alone(make):
    systems = make(retry_for=1)
    with systems.awaited("old"):
        assert not stub(systems, "old").closed.wait(2.5)


def test_one_that_nobody_waits_for_is_not_asked(make):
    systems = make(retry_for=1)
    stub(systems, "old").stands = False
    assert not stub(systems, "old").closed.wait(2.5)
