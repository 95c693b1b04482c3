"""1,022 value pairs of another verifier's own tests: equal exactly where they were measured equal.

Each side's stored text is put into a real column of its type; then a whole check compares them, in
both directions between PostgreSQL and MariaDB, as a user's plan would.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from safeguard.checking import run_check
from safeguard.findings.progress import SilentProgress
from servers import Database

Case = dict[str, str]
ENGINES = {"pg": "postgresql", "mysql": "mariadb"}
TYPES = {
    "int": "integer",
    "boolean": "boolean",
    "datetime": "timestamp",
    "float": "decimal",
    "uuid_string": "text",
}


@pytest.fixture(scope="module")
def cases(real: Path) -> list[Case]:
    with (real / "peer_cases" / "reladiff_types_pg_mariadb.csv").open(newline="") as lines:
        found = list(csv.DictReader(lines))
    assert len(found) == 1022
    return found


@pytest.mark.parametrize(("old", "new"), [("pg", "mysql"), ("mysql", "pg")])
def test_equal_exactly_where_measured_equal(
    old: str, new: str, cases: list[Case], fresh_database: Callable[[str], Database], tmp_path: Path
) -> None:
    groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        if case["source_db"] == old:
            groups[case["source_type"], case["target_type"]].append(case)
    databases = {side: fresh_database(ENGINES[side]) for side in (old, new)}
    for side, end in ((old, "source"), (new, "target")):
        _load(databases[side], end, list(groups.values()))
    plan = _plan(tmp_path, databases[old].url, databases[new].url, list(groups.values()))
    result, folder = run_check(plan, progress=SilentProgress(), environ={})
    rows = pq.read_table(folder / "findings.parquet").to_pylist()
    assert {row["kind"] for row in rows} == {"changed"}
    wanted = {
        c["case"] for group in groups.values() for c in group if c["exact_value_equal"] == "false"
    }
    assert {row["owner"] for row in rows} == wanted
    assert sum(content.due for content in result.contents) == sum(map(len, groups.values()))


def _load(database: Database, end: str, groups: list[list[Case]]) -> None:
    zone = {"postgresql": "SET TIME ZONE 'UTC'", "mysql": "SET time_zone = '+00:00'"}
    statements = [zone[database.server.scheme]]
    for number, group in enumerate(groups):
        declared = group[0][f"{end}_type"]
        null = " NULL" if declared.startswith("timestamp") else ""
        texts = [(c["case"], c[f"stored_{end}_text"]) for c in group]
        values = ", ".join(
            f"('{case}', {text if declared == 'boolean' else repr(text)})" for case, text in texts
        )
        statements.append(f"CREATE TABLE t{number} (k varchar(20), v {declared}{null})")
        statements.append(f"INSERT INTO t{number} VALUES {values}")
    database.execute(";".join(statements))


def _plan(folder: Path, old: str, new: str, groups: list[list[Case]]) -> Path:
    names = [f"t{number}.yaml" for number, _ in enumerate(groups)]
    for name, group in zip(names, groups, strict=True):
        table = name.removesuffix(".yaml")
        (folder / name).write_text(
            f"""content: {table}
shape: record
owner: k
fields: {{v: {{type: {TYPES[group[0]["category"]]}}}}}
old: {{system: old, table: {table}}}
new: {{system: new, table: {table}}}
"""
        )
    plan = folder / "safeguard.yaml"
    plan.write_text(
        f"""migration: peer-values
kind: move
systems:
  old: {{url: "{old}", timezone: UTC}}
  new: {{url: "{new}", timezone: UTC}}
contracts: [{", ".join(names)}]
"""
    )
    return plan
