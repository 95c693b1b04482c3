"""The one connection to a SQLite file, by ADBC: read only, one read transaction until it is closed.

All that a session asks goes through it, so all of it sees one state. SQLite's locks belong to the
process: a second library with the same file open would take them away when it closes it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_manager import Error
from adbc_driver_sqlite import StatementOptions, dbapi

from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem

BATCH_ROWS = 65_536
_TROUBLE = (Error, pa.ArrowException, OSError, UnicodeDecodeError)
_PREFIX = re.compile(r"^[A-Z_]+: |^\[SQLite\] |^Failed to \w+ query: ")
_REFUSALS = (
    "malformed database",
    "database disk image is malformed",
    "file is not a database",
    "is locked",
    "disk I/O error",
    "unable to open",
    "out of memory",
    "is full",
    "locking protocol",
    "schema has changed",
    "too big",
    "interrupted",
    "readonly database",
    "authorization denied",
    "access permission denied",
)
"""SQLite's words of trouble with the file and not with the SQL (ADBC hands on no code)."""
_APART = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)""",
    re.DOTALL,
)
"""What SQLite reads as a string, a name or a comment: a `;` in it ends nothing."""


class SqliteConnection:
    """Statements take turns: SQLite answers one at a time, and others may run in other threads."""

    def __init__(self, name: str, path: Path, busy_seconds: float) -> None:
        self._name, self._path = name, path
        self._lock = threading.RLock()
        uri = f"file:{quote(str(path))}?mode=ro"
        try:
            self._connection = dbapi.connect(uri, autocommit=True)
        except _TROUBLE as error:
            raise self._closed_to_us(error) from error
        try:
            self.ask("PRAGMA query_only = 1")
            self.ask(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
            self.ask("BEGIN")
            self.ask("SELECT count(*) FROM sqlite_master")  # the first reading takes the snapshot
        except SafeguardError as error:
            self.close()
            raise self._closed_to_us(error) from error

    def close(self) -> None:
        """Give the file back. Never raises."""
        with self._lock, suppress(*_TROUBLE):
            self._connection.close()

    def ask(self, sql: str, what: str = "its tables") -> list[tuple[Any, ...]]:
        """All rows of a short answer. `what` is the plan's SQL that a mistake is told of."""
        with self._cursor(sql, what) as cursor:
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows

    def names(self, sql: str, what: str) -> list[str]:
        """The names of the columns of a SELECT."""
        with self._cursor(sql, what) as cursor:
            return [str(each[0]) for each in cursor.description or ()]

    def whole(self, sql: str, what: str) -> list[pa.RecordBatch]:
        """A result at once. ADBC chooses types by the first batch: look at `sqlite_rows`."""
        with self._cursor(sql, what) as cursor:
            return list(cursor.fetch_record_batch())

    def batches(self, sql: str, what: str) -> Iterator[pa.RecordBatch]:
        """A result batch by batch; others may ask between two of them."""
        with self._lock:
            cursor = self._executed(sql, what)
        try:
            reader = cursor.fetch_record_batch()
            while batch := self._next(reader, what):
                yield batch
        finally:
            with self._lock, suppress(*_TROUBLE):
                cursor.close()

    def answers(self, seconds: float) -> bool:
        """Whether the file can still be read; busy with somebody else's reading means that too."""
        if not self._lock.acquire(timeout=seconds):
            return True
        try:
            return bool(self.ask("SELECT count(*) FROM sqlite_master"))
        except SafeguardError:
            return False
        finally:
            self._lock.release()

    def _next(self, reader: pa.RecordBatchReader, what: str) -> pa.RecordBatch | None:
        try:
            with self._lock:
                return reader.read_next_batch()
        except StopIteration:
            return None
        except _TROUBLE as error:
            raise self._broken(error, what) from error

    @contextmanager
    def _cursor(self, sql: str, what: str) -> Iterator[dbapi.Cursor]:
        with self._lock:
            cursor = self._executed(sql, what)
            try:
                yield cursor
            except _TROUBLE as error:
                raise self._broken(error, what) from error
            finally:
                cursor.close()

    def _executed(self, sql: str, what: str) -> dbapi.Cursor:
        if ";" in _APART.sub("", sql):  # ADBC would run what stands before it, and say nothing
            raise UsageProblem(f"{self._name} does not understand `{what}`: one statement only")
        cursor = None
        try:
            options = {StatementOptions.BATCH_ROWS.value: BATCH_ROWS}
            cursor = self._connection.cursor(adbc_stmt_kwargs=options)
            cursor.execute(sql)
        except _TROUBLE as error:
            if cursor is not None:
                cursor.close()
            words = _words(error)
            if any(each in words for each in _REFUSALS):
                raise self._broken(error, what) from error
            raise UsageProblem(f"{self._name} does not understand `{what}`: {words}") from error
        return cursor

    def _broken(self, error: Exception, what: str) -> SystemProblem:
        return SystemProblem(
            f"{self._name} could not read {what}: {_words(error)} ({self._path.name})"
        )

    def _closed_to_us(self, error: Exception) -> SystemProblem:
        return SystemProblem(f"{self._name} could not be opened: {_words(error)}")


def _words(error: Exception) -> str:
    """SQLite's own words, without the driver's around them."""
    words = str(error).partition("\n")[0]
    while (shorter := _PREFIX.sub("", words)) != words:
        words = shorter
    return words
