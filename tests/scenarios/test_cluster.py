"""The same findings whoever does the tasks: this process, or the workers of a cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from proxy import Proxy
from safeguard.checking import Request, run_check
from safeguard.comparing import content, gathering
from safeguard.demo import set_scene
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import UsageProblem
from safeguard.planning.asking import Strategy
from servers import Database


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes that have the environment of the test."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
    ) as made:
        yield made


def outcome(result: CheckResult, folder: Path) -> tuple[Any, ...]:
    """Everything that two runs of one check must have alike."""
    findings = pq.read_table(folder / "findings.parquet").to_pylist()
    contents = [
        (
            c.content,
            c.verdict,
            c.sums_old,
            c.sums_new,
            c.findings,
            c.causes,
            c.patterns,
            c.tolerated,
            c.customers,
        )
        for c in result.contents
    ]
    return result.verdict, sorted(findings, key=repr), contents, result.customers


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several partitions of contents that would fit into one."""
    monkeypatch.setattr(gathering, "BUCKET_BYTES", 4_000)
    monkeypatch.setattr(content, "PARTITION_BYTES", 16_000)


def check(plan: Path, out: Path, **how: Any) -> tuple[Any, ...]:
    result, folder = run_check(
        plan, out=out, request=Request(**how), progress=SilentProgress(), environ=os.environ
    )
    return outcome(result, folder)


def test_the_demo_on_a_cluster(
    tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    plan = set_scene(tmp_path / "demo", 60, 7, faults=True, urls=None).plan
    here = check(plan, tmp_path / "here", reveal=True)
    there = check(plan, tmp_path / "there", reveal=True, cluster=cluster.scheduler_address)
    assert here[0] == "BLOCK"
    assert there == here


def test_postgresql_on_a_cluster_that_shares_a_place(
    tmp_path: Path,
    cluster: LocalCluster,
    fresh_database: Callable[[str], Database],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers read by connections of their own, and the place of exchange is an fsspec URL."""
    small_parts(monkeypatch)
    databases = {n: fresh_database("postgresql").url for n in ("old", "streaming", "dvd")}
    scene = set_scene(tmp_path / "demo", 60, 7, faults=True, urls=databases)
    for name, value in scene.environ.items():
        monkeypatch.setenv(name, value)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
    ) as knowing:  # workers have the environment of the moment when they are started
        place = f"local://{tmp_path}/shared"
        how = {"cluster": knowing.scheduler_address, "exchange": place}
        there = check(scene.plan, tmp_path / "there", **how)
    assert there == check(scene.plan, tmp_path / "here")
    assert there[0] == "BLOCK"
    assert not [p for p in (tmp_path / "shared").rglob("*") if p.is_file()]


def test_a_worker_that_is_killed_in_the_middle_of_a_task(
    tmp_path: Path, fresh_database: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task runs again elsewhere, and what is found is what was planted."""
    plan = ratings_plan(tmp_path)
    old, new = fresh_database("postgresql"), fresh_database("postgresql")
    old.execute(f"{RATINGS} FROM generate_series(1, 60000) n")
    new.execute(f"{RATINGS} FROM generate_series(1, 60000) n WHERE n % 1000 <> 7")
    monkeypatch.setenv("NEW_URL", new.url)
    killed: list[int] = []
    with Proxy(old.server.port) as proxy:
        monkeypatch.setenv("OLD_URL", old.url.replace(f":{old.server.port}/", f":{proxy.port}/"))
        with LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
        ) as knowing:
            workers = {w.pid for w in knowing.workers.values()}
            proxy.after(500_000, lambda: killed.append(kill_who_reads(proxy.port)))
            how = {"cluster": knowing.scheduler_address, "strategy": Strategy.STREAM}
            verdict, findings, contents, _ = check(plan, tmp_path / "out", **how)
    assert set(killed) <= workers
    assert len(killed) == 1
    assert verdict == "BLOCK"
    assert [f["kind"] for f in findings] == ["lost"] * 60
    assert contents[0][2]["kept"] == 60_000 - 60


RATINGS = """CREATE TABLE ratings AS SELECT n / 50 AS customer_id, n AS title_id, n % 5 AS stars,
    repeat('so good ', 4) AS words"""


def ratings_plan(folder: Path) -> Path:
    (folder / "ratings.yaml").write_text(
        "content: ratings\nshape: record\nowner: customer_id\nitem: title_id\n"
        "fields: {stars: {}, words: {}}\nold: {system: old, table: ratings}\n"
        "new: {system: new, table: ratings}\n"
    )
    plan = folder / "safeguard.yaml"
    plan.write_text(
        'migration: ratings\nkind: move\nsystems:\n  old: {url: "${OLD_URL}"}\n'
        '  new: {url: "${NEW_URL}"}\ncontracts: [ratings.yaml]\n'
    )
    return plan


def kill_who_reads(port: int) -> int:
    """Kill a worker that has a connection to this port; its pid."""
    for connection in psutil.net_connections("tcp"):
        to = connection.raddr.port if connection.raddr else None
        if to == port and connection.pid not in (None, os.getpid()):
            os.kill(connection.pid, signal.SIGKILL)
            return int(connection.pid)
    raise AssertionError("nobody reads")


def test_a_password_does_not_travel(tmp_path: Path, cluster: LocalCluster, shop: Path) -> None:
    text = shop.read_text().replace("sqlite:///dvd.sqlite", "postgresql://me:secret@127.0.0.1:1/x")
    shop.write_text(text)
    with pytest.raises(UsageProblem, match="--cluster: the url of dvd holds a password") as caught:
        check(shop, tmp_path / "out", cluster=cluster.scheduler_address)
    assert "secret" not in str(caught.value)


def test_no_scheduler(tmp_path: Path, shop: Path) -> None:
    with pytest.raises(UsageProblem, match="no scheduler answers there"):
        check(shop, tmp_path / "out", cluster="tcp://127.0.0.1:9")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A plan of two SQLite files."""
    return set_scene(tmp_path / "demo", 5, 7, faults=False, urls=None).plan
