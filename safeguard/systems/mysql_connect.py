"""Connections to MariaDB and MySQL: what each is told, and how long it waits for a dead network."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.converters import conversions, encoders

from safeguard.systems.interface import Limits
from safeguard.systems.urls import parse

_FOREVER = 31_536_000
_NETWORK_SECONDS = 60
_BEGIN = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')",
    "SET SESSION sql_select_limit = 18446744073709551615",
    f"SET SESSION net_write_timeout = {_FOREVER}",
    f"SET SESSION wait_timeout = {_FOREVER}",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_OF_MARIADB = ("idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0")
_UNKNOWN_VARIABLE = 1193


def connect_arguments(url: str, limits: Limits) -> dict[str, Any]:
    """What PyMySQL takes, of a SQLAlchemy URL. Values come as the server's own text."""
    parsed = parse(url).set(drivername="mysql+pymysql")
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    arguments.setdefault("connect_timeout", limits.connect_timeout or _FOREVER)
    return {**arguments, "charset": "utf8mb4", "autocommit": True, "conv": dict(encoders)}


def connected(url: str, limits: Limits, conv: Mapping[Any, Any] | None = None) -> Any:
    """A connection that answers, without a time limit on its answers; values come as text, or as
    `conv` converts them. Raises pymysql.Error."""
    arguments = connect_arguments(url, limits)
    if conv is not None:
        arguments["conv"] = dict(conv)
    patience = float(arguments["connect_timeout"])
    connection: Any = pymysql.connect(**{**arguments, "read_timeout": patience})
    connection._read_timeout = None  # greeting took its time from it; a count may take hours
    _notice_dead_network(connection._sock)
    return connection


def begin(connection: Any, limits: Limits) -> None:
    """Start the snapshot: read only, in UTC and UTF-8, never ended by the server for idling."""
    mariadb = is_mariadb(connection)
    with connection.cursor() as cursor:
        for setting in _OF_MARIADB if mariadb else ():
            _set_if_known(cursor, setting)
        if limits.statement_timeout:
            cursor.execute(f"SET SESSION {_time_limit(mariadb, limits.statement_timeout)}")
        locks = math.ceil(limits.lock_timeout) or _FOREVER
        cursor.execute(f"SET SESSION lock_wait_timeout = {min(locks, _FOREVER)}")
        for statement in _BEGIN:
            cursor.execute(statement)


def connect_plainly(url: str, limits: Limits) -> Any:
    """A connection as libraries expect it, with Python's values and our settings, in no transaction.
    Raises pymysql.Error."""
    connection = connected(url, limits, conversions)
    try:
        begin(connection, limits)
        connection.rollback()
    except BaseException:
        cut(connection)
        raise
    return connection


def is_mariadb(connection: Any) -> bool:
    """Whether it is MariaDB that answers."""
    return "mariadb" in connection.get_server_info().lower()


def is_in_transaction(connection: Any, seconds: float) -> bool:
    """Whether the connection answers in time, and from within its transaction."""
    connection._read_timeout = seconds
    try:
        connection.ping(reconnect=False)
        return bool(connection.server_status & 1)  # SERVER_STATUS_IN_TRANS
    except (pymysql.Error, OSError):
        return False
    finally:
        connection._read_timeout = None


def cut(connection: Any) -> None:
    """Close without a goodbye, which a dead server would not hear. A thread that reads wakes up."""
    with suppress(pymysql.Error, OSError, AttributeError):
        connection._sock.shutdown(socket.SHUT_RDWR)
    with suppress(pymysql.Error, OSError):
        connection._force_close()


def _set_if_known(cursor: Any, setting: str) -> None:
    try:
        cursor.execute(f"SET SESSION {setting}")
    except pymysql.Error as error:
        if error.args[:1] != (_UNKNOWN_VARIABLE,):
            raise


def _time_limit(mariadb: bool, seconds: float) -> str:
    if mariadb:
        return f"max_statement_time = {seconds:f}"
    return f"max_execution_time = {max(1, round(seconds * 1000))}"


def _notice_dead_network(sock: socket.socket) -> None:
    """Have the kernel ask after a silent server, so that a cut network is an error in a minute
    while a server that works for an hour is not. A read timeout could not tell them apart."""
    if sock.family == getattr(socket, "AF_UNIX", None):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    quarter = _NETWORK_SECONDS // 4
    options = {
        "TCP_KEEPIDLE": quarter,
        "TCP_KEEPINTVL": quarter,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": _NETWORK_SECONDS * 1000,
    }
    for option, value in options.items():
        if hasattr(socket, option):  # macOS has not all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
