"""A plan of two contents in SQLite, small enough to be checked in every test."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]
"""What the fixture `run` of the plugin's tests is."""


def make_plan(folder: Path, *, spoil: tuple[str, ...] = (), **contents: str) -> Path:
    """A split of a queue and a move of ratings. `spoil` is SQL of the system dvd; `contents` are other
    names for the two."""
    folder.mkdir(exist_ok=True, parents=True)
    for system in ("old", "streaming", "dvd"):
        with closing(sqlite3.connect(folder / f"{system}.sqlite")) as made:
            made.execute("CREATE TABLE queue (customer_id int, title_id int, place int)")
            made.execute("CREATE TABLE ratings (customer_id int, title_id int, stars int)")
            made.executemany("INSERT INTO queue VALUES (?, 7, 1)", [(n,) for n in range(9)])
            made.executemany("INSERT INTO ratings VALUES (?, 7, 5)", [(n,) for n in range(9)])
            for statement in spoil if system == "dvd" else ():
                made.execute(statement)
            made.commit()
    keys = {"owner": "customer_id", "item": "title_id"}
    queue, ratings = contents.get("queue", "queue"), contents.get("ratings", "ratings")
    write(
        folder / "queue.yaml",
        {**keys, "content": queue, "shape": "list", "order": "place"}
        | {"old": {"system": "old", "table": "queue"}}
        | {"new": [{"system": s, "table": "queue"} for s in ("streaming", "dvd")]},
    )
    write(
        folder / "ratings.yaml",
        {**keys, "content": ratings, "shape": "record", "fields": {"stars": {}}}
        | {"old": {"system": "old", "table": "ratings"}}
        | {"new": {"system": "streaming", "table": "ratings"}},
    )
    systems = {s: {"url": f"sqlite:///{s}.sqlite"} for s in ("old", "streaming", "dvd")}
    plan = folder / "safeguard.yaml"
    parts = {"systems": systems, "contracts": ["queue.yaml", "ratings.yaml"]}
    write(plan, {"migration": "split", "kind": "split", **parts})
    return plan


def write(path: Path, document: dict[str, Any]) -> None:
    """YAML is a superset of JSON."""
    path.write_text(json.dumps(document), encoding="utf-8")
