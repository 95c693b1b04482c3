"""Stream queries of PostgreSQL as Arrow: ADBC's binary COPY, each read by a thread of its own.

The driver waits in C, where Ctrl-C is not heard and no other thread is kept waiting. So the caller
waits for the reading thread instead, and what it gives up is cancelled on the server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue

import adbc_driver_manager as adbc
import adbc_driver_postgresql as driver
import pyarrow as pa
from adbc_driver_manager._reader import AdbcRecordBatchReader  # keeps the SQLSTATE of an error

from safeguard.systems.postgresql_connect import words_of

BATCH_BYTES = 4 << 20
"""On the wire, where a row has 7 bytes or more. 1 to 16 MiB measure alike."""
READ_AHEAD = 2
GIVE_UP_SECONDS = 3.0
"""How long a reader that was given up is waited for; on a dead network it ends later, by itself."""

READ_ERRORS = (adbc.Error, pa.ArrowException, OSError)


class Readers:
    """Connections that read one snapshot, opened as they are needed, at most so many at a time."""

    def __init__(self, conninfo: str, settings: str, begin: str, most: int) -> None:
        self._conninfo, self._settings, self._begin = conninfo, settings, begin
        self._free = threading.Semaphore(most)
        self._opening, self._lock = threading.Lock(), threading.Lock()
        self._database: adbc.AdbcDatabase | None = None
        self._idle: list[adbc.AdbcConnection] = []
        self._readings: set[_Reading] = set()

    def stream(
        self, sql: str, at_end: Callable[[], None], local: str = ""
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one SELECT. `at_end` runs after the last, while the read's locks are held.
        `local` are statements of ours that hold for this read alone.

        Raises one of READ_ERRORS as the server meets it, and what `at_end` raises.
        """
        with self._free:
            reading = _Reading(self, sql, at_end, local)
            with self._lock:
                self._readings.add(reading)
            try:
                reading.start()
                yield from reading.batches()
            finally:
                reading.give_up()
                with self._lock:
                    self._readings.discard(reading)

    def close(self) -> None:
        """End all reads and connections. Never raises."""
        with self._lock:
            readings = list(self._readings)
        for reading in readings:
            reading.cancel()
        for reading in readings:
            reading.give_up()
        with self._lock:
            idle, self._idle = self._idle, []
            database, self._database = self._database, None
        for handle in (*idle, database):
            if handle is not None:
                _shut(handle)

    def taken(self) -> adbc.AdbcConnection:
        """A connection in a transaction of the snapshot. Raises ConnectionError: whatever the
        server says here, no contract's SQL is to blame."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        try:
            return _having_run(connection or self._opened(), self._begin)
        except adbc.Error as error:
            raise ConnectionError(words_of(error)) from error

    def _opened(self) -> adbc.AdbcConnection:
        with self._opening:
            if self._database is None:
                self._database = driver.connect(self._conninfo)
            connection = adbc.AdbcConnection(self._database)
        # Not in one script with BEGIN, whose ROLLBACK would take the settings back.
        return _having_run(connection, self._settings)

    def give_back(self, connection: adbc.AdbcConnection) -> None:
        """Keep a connection, whose transaction has ended, for the next read."""
        with self._lock:
            self._idle.append(connection)


class _Reading:
    """One query, read by one thread, ahead of who takes its batches."""

    def __init__(self, readers: Readers, sql: str, at_end: Callable[[], None], local: str) -> None:
        self._readers, self._sql, self._at_end, self._local = readers, sql, at_end, local
        self._read: Queue[pa.RecordBatch | BaseException | None] = Queue(READ_AHEAD)
        self._lock, self._ending = threading.Lock(), threading.Lock()
        self._connection: adbc.AdbcConnection | None = None
        self._given_up = threading.Event()
        self._given_up_at = 0.0
        self._thread = threading.Thread(target=self._run, name="postgresql-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was read, in order; raises what went wrong."""
        while (found := self._read.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
        self._thread.join()

    def cancel(self) -> None:
        """Begin to end the read, if it has not ended, and its connection with it."""
        with self._ending:  # not the lock under which a cancel waits for a server that is silent
            if self._given_up.is_set():
                return
            self._given_up_at = time.monotonic()
            self._given_up.set()
        if self._thread.is_alive():
            threading.Thread(target=self._cancel, name="postgresql-cancel", daemon=True).start()

    def give_up(self) -> None:
        """End the read, and wait for it, but not for ever."""
        self.cancel()
        end = self._given_up_at + GIVE_UP_SECONDS
        while self._thread.is_alive() and time.monotonic() < end:
            with suppress(Empty):  # room for what the thread still wants to hand on
                self._read.get_nowait()
            self._thread.join(0.02)
        with suppress(Full):  # who still waits for a batch, in another thread
            self._read.put_nowait(_given_up())

    def _cancel(self) -> None:
        """Again and again: a cancel that comes before its query is lost."""
        while self._thread.is_alive():
            with self._lock, suppress(adbc.Error):
                if self._connection is not None:
                    self._connection.cancel()
            self._thread.join(0.2)

    def _run(self) -> None:
        try:
            self._connection = self._readers.taken()
            self._send(self._connection)
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits must hear it
            if connection := self._let_go():
                _shut(connection)
            self._read.put(error)
        else:
            if connection := self._let_go():
                self._readers.give_back(connection)
            self._read.put(None)

    def _let_go(self) -> adbc.AdbcConnection | None:
        """From here on nothing of ours cancels what runs on the connection."""
        with self._lock:
            connection, self._connection = self._connection, None
        return connection

    def _send(self, connection: adbc.AdbcConnection) -> None:
        self._go_on()
        if self._local:
            _execute(connection, self._local)
        with adbc.AdbcStatement(connection) as statement:
            size = driver.StatementOptions.BATCH_SIZE_HINT_BYTES.value
            statement.set_options(**{size: str(BATCH_BYTES)})
            statement.set_sql_query(self._sql)
            stream, _ = statement.execute_query()
            reader = AdbcRecordBatchReader._import_from_c(stream.address)
            try:
                for batch in reader:
                    self._go_on()
                    self._read.put(batch)
            finally:
                reader.close()
        self._go_on()
        self._at_end()
        _execute(connection, "ROLLBACK")

    def _go_on(self) -> None:
        if self._given_up.is_set():
            raise _given_up()


def _given_up() -> InterruptedError:
    return InterruptedError("the read was given up")


def _having_run(connection: adbc.AdbcConnection, script: str) -> adbc.AdbcConnection:
    try:
        _execute(connection, script)
    except BaseException:
        _shut(connection)
        raise
    return connection


def _execute(connection: adbc.AdbcConnection, script: str) -> None:
    """Statements of ours, of which there may be several; a contract's SQL never comes here."""
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(script)
        statement.execute_update()


def _shut(handle: adbc.AdbcConnection | adbc.AdbcDatabase) -> None:
    """Close a handle of the driver, broken or not."""
    with suppress(adbc.Error, RuntimeError):  # RuntimeError: a reader on a dead network holds it
        handle.close()
