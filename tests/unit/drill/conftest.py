"""A small shop that moves whole: whatever is found of its new side, a drill has planted."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from safeguard.drill.drilling import run_drill
from safeguard.drill.result import DrillResult
from safeguard.findings.progress import SilentProgress

CUSTOMERS, ENTRIES = 60, 9
COLUMNS = (
    "customer_id INTEGER, title TEXT, position INTEGER, medium TEXT, gone INTEGER, note TEXT, "
    "remark TEXT, big BIGINT, price DECIMAL(10,2), score REAL, seen BOOLEAN, added TIMESTAMP, "
    "stars INTEGER, doc TEXT"
)
THUMBS = {5: "up", 4: "up", 3: "none", 2: "down", 1: "down"}
FIELDS = """
  note: {type: text}
  remark: {type: text}
  big: {type: integer}
  price: {type: decimal(2)}
  score: {type: float}
  seen: {type: boolean}
  added: {type: timestamp}
  stars: {type: integer, map: {5: up, 4: up, 3: none, 2: down, 1: down}}
  doc: {type: json}
"""
CONTRACT = """
content: queue
shape: list
owner: customer_id
item: title
order: position
keys: {{customer_id: integer, title: text, position: integer}}
fields:{fields}
old: {{system: old, table: queue, deleted_when: gone = 1}}
new:
  - {{system: stream, table: queue, receives: "medium IN ('stream', 'both')"}}
  - {{system: disc, table: queue, receives: "medium IN ('disc', 'both')"}}
"""
PLAN = """
migration: shop
kind: split
systems:
  old: {url: "sqlite:///old.sqlite", timezone: Europe/Berlin}
  stream: {url: "sqlite:///stream.sqlite", timezone: Europe/Berlin}
  disc: {url: "sqlite:///disc.sqlite", timezone: Europe/Berlin}
contracts: [queue.yaml]
"""

Drill = Callable[..., DrillResult]


def entry(customer: int, n: int) -> tuple[Any, ...]:
    """The nth entry of a customer: each thing that a fault needs, some have."""
    i = customer * ENTRIES + n
    notes = ("", "für Ömer, bald", "plain, and simple", "zeile 1\r\nzeile 2", "語" * 120)
    added = dt.datetime(2024, 1 + i % 12, 3 + i % 20, 12, 30)
    document = {"tags": ["a", i], "by": {"name": f"n{i}", "price": 1.50}}
    medium = ("stream", "disc", "both")[i % 3]
    row = (f"title {n} of {customer % 7}", n, medium, int(i % 11 == 0))
    texts = (notes[i % 5] and f"{notes[i % 5]} {i}", f"remark {i}")
    numbers = (2**53 + 1 + 2 * i, f"{i}.{i % 100:02}", i / 7, i % 2)
    return (customer, *row, *texts, *numbers, str(added), 1 + i % 5, json.dumps(document))


def build(folder: Path, fields: str = FIELDS, contract: str = CONTRACT) -> Path:
    """Fill the shop's systems; the path of its plan."""
    rows = [entry(c, n) for c in range(CUSTOMERS) for n in range(ENTRIES)]
    sides = {
        "old": rows,
        "stream": [_moved(r) for r in rows if r[3] in ("stream", "both") and not r[4]],
        "disc": [_moved(r) for r in rows if r[3] in ("disc", "both") and not r[4]],
    }
    for name, some in sides.items():
        columns = COLUMNS if name == "old" else COLUMNS.replace("stars INTEGER", "stars TEXT")
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as database, database:
            database.execute(f"CREATE TABLE queue ({columns})")
            marks = ", ".join("?" * len(rows[0]))
            database.executemany(f"INSERT INTO queue VALUES ({marks})", some)
    (folder / "queue.yaml").write_text(contract.format(fields=fields), encoding="utf-8")
    (folder / "safeguard.yaml").write_text(PLAN, encoding="utf-8")
    return folder / "safeguard.yaml"


def _moved(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*row[:12], THUMBS[row[12]], row[13])


def drill_plan(plan: Path, environ: Mapping[str, str] | None = None, **more: Any) -> DrillResult:
    """A drill of this plan."""
    result, _ = run_drill(plan, progress=SilentProgress(), environ=environ or {}, **more)
    return result


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """`drill(fields=..., contract=..., faults=...)` of the shop."""

    def run(fields: str = FIELDS, contract: str = CONTRACT, **more: Any) -> DrillResult:
        return drill_plan(build(tmp_path, fields, contract), **more)

    return run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> DrillResult:
    """A drill with room for each kind in each field."""
    return drill_plan(build(tmp_path_factory.mktemp("shop")), faults=700)
