"""How every connection to PostgreSQL is opened, and what its errors mean."""

from __future__ import annotations

import math
import os
import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.raw_cursor import RawCursor

from safeguard.findings.trouble import ConnectionLost, SafeguardError, SystemProblem, UsageProblem
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
_WENT_AWAY = ("42P01", "3F000")
"""No such table or schema."""
_LOST = ("08", "57P0", "40001", "72000")
"""The connection failed; the server was shut down, crashed or ended our session; a standby, or an old
server, could not keep our snapshot."""
_ADBC_IO = 10
_CHECK_CLIENT = (140_000, b"SET client_connection_check_interval = '2s'")
"""A server that looks for its client ends what nobody waits for any more, and drops the snapshot."""
CANCEL_SECONDS = 2.0


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
    patience = {
        "statement_timeout": str(math.ceil(limits.statement_timeout * 1000)),
        "lock_timeout": str(math.ceil(limits.lock_timeout * 1000)),
    }
    wanted = {**_SETTINGS, **patience}
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
        version = connection.info.server_version
        connection.execute(settings(limits, version).encode())
        if version >= _CHECK_CLIENT[0]:
            with suppress(psycopg.errors.InvalidParameterValue):  # a platform that can't tell
                connection.execute(_CHECK_CLIENT[1])
    except BaseException:
        connection.close()
        raise
    return connection


def connect_plainly(given: dict[str, Any], limits: Limits) -> psycopg.Connection[Any]:
    """A connection as libraries expect it, with our settings: it begins transactions by itself and
    knows parameters. Raises psycopg.Error or OSError."""
    connection = psycopg.connect(**given)
    try:
        connection.execute(settings(limits, connection.info.server_version).encode())
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def sever(connection: psycopg.Connection[Any]) -> None:
    """Close a connection while another thread may be waiting for its answer: the statement is
    cancelled, and that thread gets an error. Never raises."""
    with suppress(psycopg.Error, OSError):
        if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
            connection.cancel_safe(timeout=CANCEL_SECONDS)
            with socket.socket(fileno=os.dup(connection.pgconn.socket)) as end:
                end.shutdown(socket.SHUT_RDWR)
    with suppress(psycopg.Error):
        connection.close()


def answer(
    connection: psycopg.Connection[Any], sql: str, values: Sequence[str], seconds: float
) -> list[str | None] | None:
    """The first row of a statement's answer; None where the server fails or says nothing for so many
    seconds, after which the connection is no longer usable. Raises psycopg.Error."""
    pgconn = connection.pgconn
    pgconn.send_query_params(sql.encode(), [v.encode() for v in values])
    answered = select.poll()
    answered.register(pgconn.socket, select.POLLIN)
    deadline = time.monotonic() + seconds
    while pgconn.is_busy():
        left = deadline - time.monotonic()
        if left <= 0 or not answered.poll(left * 1000):
            connection.close()
            return None
        pgconn.consume_input()
    result = pgconn.get_result()
    while pgconn.get_result() is not None:
        pass
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return None
    found = [result.get_value(0, i) for i in range(result.nfields)] if result.ntuples else []
    return [None if value is None else value.decode(errors="replace") for value in found]


def trouble(name: str, url: str, error: Exception, gone: bool = False) -> SafeguardError:
    """The server's words, short and without a secret, as a problem of the right family.

    `gone`: the selection was resolved before, so what is not there has gone away.
    """
    words = split_host(url) or redact(words_of(error), url)
    state = getattr(error, "sqlstate", None) or ""
    went_away = gone and state in _WENT_AWAY
    if state.startswith(_TO_MEND) and state not in _REFUSED and not went_away:
        return UsageProblem(f"{name}: {words}")
    lost = ConnectionLost if _is_lost(error, state) else SystemProblem
    return lost(f"{name} ({mask(url)}): {words}")


def _is_lost(error: Exception, state: str) -> bool:
    """Whether it was the connection that failed. Where the server said why not, it has a SQLSTATE."""
    if state:
        return state.startswith(_LOST)
    return isinstance(error, (psycopg.OperationalError, OSError)) or (
        getattr(error, "status_code", None) == _ADBC_IO
    )


def words_of(error: Exception) -> str:
    """The server's message without its context, which psycopg keeps in `diag`, ADBC in `details`."""
    for key, value in getattr(error, "details", None) or ():
        if key in ("PG_DIAG_MESSAGE_PRIMARY", b"PG_DIAG_MESSAGE_PRIMARY"):
            return bytes(value).decode(errors="replace")
    return getattr(getattr(error, "diag", None), "message_primary", None) or _first_line(error)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rpartition("[libpq] ")[2] if lines else type(error).__name__
