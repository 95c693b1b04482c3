"""PostgreSQL's tables that inherit from another, as Sakila's port keeps the payments of a month.

`SELECT .. FROM payment` reads the months too, so a contract of `payment` speaks of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safeguard.drafting import draft
from scenarios.telling import check_plan
from servers import Database

PLAN = """\
migration: payments
kind: move
systems: {old: {url: "${OLD_URL}"}, new: {url: "${NEW_URL}"}}
contracts: [payments.yaml]
customers:
  old: {system: old, table: customer, key: customer_id}
  new: [{system: new, table: customer, key: customer_id}]
"""
CONTRACT = """\
content: payments
shape: record
owner: customer_id
item: payment_id
fields: {amount: }
old: [{system: old, table: payment}]
new: [{system: new, table: payment}]
"""
TABLES = """
CREATE TABLE customer (customer_id int PRIMARY KEY);
INSERT INTO customer SELECT generate_series(1, 5);
CREATE TABLE payment (payment_id int, customer_id int REFERENCES customer, amount numeric(5,2));
"""
INHERITED = """
CREATE TABLE january (CHECK (payment_id < 10)) INHERITS (payment);
ALTER TABLE january ADD FOREIGN KEY (customer_id) REFERENCES customer;
INSERT INTO january SELECT i, i % 5 + 1, i FROM generate_series(1, 9) i;
INSERT INTO payment SELECT i, i % 5 + 1, i FROM generate_series(10, 20) i;
"""
PLAIN = "INSERT INTO payment SELECT i, i % 5 + 1, i FROM generate_series(1, 20) i;"


@pytest.fixture
def environ(fresh_database: Callable[[str], Database], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "safeguard.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "payments.yaml").write_text(CONTRACT, encoding="utf-8")
    old, new = fresh_database("postgresql"), fresh_database("postgresql")
    old.run_script(TABLES + INHERITED)
    new.run_script(TABLES + PLAIN)
    return {"OLD_URL": old.url, "NEW_URL": new.url}


def test_rows_of_inheriting_tables_are_read_and_counted(
    environ: dict[str, str], tmp_path: Path
) -> None:
    result, _ = check_plan(tmp_path / "safeguard.yaml", tmp_path / "run", environ)
    (content,) = result.contents
    assert (str(content.verdict), content.old, content.kept) == ("PASS", 20, 20)
    assert content.conservation.old


def test_init_drafts_no_second_contract_for_what_inherits(
    environ: dict[str, str], tmp_path: Path
) -> None:
    made = draft({"old": environ["OLD_URL"]}, {"new": environ["NEW_URL"]}, tmp_path / "plan")
    contracts = [path.name for path in made.files if path.parent.name == "contracts"]
    assert "payment.yaml" in contracts
    assert not any("january" in name for name in contracts)
    assert [line for line in made.lines if "january" in line] == []


def test_a_covered_table_covers_what_inherits_from_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    result, _ = check_plan(tmp_path / "safeguard.yaml", tmp_path / "run", environ)
    assert result.coverage.uncovered == ()
    assert str(result.verdict) == "PASS"
