"""1,022 value pairs of another verifier's own tests: equal exactly where they were measured equal.

The stored text of each side is put into a real column of its type and read back canonically.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import Type, TypeName
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import Output, Relation, Selection, SourceType
from safeguard.systems.open import open_system
from servers import Database

Case = dict[str, str]
Group = tuple[str, str, str]
ENGINES = {"pg": "postgresql", "mysql": "mariadb"}
CATEGORIES = {
    "int": TypeName.INTEGER,
    "boolean": TypeName.BOOLEAN,
    "datetime": TypeName.TIMESTAMP,
    "float": TypeName.DECIMAL,
    "uuid_string": TypeName.TEXT,
}
STORAGES = {
    TypeName.INTEGER: Storage.INT64,
    TypeName.BOOLEAN: Storage.BOOL,
    TypeName.TIMESTAMP: Storage.INT64,
}


@pytest.fixture(scope="module")
def cases(real: Path) -> list[Case]:
    with (real / "peer_cases" / "reladiff_types_pg_mariadb.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_equal_exactly_where_measured_equal(
    cases: list[Case], fresh_database: Callable[[str], Database]
) -> None:
    assert len(cases) == 1022
    databases = {side: fresh_database(kind) for side, kind in ENGINES.items()}
    groups: dict[Group, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case["source_db"], case["source_type"], case["target_type"]].append(case)
    columns = _columns(groups)
    loaded = {side: _load(database, columns[side]) for side, database in databases.items()}
    wrong = []
    for number, group in enumerate(groups.values()):
        old_side, new_side = group[0]["source_db"], group[0]["target_db"]
        olds, news = loaded[old_side][f"old{number}"], loaded[new_side][f"new{number}"]
        for case in group:
            equal = _same(group[0], olds[case["case"]], news[case["case"]])
            if equal != (case["exact_value_equal"] == "true"):
                wrong.append((case, olds[case["case"]], news[case["case"]]))
    assert not wrong, (len(wrong), wrong[:10])


def _same(case: Case, old: Any, new: Any) -> bool:
    """Beside a blank-padded CHAR, trailing blanks are no content on the other side either."""
    if case["category"] == "uuid_string" and "char(100)" in (
        case["source_type"],
        case["target_type"],
    ):
        return bool(old.rstrip(" ") == new.rstrip(" "))
    return bool(old == new)


def _columns(groups: dict[Group, list[Case]]) -> dict[str, dict[str, tuple[str, list[Any]]]]:
    """By side and table: the column's type and (case, category, stored text)."""
    found: dict[str, dict[str, tuple[str, list[Any]]]] = {"pg": {}, "mysql": {}}
    for number, group in enumerate(groups.values()):
        for table, end, text in (
            ("old", "source", "stored_source_text"),
            ("new", "target", "stored_target_text"),
        ):
            rows = [(c["case"], c["category"], c[text]) for c in group]
            found[group[0][f"{end}_db"]][f"{table}{number}"] = (group[0][f"{end}_type"], rows)
    return found


def _load(
    database: Database, tables: dict[str, tuple[str, list[Any]]]
) -> dict[str, dict[str, Any]]:
    statements = [
        "SET TIME ZONE 'UTC'"
        if database.server.scheme == "postgresql"
        else "SET time_zone = '+00:00'"
    ]
    for table, (declared, rows) in tables.items():
        values = ", ".join(f"('{case}', {_literal(declared, text)})" for case, _, text in rows)
        null = " NULL" if declared.startswith("timestamp") else ""
        statements.append(f"CREATE TABLE {table} (k varchar(20), v {declared}{null})")
        statements.append(f"INSERT INTO {table} VALUES {values}")
    database.execute(";".join(statements))
    session = open_system("side", SystemSpec(url=database.url), Path())
    try:
        return {
            table: _read(session, table, CATEGORIES[rows[0][1]])
            for table, (_, rows) in tables.items()
        }
    finally:
        session.close()


def _literal(declared: str, text: str) -> str:
    return text if declared == "boolean" else f"'{text}'"


def _read(session: Any, table: str, kind: TypeName) -> dict[str, Any]:
    outputs = (Output("k", "k", True), Output("v", "v", True))
    selection = session.resolve(Selection(Relation(table), outputs))
    key, value = (o.type for o in selection.outputs)
    columns = (
        CanonicalColumn("k", key, Type(TypeName.TEXT), Storage.TEXT),
        _column(value, kind),
    )
    found: dict[str, Any] = {}
    for batch in session.stream(selection):
        for row in canonical_batch(batch, columns).to_pylist():
            assert row["bad"] is None, (table, row)
            found[row["k"]] = row["v"]
    return found


def _column(source: SourceType, kind: TypeName) -> CanonicalColumn:
    zone = "UTC" if kind is TypeName.TIMESTAMP and not source.aware else None
    return CanonicalColumn("v", source, Type(kind), STORAGES.get(kind, Storage.TEXT), zone=zone)
