"""Snapshots that rest: closed while nobody reads, new ones afterwards."""

from __future__ import annotations

import pyarrow as pa

from arrow_session import ArrowSession
from safeguard.systems.opened import Systems


class Open(ArrowSession):
    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def opened(name: str) -> Open:
    return Open(name, {"t": pa.table({"a": [1]})})


def test_what_rests_is_closed_and_opened_again_when_it_is_read():
    told: list[str] = []
    first = opened("old")
    systems = Systems({"old": first}, opened, told=told.append)
    systems.rest()
    assert first.closed
    systems.fresh("old")
    assert systems["old"] is not first
    assert told == []  # nothing was lost
    again = systems["old"]
    systems.fresh("old")
    assert systems["old"] is again
    systems.close()


def test_the_verdict_says_how_many_snapshots_there_were():
    systems = Systems({"old": opened("old")}, opened)
    for _ in range(2):
        systems.rest()
        systems.fresh("old")
    (info,) = systems.infos()
    assert info.snapshot == "the tables are frozen, the last of 3"
    systems.close()
