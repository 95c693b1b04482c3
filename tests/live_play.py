"""Two systems that are written between looks: a script says what each look finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from arrow_session import ArrowSession
from safeguard.comparing.buckets import Buckets
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.journal import NoJournal
from safeguard.comparing.preparing import prepare
from safeguard.comparing.reading_customers import read_customers
from safeguard.comparing.settling import Patience, Settling
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.telling import COLUMNS, create_findings
from safeguard.comparing.workers import LocalWorkers
from safeguard.contract.model import Contract, LoadedContract, LoadedPlan, Plan
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import ContentResult, Coverage
from safeguard.gate.verdict import decide
from safeguard.systems.interface import Selection
from safeguard.systems.opened import Systems

Rows = Sequence[Mapping[str, Any]]
SCHEMA = pa.schema(
    [
        ("owner", pa.int64()),
        ("item", pa.int64()),
        ("value", pa.string()),
        ("position", pa.int64()),
        ("medium", pa.string()),
    ]
)


class Remembering(ArrowSession):
    """Remembers what it was asked for, and whether it is closed."""

    def __init__(self, name: str, rows: Rows, asked: list[Selection]) -> None:
        super().__init__(name, {"t": pa.Table.from_pylist([dict(r) for r in rows], SCHEMA)})
        self.asked = asked
        self.closed = False

    def stream(self, selection, part=None):
        self.asked.append(selection)
        return super().stream(selection, part)

    def close(self) -> None:
        self.closed = True
        super().close()


@dataclass
class Play:
    """`script[n]` is what look n finds: (old rows, new rows, ...); the last one stays. Time passes
    only while one waits."""

    script: Sequence[Sequence[Rows]]
    dialect: str = "arrow"
    look: int = 0
    now: float = 0.0
    held: list[int] = field(default_factory=list)
    """Sessions that were open while one waited, each time."""
    asked: list[Selection] = field(default_factory=list)
    opened: list[Remembering] = field(default_factory=list)

    def open(self, name: str) -> Remembering:
        names = ["old", *(f"new{i}" for i, _ in enumerate(self.script[0][1:]))]
        rows = self.script[min(self.look, len(self.script) - 1)][names.index(name)]
        session = Remembering(name, rows, self.asked)
        session.info = replace(session.info, dialect=self.dialect)
        self.opened.append(session)
        return session

    def wait(self, seconds: float) -> None:
        self.held.append(sum(not s.closed for s in self.opened))
        self.now += seconds
        self.look += 1


@dataclass(frozen=True)
class Seen:
    result: ContentResult
    findings: tuple[dict[str, Any], ...]

    @property
    def kinds(self) -> list[tuple[str, str, str]]:
        """(kind, owner, item) of each finding."""
        return sorted((f["kind"], f["owner"], f["item"]) for f in self.findings)

    def add_up(self) -> None:
        """Every entry of the first snapshots has one status."""
        assert self.result.conservation.old, self.result.conservation.detail
        assert self.result.conservation.new, self.result.conservation.detail
        assert min(self.result.sums_new.values()) >= 0, self.result.sums_new


def watch(folder: Path, play: Play, contract: Mapping[str, Any], **patience: Any) -> Seen:
    """A live check of one content."""
    names = ["old", *(f"new{i}" for i, _ in enumerate(play.script[0][1:]))]
    spec = {"content": "things", "old": {"system": "old", "table": "t"}} | dict(contract)
    spec.setdefault("new", [{"system": n, "table": "t"} for n in names[1:]])
    plan = Plan(
        migration="m",
        kind="move",
        systems={name: {"url": f"sqlite:///{name}.db"} for name in names},
        contracts=["c.yaml"],
    )
    loaded = LoadedPlan(
        plan=plan,
        contracts=(LoadedContract(contract=Contract(**spec), path="c.yaml"),),
        path="safeguard.yaml",
        folder=str(folder),
        digest="",
    )
    systems = Systems({name: play.open(name) for name in names}, play.open)
    exchange = Exchange(folder / "exchange", threads=1)
    try:
        plans = prepare(loaded, systems)
        create_findings(exchange)

        def read_book(into: Exchange) -> CustomerBook:
            return read_customers(into, loaded, plans, systems)

        waiting = Patience(**{"wait": play.wait, "clock": lambda: play.now} | patience)
        settler = Settling(waiting, read_book, folder / "look", SilentProgress())
        store = Buckets(folder / "buckets")
        workers = LocalWorkers(exchange, store, systems.__getitem__, 2)
        book = read_book(exchange)
        around = Surroundings(exchange, store, systems, workers, book, SilentProgress(), True)
        compared = ContentComparison(around, plans[0], NoJournal()).compare(settler)
        columns = ", ".join(f'"{c}"' for c in COLUMNS)
        rows = exchange.rows(f"SELECT {columns} FROM finding ORDER BY ALL")
    finally:
        systems.close()
        exchange.close()
    (judged,) = decide((compared,), Coverage(0, 0, (), (), ()), plan.policy).contents
    assert not (folder / "look").exists()
    return Seen(judged, tuple(dict(zip(COLUMNS, row, strict=True)) for row in rows))
