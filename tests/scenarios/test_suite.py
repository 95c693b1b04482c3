"""`safeguard suite` writes what plain Great Expectations loads and runs, on real databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safeguard.drafting.suite import suite_of
from safeguard.findings.trouble import UsageProblem
from scenarios.stores import store_csv, store_server, store_sqlite, typed_table
from servers import Database

COLUMNS = {
    "customer": "integer",
    "title": "integer",
    "stars": "integer",
    "price": "decimal",
    "weight": "float",
    "fresh": "boolean",
    "note": "text",
}
OLD = [
    ["1", "10", "5", "1.10", "0.1", "1", "a"],
    ["1", "11", "1", "7.35", "0.7", "0", None],
    ["2", "10", "3", "2.00", "0.5", "1", "c"],
]
MAP = {5: "up", 4: "up", 3: "none", 2: "down", 1: "down"}
CONTRACT: dict[str, Any] = {
    "content": "ratings",
    "shape": "record",
    "owner": "customer",
    "item": "title",
    "fields": {
        "stars": {"type": "integer", "map": MAP},
        "price": {"type": "decimal"},
        "weight": {"type": "float(0.01)"},
        "fresh": {"type": "boolean"},
        "note": {"type": "text"},
    },
    "old": {"system": "old", "table": "ratings"},
    "new": {"system": "new", "table": "votes", "columns": {"customer": "member id"}},
    "expectations": [
        {"expect_column_value_lengths_to_be_between": {"column": "note", "max_value": 9}}
    ],
}
PLAN = {
    "migration": "suites",
    "kind": "move",
    "systems": {"old": {"url": "${OLD_URL}"}, "new": {"url": "${NEW_URL}"}},
    "contracts": ["ratings.yaml"],
}
PLAIN = """
import json, sys, warnings
import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig

suite = gx.ExpectationSuite(**json.load(open(sys.argv[1])))
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
suite = context.suites.add(suite)
source = context.data_sources.add_or_update_sql("new", connection_string=sys.argv[2])
asset = source.add_query_asset("ratings", query=suite.meta["queries"]["new"])
batch = asset.add_batch_definition_whole_table("whole")
validation = context.validation_definitions.add(
    gx.ValidationDefinition(name="after", data=batch, suite=suite)
)
results = validation.run().results
told = {}
for one in results:
    assert "raised_exception" in one.exception_info, one.exception_info
    name = one.expectation_config.type, str(one.expectation_config.kwargs.get("column"))
    told["/".join(name)] = one.success
print(json.dumps(told))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ratings.yaml").write_text(json.dumps(CONTRACT))
    (tmp_path / "safeguard.yaml").write_text(json.dumps(PLAN))
    return tmp_path


def new_rows(*changed: tuple[int, int, str]) -> list[list[str | None]]:
    """What the migration should have made, and what it made instead in some cells."""
    rows: list[list[str | None]] = [list(row) for row in OLD]
    for row in rows:
        row[2] = MAP[int(str(row[2]))]
    for place, column, value in changed:
        rows[place][column] = value
    return rows


def stored(
    engine: str,
    folder: Path,
    fresh_database: Callable[[str], Database],
    new: list[list[str | None]],
) -> dict[str, str]:
    old = typed_table("ratings", list(COLUMNS), OLD, COLUMNS)
    names = ["member id", *list(COLUMNS)[1:]]
    types = dict(zip(names, COLUMNS.values(), strict=True)) | {"stars": "text"}
    found = {}
    for name, table in (("old", old), ("new", typed_table("votes", names, new, types))):
        if engine == "sqlite":
            (folder / name).mkdir()
            url = store_sqlite(folder / name, [table])
        else:
            url = store_server(engine, fresh_database(engine), [table])
        found[f"{name.upper()}_URL"] = url
    return found


