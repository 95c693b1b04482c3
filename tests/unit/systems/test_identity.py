"""Which database a URL names: equal for the same one whatever the password, and never a secret."""

from __future__ import annotations

import getpass

import pytest

from safeguard.findings.trouble import UsageProblem
from safeguard.systems.identity import identity

BASE = "postgresql://reader:hush@db.example:5432/shop"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        (
            BASE,
            {
                "kind": "postgresql",
                "user": "reader",
                "host": "db.example",
                "port": "5432",
                "dbname": "shop",
            },
        ),
        (
            "mariadb://u:p@h/d?charset=utf8mb4&ssl_ca=/x",
            {
                "kind": "mariadb",
                "user": "u",
                "host": "h",
                "port": "3306",
                "dbname": "d",
                "charset": "utf8mb4",
                "ssl_ca": "/x",
            },
        ),
        ("sqlite:///old.sqlite", {"kind": "sqlite", "path": "old.sqlite"}),
        ("sqlite:////srv//old.sqlite?mode=ro", {"kind": "sqlite", "path": "/srv/old.sqlite"}),
        ("duckdb:///./a/../b.duckdb", {"kind": "duckdb", "path": "b.duckdb"}),
        ("files:exports/", {"kind": "files", "path": "exports"}),
        ("snowflake://u:p@acc/db?warehouse=w", {"kind": "snowflake", "user": "u", "host": "acc",
         "dbname": "db", "warehouse": "w"}),
    ],
)  # fmt: skip
def test_the_parts_that_tell_one_database_from_another(url, parts):
    assert identity(url, {}) == parts


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:other@db.example:5432/shop",
        "postgresql://reader@db.example/shop",
        "postgresql://reader@DB.Example/shop",
        "postgres://reader@db.example/shop",
        "postgresql://reader@db.example/shop?password=hush",
        "postgresql://reader@db.example/shop?sslpassword=hush&passfile=/x&access_token=hush",
        "postgresql://db.example/shop?user=reader",
        "postgresql:///shop?host=db.example&user=reader",
    ],
)
def test_the_same_database_in_other_words(url):
    assert identity(url, {}) == identity(BASE, {})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:hush@db.example:5433/shop",
        "postgresql://reader:hush@db2.example:5432/shop",
        "postgresql://reader:hush@db.example:5432/shop2",
        "postgresql://reader:hush@db.example:5432/Shop",
        "postgresql://writer:hush@db.example:5432/shop",
        "postgresql://reader:hush@db.example:5432/shop?options=-csearch_path%3Dcopy",
        "postgresql://reader:hush@db.example:5432/shop?host=db2.example",
        "postgresql://reader:hush@db.example:5432/shop?dbname=shop2",
        "mysql://reader:hush@db.example:5432/shop",
    ],
)
def test_another_database(url):
    assert identity(url, {}) != identity(BASE, {})


@pytest.mark.parametrize("key", ["odbc_connect", "ODBC_Connect"])
def test_a_database_that_only_a_secret_names_is_not_told(key):
    """Two of them would look the same."""
    assert identity(f"mssql+pyodbc:///?{key}=SERVER%3Dh%3BPWD%3Dhush", {}) == {}


def test_a_service_is_of_its_file():
    """A file beside it has another service of that name."""
    url = "postgresql:///?service=shop"
    first, second = (identity(url, {"PGSERVICEFILE": name}) for name in ("/a", "/b"))
    assert first != second
    plain = "postgresql://u@h/d"
    assert identity(plain, {"PGSERVICEFILE": "/a"}) == identity(plain, {})


def test_of_two_hosts_in_one_url_both_count():
    """Which of them a driver takes is its own affair."""
    first, second = (identity(f"mysql://u@{host}/d?host=x", {}) for host in ("a", "b"))
    assert first != second


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        "postgresql://reader:hu%40sh@db/shop?password=hush&sslpassword=hush",
        "postgresql://reader:hu@hush@db/shop",
        "mysql://reader:hush/x@db/shop",
        "snowflake://u:hush@acc/db?token=hush",
        "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BUID%3Du%3BPWD%3Dhush",
        "mssql+pyodbc:///?ODBC_CONNECT=SERVER%3Dh%3BUID%3Du%3BPWD%3Dhush",
    ],
)
def test_no_secret_is_in_it(url):
    assert "hush" not in str(identity(url, {"PGPASSWORD": "hush"}))


def test_a_home_is_whose_it_is(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert identity("sqlite:///~/old.sqlite", {})["path"] == "/home/ann/old.sqlite"


def test_a_host_that_a_password_may_have_run_into_tells_nothing():
    assert identity("postgresql://reader:p@ss@db/shop@x", {}) == {}


@pytest.mark.parametrize(
    ("variable", "part"),
    [
        ("PGHOST", "host"),
        ("PGHOSTADDR", "hostaddr"),
        ("PGPORT", "port"),
        ("PGUSER", "user"),
        ("PGDATABASE", "dbname"),
        ("PGSERVICE", "service"),
        ("PGOPTIONS", "options"),
    ],
)
def test_what_libpq_takes_from_the_environment_counts_where_the_url_is_silent(variable, part):
    assert identity("postgresql://", {variable: "9999"})[part] == "9999"
    told = "postgresql://u@h:1/d?hostaddr=1&service=1&options=1"
    assert identity(told, {variable: "9999"}) == identity(told, {})


def test_who_is_not_named_is_the_one_who_runs_it():
    found = identity("postgresql://db", {})
    assert found["user"] == found["dbname"] == getpass.getuser()


@pytest.mark.parametrize("url", ["postgresql", "sqlite:///", "postgresql://db:port/shop"])
def test_what_is_no_url_is_a_mistake(url):
    with pytest.raises(UsageProblem):
        identity(url, {})
