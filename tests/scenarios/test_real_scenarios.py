"""Faults planted in real data, found exactly in every pairing of six kinds of system.

The folder `../shared/real/scenarios` says what was planted (`expected.json`); where it gives only
numbers, the entries are worked out here by comparing the cells of the CSV files.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from safeguard.findings.result import CheckResult
from scenarios.stores import (
    Table,
    read_table,
    store_csv,
    store_jsonl,
    store_parquet,
    store_server,
    store_sqlite,
)
from scenarios.telling import check_plan
from servers import Database, Server

ENGINES = ("sqlite", "postgresql", "mariadb", "csv", "jsonl", "parquet")
FOLDERS = {
    "sqlite": store_sqlite,
    "csv": store_csv,
    "jsonl": store_jsonl,
    "parquet": store_parquet,
}

Findings = list[dict[str, Any]]
Cells = list[dict[str, str | None]]


@dataclass(frozen=True)
class Real:
    """A scenario: its contract, the types of its columns, and what must come out."""

    name: str
    contract: str
    judge: Callable[[CheckResult, Findings, Cells, Cells, Mapping[str, Any]], None]
    types: Mapping[str, str] = field(default_factory=dict)
    new_file: str = "new"
    zone: str = ""


def _of(findings: Findings, *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[name] for name in names) for row in findings)


def _differing(old: Cells, new: Cells, key: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    there = {row[key]: row for row in new}
    return sorted((o[key], c) for o in old for c in columns if o[c] != there[o[key]][c])


def _one_lost(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    owner, position, track = said["missing"][0]
    (item,) = (
        row["track_id"]
        for row in old
        if (row["playlist_id"], row["position"]) == (str(owner), str(position))
    )
    assert said["missing"] == [[owner, position, track]]
    assert _of(findings, "kind", "owner", "item") == [("lost", str(owner), item)]
    assert result.contents[0].kept == said["rows_new"]


def _hour_early(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    wanted = _differing(old, new, "rental_id", ("rental_date", "return_date"))
    assert _of(findings, "item", "field") == wanted
    for name in ("rental_date", "return_date"):
        assert sum(row["field"] == name for row in findings) == said[f"{name}_diff"]
    assert {(row["kind"], row["cause"]) for row in findings} == {("changed", "time_shift")}
    assert result.contents[0].old == said["rows"]
    assert [p.text for p in result.contents[0].patterns] == [
        f"3,946 of {name} are one hour early, all inside summer time of America/New_York"
        for name in ("rental_date", "return_date")
    ]


def _one_thumb(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    planted = said["new_csv"]
    assert _of(findings, "kind", "cause", "owner", "item", "new_value") == [
        ("changed", "mapped_wrong", *planted["key"], planted["got"])
    ]
    assert result.contents[0].kept == said["rows"] - 1
    assert [p.text for p in result.contents[0].patterns] == [
        "1 of rating was `3.0` and became `down`; the contract's map says `up`"
    ]


def _boundary(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    wanted = sorted(
        (o["userId"], o["movieId"])
        for o, n in zip(old, new, strict=True)
        if o["rating"] == "3.0" and n["thumb"] == "down"
    )
    assert len(wanted) == said["new_boundary_csv"]["mismatch"]
    assert _of(findings, "owner", "item") == wanted
    assert {(r["kind"], r["cause"], r["new_value"]) for r in findings} == {
        ("changed", "mapped_wrong", "down")
    }
    (pattern,) = result.contents[0].patterns
    assert pattern.text.startswith("2,973 of rating were `3.0` and became `down`; ")
    assert pattern.text.endswith("the contract's map says `up`, where its boundary lies")


def _batch_twice(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    seen: dict[tuple[Any, Any], int] = {}
    for row in new:
        key = (row["userId"], row["movieId"])
        seen[key] = seen.get(key, 0) + 1
    wanted = sorted(key for key, count in seen.items() if count == 2)
    assert len(wanted) == said["duplicate_rows"]
    assert _of(findings, "owner", "item") == wanted
    assert {row["kind"] for row in findings} == {"duplicated"}
    assert result.contents[0].customers.affected == said["owners_hit"]
    assert result.contents[0].kept == said["rows_old"]


def _reversed(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    queue = [row for row in old if row["user_id"] == str(said["owner"])]
    first = str(said["first_old"])
    wanted = sorted(
        ("moved", row["user_id"], row["book_id"]) for row in queue if row["book_id"] != first
    )
    assert len(wanted) == said["length"] - 1
    assert _of(findings, "kind", "owner", "item") == wanted


def _null_became_empty(
    result: CheckResult, findings: Findings, old: Cells, new: Cells, said: Mapping[str, Any]
) -> None:
    wanted = _differing(old, new, "customer_id", tuple(old[0]))
    assert len(wanted) == said["mismatch"]
    assert _of(findings, "owner", "field") == wanted
    assert {(r["kind"], r["field"], r["cause"]) for r in findings} == {
        ("changed", said["column"], "null_empty")
    }
    assert [p.text for p in result.contents[0].patterns] == [
        "49 of company have an empty text for no value"
    ]


_THUMBS = """
content: ratings
shape: record
owner: userId
item: movieId
fields:
  rating:
    type: decimal(1)
    map: {0.5: down, 1.0: down, 1.5: down, 2.0: down, 2.5: down,
          3.0: up, 3.5: up, 4.0: up, 4.5: up, 5.0: up}
  timestamp: {type: integer}
