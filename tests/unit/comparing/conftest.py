"""One comparison of contents that are written down in the test, by the real exchange."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from arrow_session import ArrowSession
from safeguard.comparing.buckets import Buckets
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.journal import Journal, NoJournal
from safeguard.comparing.preparing import prepare
from safeguard.comparing.reading_customers import read_customers
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.telling import COLUMNS, create_findings
from safeguard.comparing.workers import LocalWorkers
from safeguard.contract.model import Contract, LoadedContract, LoadedPlan, Plan
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import ContentResult, Coverage
from safeguard.findings.words import Verdict
from safeguard.gate.verdict import decide
from safeguard.systems.opened import Systems

Rows = Sequence[Mapping[str, Any]]
SCHEMA = pa.schema(
    [
        ("owner", pa.int64()),
        ("item", pa.int64()),
        ("value", pa.string()),
        ("position", pa.int64()),
        ("deleted", pa.bool_()),
        ("medium", pa.string()),
    ]
)
NOTHING = Coverage(0, 0, (), (), ())


@dataclass(frozen=True)
class Compared:
    """The judged result of one content, and its findings as rows."""

    result: ContentResult
    findings: tuple[dict[str, Any], ...]

    @property
    def verdict(self) -> Verdict:
        return self.result.verdict

    @property
    def counts(self) -> dict[str, int]:
        return {str(k): n for k, n in self.result.findings.items() if n}


Compare = Callable[..., Compared]


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = Exchange(tmp_path_factory.mktemp("exchange"), threads=1)
    yield made
    made.close()


def compare_in(
    exchange: Exchange,
    old: Rows,
    *news: Rows,
    contract: Mapping[str, Any],
    schema: pa.Schema = SCHEMA,
    new_schema: pa.Schema | None = None,
    batch_rows: int = 65_536,
    journal: Journal | None = None,
) -> Compared:
    """Compare `old` with each of `news`, one new system a route."""
    names = [f"new{i}" for i, _ in enumerate(news)]
    sessions = {"old": _session("old", old, schema, batch_rows)}
    sessions |= {
        name: _session(name, rows, new_schema or schema, batch_rows)
        for name, rows in zip(names, news, strict=True)
    }
    spec: dict[str, Any] = {"content": "things", "old": {"system": "old", "table": "t"}} | dict(
        contract
    )
    spec.setdefault("new", [{"system": n, "table": "t"} for n in names])
    systems = {name: {"url": f"sqlite:///{name}.db"} for name in sessions}
    plan = Plan(migration="m", kind="move", systems=systems, contracts=["c.yaml"])
    loaded = LoadedPlan(
        plan=plan,
        contracts=(LoadedContract(contract=Contract(**spec), path="c.yaml"),),
        path="safeguard.yaml",
        folder=str(Path()),
        digest="",
    )
    try:
        (content,) = prepare(loaded, sessions)
        create_findings(exchange)
        book = read_customers(exchange, loaded, (content,), sessions)
        with tempfile.TemporaryDirectory() as folder:
            store = Buckets(folder)
            workers = LocalWorkers(exchange, store, sessions.__getitem__, 2)
            around = Surroundings(
                exchange, store, Systems(sessions), workers, book, SilentProgress(), reveal=True
            )
            compared = ContentComparison(around, content, journal or NoJournal()).compare()
    finally:
        for session in sessions.values():
            session.close()
    (judged,) = decide((compared,), NOTHING, plan.policy).contents
    names_ = ", ".join(f'"{c}"' for c in COLUMNS)
    rows = exchange.rows(f"SELECT {names_} FROM finding ORDER BY ALL")
    return Compared(judged, tuple(dict(zip(COLUMNS, row, strict=True)) for row in rows))


def _session(name: str, rows: Rows, schema: pa.Schema, batch_rows: int) -> ArrowSession:
    table = pa.Table.from_pylist([dict(r) for r in rows], schema)
    return ArrowSession(name, {"t": table}, batch_rows=batch_rows)


@pytest.fixture
def compare(exchange: Exchange) -> Compare:
    """`compare(old, new, ..., contract={...})` -> Compared."""

    def run(*sides: Rows, **more: Any) -> Compared:
        return compare_in(exchange, *sides, **more)

    return run