def run_plainly(suite: Path, url: str) -> dict[str, bool]:
    for bare, driver in (("mariadb", "mysql+pymysql"), ("mysql", "mysql+pymysql")):
        url = url.replace(f"{bare}://", f"{driver}://", 1)
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(suite), url], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, bool] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("engine", ["postgresql", "mariadb", "sqlite"])
def test_plain_great_expectations_runs_it(
    engine: str, folder: Path, fresh_database: Callable[[str], Database]
) -> None:
    whole = stored(engine, folder, fresh_database, new_rows())
    command = ["suite", "ratings.yaml", "--plan", "safeguard.yaml", "--out", "ratings.json"]
    made = subprocess.run(
        [sys.executable, "-m", "safeguard", *command],
        capture_output=True, text=True, cwd=folder, env=os.environ | whole, timeout=120,
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (0, "ratings.json: 9 expectations for ratings\n"), made
    expected = {
        "expect_table_row_count_to_be_between/None",
        "expect_column_values_to_not_be_null/customer",
        "expect_column_values_to_not_be_null/title",
        "expect_compound_columns_to_be_unique/None",
        "expect_column_values_to_be_in_set/stars",
        "expect_column_values_to_be_between/price",
        "expect_column_values_to_be_between/weight",
        "expect_column_values_to_be_in_set/fresh",
        "expect_column_value_lengths_to_be_between/note",
    }
    found = run_plainly(folder / "ratings.json", whole["NEW_URL"])
    assert found == dict.fromkeys(expected, True)

    spoilt = new_rows((0, 2, "5"), (1, 3, "7.36"), (2, 4, "0.52"), (1, 1, "10"))
    (folder / "spoilt").mkdir()
    broken = stored(engine, folder / "spoilt", fresh_database, spoilt)
    found = run_plainly(folder / "ratings.json", broken["NEW_URL"])
    assert {name for name, held in found.items() if not held} == {
        "expect_column_values_to_be_in_set/stars",
        "expect_column_values_to_be_between/price",
        "expect_compound_columns_to_be_unique/None",
    }


def implied(path: Path, plan: Path | None = None, **environ: str) -> dict[str, dict[str, Any]]:
    document = suite_of(path, plan, environ).document()
    return {f"{e['type']}/{e['kwargs'].get('column', '')}": e for e in document["expectations"]}


def test_the_contract_alone_implies_what_it_says(folder: Path) -> None:
    found = implied(folder / "ratings.yaml")
    assert [name.removeprefix("expect_") for name in found] == [
        "table_row_count_to_be_between/",
        "column_values_to_not_be_null/customer",
        "column_values_to_not_be_null/title",
        "compound_columns_to_be_unique/",
        "column_values_to_be_in_set/stars",
        "column_values_to_be_in_set/fresh",
        "column_value_lengths_to_be_between/note",
    ]
    assert found["expect_column_values_to_be_in_set/stars"]["kwargs"]["value_set"] == [
        "up",
        "none",
        "down",
    ]
    assert {e["meta"]["from"] for e in found.values()} == {"contract"}


@pytest.mark.parametrize(
    ("changed", "gone"),
    [
        ({"shape": "list", "order": "price", "fields": {}}, "compound_columns_to_be_unique"),
        ({"fields": {"fresh": {"type": "text", "map": {"a": "b"}, "accept": ["case"]}}}, "in_set"),
        ({"at_least": 0}, "row_count"),
        ({"new": {"system": "new", "table": "votes", "receives": "title > 1"}}, "row_count"),
        ({"old": [CONTRACT["old"], {"system": "us", "table": "ratings"}]}, "compound"),
    ],
)
def test_what_a_contract_does_not_promise_is_not_implied(
    folder: Path, changed: dict[str, Any], gone: str
) -> None:
    (folder / "ratings.yaml").write_text(json.dumps(CONTRACT | {"expectations": []} | changed))
    assert not [name for name in implied(folder / "ratings.yaml") if gone in name]


def test_an_owner_alone_is_unique_by_itself(folder: Path) -> None:
    one = {k: v for k, v in CONTRACT.items() if k != "item"}
    (folder / "ratings.yaml").write_text(json.dumps(one))
    assert "expect_column_values_to_be_unique/customer" in implied(folder / "ratings.yaml")


def test_a_bound_leaves_nothing_out_that_was_seen(folder: Path, fresh_database: Any) -> None:
    environ = stored("sqlite", folder, fresh_database, new_rows())
    found = implied(folder / "ratings.yaml", folder / "safeguard.yaml", **environ)
    price = found["expect_column_values_to_be_between/price"]
    assert (price["kwargs"]["min_value"], price["kwargs"]["max_value"]) == (1.1, 7.35)
    assert price["meta"]["from"] == "old content"
    weight = found["expect_column_values_to_be_between/weight"]["kwargs"]
    assert weight["min_value"] <= 0.09
    assert weight["max_value"] >= 0.71


def test_ranges_of_files_can_t_be_asked(folder: Path) -> None:
    for name, table in (("old", "ratings"), ("new", "votes")):
        (folder / name).mkdir()
        store_csv(folder / name, [typed_table(table, list(COLUMNS), OLD, COLUMNS)])
    plan = PLAN | {"systems": {name: {"url": f"files:{name}"} for name in ("old", "new")}}
    (folder / "safeguard.yaml").write_text(json.dumps(plan))
    one = CONTRACT | {
        "new": {"system": "new", "table": "votes"},
        "fields": {"note": {"type": "text"}},
    }
    (folder / "ratings.yaml").write_text(
        json.dumps(one | {"keys": {"customer": "integer", "title": "integer"}})
    )
    with pytest.raises(UsageProblem, match="leave --plan out"):
        suite_of(folder / "ratings.yaml", folder / "safeguard.yaml", {})


def test_a_plan_is_no_contract_and_another_plan_is_not_its_own(folder: Path) -> None:
    with pytest.raises(UsageProblem, match="this is a plan; give one of its contracts"):
        suite_of(folder / "safeguard.yaml", None, {})
    other = folder / "other.yaml"
    other.write_text(json.dumps(CONTRACT | {"content": "others"}))
    with pytest.raises(
        UsageProblem, match=r"has no contract .*other\.yaml; it has `ratings\.yaml`"
    ):
        suite_of(
            other, folder / "safeguard.yaml", {"OLD_URL": "sqlite:///a", "NEW_URL": "sqlite:///b"}
        )
