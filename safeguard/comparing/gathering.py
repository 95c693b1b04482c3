"""All sources of one content, read at once: each counted by its system and stored by bucket.

A lost connection costs only the task that it served while its snapshot stands. When the snapshot is
gone, everything of that system that the content needs is read again in a new one.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from safeguard.comparing.buckets import BucketFile, Buckets
from safeguard.comparing.entries import stored
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.reading import ReadDone, read_part
from safeguard.findings.progress import ProgressListener
from safeguard.findings.trouble import ConnectionLost, SystemProblem
from safeguard.planning.layout import ContentPlan, NewPlan, SourcePlan
from safeguard.systems.interface import Part, Selection
from safeguard.systems.opened import Systems

MOST_PARTS = 4096
"""Of one source: with it the numbers of old entries tell their sources apart."""
TRIES = 4
"""So often one source is read when its connections are lost again and again."""

Key = tuple[str, int]
"""("old" or "new", index of the source)."""


@dataclass(frozen=True)
class Gathered:
    """One source, read to its end. `every` are the rows before `where`, by the system's own count."""

    read: int
    deleted: int
    counted: int
    every: int
    files: tuple[BucketFile, ...]


def key_of(source: SourcePlan) -> Key:
    """What a source is called in a journal and in file names."""
    return ("new" if isinstance(source, NewPlan) else "old", source.index)


class Gathering:
    """Reads the sources of one content. `kin` are the owner slots that have a kin table.

    With `asked`, only what these selections leave is read of each source (nothing where it is None),
    and only in the snapshots that are open now. `folder` is where the files go.
    """

    def __init__(
        self,
        exchange: Exchange,
        buckets: Buckets,
        plan: ContentPlan,
        systems: Systems,
        progress: ProgressListener,
        kin: frozenset[str],
        asked: Mapping[Key, Selection | None] | None = None,
        folder: str = "",
    ) -> None:
        self.exchange, self.buckets, self.plan = exchange, buckets, plan
        self.systems, self.progress, self.kin, self.asked = systems, progress, kin, asked
        self.content = plan.contract.content
        self.folder = folder or folder_of(self.content)
        self._given_up = threading.Event()

    def gather(
        self, sources: Iterable[SourcePlan], done: Callable[[SourcePlan, Gathered], None]
    ) -> None:
        """Read these sources; `done` is called with each as soon as it is whole, here and not in a
        thread. A source may be done a second time, when its system's snapshot was lost.

        Raises SystemProblem when a system does not come back, SnapshotGone where only its old
        snapshot would do, UsageProblem for SQL that fails on the data, OutOfRoom.
        """
        wanted = {key_of(s): s for s in sources}
        every, tries = dict(wanted), dict.fromkeys(wanted, 0)
        while wanted:
            lost: dict[Key, ConnectionLost] = {}
            for key, found in self._at_once(wanted.values()):
                if isinstance(found, ConnectionLost):
                    lost[key] = found
                else:
                    done(wanted[key], found)
            wanted = {}
            for key, problem in lost.items():
                tries[key] += 1
                if tries[key] >= TRIES:
                    raise problem
                system = every[key].system
                again = {k for k, s in every.items() if s.system == system}
                mended = self.systems.mend(system, problem)
                if mended and self.asked is not None:
                    raise SnapshotGone(f"the snapshot in which {system} was asked is gone")
                keys = again if mended else {key}
                wanted |= {k: every[k] for k in keys}

    def _at_once(
        self, sources: Iterable[SourcePlan]
    ) -> Iterator[tuple[Key, Gathered | ConnectionLost]]:
        """Read sources side by side. Any other trouble than a lost connection ends them all."""
        sources = list(sources)
        self._given_up = threading.Event()
        parts = {key_of(s): self._parts(s, len(sources)) for s in sources}
        pool = ThreadPoolExecutor(sum(len(p) + 1 for p in parts.values()), "read")
        try:
            begun = [(s, *self._begin(pool, s, parts[key_of(s)])) for s in sources]
            for source, reads, count in begun:
                try:
                    yield key_of(source), self._whole(reads, count)
                except ConnectionLost as problem:
                    yield key_of(source), problem
                self.progress.finished(self.content, source.system)
        except BaseException as error:
            self._given_up.set()
            if not isinstance(error, Exception):  # Ctrl-C: what still waits for a server must end
                self.systems.close()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _parts(self, source: SourcePlan, sources: int) -> tuple[Part, ...]:
        """As many as the cores here can turn into buckets beside those of the other sources."""
        most = max(1, (os.cpu_count() or 1) // max(1, sources))
        selection = self._wanted(source)
        return () if selection is None else self.systems[source.system].parts(selection, most)

    def _wanted(self, source: SourcePlan) -> Selection | None:
        return source.selection if self.asked is None else self.asked[key_of(source)]

    def _begin(
        self, pool: ThreadPoolExecutor, source: SourcePlan, parts: tuple[Part, ...]
    ) -> tuple[list[Future[ReadDone]], Future[tuple[int, ...]]]:
        self.progress.started(self.content, source.system, None)
        selection = source.selection
        session = self.systems[source.system]
        reads = [pool.submit(self._read, source, part) for part in parts]
        return reads, pool.submit(session.count, selection.relation, None, selection.where)

    @staticmethod
    def _whole(reads: list[Future[ReadDone]], count: Future[tuple[int, ...]]) -> Gathered:
        found = [read.result() for read in reads]
        every, wanted = count.result()
        return Gathered(
            read=sum(f.rows for f in found),
            deleted=sum(f.deleted for f in found),
            counted=wanted,
            every=every,
            files=tuple(file for f in found for file in f.files),
        )

    def _read(self, source: SourcePlan, part: Part) -> ReadDone:
        side, index = key_of(source)
        pace = self.systems.pace(source.system)

        def advanced(rows: int) -> None:
            self.progress.advanced(self.content, source.system, rows)

        return read_part(
            self.exchange,
            self.buckets,
            self._batches(source, part, pace.spend),
            source.columns,
            stored(self.plan, source, self.kin),
            f"{self.folder}/{side}-{index}-{part.number:05}",
            (index * MOST_PARTS if side == "old" else 0) + part.number,
            advanced,
        )

    def _batches(
        self, source: SourcePlan, part: Part, spent: Callable[[int], None]
    ) -> Iterator[pa.RecordBatch]:
        selection = self._wanted(source)
        if selection is None:
            return
        for batch in self.systems[source.system].stream(selection, part):
            if self._given_up.is_set() or self.systems.stopped.is_set():
                raise SystemProblem("the reading was given up")
            yield batch
            spent(batch.num_rows)


class SnapshotGone(SystemProblem):
    """What was asked of a system is no longer true of what can be read of it."""


def folder_of(content: str) -> str:
    """A folder's name for a content, whatever letters its name has."""
    return "content-" + hashlib.sha256(content.encode()).hexdigest()[:16]


def files_by_source(found: Mapping[Key, Gathered], side: str) -> dict[int, tuple[BucketFile, ...]]:
    """index of the source -> its files, for one side."""
    return {index: g.files for (where, index), g in found.items() if where == side}
