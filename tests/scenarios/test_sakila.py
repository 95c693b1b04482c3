"""Sakila, from MySQL's original to its port to PostgreSQL: exactly the real differences are found.

What differs, found by comparing every cell by hand (`test_these_are_the_differences` does it again,
in SQL, without Safeguard):

- Rentals are equal, all 16,044: five columns, among them times that MySQL keeps as DATETIME and as
  TIMESTAMP, and 183 that were never returned.
- Customers: `create_date` was a DATETIME and is a date: all 599 lost their 22:04:36 or :37. The port has
  `activebool` beside an integer `active`, and nobody filled it: 15 inactive customers became active.
- Payments: five without a rental, for which the port made one up: four times 1, once 291. (It has no
  `last_update` either: an unchecked column of the old side.)
- Addresses: the port has one blank for every district and phone, NULL for '' in `address2`, and a
  `last_update` eight years older. Three districts were '' before, so that these gained a blank only.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from safeguard.findings.result import CheckResult
from scenarios.telling import assert_content, assert_findings, check_plan
from servers import Database

PLAN = Path(__file__).parent / "sakila" / "rental-shop.yaml"

MADE_UP = {(16, 424): 1, (259, 7011): 1, (401, 10840): 1, (546, 14675): 1, (577, 15458): 291}
"""(customer, payment): the rental that the port names."""

Findings = list[dict[str, Any]]


@pytest.fixture(scope="module")
def old(sakila_in_mariadb: Database) -> Database:
    return sakila_in_mariadb


@pytest.fixture(scope="module")
def new(sakila_in_postgresql: Database) -> Database:
    return sakila_in_postgresql


@pytest.fixture(scope="module")
def checked(
    old: Database, new: Database, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CheckResult, Findings]:
    """One check for all of the tests: they read its parts."""
    environ = {"OLD_URL": old.url, "NEW_URL": new.url}
    return check_plan(PLAN, tmp_path_factory.mktemp("sakila"), environ)


def part(checked: tuple[CheckResult, Findings], name: str) -> tuple[Any, Findings]:
    """The result and the findings of one content."""
    result, findings = checked
    content = next(c for c in result.contents if c.content == name)
    return content, [f for f in findings if f["content"] == name]


def inactive(old: Database) -> list[int]:
    return [row[0] for row in old.query("SELECT customer_id FROM customer WHERE NOT active")]


def test_rentals_are_equal(checked: tuple[CheckResult, Findings]) -> None:
    content, findings = part(checked, "rentals")
    assert findings == []
    assert_content(content, _sums(kept=16044))
    assert str(content.verdict) == "PASS"


def test_customers_lost_their_hour_and_15_came_back(
    checked: tuple[CheckResult, Findings], old: Database
) -> None:
    content, findings = part(checked, "customers")
    cut = {
        "kind": "changed",
        "field": "create_date",
        "system": "new",
        "cause": "time_truncated",
        "new_value": "2006-02-14 00:00:00",
    }
    gone = inactive(old)
    assert len(gone) == 15
    back = {"kind": "changed", "field": "active", "system": "new"}
    values = {"old_value": "false", "new_value": "true", "segment": None}
    made = old.query("SELECT customer_id, create_date FROM customer")
    assert {str(moment.time()) for _, moment in made} == {"22:04:36", "22:04:37"}
    expected = [{**cut, "owner": n, "old_value": moment} for n, moment in made]
    assert_findings(findings, [*expected, *({**back, **values, "owner": n} for n in gone)])
    assert_content(content, {**_sums(changed=599), "affected": 599})
    assert dict(content.findings) == {"changed": 599}


def test_payments_name_rentals_that_were_none(checked: tuple[CheckResult, Findings]) -> None:
    content, findings = part(checked, "payments")
    expected = [
        {
            "kind": "changed",
            "owner": customer,
            "item": payment,
            "field": "rental_id",
            "system": "new",
            "old_value": None,
            "new_value": rental,
        }
        for (customer, payment), rental in MADE_UP.items()
    ]
    assert_findings(findings, expected)
    assert_content(content, {**_sums(kept=16044, changed=5), "affected": 5})
    assert [e.text for e in content.explanations] == [
        "All 5 changed entries have no rental_id; of the kept ones none."
    ]


def test_what_columns_tell(checked: tuple[CheckResult, Findings]) -> None:
    """Where every entry changed there is nothing to hold it against: the column alone tells."""
    told = {c.content: [p.text for p in c.patterns] for c in checked[0].contents}
    assert told["customers"] == [
        "15 of active were `false` and became `true`",
        "599 of create_date are cut to whole days",
    ]
    assert told["addresses"] == [
        "599 of address2 have no value for an empty text",
        "3 of district have blanks at their end that were not there",
        "599 of last_update had 246 different values and became `2006-02-15 04:45:30`",
    ]


def test_addresses_lost_districts_and_phones(
    checked: tuple[CheckResult, Findings], old: Database
) -> None:
    content, findings = part(checked, "addresses")
    assert_content(content, {**_sums(changed=599), "affected": 599})
    assert Counter(f["field"] for f in findings) == dict.fromkeys(
        ("address2", "district", "phone", "last_update"), 599
    )
    assert {f["kind"] for f in findings} == {"changed"}
    assert {f["cause"] for f in findings if f["field"] == "address2"} == {"null_empty"}
    blank = [f for f in findings if f["field"] in ("district", "phone")]
    assert {f["new_value"] for f in blank} == {" "}
    districts = {int(f["owner"]): f for f in blank if f["field"] == "district"}
    before = old.query("SELECT customer_id, district FROM customer JOIN address USING (address_id)")
    assert {owner: f["old_value"] for owner, f in districts.items()} == dict(before)
    empty = {owner for owner, district in before if district == ""}
    assert len(empty) == 3
    assert {owner for owner, f in districts.items() if f["cause"] == "whitespace"} == empty


def test_the_verdict(checked: tuple[CheckResult, Findings]) -> None:
    result, _ = checked
    assert (str(result.verdict), result.exit_code) == ("BLOCK", 1)
    assert (result.customers.total, result.customers.affected) == (599, 599)
    assert result.customers.segments["active"].with_content == 584
    assert result.coverage.uncovered == ()
    assert result.coverage.unchecked_columns == ("old.payment.last_update",)


def test_accepting_the_date_leaves_the_15(old: Database, new: Database, tmp_path: Path) -> None:
    """`time_truncated(day)` explains the dates, counted; who came back is still found."""
    _copy_plan(tmp_path, "{type: timestamp}", "{type: timestamp, accept: [time_truncated(day)]}")
    environ = {"OLD_URL": old.url, "NEW_URL": new.url}
    result, findings = check_plan(tmp_path / "plan" / PLAN.name, tmp_path / "run", environ)
    content, found = part((result, findings), "customers")
    assert {int(f["owner"]) for f in found} == set(inactive(old))
    assert {f["field"] for f in found} == {"active"}
    assert_content(content, _sums(kept=584, changed=15) | {"tolerated": {"time_truncated": 599}})


CELLS = {
    "rental": ("rental_date inventory_id customer_id return_date staff_id last_update", {}),
    "customer": (
        "store_id first_name last_name email address_id active create_date last_update",
        {"create_date": 599},
    ),
    "payment": ("customer_id staff_id rental_id amount payment_date", {"rental_id": 5}),
    "address": (
        "address address2 district city_id postal_code phone last_update",
        {"address2": 599, "district": 603, "postal_code": 4, "phone": 603, "last_update": 603},
    ),
}
"""Columns, and in how many rows they differ. Four of the addresses are the staff's and the stores'."""


@pytest.mark.parametrize("table", CELLS)
def test_these_are_the_differences(table: str, old: Database, new: Database) -> None:
    names, expected = CELLS[table]
    columns = names.split()
    sql = f"SELECT {table}_id, {', '.join(columns)} FROM {table}"
    before, after = ({row[0]: row[1:] for row in side.query(sql)} for side in (old, new))
    assert before.keys() == after.keys()
    unequal = Counter(
        column
        for key in before
        for column, a, b in zip(columns, before[key], after[key], strict=True)
        if a != b
    )
    assert unequal == expected


def test_nobody_filled_activebool(old: Database, new: Database) -> None:
    flags = new.query("SELECT customer_id FROM customer WHERE activebool ORDER BY 1")
    assert [row[0] for row in flags] == list(range(1, 600))
    assert len(inactive(old)) == 15


# -- private -------------------------------------------------------------------------------------


def _sums(kept: int = 0, changed: int = 0) -> dict[str, Any]:
    counts = {"kept": kept, "changed": changed}
    old = {status: n for status, n in counts.items() if n}
    return {"sums": {"old": old, "new": {"partner": kept + changed}}, "tolerated": {}}


def _copy_plan(folder: Path, before: str, after: str) -> None:
    """The plan and its contract for customers alone, with one thing written otherwise."""
    (folder / "plan" / "contracts").mkdir(parents=True)
    plan = PLAN.read_text(encoding="utf-8")
    start, end = plan.index("contracts: ["), plan.index("customers:")
    only = f"{plan[:start]}contracts: [contracts/customers.yaml]\n{plan[end:]}"
    (folder / "plan" / PLAN.name).write_text(only, encoding="utf-8")
    contract = (PLAN.parent / "contracts" / "customers.yaml").read_text(encoding="utf-8")
    assert before in contract
    changed = contract.replace(before, after)
    (folder / "plan" / "contracts" / "customers.yaml").write_text(changed, encoding="utf-8")
