"""Who sees every table of a MariaDB or MySQL database, by SHOW GRANTS and by a real server."""

from __future__ import annotations

import json
import sqlite3
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from safeguard.checking import run_check, run_discover
from safeguard.findings.progress import SilentProgress
from safeguard.findings.words import Verdict
from safeguard.systems.mysql import MysqlSession
from safeguard.systems.mysql_grants import sees_every_table
from servers import Database, Server

USAGE = "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*00'"


@pytest.mark.parametrize(
    ("grants", "whole"),
    [
        ([], False),
        (["GRANT SELECT ON `my_shop`.`a` TO `u`@`%`"], False),
        (["GRANT SELECT ON `my_shop`.`*` TO `u`@`%`"], False),
        (["GRANT SELECT (`x`) ON `my_shop`.`a` TO `u`@`%`"], False),
        (["GRANT SELECT (` ON ``my_shop``.* TO `) ON `my_shop`.`a` TO `u`@`%`"], False),
        (["GRANT EXECUTE ON PROCEDURE `my_shop`.`p` TO `u`@`%`"], False),
        (["GRANT INSERT, UPDATE ON `my_shop`.* TO `u`@`%`"], False),
        (["GRANT SELECT ON `other`.* TO `u`@`%`"], False),
        (["GRANT SELECT ON `my\\_`.* TO `u`@`%`"], False),
        (["GRANT SELECT ON `MY_SHOP`.* TO `u`@`%`"], False),
        (["GRANT `reader` TO `u`@`%`", "SET DEFAULT ROLE `reader` FOR `u`@`%`"], False),
        (["GRANT SELECT ON *.* TO `u`@`%` WITH GRANT OPTION"], True),
        (["GRANT ALL PRIVILEGES ON *.* TO 'u'@'%'"], True),
        (["GRANT INSERT, SELECT, SHOW VIEW ON `my_shop`.* TO `u`@`%`"], True),
        (["GRANT ALL PRIVILEGES ON `my\\_shop`.* TO `u`@`%`"], True),
        (['GRANT SELECT ON "my_shop".* TO "u"@"%"'], True),
        (["GRANT SELECT ON `my%`.* TO `u`@`%`"], True),
        (["GRANT SELECT ON `my?shop`.* TO `u`@`%`"], False),
        (["GRANT SELECT ON `my_shop`.* TO PUBLIC"], True),
        (["GRANT SELECT ON `my%`.* TO `u`@`%`", "GRANT EXECUTE ON `my_shop`.* TO `u`@`%`"], False),
        (["GRANT SELECT ON `my_shop`.* TO `r`", "GRANT EXECUTE ON `my_shop`.* TO `u`@`%`"], True),
        (["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE SELECT ON `my_shop`.* FROM `u`@`%`"], False),
        (["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE INSERT ON `my_shop`.* FROM `u`@`%`"], True),
        (["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE SELECT ON `other`.* FROM `u`@`%`"], True),
    ],
)
def test_only_select_on_the_whole_database_shows_every_table(
    grants: list[str], whole: bool
) -> None:
    assert sees_every_table([USAGE, *grants], "my_shop") is whole


def test_settings_of_the_server_change_what_a_name_means() -> None:
    assert sees_every_table(["GRANT SELECT ON `SHOP`.* TO `u`@`%`"], "shop", any_case=True)
    wild = ["GRANT SELECT ON `sh%`.* TO `u`@`%`"]
    assert not sees_every_table(wild, "shop", wildcards=False)
    assert sees_every_table(["GRANT SELECT ON `a``b`.* TO `u`@`%`"], "a`b")


@pytest.fixture
def shop(fresh_database) -> Database:
    database: Database = fresh_database("mariadb")
    database.execute(
        "CREATE TABLE customers (id int PRIMARY KEY)",
        "CREATE TABLE queue (id int, title int, PRIMARY KEY (id, title),"
        " FOREIGN KEY (id) REFERENCES customers (id))",
        "CREATE TABLE playlists (id int, title int, PRIMARY KEY (id, title),"
        " FOREIGN KEY (id) REFERENCES customers (id))",
        "INSERT INTO customers VALUES (1); INSERT INTO queue VALUES (1, 5);"
        "INSERT INTO playlists VALUES (1, 6)",
    )
    return database


def reader(shop: Database, *grants: str) -> str:
    """The URL of a new user who has these grants; `{u}` is the user, `{d}` the database."""
    server: Server = shop.server
    user = f"u{uuid.uuid4().hex[:12]}"
    server.execute("", f"CREATE USER {user}@'%' IDENTIFIED BY 'x'")
    for grant in grants:
        server.execute("", grant.format(u=f"{user}@'%'", d=shop.name, r=f"r{user}"))
    return f"mariadb://{user}:x@127.0.0.1:{server.port}/{shop.name}"


