"""However many workers a cluster has, a system has no more readers than the run allows, and they
keep its rate together."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import safeguard.checking
from safeguard.checking import Request, run_check
from safeguard.comparing import cluster
from safeguard.findings.progress import SilentProgress
from safeguard.planning.asking import Strategy
from safeguard.systems import postgresql
from safeguard.systems.interface import Limits
from safeguard.systems.opened import Kindness
from scenarios.test_cluster import RATINGS, ratings_plan
from servers import Database

SLOTS = 8


class Readers:
    """Sessions that workers have open now, by system, and the most that there were."""

    def __init__(self) -> None:
        self.lock, self.now, self.most = threading.Lock(), dict[str, int](), dict[str, int]()
        self.rates: set[float] = set()

    def count(self, name: str, by: int) -> None:
        with self.lock:
            self.now[name] = self.now.get(name, 0) + by
            self.most[name] = max(self.most.get(name, 0), self.now[name])


@contextmanager
def slots(_: str) -> Iterator[tuple[ThreadPoolExecutor, int]]:
    with ThreadPoolExecutor(SLOTS) as executor:
        yield executor, SLOTS


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    seen, opened = Readers(), cluster._opened

    def counted(errand: cluster.Errand, name: str, ticket: str) -> Any:
        session = opened(errand, name, ticket)
        close = session.close
        seen.rates.add(errand.max_rate)
        seen.count(name, 1)
        time.sleep(0.05)  # gives one too many the time to be seen

        def closing() -> None:
            seen.count(name, -1)
            close()

        monkeypatch.setattr(session, "close", closing)
        return session

    monkeypatch.setattr(cluster, "_opened", counted)
    monkeypatch.setattr(postgresql, "PART_BLOCKS", 20)
    monkeypatch.setattr(safeguard.checking, "cluster_executor", slots)
    return seen


@pytest.mark.postgres
@pytest.mark.parametrize("connections", [1, 2])
def test_readers_of_a_system(
    tmp_path: Path,
    fresh_database: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
    readers: Readers,
    connections: int,
) -> None:
    for name in ("OLD_URL", "NEW_URL"):
        database = fresh_database("postgresql")
        database.execute(f"{RATINGS} FROM generate_series(1, 60000) n")
        monkeypatch.setenv(name, database.url)
    kindness = Kindness(max_rate=10_000_000, limits=Limits(connections=connections))
    request = Request(cluster="here", strategy=Strategy.STREAM, kindness=kindness)
    result, _ = run_check(
        ratings_plan(tmp_path),
        out=tmp_path / "out",
        request=request,
        progress=SilentProgress(),
        environ=os.environ,
    )
    assert result.verdict == "PASS"
    assert set(readers.most) == {"old", "new"}
    assert max(readers.most.values()) <= connections
    assert readers.rates == {10_000_000 / connections}
