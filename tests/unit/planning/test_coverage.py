"""Coverage: which tables hang on the customers, and whether anybody speaks of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safeguard.contract.model import Contract, LoadedContract, LoadedPlan, Plan, SystemSpec
from safeguard.contract.types import TypeName
from safeguard.planning.coverage import CoveragePlan, TableCount, find_coverage, to_coverage
from safeguard.planning.dependants import find_dependants, owners_query
from safeguard.planning.naming import OwnerName, owner_names, words
from safeguard.planning.sql_names import identifiers
from safeguard.systems.interface import Column, ForeignKey, SourceType, Table
from safeguard.systems.open import open_system

INTEGER = SourceType(TypeName.INTEGER)


def table(name: str, columns: str, *keys: tuple[str, str], view: bool = False) -> Table:
    """A table of integer columns; a key is ("customer_id", "customers.id")."""
    foreign = tuple(
        ForeignKey((column,), parent.rsplit(".", 1)[0], (parent.rsplit(".", 1)[1],))
        for column, parent in keys
    )
    found = tuple(Column(c, INTEGER) for c in columns.split())
    return Table(name, found, foreign_keys=foreign, is_view=view)


CUSTOMERS = table("customers", "customer_id email")
QUEUE = table(
    "queue_items", "customer_id title_id position note", ("customer_id", "customers.customer_id")
)


def test_a_covered_table_covers_what_inherits_from_it() -> None:
    old = table("queue_2010", "customer_id title_id position note mood")
    older = table("queue_2009", "customer_id title_id position note")
    tables = (
        CUSTOMERS,
        QUEUE,
        replace(old, inherits=("queue_items",)),
        replace(older, inherits=("queue_2010",)),
        table("queue_2008", "customer_id title_id"),
    )
    found = find_coverage({"old": tables}, loaded(contract()))
    assert [u.table for u in found.uncovered] == ["queue_2008"]
    assert {t for _, t in found.covered} == {"queue_items", "queue_2010", "queue_2009"}
    assert "old.queue_2010.mood" in found.unchecked_columns


@pytest.mark.parametrize(
    ("query", "uncovered"),
    [("SELECT * FROM queue_items", []), ("SELECT * FROM ONLY queue_items", ["queue_2010"])],
)
def test_a_query_may_leave_out_what_inherits(query: str, uncovered: list[str]) -> None:
    heir = replace(QUEUE, name="queue_2010", inherits=("queue_items",))
    source = {"system": "old", "query": query, "covers": ["queue_items"]}
    found = find_coverage({"old": (CUSTOMERS, QUEUE, heir)}, loaded(contract(old=source)))
    assert [u.table for u in found.uncovered] == uncovered


def contract(**changes: Any) -> Contract:
    plain: dict[str, Any] = {
        "content": "queue",
        "shape": "list",
        "owner": "customer_id",
        "item": "title_id",
        "order": "position",
        "old": {"system": "old", "table": "queue_items"},
        "new": {"system": "new", "table": "watchlist"},
    }
    return Contract(**(plain | changes))


def loaded(
    *contracts: Contract, customers: bool | dict[str, Any] = True, ignore: Any = ()
) -> LoadedPlan:
    place = {"system": "old", "table": "customers", "key": "customer_id"}
    declared = {"old": place if customers is True else customers} if customers else None
    plan = Plan(
        migration="m",
        kind="move",
        systems={"old": {"url": "sqlite:///o"}, "new": {"url": "sqlite:///n"}},
        contracts=["contracts/queue.yaml"],
        customers=declared,
        coverage={"ignore": ignore},
    )
    read = tuple(LoadedContract(contract=c, path=f"contracts/{c.content}.yaml") for c in contracts)
    return LoadedPlan(
        plan=plan,
        contracts=read or (LoadedContract(contract=contract(), path="contracts/queue.yaml"),),
        path="safeguard.yaml",
        folder=".",
        digest="",
        lines={"coverage.ignore.0.table": (7, 9)},
    )


def judge(*tables: Table, plan: LoadedPlan | None = None) -> CoveragePlan:
    return find_coverage({"old": tables}, plan or loaded())


def uncovered(found: CoveragePlan) -> dict[str, str]:
    return {u.table: u.hang.how for u in found.uncovered}


class TestWhatHangs:
    def test_a_covered_table_is_covered_and_the_customers_are_not_counted(self) -> None:
        found = judge(CUSTOMERS, QUEUE)
        assert found.covered == (("old", "queue_items"),)
        assert not found.uncovered
        assert to_coverage(found, {}).tables == 1

    def test_by_foreign_key_whatever_the_column_is_called(self) -> None:
        lists = table("lists", "id whose", ("whose", "customers.customer_id"))
        found = judge(CUSTOMERS, QUEUE, lists)
        assert uncovered(found) == {"lists": "foreign key whose -> customers"}

    def test_through_other_tables(self) -> None:
        lists = table("lists", "id whose", ("whose", "customers.customer_id"))
        items = table("list_items", "list_id title_id", ("list_id", "lists.id"))
        marks = table("marks", "item_id", ("item_id", "list_items.id"))
        found = judge(CUSTOMERS, QUEUE, marks, items, lists)
        assert set(uncovered(found)) == {"lists", "list_items", "marks"}
        assert uncovered(found)["list_items"] == (
            "foreign key list_id -> lists, there foreign key whose -> customers"
        )

    def test_a_chain_may_begin_at_a_name(self) -> None:
        lists = table("lists", "id customer_id")
        items = table("list_items", "list_id", ("list_id", "lists.id"))
        assert set(uncovered(judge(CUSTOMERS, QUEUE, items, lists))) == {"lists", "list_items"}

    def test_what_the_customers_point_at_does_not_hang_on_them(self) -> None:
        customers = table("customers", "customer_id plan_id", ("plan_id", "plans.id"))
        assert not judge(customers, QUEUE, table("plans", "id title")).uncovered

    def test_tables_that_point_at_each_other_end(self) -> None:
        one = table("one", "id two_id customer_id", ("two_id", "two.id"))
        two = table("two", "id one_id", ("one_id", "one.id"))
        assert set(uncovered(judge(CUSTOMERS, QUEUE, one, two))) == {"one", "two"}

    @pytest.mark.parametrize(
        "column",
        [
            "customer_id",
            "CustomerId",
            "customerid",
            "CUSTOMER_ID",
            "customer",
            "customers_id",
            "gift_customer_id",
            "id_customer",
        ],
    )
    def test_by_a_name_of_the_customers(self, column: str) -> None:
        assert set(uncovered(judge(CUSTOMERS, QUEUE, table("gifts", f"id {column}")))) == {"gifts"}

    @pytest.mark.parametrize("column", ["id", "custom_id", "customer_count", "title_id", "email"])
    def test_no_false_alarm(self, column: str) -> None:
        assert not judge(CUSTOMERS, QUEUE, table("titles", f"{column} runtime")).uncovered

    def test_a_key_called_id_is_known_by_its_table(self) -> None:
        plan = loaded(contract(), customers={"system": "old", "table": "auth_users", "key": "id"})
        found = judge(
            table("auth_users", "id name"),
            table("notes", "id user_id"),
            table("titles", "id name"),
            plan=plan,
        )
        assert set(uncovered(found)) == {"notes"}

    def test_by_the_owner_column_of_a_contract(self) -> None:
        plan = loaded(
            contract(
                old={"system": "old", "table": "queue_items", "columns": {"customer_id": "cust"}}
            )
        )
        queue = table("queue_items", "cust title_id position")
        found = judge(CUSTOMERS, queue, table("notes", "cust body"), plan=plan)
        assert uncovered(found) == {
            "notes": "column cust bears the name of the owner in contracts/queue.yaml"
        }

    def test_by_a_column_within_the_owner_expression(self) -> None:
        old = {"system": "old", "table": "queue_items", "columns": {"customer_id": "lower(holder)"}}
        queue = table("queue_items", "holder title_id position")
        found = judge(
            CUSTOMERS, queue, table("notes", "holder body"), plan=loaded(contract(old=old))
        )
        assert set(uncovered(found)) == {"notes"}

    def test_without_customers_the_contracts_say_what_hangs(self) -> None:
        marks = table("marks", "queue_id", ("queue_id", "queue_items.id"))
        found = judge(
            QUEUE,
            marks,
            table("ratings", "customer_id stars"),
            table("titles", "id"),
            plan=loaded(customers=False),
        )
        assert set(uncovered(found)) == {"marks", "ratings"}
        assert "No customers are declared" in found.notes[0]

    def test_a_view_is_no_content_of_its_own(self) -> None:
        view = table("recent", "customer_id title_id", view=True)
        assert not judge(CUSTOMERS, QUEUE, view).uncovered

    def test_a_view_that_a_contract_reads_does_not_cover_its_tables(self) -> None:
        view = table("queue_view", "customer_id title_id position", view=True)
        reads = contract(old={"system": "old", "table": "queue_view"})
        assert set(uncovered(judge(CUSTOMERS, QUEUE, view, plan=loaded(reads)))) == {"queue_items"}
        names = contract(old={"system": "old", "table": "queue_view", "covers": ["queue_items"]})
        assert not judge(CUSTOMERS, QUEUE, view, plan=loaded(names)).uncovered


class TestWhoSpeaksOfIt:
    def test_a_query_covers_what_it_names(self) -> None:
        old = {
            "system": "old",
            "query": "SELECT q.customer_id, q.title_id, q.position FROM queue_items q",
            "covers": ["queue_items"],
        }
        found = judge(CUSTOMERS, QUEUE, plan=loaded(contract(old=old)))
        assert found.covered == (("old", "queue_items"),)
        assert found.unchecked_columns == ("old.queue_items.note",)

    def test_a_query_without_covers_covers_nothing(self) -> None:
        old = {"system": "old", "query": "SELECT * FROM queue_items"}
        assert set(uncovered(judge(CUSTOMERS, QUEUE, plan=loaded(contract(old=old))))) == {
            "queue_items"
        }

    def test_ignored_with_its_reason(self) -> None:
        sessions = table("web_sessions", "customer_id")
        ignore = [{"system": "old", "table": "web_sessions", "reason": "expires"}]
        found = judge(CUSTOMERS, QUEUE, sessions, plan=loaded(ignore=ignore))
        assert [(i.table, i.reason) for i in found.ignored] == [("web_sessions", "expires")]
        assert not found.uncovered
        assert to_coverage(found, {}).tables == 2

    def test_a_column_is_ignored_with_its_reason(self) -> None:
        ignore = [{"system": "old", "table": "queue_items", "columns": ["note"], "reason": "ours"}]
        assert judge(CUSTOMERS, QUEUE).unchecked_columns == ("old.queue_items.note",)
        found = judge(CUSTOMERS, QUEUE, plan=loaded(ignore=ignore))
        assert found.unchecked_columns == ()
        assert "old.queue_items.note is ignored: ours" in found.notes
        assert (found.ignored, found.mistakes) == ((), ())

    def test_an_ignored_column_that_does_not_exist_is_a_mistake(self) -> None:
        ignore = [{"system": "old", "table": "customers", "columns": ["gone"], "reason": "x"}]
        found = judge(CUSTOMERS, QUEUE, plan=loaded(ignore=ignore))
        (mistake,) = found.mistakes
        assert mistake.message == "old.customers has no column `gone` to ignore."

    def test_an_ignored_table_that_does_not_exist_is_a_mistake(self) -> None:
        ignore = [
            {"system": "old", "table": "gone", "reason": "r"},
            {"system": "new", "table": "x", "reason": "r"},
        ]
        found = judge(CUSTOMERS, QUEUE, plan=loaded(ignore=ignore))
        assert [str(m) for m in found.mistakes] == [
            "safeguard.yaml:7:9  old has no table `gone` to ignore.",
            "safeguard.yaml  `new` is not an old system; coverage is of the old systems.",
        ]

    def test_a_crosswalk_is_spoken_of(self) -> None:
        ids = {
            "customer_id": {"system": "old", "table": "ids", "old": "customer_id", "new": "member"}
        }
        found = judge(
            CUSTOMERS,
            QUEUE,
            table("ids", "customer_id member"),
            plan=loaded(contract(crosswalk=ids)),
        )
        assert not found.uncovered

    def test_each_old_system_is_judged(self) -> None:
        found = find_coverage(
            {"old": (CUSTOMERS, QUEUE), "older": (table("wishes", "customer_id"),)}, loaded()
        )
        assert [(u.system, u.table) for u in found.uncovered] == [("older", "wishes")]


class TestColumns:
    def test_what_no_contract_names_is_unchecked(self) -> None:
        assert judge(CUSTOMERS, QUEUE).unchecked_columns == ("old.queue_items.note",)

    @pytest.mark.parametrize(
        "old",
        [
            {"where": "note <> 'x'"},
            {"deleted_when": '"note" IS NOT NULL'},
            {"columns": {"title_id": "coalesce(title_id, NOTE)"}},
        ],
    )
    def test_expressions_and_conditions_name_columns(self, old: dict[str, Any]) -> None:
        reads = contract(old={"system": "old", "table": "queue_items"} | old)
        assert not judge(CUSTOMERS, QUEUE, plan=loaded(reads)).unchecked_columns

    def test_receives_names_columns_of_the_old_side(self) -> None:
        reads = contract(new={"system": "new", "table": "watchlist", "receives": "note = 'x'"})
        assert not judge(CUSTOMERS, QUEUE, plan=loaded(reads)).unchecked_columns

    def test_of_the_customers_table_where_a_contract_reads_it(self) -> None:
        profile = contract(
            shape="record",
            item=(),
            order=None,
            old={"system": "old", "table": "customers"},
        )
        found = judge(CUSTOMERS, plan=loaded(profile))
        assert found.unchecked_columns == ("old.customers.email",)
        assert found.covered == ()


class TestCounting:
    def found(self) -> CoveragePlan:
        return judge(CUSTOMERS, QUEUE, table("notes", "customer_id"))

    def test_entries_and_customers_are_said(self) -> None:
        coverage = to_coverage(self.found(), {("old", "notes"): TableCount(9, 3)})
        assert [(u.entries, u.customers) for u in coverage.uncovered] == [(9, 3)]

    def test_an_empty_table_is_a_note(self) -> None:
        coverage = to_coverage(self.found(), {("old", "notes"): TableCount(0, 0)})
        assert coverage.uncovered == ()
        assert coverage.notes == ("old.notes has no contract, but it is empty.",)

    def test_what_was_not_counted_stays_uncovered(self) -> None:
        assert [u.entries for u in to_coverage(self.found(), {}).uncovered] == [None]

    def test_owners_are_asked_for_in_the_quotes_of_the_system(self) -> None:
        (table,) = self.found().uncovered
        assert table.owners("mariadb") == (
            "SELECT DISTINCT t0.`customer_id` FROM `notes` t0 WHERE t0.`customer_id` IS NOT NULL"
        )

    def test_owners_are_counted_along_the_way(self) -> None:
        lists = table("lists", "id whose", ("whose", "customers.customer_id"))
        items = table("list_items", "list_id", ("list_id", "lists.id"))
        hang = find_dependants((CUSTOMERS, lists, items), frozenset({"customers"}), ())
        assert owners_query("list_items", hang["list_items"], lambda n: f'"{n}"') == (
            'SELECT DISTINCT t1."whose" FROM "list_items" t0 '
            'LEFT JOIN "lists" t1 ON t1."id" = t0."list_id" WHERE t1."whose" IS NOT NULL'
        )


def test_words_of_names() -> None:
    assert words("QueueItems") == words("queue_items") == words("QUEUE_ITEM") == ("queue", "item")
    assert words("CustomerID") == ("customer", "id")
    assert owner_names("id", "x") == ()
    assert OwnerName(("customer", "id"), "x").borne_by("CustomerID")


def test_identifiers_leave_strings_and_comments_out() -> None:
    sql = """lower("Note") || 'secret' || `back` /* gone */ -- gone too
             || [Bracket] || t.plain"""
    found = identifiers(sql)
    assert {"note", "back", "bracket", "plain"} <= found
    assert not found & {"secret", "gone"}


def test_chinook(real: Path) -> None:
    spec = SystemSpec(url=f"sqlite:///{real}/chinook/Chinook_Sqlite.sqlite")
    session = open_system("old", spec, real)
    try:
        tables = session.tables()
    finally:
        session.close()
    invoices = contract(
        content="invoices",
        shape="record",
        owner="CustomerId",
        item="InvoiceId",
        order=None,
        old={"system": "old", "table": "invoice"},
    )
    plan = loaded(invoices, customers={"system": "old", "table": "Customer", "key": "CustomerId"})
    found = find_coverage({"old": tables}, plan)
    assert found.covered == (("old", "Invoice"),)
    assert uncovered(found) == {
        "InvoiceLine": "foreign key InvoiceId -> Invoice, there foreign key CustomerId -> Customer"
    }
    assert "old.Invoice.BillingCity" in found.unchecked_columns
