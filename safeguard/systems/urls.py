"""What a system's URL means, and how it is shown: never with a secret in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, unquote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from safeguard.contract.spelling import did_you_mean
from safeguard.findings.trouble import UsageProblem

HIDDEN = "***"
WHOLE = "odbc_connect"
"""A whole connection string in a URL's query: server, database and password in one value."""
_HIDDEN_KEYS = (
    r"(?:ssl|[a-z_]*_)?password|passwd|pwd|passfile|(?:[a-z_]*_)?(?:token|secret|passphrase"
    rf"|api_?key|secret_access_key|private_key)|credentials_base64|{WHOLE}"
)
_IN_WHOLE = re.compile(r"(?:^|;)\s*(?:pwd|password)\s*=\s*(\{(?:[^}]|}})*\}|[^;]*)", re.IGNORECASE)
_IN_QUERY = re.compile(rf"([?&;](?:{_HIDDEN_KEYS})=)([^&;#]*)", re.IGNORECASE)
_IN_AUTHORITY = re.compile(
    r"^([a-z][a-z0-9+_.-]*://[^:/@?]*:)([^?]*|(?!\d+[/?]).*)@", re.IGNORECASE | re.DOTALL
)
_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "psycopg2": "psycopg2-binary",
    "cx_Oracle": "cx_Oracle",
    "sqlcipher3": "sqlcipher3-binary",
}
_DIALECT_PACKAGES = {
    "awsathena": "PyAthena[SQLAlchemy]",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "databricks": "databricks-sqlalchemy",
    "db2": "ibm-db-sa",
    "hana": "sqlalchemy-hana",
    "ibm_db_sa": "ibm-db-sa",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "teradatasql": "teradatasqlalchemy",
    "trino": "trino[sqlalchemy]",
}


class Home(StrEnum):
    """Which session reads a system."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    FILES = "files"
    GENERIC = "generic"


_BARE = {
    "postgresql": Home.POSTGRESQL,
    "postgres": Home.POSTGRESQL,
    "mysql": Home.MYSQL,
    "mariadb": Home.MYSQL,
    "sqlite": Home.SQLITE,
    "duckdb": Home.DUCKDB,
    "files": Home.FILES,
}


@dataclass(frozen=True)
class Address:
    """A URL and the session it belongs to; `path` is absolute, of files and folders only."""

    home: Home
    url: str
    path: Path | None = None


def classify(url: str, folder: Path) -> Address:
    """Which session reads this URL. Relative paths are relative to `folder`, the plan's."""
    home = home_of(url)
    if home in (Home.FILES, Home.SQLITE, Home.DUCKDB):
        return Address(home, url, _path(file_of(url), url, folder))
    parse(url)
    return Address(home, url)


def home_of(url: str) -> Home:
    """Which session reads this URL, by its scheme."""
    return _BARE.get(url.partition(":")[0].lower(), Home.GENERIC)


def file_of(url: str) -> str:
    """The path in a URL of a file or folder. Raises UsageProblem where it names none."""
    scheme, _, rest = url.partition(":")
    if home_of(url) is Home.FILES:
        return rest.removeprefix("//")
    if not rest.startswith("///") or rest.strip("/") in ("", ":memory:"):
        raise UsageProblem(f"`{url}` names no file; write {scheme}:///FILE")
    return rest[3:].partition("?")[0]


def is_secret(key: str) -> bool:
    """Whether what a URL's query has under this key is a secret."""
    return re.fullmatch(_HIDDEN_KEYS, key, re.IGNORECASE) is not None


def parse(url: str) -> URL:
    """The URL in parts. Raises UsageProblem that shows no secret."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise UsageProblem(
            f"`{_unread(url)}` is not a URL; write scheme://user:password@host:port/database"
            " with special characters %-encoded, or files:FOLDER"
        ) from None


def mask(url: str) -> str:
    """The URL with *** for its password and for secrets in its query."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_AUTHORITY.sub(rf"\1{HIDDEN}@", url))


def _unread(url: str) -> str:
    """Of what is no URL, what can't be a secret: nobody knows where in it a password stands, so
    everything before the last @ is hidden."""
    _, at, rest = mask(url).rpartition("@")
    return f"{HIDDEN}{at}{rest}" if at else rest


def redact(text: str, url: str) -> str:
    """The text with every secret of the URL replaced, as it stands there or decoded."""
    text = text.replace(url, mask(url))
    for secret in sorted(_secrets(url), key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
        else:  # a short one is a part of many words
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def split_host(url: str) -> str | None:
    """Why no server can be found by a URL whose password holds an @: its host begins amid the
    password, so a server's own words would tell the rest of it."""
    if "@" not in (parse(url).host or ""):
        return None
    return "its host can't be told from its password: is the password %-encoded?"


def require_driver(url: str) -> None:
    """See that SQLAlchemy has the dialect and driver of a URL, else say what to install."""
    parsed = parse(url)
    try:
        parsed.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise UsageProblem(
            f"`{mask(url)}`: SQLAlchemy knows no `{parsed.drivername}` here"
            f"{_instead(parsed.drivername)}"
        ) from None
    except ImportError as missing:
        module = (missing.name or parsed.get_driver_name()).split(".")[0]
        package = _PACKAGES.get(module, module)
        raise UsageProblem(
            f"`{mask(url)}` needs the driver `{module}`: pip install {package}"
        ) from None


def _instead(dialect: str) -> str:
    """What to install for a dialect that is not there, or which one was meant."""
    name = dialect.split("+")[0]
    if package := _DIALECT_PACKAGES.get(name):
        return f"; pip install {package}"
    meant = did_you_mean(name, [*_BARE, *_DIALECT_PACKAGES])
    return f".{meant}" if meant else ""


def _secrets(url: str) -> set[str]:
    found = {match[2] for match in _IN_QUERY.finditer(url)}
    found |= {match[1] for whole in found for match in _IN_WHOLE.finditer(unquote_plus(whole))}
    if match := _IN_AUTHORITY.match(url):
        found.add(match[2])
    decoded = {decode(secret) for secret in found for decode in (unquote, unquote_plus)}
    return (found | decoded) - {"", HIDDEN}


def _path(text: str, url: str, folder: Path) -> Path:
    if not text:
        raise UsageProblem(f"`{url}` names no folder; write files:FOLDER")
    return (folder / Path(text).expanduser()).resolve()
