"""`init` by a user who may not read everything, and beside tables that are nobody's content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safeguard.drafting import draft
from safeguard.findings.trouble import SystemProblem

SHOP = """
    CREATE TABLE customers (customer_id int PRIMARY KEY, name varchar(20));
    CREATE TABLE ratings (customer_id int REFERENCES customers, title int, stars int,
        PRIMARY KEY (customer_id, title));
    INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bo');
    INSERT INTO ratings VALUES (1, 5, 3), (2, 6, 4);
"""


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_table_that_may_not_be_read_is_not_one_without_a_home(
    fresh_database: Any, tmp_path: Path, kind: str
) -> None:
    old, new = fresh_database(kind), fresh_database(kind)
    for database in (old, new):
        for statement in SHOP.split(";")[:-1]:
            database.execute(statement)
    if kind == "postgresql":
        user = f"reader_{old.name}"
        old.execute(f"CREATE USER {user} PASSWORD 'reader-pw'")
        old.execute(f"GRANT SELECT ON customers TO {user}")
    else:
        user = "r" + old.name[-20:]
        old.execute(f"CREATE USER '{user}'@'%' IDENTIFIED BY 'reader-pw'")
        old.execute(f"GRANT SELECT ON {old.name}.customers TO '{user}'@'%'")
        old.execute(f"GRANT INSERT ON {old.name}.ratings TO '{user}'@'%'")
    scheme, _, rest = old.url.partition("://")
    url = f"{scheme}://{user}:reader-pw@{rest.rpartition('@')[2]}"
    with pytest.raises(SystemProblem) as told:
        draft({"old": url}, {"new": new.url}, tmp_path)
    words = str(told.value)
    assert words.startswith("old.ratings: this user may not read it ("), words
    assert "denied" in words
    assert words.endswith("). Grant SELECT and run init again.")
    assert not list(tmp_path.iterdir())


def test_the_demos_own_table_is_not_asked_about(tmp_path: Path) -> None:
    from safeguard.demo import set_scene

    set_scene(tmp_path / "demo", 20, 7, faults=False)
    url = {n: f"sqlite:///{tmp_path}/demo/{n}.sqlite" for n in ("old", "streaming", "dvd")}
    made = draft({"old": url.pop("old")}, url, tmp_path / "out")
    assert "safeguard_demo" not in "\n".join(made.lines)
    assert "safeguard_demo" not in (tmp_path / "out" / "safeguard.yaml").read_text("utf-8")