old: {system: old, table: entries}
new: {system: new, table: entries, columns: {rating: thumb}}
"""

REAL = (
    Real(
        "S01",
        """
content: tracks
shape: list
owner: playlist_id
item: track_id
order: position
keys: {position: integer}
fields: {track: {type: text}, playlist: {type: text}}
old: {system: old, table: entries}
new: {system: new, table: entries}
""",
        _one_lost,
    ),
    Real(
        "S03",
        """
content: rentals
shape: record
owner: customer_id
item: rental_id
fields:
  rental_date: {type: timestamp}
  return_date: {type: timestamp}
  inventory_id: {type: integer}
old: {system: old, table: entries}
new: {system: new, table: entries}
""",
        _hour_early,
        types={"rental_date": "timestamp", "return_date": "timestamp"},
        zone="America/New_York",
    ),
    Real("S04", _THUMBS, _one_thumb, types={"rating": "decimal"}),
    Real("S04", _THUMBS, _boundary, types={"rating": "decimal"}, new_file="new_boundary"),
    Real(
        "S07",
        """
content: ratings
shape: record
owner: userId
item: movieId
fields: {rating: {type: decimal(1)}, timestamp: {type: integer}}
old: {system: old, table: entries}
new: {system: new, table: entries}
""",
        _batch_twice,
        types={"rating": "decimal"},
    ),
    Real(
        "S08",
        """
content: to-read
shape: list
owner: user_id
item: book_id
order: position
keys: {position: integer}
old: {system: old, table: entries}
new: {system: new, table: entries}
""",
        _reversed,
    ),
    Real(
        "S10",
        """
content: profile
shape: record
owner: customer_id
fields: {first_name: , last_name: , company: , state: , postal_code: , fax: }
old: {system: old, table: entries}
new: {system: new, table: entries}
""",
        _null_became_empty,
        types={"postal_code": "text"},
    ),
)


CASES = [
    pytest.param(
        real,
        old,
        new,
        id=f"{real.name}-{real.new_file}-{old}-{new}",
    )
    for real in REAL
    for old in ENGINES
    for new in ENGINES
]

Store = Callable[[str, Real, str], str]


@pytest.fixture(scope="module")
def stored(
    request: pytest.FixtureRequest, real: Path, tmp_path_factory: pytest.TempPathFactory
) -> Store:
    """`stored("sqlite", scenario, "old")` is the URL of that side, stored once for all tests."""
    urls: dict[tuple[str, str, str], str] = {}

    def get(engine: str, scenario: Real, file: str) -> str:
        key = (engine, scenario.name, file)
        if key not in urls:
            table = _table(real / "scenarios" / scenario.name / f"{file}.csv", scenario)
            folder = tmp_path_factory.mktemp("_".join(key))
            urls[key] = _store(request, engine, folder, table)
        return urls[key]

    return get


def _table(path: Path, scenario: Real) -> Table:
    table = read_table(path, scenario.types)
    return Table("entries", table.columns, table.rows, table.types)


def _store(request: pytest.FixtureRequest, engine: str, folder: Path, table: Table) -> str:
    if engine in FOLDERS:
        return FOLDERS[engine](folder, [table])
    server: Server = request.getfixturevalue(engine)
    database = Database(server, f"real_{folder.name}".lower())
    server.create_database(database.name)
    return store_server(engine, database, [table])


@pytest.mark.parametrize(("scenario", "old", "new"), CASES)
def test_planted_faults_are_found_exactly(
    scenario: Real, old: str, new: str, stored: Store, real: Path, tmp_path: Path
) -> None:
    zone = f", timezone: {scenario.zone}" if scenario.zone else ""
    (tmp_path / "contract.yaml").write_text(scenario.contract, encoding="utf-8")
    (tmp_path / "safeguard.yaml").write_text(
        f"""
migration: {scenario.name}
kind: move
systems:
  old: {{url: "${{OLD_URL}}"{zone}}}
  new: {{url: "${{NEW_URL}}"{zone}}}
contracts: [contract.yaml]
""",
        encoding="utf-8",
    )
    environ = {
        "OLD_URL": stored(old, scenario, "old"),
        "NEW_URL": stored(new, scenario, scenario.new_file),
    }
    result, findings = check_plan(tmp_path / "safeguard.yaml", tmp_path / "run", environ)
    assert (str(result.verdict), result.exit_code) == ("BLOCK", 1)
    (content,) = result.contents
    assert content.conservation.old
    assert content.conservation.new
    folder = real / "scenarios" / scenario.name
    said = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    cells = [_cells(folder / f"{file}.csv") for file in ("old", scenario.new_file)]
    scenario.judge(result, findings, cells[0], cells[1], said)


def _cells(path: Path) -> Cells:
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            {name: None if cell == r"\N" else cell for name, cell in row.items()}
            for row in csv.DictReader(lines)
        ]