TWO_TABLES = ("GRANT SELECT ON {d}.customers TO {u}", "GRANT SELECT ON {d}.queue TO {u}")
BY_ROLE = ("CREATE ROLE {r}", "GRANT SELECT ON {d}.* TO {r}", "GRANT {r} TO {u}")


@pytest.mark.parametrize(
    ("grants", "seen"),
    [
        (TWO_TABLES, 2),
        ((*TWO_TABLES, *BY_ROLE), 2),
        ((*TWO_TABLES, "GRANT SELECT ON `t%`.* TO {u}", "GRANT EXECUTE ON {d}.* TO {u}"), 2),
        (("GRANT SELECT ON {d}.* TO {u}",), 3),
        (("GRANT SELECT ON `t\\_%`.* TO {u}",), 3),
        (("GRANT ALL ON *.* TO {u}",), 3),
        ((*BY_ROLE, "SET DEFAULT ROLE {r} FOR {u}"), 3),
    ],
)
def test_the_server_agrees(shop: Database, grants: tuple[str, ...], seen: int) -> None:
    session = MysqlSession("old", reader(shop, *grants))
    try:
        assert len(session.tables()) == seen
        spots = session.blind_spots()
    finally:
        session.close()
    if seen == 3:
        assert spots == ()
    else:
        sees = "old: the user sees only the tables that it may read"
        assert spots == (f"{sees}; grant SELECT on `{shop.name}`.*, or coverage can't be judged",)


def plan_of(tmp_path: Path, old: str) -> Path:
    with sqlite3.connect(tmp_path / "new.sqlite") as new:
        new.executescript(
            "CREATE TABLE queue (id int, title int); INSERT INTO queue VALUES (1, 5);"
            "CREATE TABLE customers (id int); INSERT INTO customers VALUES (1)"
        )
    new.close()
    contract = {"content": "queue", "title": "Queue", "shape": "set", "owner": "id"}
    contract |= {"item": "title", "keys": {"id": "integer", "title": "integer"}}
    contract |= {s: [{"system": s, "table": "queue"}] for s in ("old", "new")}
    people = {"table": "customers", "key": "id"}
    plan = {
        "migration": "m",
        "kind": "move",
        "systems": {"old": {"url": old}, "new": {"url": "sqlite:///new.sqlite"}},
        "contracts": ["queue.yaml"],
        "customers": {
            "old": {"system": "old", **people},
            "new": [{"system": "new", **people}],
        },
    }
    (tmp_path / "queue.yaml").write_text(json.dumps(contract))
    (tmp_path / "plan.yaml").write_text(json.dumps(plan))
    return tmp_path / "plan.yaml"


def test_what_the_user_cannot_see_is_never_a_pass(shop: Database, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, reader(shop, *TWO_TABLES))
    result, _ = run_check(plan, progress=SilentProgress(), environ={})
    assert result.coverage.uncovered == ()
    assert result.verdict is Verdict.UNDECIDED
    assert "sees only the tables that it may read" in " ".join(result.reasons)
    assert "sees only the tables" in " ".join(run_discover(plan, {}).notes)


def test_who_sees_all_is_judged(shop: Database, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, reader(shop, "GRANT SELECT ON {d}.* TO {u}"))
    assert run_discover(plan, {}).notes == ()
    result, _ = run_check(plan, progress=SilentProgress(), environ={})
    assert [t.table for t in result.coverage.uncovered] == ["playlists"]
    assert result.verdict is Verdict.BLOCK
    shop.execute("DROP TABLE playlists")
    result, _ = run_check(plan, progress=SilentProgress(), environ={})
    assert (result.verdict, result.reasons) == (Verdict.PASS, ())


def test_postgresql_shows_every_table_whatever_the_grants(fresh_database) -> None:
    from safeguard.systems.postgresql import PostgresqlSession

    database: Database = fresh_database("postgresql")
    user = f"u{uuid.uuid4().hex[:12]}"
    database.execute("CREATE TABLE hidden (id int)", f"CREATE USER {user} PASSWORD 'x'")
    url = sa.make_url(database.url).set(username=user, password="x")
    session = PostgresqlSession("old", url.render_as_string(hide_password=False))
    try:
        assert [t.name for t in session.tables()] == ["hidden"]
        assert session.blind_spots() == ()
    finally:
        session.close()
