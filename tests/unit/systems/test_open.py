"""URLs: which session they mean, what is never shown, and how a system that can't be opened says so."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from safeguard.contract.model import SystemSpec
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.systems.open import open_system
from safeguard.systems.urls import Home, classify, mask, redact
from servers import PASSWORD, Server


@pytest.mark.parametrize(
    ("url", "home", "path"),
    [
        ("postgresql://u:p@h/d", Home.POSTGRESQL, None),
        ("postgres://h/d", Home.POSTGRESQL, None),
        ("mysql://h/d", Home.MYSQL, None),
        ("mariadb://h/d", Home.MYSQL, None),
        ("sqlite:///old.db", Home.SQLITE, "/plans/old.db"),
        ("sqlite:////data/old.db", Home.SQLITE, "/data/old.db"),
        ("duckdb:///a/../b.duckdb", Home.DUCKDB, "/plans/b.duckdb"),
        ("files:exports/", Home.FILES, "/plans/exports"),
        ("files:/data/exports", Home.FILES, "/data/exports"),
        ("files:.", Home.FILES, "/plans"),
        ("postgresql+psycopg2://h/d", Home.GENERIC, None),
        ("mssql+pyodbc://h/d", Home.GENERIC, None),
    ],
)
def test_a_url_means_a_session(url: str, home: Home, path: str | None) -> None:
    address = classify(url, Path("/plans"))
    assert (address.home, address.path) == (home, Path(path) if path else None)


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "sqlite:///:memory:", "files:", "postgresql://h:port/d"]
)
def test_what_is_no_url_says_so(url: str) -> None:
    with pytest.raises(UsageProblem):
        open_system("old", SystemSpec(url=url), Path("/plans"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:pw@h:5/d", "postgresql://u:***@h:5/d"),
        ("postgresql://:pw@h/d", "postgresql://:***@h/d"),
        (
            "postgresql://u@h/d?password=pw&sslmode=require",
            "postgresql://u@h/d?password=***&sslmode=require",
        ),
        ("mysql://u:p@w/x@h/d?ssl_ca=x&PASSWD=q", "mysql://u:***@h/d?ssl_ca=x&PASSWD=***"),
        ("x+y://u:p?w@h/d", "x+y://u:***@h/d"),
        ("s://h/d?pwd=1;token=2&access_token=3", "s://h/d?pwd=***;token=***&access_token=***"),
        (
            "snowflake://u:a:b@acc/db?client_secret=z&sslpassword=y",
            "snowflake://u:***@acc/db?client_secret=***&sslpassword=***",
        ),
        (
            "postgresql://h:5432/d?application_name=a@b",
            "postgresql://h:5432/d?application_name=a@b",
        ),
        ("sqlite:///a.db", "sqlite:///a.db"),
        (
            "mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BPWD%3Dhush",
            "mssql+pyodbc:///?odbc_connect=***",
        ),
        (
            "s://h/d?sasl_password=a&key_passphrase=b&aws_secret_access_key=c&api_key=d&x=e",
            "s://h/d?sasl_password=***&key_passphrase=***&aws_secret_access_key=***&api_key=***&x=e",
        ),
        (
            "s://h/d?private_key=a&credentials_base64=b&keyspace=c",
            "s://h/d?private_key=***&credentials_base64=***&keyspace=c",
        ),
    ],
)
def test_secrets_are_masked(url: str, shown: str) -> None:
    assert mask(url) == shown


@pytest.mark.parametrize(
    "url",
    ["postgresql//u:pw-q@h/d", "postgresql:u:pw-q@h", "u:pw-q@h:5432", "postgresql:/u:p@pw-q@h"],
)
def test_what_is_no_url_shows_no_secret(url: str) -> None:
    with pytest.raises(UsageProblem, match="is not a URL") as caught:
        open_system("old", SystemSpec(url=url), Path("/plans"))
    assert "pw-q" not in str(caught.value)


def test_secrets_are_taken_out_of_messages() -> None:
    url = "postgresql://u:pa%3Ass@h/d?password=q%20q%20"
    text = redact(f"can't open {url}: pa:ss, pa%3Ass, q q ", url)
    assert "pa:ss" not in text
    assert "pa%3Ass" not in text
    assert "q q" not in text
    assert redact("a cat, password a", "x://u:a@h") == "*** cat, password ***"


def test_a_driver_that_is_missing_is_named() -> None:
    with pytest.raises(UsageProblem, match="pip install psycopg2-binary") as caught:
        open_system("old", SystemSpec(url="postgresql+psycopg2://u:secret@h/d"), Path())
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageProblem, match="pip install snowflake-sqlalchemy"):
        open_system("old", SystemSpec(url="snowflake://u:secret@h/d"), Path())


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("wrong", ["password", "database", "user"])
def test_a_refused_login(kind: str, wrong: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(kind)
    url = server.url("information_schema" if kind == "mariadb" else "postgres")
    scheme, account, place = re.split("://|@", url)
    url = {
        "password": f"{scheme}://safeguard:wr0ng-secret@{place}",
        "database": f"{url.rpartition('/')[0]}/not_there",
        "user": f"{scheme}://nobody_here:{account.partition(':')[2]}@{place}",
    }[wrong]
    with pytest.raises(SystemProblem) as caught:
        open_system("old", SystemSpec(url=url), Path())
    assert_tells_without_secret(caught.value, "***@127.0.0.1", PASSWORD, "wr0ng-secret")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_nobody_listens(scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"{scheme}://u:s3cret@127.0.0.1:{taken.getsockname()[1]}/d"
        with pytest.raises(SystemProblem, match="refused") as caught:
            open_system("old", SystemSpec(url=url), Path())
    assert_tells_without_secret(caught.value, "u:***@", "s3cret")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_an_unknown_host(scheme: str) -> None:
    with pytest.raises(SystemProblem) as caught:
        open_system("old", SystemSpec(url=f"{scheme}://u:s3cret@no-such-host.invalid/d"), Path())
    assert_tells_without_secret(caught.value, "no-such-host.invalid", "s3cret")


def assert_tells_without_secret(error: SafeguardError, expected: str, *secrets: str) -> None:
    text = str(error)
    assert expected in text
    assert text.startswith("old")
    assert "\n" not in text
    assert len(text) < 400
    assert not any(secret in text for secret in secrets)
    assert error.__cause__ is None


@pytest.mark.parametrize("password", ["hush-hush", "{hush-hush}", "a;b"])
def test_a_password_inside_a_connection_string_is_never_shown(password: str) -> None:
    text = (
        f"DRIVER={{ODBC}};SERVER=h;PWD={{{password}}}" if ";" in password else f"Pwd = {password}"
    )
    url = f"mssql+pyodbc:///?odbc_connect={quote_plus(text)}"
    assert password not in redact(f"login failed: {text}, {quote_plus(text)}", url)
