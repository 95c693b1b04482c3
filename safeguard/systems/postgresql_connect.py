"""How every connection to PostgreSQL is opened, and what its errors mean."""

from __future__ import annotations

import math
from typing import Any

import psycopg
from psycopg.raw_cursor import RawCursor

from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.systems.interface import Limits
from safeguard.systems.urls import mask, parse, redact, split_host

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
NEVER_BY_ITSELF = 1_000_000_000  # None would make psycopg ignore `prepare=True` too
_SETTINGS = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",  # the shortest digits that give the same float back
    "bytea_output": "hex",
    "xmloption": "content",
    "row_security": "off",  # an error, where a policy would hide rows from us in silence
    "idle_in_transaction_session_timeout": "0",
}
_NEWER = {"idle_session_timeout": 140_000, "transaction_timeout": 170_000}
"""What else ends a session that waits or a snapshot that is held for long, and since which version."""
_NETWORK = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    "application_name": "safeguard",
}
"""A network that was cut is noticed within half a minute, by a reader that waits too."""
_TO_MEND = ("0A", "21", "22", "25", "2F", "38", "39", "42", "44", "P0")
"""Classes of SQLSTATE that a person mends in the contract's SQL (25 is an attempt to write)."""
_REFUSED = ("42501", "22021", "22P05")  # no permission; bytes that are not in our encoding
_NO_TABLE = "42P01"


def arguments(url: str, limits: Limits) -> dict[str, Any]:
    """What libpq takes, of a SQLAlchemy URL; what the URL says goes before our defaults."""
    parsed = parse(url).set(drivername="postgresql+psycopg")
    _, given = parsed.get_dialect()().create_connect_args(parsed)
    patience = {"connect_timeout": math.ceil(limits.connect_timeout)}
    return {**patience, **_NETWORK, **given, "client_encoding": "UTF8"}


def begin(snapshot: str | None) -> str:
    """The statements that begin a transaction, in a snapshot that was exported where one is given."""
    if snapshot is None:
        return _BEGIN
    return f"{_BEGIN}; SET TRANSACTION SNAPSHOT '{snapshot.replace(chr(39), '')}'"


def settings(limits: Limits, version: int) -> str:
    """The statements that make a new connection read only, exact and as patient as is wished."""
    wanted = {**_SETTINGS, "statement_timeout": str(math.ceil(limits.statement_timeout * 1000))}
    wanted.update({key: "0" for key, since in _NEWER.items() if version >= since})
    return "; ".join(f"SET {key} = '{value}'" for key, value in wanted.items())


def connect(given: dict[str, Any], limits: Limits) -> psycopg.Connection[Any]:
    """A connection with our settings. Raises psycopg.Error or OSError."""
    connection = psycopg.connect(
        **given,
        autocommit=True,
        prepare_threshold=NEVER_BY_ITSELF,
        cursor_factory=RawCursor,
    )
    try:
        connection.execute(settings(limits, connection.info.server_version).encode())
    except BaseException:
        connection.close()
        raise
    return connection


def trouble(name: str, url: str, error: Exception, gone: bool = False) -> SafeguardError:
    """The server's words, short and without a secret, as a problem of the right family.

    `gone`: the selection was resolved before, so a table that is not there has gone away.
    """
    words = split_host(url) or redact(words_of(error), url)
    state = getattr(error, "sqlstate", None) or ""
    went_away = gone and state == _NO_TABLE
    if state.startswith(_TO_MEND) and state not in _REFUSED and not went_away:
        return UsageProblem(f"{name}: {words}")
    return SystemProblem(f"{name} ({mask(url)}): {words}")


def words_of(error: Exception) -> str:
    """The server's message without its context, which psycopg keeps in `diag`, ADBC in `details`."""
    for key, value in getattr(error, "details", None) or ():
        if key in ("PG_DIAG_MESSAGE_PRIMARY", b"PG_DIAG_MESSAGE_PRIMARY"):
            return bytes(value).decode(errors="replace")
    return getattr(getattr(error, "diag", None), "message_primary", None) or _first_line(error)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rpartition("[libpq] ")[2] if lines else type(error).__name__
