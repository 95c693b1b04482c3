"""The same findings whoever does the tasks: this process, or the workers of a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from safeguard.check import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes that have the environment of the test."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
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
            c.tolerated,
            c.customers,
        )
        for c in result.contents
    ]
    return result.verdict, sorted(findings, key=repr), contents, result.customers


def check(plan: Path, out: Path, **how: Any) -> tuple[Any, ...]:
    result, folder = run_check(
        plan, out=out, request=Request(**how), progress=SilentProgress(), environ=os.environ
    )
    return outcome(result, folder)
