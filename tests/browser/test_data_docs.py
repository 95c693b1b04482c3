"""Our check as an expectation of somebody's checkpoint, as Data Docs show it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from chromium import ARGUMENTS, chromium

ROWS = [(1, 1, "a"), (1, 2, "b"), (2, 1, "c")]
CHECKPOINT = """
import json, sys
import great_expectations as gx
from safeguard.gx import ExpectContentToSurvive

context = gx.get_context(mode="file", project_root_dir=".")
source = context.data_sources.add_or_update_sqlite("new", connection_string="sqlite:///new.db")
asset = source.add_table_asset("queue", table_name="queue")
suite = context.suites.add_or_update(gx.ExpectationSuite(
    name="survive",
    expectations=[ExpectContentToSurvive(**given) for given in json.loads(sys.argv[1])],
))
validation = context.validation_definitions.add_or_update(gx.ValidationDefinition(
    name="new", data=asset.add_batch_definition_whole_table("whole"), suite=suite,
))
checkpoint = context.checkpoints.add_or_update(gx.Checkpoint(
    name="cutover",
    validation_definitions=[validation],
    actions=[gx.checkpoint.UpdateDataDocsAction(name="docs")],
))
ran = checkpoint.run()
(results,) = ran.run_results.values()
print(json.dumps({"success": ran.success, "results": [r.to_json_dict() for r in results.results]}))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A plan of two SQLite files; its contract has an expectation, so that one runs inside the other."""
    store(tmp_path / "old.db", ROWS)
    systems = {name: {"url": f"sqlite:///{name}.db"} for name in ("old", "new")}
    plan = {"migration": "x", "kind": "move", "systems": systems, "contracts": ["queue.yaml"]}
    (tmp_path / "safeguard.yaml").write_text(json.dumps(plan))
    contract = {
        "content": "queue",
        "shape": "set",
        "owner": "owner",
        "item": "item",
        "fields": {"note": {}},
        "old": {"system": "old", "table": "queue"},
        "new": {"system": "new", "table": "queue"},
        "expectations": [{"expect_column_values_to_not_be_null": {"column": "note"}}],
    }
    (tmp_path / "queue.yaml").write_text(json.dumps(contract))
    return tmp_path


def store(path: Path, rows: list[tuple[int, int, str]]) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE queue (owner INTEGER, item INTEGER, note TEXT)")
    connection.executemany("INSERT INTO queue VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def run_checkpoint(folder: Path, *given: dict[str, str]) -> dict[str, Any]:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", CHECKPOINT, json.dumps(given)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def observed(one: dict[str, Any]) -> str:
    return str(one["result"]["observed_value"])


def test_what_survived_succeeds(shop: Path) -> None:
    store(shop / "new.db", ROWS)
    found = run_checkpoint(shop, {"plan": "safeguard.yaml"})
    (one,) = found["results"]
    assert found["success"] is one["success"] is True
    assert observed(one).startswith("PASS: Everything that the contracts cover")
    assert observed(one).endswith("3 of 3 old entries are kept.")


def test_what_nobody_knows_is_no_success_and_no_failed_content(shop: Path) -> None:
    store(shop / "new.db", ROWS)
    store(shop / "empty.db", [])
    plan = (shop / "safeguard.yaml").read_text().replace("sqlite:///old.db", "sqlite:///empty.db")
    (shop / "empty.yaml").write_text(plan)
    given = [
        {"plan": "empty.yaml"},
        {"plan": "missing.yaml"},
        {"plan": "safeguard.yaml", "content": "x"},
    ]
    found = run_checkpoint(shop, *given)
    assert found["success"] is False
    raised = {
        r["expectation_config"]["kwargs"]["plan"]: r["exception_info"] for r in found["results"]
    }
    assert all(info["raised_exception"] for info in raised.values())
    assert "This can't be called safe" in raised["empty.yaml"]["exception_message"]
    assert "`missing.yaml` does not exist" in raised["missing.yaml"]["exception_message"]
    assert (
        "the plan has no content `x`; it has queue" in raised["safeguard.yaml"]["exception_message"]
    )


@pytest.mark.browser
def test_data_docs_tell_what_was_lost(shop: Path) -> None:
    store(shop / "new.db", [ROWS[0], ROWS[2]])
    given = {"plan": "safeguard.yaml"}
    found = run_checkpoint(shop, given, given | {"content": "queue"})
    assert [one["success"] for one in found["results"]] == [False, False]
    details = found["results"][0]["result"]["details"]
    assert details["contents"] == {"queue": {"old": 3, "kept": 2, "findings": {"lost": 1}}}
    (page,) = (shop / "gx/uncommitted/data_docs/local_site/validations").rglob("*.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        shown = browser.new_page()
        # Data Docs want scripts and styles from elsewhere; what they tell stands in the page itself.
        shown.route(
            "**/*",
            lambda route: (
                route.continue_() if route.request.url.startswith("file:") else route.abort()
            ),
        )
        shown.goto(page.as_uri())
        text = " ".join(shown.inner_text("body").split())
        browser.close()
    assert "Everything that the contracts of safeguard.yaml cover must have survived" in text
    assert (
        "BLOCK: Do not roll out. 1 of 2 customers with content would lose something they made"
        in text
    )
    assert (
        "Everything that the contract of queue in safeguard.yaml covers must have survived" in text
    )
    assert "BLOCK: 2 of 3 old entries of queue are kept: 1 entry lost." in text
