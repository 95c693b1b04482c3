"""Whether a PostgreSQL server bears the reading well, asked on a small connection of its own."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import psycopg

from safeguard.systems.interface import Limits
from safeguard.systems.postgresql_connect import answer, connect

LAG_SECONDS = 10
ANSWER_SECONDS = 3.0
_PATIENCE = Limits(statement_timeout=2, lock_timeout=1)
_WAITING_SQL = """
SELECT count(DISTINCT l.pid)::int FROM pg_catalog.pg_locks l
WHERE NOT l.granted AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY(
  SELECT a.pid FROM pg_catalog.pg_stat_activity a
  WHERE a.application_name = pg_catalog.current_setting('application_name'))
"""
_STANDBY_SQL = """
SELECT extract(epoch FROM now() - pg_catalog.pg_last_xact_replay_timestamp())::int8
       * (pg_catalog.pg_last_wal_receive_lsn() <> pg_catalog.pg_last_wal_replay_lsn())::int,
       (SELECT c.confl_lock + c.confl_snapshot + c.confl_bufferpin + c.confl_tablespace
        FROM pg_catalog.pg_stat_database_conflicts c WHERE c.datname = current_database())
WHERE pg_catalog.pg_is_in_recovery()
"""
_STANDS_SQL = """
SELECT 1 FROM pg_catalog.pg_stat_activity
WHERE pid = $1::int AND application_name = pg_catalog.current_setting('application_name')
"""


class Watch:
    """Sees whether the connections that are called like ours are in somebody's way. Never raises."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = {**given, "connect_timeout": 2}
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._conflicts: int | None = None

    def strain(self) -> str:
        """See `Session.strain`."""
        with self._lock:
            found = [self._waiting()]
            if self._connection is not None:
                found += self._standby()
        return "; ".join(words for words in found if words)

    def stands(self, pid: int) -> bool:
        """Whether the server still has the session with this process id."""
        with self._lock:
            return bool(self._ask(_STANDS_SQL, str(pid)))

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._drop()

    def _waiting(self) -> str:
        row = self._ask(_WAITING_SQL)
        waiting = int(row[0] or 0) if row else 0
        sessions = "session waits" if waiting == 1 else "sessions wait"
        return f"{waiting} {sessions} for a lock that the reading holds" if waiting else ""

    def _standby(self) -> list[str]:
        row = self._ask(_STANDBY_SQL)
        if not row:
            return []
        lag, conflicts = (None if value is None else int(value) for value in row)
        before, self._conflicts = self._conflicts, conflicts
        said = []
        if lag is not None and lag > LAG_SECONDS:
            said.append(f"the standby lags {lag} seconds behind")
        if before is not None and conflicts is not None and conflicts > before:
            said.append("the standby has cancelled queries to go on replaying")
        return said

    def _ask(self, sql: str, *values: str) -> list[str | None]:
        """The one row; nothing where there is none, and where the server refuses or does not answer."""
        with suppress(psycopg.Error, OSError):
            if self._connection is None:
                self._connection = connect(self._given, _PATIENCE)
            found = answer(self._connection, sql, values, ANSWER_SECONDS)
            if found is not None:
                return found
        self._drop()
        return []

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
