"""A second connection, beside that of the snapshot: it ends queries and sees how the server bears us."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from safeguard.systems.interface import Limits
from safeguard.systems.mysql_connect import connected, cut

_ANSWER_SECONDS = 5.0
_MANY_THREADS = 50
_LAG_SECONDS = 10
_STATUS = (
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Innodb_row_lock_current_waits')"
)
_SILENT = ((2003,), (2006,), (2013,))
"""Errors that are not the server's own words."""
_REPLICA = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
"""In the words of new servers and of old ones; who may not ask gets no answer."""
_LAG = ("Seconds_Behind_Source", "Seconds_Behind_Master")


class Aside:
    """Opened when it is first needed, again when it was lost. Outside of the snapshot."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url, self._limits = url, limits
        self._lock = threading.Lock()
        self._connection: Any = None
        self._threads_at_first: int | None = None

    def kill_query(self, connection_id: int) -> bool:
        """End what that connection is doing, not the connection. False if it could not be asked."""
        try:
            self._ask(f"KILL QUERY {connection_id}")
        except (pymysql.Error, OSError):
            return False
        return True

    def stands(self, connection_id: int) -> bool:
        """Whether the server still has that connection. One that answers anything else is there."""
        sql = f"SELECT 1 FROM information_schema.processlist WHERE id = {connection_id}"
        try:
            return bool(self._ask(sql))
        except (OSError, pymysql.InterfaceError):
            return False
        except pymysql.Error as error:
            return error.args[:1] not in _SILENT

    def strain(self) -> str:
        """See `Session.strain`. A server that does not answer is strained."""
        try:
            status = {row["Variable_name"]: int(row["Value"]) for row in self._ask(_STATUS)}
            behind = self._behind()
        except (pymysql.Error, OSError) as error:
            return f"its server does not answer a second connection ({type(error).__name__})"
        return self._strain_of(status, behind)

    def close(self) -> None:
        """Give the connection back. Never raises."""
        with self._lock:
            if self._connection is not None:
                cut(self._connection)
            self._connection = None

    def _strain_of(self, status: dict[str, int], behind: int) -> str:
        running = status.get("Threads_running", 0)
        if self._threads_at_first is None:
            self._threads_at_first = running
        waits = status.get("Innodb_row_lock_current_waits", 0)
        if running > max(_MANY_THREADS, 2 * self._threads_at_first + 10):
            return f"{running} statements run at once, {self._threads_at_first} did at first"
        if behind > _LAG_SECONDS:
            return f"its replication is {behind} seconds behind"
        return f"{waits} statements wait for locks of rows" if waits else ""

    def _behind(self) -> int:
        """Seconds that this server lags behind the one it copies; 0 if it copies none."""
        for question in _REPLICA:
            with suppress(pymysql.Error, OSError):
                rows = self._ask(question)
                return max((int(row.get(lag) or 0) for row in rows for lag in _LAG), default=0)
        return 0

    def _ask(self, sql: str) -> list[dict[str, Any]]:
        """The rows of an answer. A connection that was lost meanwhile is opened once more."""
        with self._lock:
            known = self._connection
            try:
                return self._answer(sql)
            except (pymysql.Error, OSError):
                if known is None or self._connection is not None:
                    raise
                return self._answer(sql)

    def _answer(self, sql: str) -> list[dict[str, Any]]:
        if self._connection is None:
            self._connection = connected(self._url, self._limits)
            self._connection._read_timeout = _ANSWER_SECONDS
        try:
            with self._connection.cursor(DictCursor) as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            if self._connection._sock is None:  # lost
                self._connection = None
