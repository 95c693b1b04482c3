"""`init`: a draft that the loader takes as it is, and that says what it does not know."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safeguard.contract.load import load_plan
from safeguard.contract.model import Crosswalk, MigrationKind, Routing, Shape
from safeguard.drafting import draft
from safeguard.findings.trouble import UsageProblem
from servers import PASSWORD

CUSTOMERS = """
    CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO customers
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
        SELECT i, 'customer ' || i FROM n;
"""
RATINGS = """
    CREATE TABLE {name} ({owner} INTEGER, {item} INTEGER, stars INTEGER, rated_at TIMESTAMP,
        PRIMARY KEY ({owner}, {item}));
    INSERT INTO {name} SELECT customer_id, t.value, 1 + (customer_id + t.value) % 5,
        '2011-09-18 12:00:' || (10 + customer_id)
        FROM customers, json_each('[11, 12, 13]') t;
"""


def ratings(name: str = "ratings", owner: str = "customer_id", item: str = "title_id") -> str:
    return CUSTOMERS + RATINGS.format(name=name, owner=owner, item=item)


def test_the_demo(tmp_path: Path, drafted: Callable[..., Any]) -> None:
    from safeguard.demo import set_scene

    set_scene(tmp_path / "demo", 120, 7, faults=False)
    url = {n: f"sqlite:///{tmp_path}/demo/{n}.sqlite" for n in ("old", "streaming", "dvd")}
    made = drafted(url["old"], streaming=url["streaming"], dvd=url["dvd"])

    assert made.loaded.plan.kind is MigrationKind.SPLIT
    assert made.contents == {"profile", "queue", "ratings", "notify-me", "reviews", "playlists"}
    assert {e.contract.content: e.contract.shape for e in made.loaded.contracts} == {
        "profile": Shape.RECORD,
        "queue": Shape.LIST,
        "ratings": Shape.RECORD,
        "notify-me": Shape.SET,
        "reviews": Shape.RECORD,
        "playlists": Shape.DOCUMENT,
    }
    queue = made["queue"]
    assert (queue.owner, queue.item, queue.order, queue.list) == (
        ("customer_id",),
        ("title",),
        "position",
        "list_name",
    )
    assert queue.old[0].deleted_when == "deleted_at IS NOT NULL"
    assert {s.system: (s.table, s.receives) for s in queue.new} == {
        "streaming": ("watchlist", "medium IN ('both', 'stream')"),
        "dvd": ("rental_queue", "medium IN ('both', 'dvd')"),
    }
    dvd = next(s for s in queue.new if s.system == "dvd")
    assert dvd.crosswalk == {
        "customer_id": Crosswalk(system="dvd", table="member_map", old="legacy_id", new="member_id")
    }
    assert dvd.columns["title"] == "disc"
    assert any(
        "stars" in line and "say how in contracts/ratings.yaml:" in line for line in made.open
    )
    assert any("America/Los_Angeles" in line for line in made.open)
    assert any(line.startswith("old.web_sessions: no likely home") for line in made.open)
    assert made.loaded.plan.customers.segments == {"paying": "plan <> 'free'"}


def chinook(real: Path, database: Any) -> str:
    """Chinook as its author published it for this server; gives the URL."""
    server = database.server
    if server.scheme == "postgresql":
        text = (real / "chinook/Chinook_PostgreSql.sql").read_text(encoding="utf-8")
        skipped = ("DROP DATABASE", "CREATE DATABASE", "\\c")
        lines = [line for line in text.splitlines() if not line.startswith(skipped)]
        server.run_script(database.name, "\n".join(lines))
    else:
        text = (real / "chinook/Chinook_MySql.sql").read_text(encoding="utf-8")
        server.run_script(database.name, text.replace("`Chinook`", f"`{database.name}`"))
    return str(server.url(database.name))


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_chinook_into_postgresql(
    real: Path, fresh_database: Any, tmp_path: Path, kind: str
) -> None:
    new = chinook(real, fresh_database("postgresql"))
    old = f"sqlite:///{real}/chinook/Chinook_Sqlite.sqlite"
    if kind == "mariadb":
        old = chinook(real, fresh_database("mariadb"))

    made = draft({"old": old}, {"new": new}, tmp_path, {})
    loaded = load_plan(tmp_path / "safeguard.yaml", {"OLD_URL": old, "NEW_URL": new})
    found = {e.contract.content: e.contract for e in loaded.contracts}
    assert set(found) == {"profile", "invoice", "invoice-line"}
    assert found["invoice-line"].old[0].covers == ("InvoiceLine",)
    assert found["invoice"].new[0].columns["BillingPostalCode"] == "billing_postal_code"
    (question,) = [line for line in made.lines if line.startswith("?")]
    catalogue = "Album, Artist, Employee, Genre, MediaType, Playlist, PlaylistTrack, Track"
    assert f"old: no key or name ties to a customer: tables {catalogue}." in question
    assert any(line.startswith("export NEW_URL=") for line in made.lines)
    written = "".join(p.read_text(encoding="utf-8") for p in made.files)
    assert PASSWORD not in written


class TestHomes:
    def test_names_that_differ_only_in_spelling(self, system: Any, drafted: Any) -> None:
        new = ratings("Rating", "CustomerId", "TitleId")
        made = drafted(system("old", ratings()), new=system("new", new))
        assert made["ratings"].new[0].table == "Rating"
        assert made["ratings"].new[0].columns == {
            "customer_id": "CustomerId",
            "title_id": "TitleId",
        }
        assert made["ratings"].fields.keys() == {"stars", "rated_at"}

    def test_a_home_of_the_same_name_that_is_empty_is_still_its_home(
        self, system: Any, drafted: Any
    ) -> None:
        new = ratings() + "DELETE FROM ratings;"
        made = drafted(system("old", ratings()), new=system("new", new))
        assert made["ratings"].new[0].table == "ratings"

    def test_no_home_is_a_question_and_not_a_contract(self, system: Any, drafted: Any) -> None:
        old = ratings() + "CREATE TABLE gifts (customer_id INTEGER, gift TEXT);"
        old += "INSERT INTO gifts VALUES (1, 'a'), (1, 'b');"
        made = drafted(system("old", old), new=system("new", ratings()))
        assert "gifts" not in made.contents
        assert "old.gifts: no likely home in the new systems. Is it meant to go?" in made.open
        assert "# ? old.gifts" in made.texts["safeguard.yaml"]

    def test_an_empty_table_gets_no_contract(self, system: Any, drafted: Any) -> None:
        more = "CREATE TABLE gifts (customer_id INTEGER, gift TEXT);"
        made = drafted(system("old", ratings() + more), new=system("new", ratings() + more))
        assert "gifts" not in made.contents
        assert any("old.gifts is empty" in line for line in made.open)

    def test_a_column_that_went_nowhere_is_said(self, system: Any, drafted: Any) -> None:
        old = ratings() + "ALTER TABLE ratings ADD COLUMN remark TEXT;"
        made = drafted(system("old", old), new=system("new", ratings()))
        assert "remark" not in made["ratings"].fields
        assert "# ? not decided: remark" in made.texts["ratings.yaml"]
        assert any(line.startswith("old.ratings.remark: no likely column") for line in made.open)

    def test_entries_in_one_system_or_the_other(self, system: Any, drafted: Any) -> None:
        east = ratings() + "DELETE FROM ratings WHERE customer_id > 15;"
        west = ratings() + "DELETE FROM ratings WHERE customer_id <= 15;"
        made = drafted(
            system("old", ratings()), east=system("east", east), west=system("west", west)
        )
        assert made["ratings"].routing is Routing.ANY_OF
        assert any("Say by `receives`" in line for line in made.open)

    def test_a_merge_reads_both_old_systems_in_one_contract(
        self, system: Any, drafted: Any
    ) -> None:
        old = {"eu": system("eu", ratings()), "us": system("us", ratings("votes"))}
        made = drafted(old, new=system("new", ratings()))
        assert made.loaded.plan.kind is MigrationKind.MERGE
        assert {(s.system, s.table) for s in made["ratings"].old} == {
            ("eu", "ratings"),
            ("us", "votes"),
        }

    def test_deletions_are_known_on_both_sides(self, system: Any, drafted: Any) -> None:
        more = "ALTER TABLE ratings ADD COLUMN {} {};"
        old = ratings() + more.format("deleted_at", "TIMESTAMP")
        new = ratings() + more.format("is_deleted", "INTEGER")
        made = drafted(system("old", old), new=system("new", new))
        assert made["ratings"].old[0].deleted_when == "deleted_at IS NOT NULL"
        assert made["ratings"].new[0].deleted_when == "is_deleted <> 0"
        assert made["ratings"].fields.keys() == {"stars", "rated_at"}

    def test_customers_that_keep_little_get_no_contract(self, system: Any, drafted: Any) -> None:
        columns = "ALTER TABLE customers ADD COLUMN email; ALTER TABLE customers ADD COLUMN phone;"
        made = drafted(system("old", ratings() + columns), new=system("new", ratings()))
        assert made.contents == {"ratings"}
        assert any(line.startswith("old.customers: no contract says") for line in made.open)

    def test_an_owner_by_another_key_is_left_to_people(self, system: Any, drafted: Any) -> None:
        more = """
            CREATE UNIQUE INDEX by_name ON customers (name);
            CREATE TABLE notes (who TEXT REFERENCES customers (name), body TEXT);
            INSERT INTO notes VALUES ('customer 1', 'x');
        """
        made = drafted(system("old", ratings() + more), new=system("new", ratings() + more))
        assert "notes" not in made.contents
        assert "old.notes: it points at the customers by name. Write a contract." in made.open


class TestOwnersFurtherAway:
    LISTS = (
        CUSTOMERS
        + """
        CREATE TABLE playlists (playlist_id INTEGER PRIMARY KEY, name TEXT,
            customer_id INTEGER REFERENCES customers (customer_id));
        CREATE TABLE playlist_items (playlist_id INTEGER REFERENCES playlists (playlist_id),
            position INTEGER, track_id INTEGER, PRIMARY KEY (playlist_id, position));
        INSERT INTO playlists SELECT 100 + customer_id, 'list', customer_id FROM customers;
        INSERT INTO playlist_items SELECT playlist_id, t.value, 10 * t.value
            FROM playlists, json_each('[1, 2, 3]') t;
    """
    )

    def test_a_query_joins_them_and_covers_the_table(self, system: Any, drafted: Any) -> None:
        made = drafted(system("old", self.LISTS), new=system("new", self.LISTS))
        items = made["playlist"]
        assert items.shape is Shape.LIST
        assert (items.owner, items.item, items.list, items.order) == (
            ("customer_id",),
            ("track_id",),
            "playlist_id",
            "position",
        )
        assert items.old[0].covers == ("playlist_items",)
        assert "LEFT JOIN" in items.old[0].query

    def test_the_query_runs(self, system: Any, drafted: Any, tmp_path: Path) -> None:
        made = drafted(system("old", self.LISTS), new=system("new", self.LISTS))
        connection = sqlite3.connect(tmp_path / "old.sqlite")
        rows = connection.execute(made["playlist"].old[0].query).fetchall()
        connection.close()
        assert len(rows) == 90
        assert rows[0][0] == 1


class TestKeys:
    def test_nothing_that_tells_entries_apart_is_said(self, system: Any, drafted: Any) -> None:
        visits = (
            CUSTOMERS
            + """
            CREATE TABLE visits (customer_id INTEGER, page TEXT);
            INSERT INTO visits SELECT customer_id, 'home' FROM customers;
            INSERT INTO visits SELECT customer_id, 'home' FROM customers;
        """
        )
        made = drafted(system("old", visits), new=system("new", visits))
        assert made["visits"].item == ()
        assert any("nothing was found that tells" in line for line in made.open)

    def test_types_that_differ_are_declared(self, system: Any, drafted: Any) -> None:
        new = (
            CUSTOMERS
            + """
            CREATE TABLE ratings (customer_id INTEGER, title_id TEXT, stars INTEGER,
                rated_at TIMESTAMP);
            INSERT INTO ratings SELECT customer_id, t.value, 1, '2011-09-18 12:00:00'
                FROM customers, json_each('["11", "12", "13"]') t;
        """
        )
        made = drafted(system("old", ratings()), new=system("new", new))
        assert {n: str(t) for n, t in made["ratings"].keys.items()} == {"title_id": "integer"}


class TestFiles:
    def test_a_password_is_never_written(self, tmp_path: Path) -> None:
        from safeguard.drafting.secrets import PlanUrl, plan_urls

        url = "postgresql://me:hush@host/db"
        assert plan_urls({"old-shop": url}, {}) == {
            "old-shop": PlanUrl("${OLD_SHOP_URL}", "OLD_SHOP_URL", export=True)
        }
        assert plan_urls({"old": url}, {"SHOP": url}) == {"old": PlanUrl("${SHOP}", "SHOP")}
        assert plan_urls({"old": "sqlite:///x.db"}, {}) == {"old": PlanUrl("sqlite:///x.db")}

    def test_nothing_is_overwritten(self, system: Any, tmp_path: Path) -> None:
        old, new = system("old", ratings()), system("new", ratings())
        draft({"old": old}, {"new": new}, tmp_path)
        (tmp_path / "safeguard.yaml").write_text("mine")
        with pytest.raises(UsageProblem, match="is there already"):
            draft({"old": old}, {"new": new}, tmp_path)
        assert (tmp_path / "safeguard.yaml").read_text() == "mine"
        (tmp_path / "safeguard.yaml").unlink()
        with pytest.raises(UsageProblem, match=r"ratings\.yaml is there already"):
            draft({"old": old}, {"new": new}, tmp_path)
        assert not (tmp_path / "safeguard.yaml").exists()
        assert draft({"old": old}, {"new": new}, tmp_path, force=True).files

    def test_the_next_command_finds_the_plan(
        self, system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, new = system("old", ratings()), system("new", ratings())
        monkeypatch.chdir(tmp_path)
        for folder, plan in ((Path("plans"), "plans/safeguard.yaml"), (Path(), "safeguard.yaml")):
            last = draft({"old": old}, {"new": new}, folder).lines[-1]
            assert last == f"wrote {plan} and 2 contracts. Next: safeguard check {plan}"
        last = draft({"old": old}, {"new": new}, Path("my plans")).lines[-1]
        assert last.endswith("Next: safeguard check 'my plans/safeguard.yaml'")

    def test_the_command_takes_the_name_under_which_the_environment_holds_a_url(
        self, fresh_database: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from safeguard.cli.shell import run

        old, new = fresh_database("postgresql"), fresh_database("postgresql")
        for database in (old, new):
            database.execute(
                "CREATE TABLE customers (customer_id int PRIMARY KEY);"
                "CREATE TABLE queue (customer_id int REFERENCES customers, title int,"
                " PRIMARY KEY (customer_id, title));"
                "INSERT INTO customers VALUES (1), (2); INSERT INTO queue VALUES (1, 5), (2, 6)"
            )
        monkeypatch.setenv("SHOP_BEFORE", old.url)
        out = tmp_path / "plans"
        arguments = ["init", "--old", old.url, "--new", f"new={new.url}", "--out", str(out)]
        assert run(arguments) == 0
        plan = (out / "safeguard.yaml").read_text("utf-8")
        assert "${SHOP_BEFORE}" in plan
        assert "${NEW_URL}" in plan

    def test_schemas_for_editors_are_beside(self, system: Any, drafted: Any) -> None:
        made = drafted(system("old", ratings()), new=system("new", ratings()))
        first = made.texts["safeguard.yaml"].splitlines()[0]
        assert first == "# yaml-language-server: $schema=./safeguard-plan.schema.json"
        first = made.texts["ratings.yaml"].splitlines()[0]
        assert first == "# yaml-language-server: $schema=../safeguard-contract.schema.json"
        assert {"safeguard-plan.schema.json", "safeguard-contract.schema.json"} <= set(made.texts)

    def test_a_system_that_is_both_old_and_new_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageProblem, match="both an old and a new system"):
            draft({"a": "sqlite:///a"}, {"a": "sqlite:///b"}, tmp_path)

    def test_nothing_to_check_is_refused(self, system: Any, tmp_path: Path) -> None:
        old = system("old", ratings())
        new = system("new", "CREATE TABLE other (thing TEXT);")
        with pytest.raises(UsageProblem, match="nothing was found") as caught:
            draft({"old": old}, {"new": new}, tmp_path)
        assert "old.ratings: no likely home" in str(caught.value)
        assert not (tmp_path / "safeguard.yaml").exists()

    def test_names_that_are_no_plain_yaml(self, system: Any, drafted: Any) -> None:
        odd = (
            CUSTOMERS
            + """
            CREATE TABLE "odd: 'table' #1
