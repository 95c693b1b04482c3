"""What findings have in common, in real data and from real servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import FreshDatabase
from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.planning.asking import Strategy
from scenarios.stores import Table, store_parquet, store_server
from scenarios.telling import check_plan
from scenarios.test_real_scenarios import REAL, Real, _table

REASONS = {
    ("S01", "new"): [],
    ("S03", "new"): ["All 3,946 changed entries have rental_date before 2006-01-01; {none}"],
    ("S04", "new"): [],
    ("S04", "new_boundary"): ["All 2,973 changed entries have rating 3; {none}"],
    ("S07", "new"): ["All 500 duplicated entries have userId from 32 to 39; of the others 4.1 %."],
    ("S08", "new"): ["All 12 moved entries have user_id 3; of the kept ones < 0.1 %."],
    ("S10", "new"): ["All 49 changed entries have no company; {none}"],
}
"""Of each scenario and its new file; one finding alone has none."""

PLAN = """
migration: {name}
kind: {kind}
systems: {{{systems}}}
contracts: [contract.yaml]
{customers}
"""


@pytest.mark.parametrize("scenario", REAL, ids=lambda s: f"{s.name}-{s.new_file}")
def test_a_planted_fault_has_its_reason(scenario: Real, real: Path, tmp_path: Path) -> None:
    zone = f", timezone: {scenario.zone}" if scenario.zone else ""
    systems = f'old: {{url: "${{OLD_URL}}"{zone}}}, new: {{url: "${{NEW_URL}}"{zone}}}'
    _write(tmp_path, scenario.contract, name=scenario.name, kind="move", systems=systems)
    folder, environ = real / "scenarios" / scenario.name, {}
    for variable, file in (("OLD_URL", "old"), ("NEW_URL", scenario.new_file)):
        (tmp_path / variable).mkdir()
        table = _table(folder / f"{file}.csv", scenario)
        environ[variable] = store_parquet(tmp_path / variable, [table])
    result, _ = check_plan(tmp_path / "safeguard.yaml", tmp_path / "run", environ)
    wanted = [
        reason.format(none="of the kept ones none.")
        for reason in REASONS[scenario.name, scenario.new_file]
    ]
    assert [e.text for e in result.contents[0].explanations] == wanted


SPLIT = """
content: queue
shape: list
owner: customer_id
item: title_id
order: position
fields: {note: {type: text}}
old: {system: old, table: queue}
new:
  - {system: streaming, table: watchlist, receives: "medium <> 'dvd'"}
  - {system: dvd, table: watchlist, receives: "medium <> 'stream'"}
"""
CUSTOMERS = """
customers:
  old: {system: old, table: customers, key: customer_id}
  segments: {paying: "plan <> 'free'"}
coverage: {ignore: []}
"""


def test_segments_and_routes_of_real_servers(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    """PostgreSQL to PostgreSQL and MariaDB: what went to dvd lost its paying customers' entries."""
    lost = {(c, t) for c, t, _, medium, _ in _queue() if _paying(c) and medium == "dvd"}
    result = _split(fresh_database, tmp_path, lost)
    (content,) = result.contents
    assert content.findings["lost"] == len(lost)
    (explained,) = content.explanations
    assert explained.found == explained.total == len(lost)
    assert "belong to paying customers" in explained.text
    assert "not due in streaming" in explained.text
    assert explained.text.endswith("; of the kept ones none.")
    folder = tmp_path / "run"
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["contents"][0]["explanations"][0]["text"] == explained.text
    assert explained.text in (folder / "junit.xml").read_text(encoding="utf-8")


def _queue() -> list[tuple[int, int, int, str, str]]:
    media = ("dvd", "stream", "both")
    return [
        (
            customer,
            customer * 100 + place,
            place,
            media[(customer + place * place) % 3],
            "n" * place,
        )
        for customer in range(1, 91)
        for place in range(1, 13)
    ]


def _paying(customer: int) -> bool:
    return customer % 3 == 0


def _split(make: FreshDatabase, folder: Path, lost: set[tuple[int, int]]) -> CheckResult:
    columns = ("customer_id", "title_id", "position", "medium", "note")
    types = ("integer", "integer", "integer", "text", "text")

    def table(name: str, rows: list[Any]) -> Table:
        return Table(name, columns, tuple(tuple(map(str, r)) for r in rows), types)

    plans = tuple((str(c), "full" if _paying(c) else "free") for c in range(1, 91))
    customers = Table("customers", ("customer_id", "plan"), plans, ("integer", "text"))
    kept = [r for r in _queue() if (r[0], r[1]) not in lost]
    sides = {
        "old": ("postgresql", [table("queue", _queue()), customers]),
        "streaming": ("postgresql", [table("watchlist", [r for r in kept if r[3] != "dvd"])]),
        "dvd": ("mariadb", [table("watchlist", [r for r in kept if r[3] != "stream"])]),
    }
    environ = {
        f"{name.upper()}_URL": store_server(engine, make(engine), tables)
        for name, (engine, tables) in sides.items()
    }
    systems = ", ".join(f'{name}: {{url: "${{{name.upper()}_URL}}"}}' for name in sides)
    _write(folder, SPLIT, name="split", kind="split", systems=systems, customers=CUSTOMERS)
    return check_plan(folder / "safeguard.yaml", folder / "run", environ)[0]


MOVE = """
content: queue
shape: record
owner: customer_id
item: title_id
fields: {position: {type: integer}}
old: {system: old, table: queue}
new: {system: new, table: queue}
"""


def test_where_sums_spared_the_reading_the_sentence_says_of_whom_it_speaks(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    columns, types = ("customer_id", "title_id", "position"), ("integer",) * 3
    rows = tuple((str(c), str(c * 1000 + p), str(p)) for c in range(1, 2001) for p in range(1, 41))
    kept = tuple(r for r in rows if not (r[2] == "7" and int(r[0]) % 200 == 0))
    environ = {
        name: store_server(
            "postgresql", fresh_database("postgresql"), [Table("queue", columns, r, types)]
        )
        for name, r in (("OLD_URL", rows), ("NEW_URL", kept))
    }
    systems = 'old: {url: "${OLD_URL}"}, new: {url: "${NEW_URL}"}'
    _write(tmp_path, MOVE, name="move", kind="move", systems=systems)
    result, _ = run_check(
        tmp_path / "safeguard.yaml",
        out=tmp_path / "run",
        request=Request(strategy=Strategy.AUTO),
        progress=SilentProgress(),
        environ=environ,
    )
    (content,) = result.contents
    assert content.findings["lost"] == 10
    (explained,) = content.explanations
    assert content.strategy == "sums"
    assert explained.text.startswith(
        "All 10 lost entries have position 7; of the kept ones that were read "
    )


def _write(folder: Path, contract: str, *, customers: str = "", **words: str) -> None:
    (folder / "contract.yaml").write_text(contract, encoding="utf-8")
    (folder / "safeguard.yaml").write_text(
        PLAN.format(customers=customers, **words), encoding="utf-8"
    )
