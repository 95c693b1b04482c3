"""The demo in PostgreSQL and MariaDB holds what it holds in SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from safeguard.demo import build
from safeguard.demo.databases import MARKER
from safeguard.demo.tables import KNOWN
from safeguard.findings.trouble import SystemProblem, UsageProblem

AS_TEXT = {
    "postgresql": {
        "local": "to_char({}, 'YYYY-MM-DD HH24:MI:SS')",
        "instant": "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
        "json": "jsonb_path_query_first({}, '$.name')",
        "uuid": "{}::text",
    },
    "mariadb": {
        "local": "date_format({}, '%Y-%m-%d %H:%i:%s')",
        "instant": "date_format({}, '%Y-%m-%d %H:%i:%s')",
        "json": "json_value({}, '$.name')",
    },
    "sqlite": {"json": "json_extract({}, '$.name')"},
}


def queries(engine: str):
    for name, tables in KNOWN.items():
        for table in tables:
            form = AS_TEXT[engine]
            columns = [form.get(kind, "{}").format(column) for column, kind in table.columns]
            yield name, f"SELECT {', '.join(columns)} FROM {table.name}"


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_server_holds_the_same_content_as_sqlite(engine, fresh_database, tmp_path):
    servers = {name: fresh_database(engine) for name in KNOWN}
    files = {name: f"sqlite:///{name}.sqlite" for name in KNOWN}
    expected = build(110, 3, files.pop("old"), files, True, tmp_path)
    urls = {name: database.url for name, database in servers.items()}
    for _ in range(2):  # the second time in its place
        built = build(110, 3, urls["old"], urls, True)
        assert built == expected
    for (name, ours), (_, theirs) in zip(queries("sqlite"), queries(engine), strict=True):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
            content = connection.execute(ours).fetchall()
        assert sorted(map(repr, servers[name].query(theirs))) == sorted(map(repr, content))


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_server_database_of_somebody_else_is_refused(engine, fresh_database):
    databases = {name: fresh_database(engine) for name in KNOWN}
    databases["dvd"].execute("CREATE TABLE members (member_id INT)")
    urls = {name: database.url for name, database in databases.items()}
    with pytest.raises(UsageProblem, match="`dvd` is not empty"):
        build(1, 1, urls["old"], urls, True)
    with pytest.raises(Exception, match=MARKER):
        databases["old"].query(f"SELECT * FROM {MARKER}")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_not_there_is_a_system_problem(scheme):
    url = f"{scheme}://nobody:secret@127.0.0.1:9/none"
    with pytest.raises(SystemProblem) as caught:
        build(1, 1, url, {"streaming": url, "dvd": url}, True)
    assert "secret" not in str(caught.value)