- x" (customer_id INTEGER PRIMARY KEY, "yes" TEXT, "a ""b"": {c}" TEXT);
            INSERT INTO "odd: 'table' #1
- x" SELECT customer_id, 'a' || customer_id, 'b' FROM customers;
        """
        )
        made = drafted(system("old", odd), new=system("new", odd))
        (name,) = made.contents - {"profile"}
        assert made[name].fields.keys() == {"yes", 'a "b": {c}'}

    def test_paths_are_seen_from_the_plan(
        self, system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system("old", ratings())
        system("new", ratings())
        monkeypatch.chdir(tmp_path)
        draft({"old": "sqlite:///old.sqlite"}, {"new": "sqlite:///new.sqlite"}, Path("plans"))
        loaded = load_plan(tmp_path / "plans/safeguard.yaml", {})
        assert loaded.plan.systems["old"].url == "sqlite:///../old.sqlite"

    def test_a_folder_of_files_that_declare_no_types(self, tmp_path: Path, drafted: Any) -> None:
        for side, header in (("old", "customer_id,title,stars"), ("new", "CustomerId,Title,Stars")):
            (tmp_path / side).mkdir()
            rows = "".join(f"{i},t{t},{t}\n" for i in range(1, 20) for t in (1, 2, 3))
            (tmp_path / side / "ratings.csv").write_text(f"{header}\n{rows}")
        made = drafted(f"files:{tmp_path}/old", new=f"files:{tmp_path}/new")
        assert made.loaded.plan.kind is MigrationKind.SHUTDOWN
        assert made.loaded.plan.customers is None
        assert made["ratings"].new[0].columns["customer_id"] == "CustomerId"
        assert any("no table looks like the customers" in line for line in made.open)
