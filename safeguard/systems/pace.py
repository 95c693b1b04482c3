"""How fast a run may read: at most so many rows a second, and slower where a system is strained."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from safeguard.systems.interface import Session

WATCH_SECONDS = 2.0
"""A system is asked this often whether it bears the reading."""
LONGEST_PAUSE = 30.0
"""Before one batch; a strained system is read slowly, not never."""


class Pace:
    """The pace of one system, shared by all that read it. `max_rate` is in rows a second, 0 is none."""

    def __init__(
        self,
        session: Callable[[], Session],
        max_rate: float,
        told: Callable[[str], None],
        stopped: threading.Event,
    ) -> None:
        self._session, self._max_rate, self._told, self._stopped = session, max_rate, told, stopped
        self._lock = threading.Lock()
        self._free_at = time.monotonic()
        self._asked_at = time.monotonic()
        self._strain = ""

    def spend(self, rows: int) -> None:
        """Wait as long as these rows, just read, call for. Returns at once when the run is stopped."""
        if self._max_rate:
            self._stopped.wait(self._owed(rows))
        paused = 0.0
        while self._strained() and paused < LONGEST_PAUSE and not self._stopped.is_set():
            self._stopped.wait(0.5)
            paused += 0.5

    def kept_by(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches, each followed by the wait that it calls for."""
        for batch in batches:
            yield batch
            self.spend(batch.num_rows)

    def _owed(self, rows: int) -> float:
        """Seconds until the rate allows what is read next. What was not used is not saved up."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + rows / self._max_rate
            return max(0.0, self._free_at - now)

    def _strained(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now - self._asked_at < WATCH_SECONDS:
                return bool(self._strain)
            self._asked_at = now
        found = self._session().strain()
        if found and found != self._strain:
            self._told(f"reading slowly: {found}")
        self._strain = found
        return bool(found)
