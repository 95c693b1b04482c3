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
from safeguard.comparing.restriction import Restriction, among_wanted
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
    """One source, read to its end. `every` are the rows before `where`, by the system's own count;
    `beside` those that were read and counted although a restriction does not ask for them."""

    read: int
    deleted: int
    counted: int
    every: int
    files: tuple[BucketFile, ...]
    beside: int = 0


def key_of(source: SourcePlan) -> Key:
    """What a source is called in a journal and in file names."""
    return ("new" if isinstance(source, NewPlan) else "old", source.index)


class Gathering:
    """Reads the sources of one content, or `only` some owners of them. `kin` are the owner slots that
    have a kin table."""

    def __init__(
        self,
        exchange: Exchange,
        buckets: Buckets,
        plan: ContentPlan,
        systems: Systems,
        progress: ProgressListener,
        kin: frozenset[str],
        only: Restriction | None = None,
    ) -> None:
        self.exchange, self.buckets, self.plan = exchange, buckets, plan
        self.systems, self.progress, self.kin = systems, progress, kin
        self.content = plan.contract.content
        self.only = only
        self._given_up = threading.Event()
        self._asked: dict[Key, Selection] = {}

    def gather(
        self, sources: Iterable[SourcePlan], done: Callable[[SourcePlan, Gathered], None]
    ) -> None:
        """Read these sources; `done` is called with each as soon as it is whole, here and not in a
        thread. A source may be done a second time, when its system's snapshot was lost.

        Raises SystemProblem when a system does not come back, UsageProblem for SQL that fails on the
        data, OutOfRoom.
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
                keys = again if self.systems.mend(system, problem) else {key}
                wanted |= {k: every[k] for k in keys}

    def _at_once(
        self, sources: Iterable[SourcePlan]
    ) -> Iterator[tuple[Key, Gathered | ConnectionLost]]:
        """Read sources side by side. Any other trouble than a lost connection ends them all."""
        sources = list(sources)
        self._given_up = threading.Event()
        self._asked = {key_of(s): self._ask(s) for s in sources}
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
        """As many as the cores here can turn into buckets beside those of the other sources. What a
        server is asked for by its owners is one: ranges would keep it from its index."""
        if self._asked[key_of(source)] is not source.selection:
            return (Part(),)
        most = max(1, (os.cpu_count() or 1) // max(1, sources))
        return self.systems[source.system].parts(source.selection, most)

    def _begin(
        self, pool: ThreadPoolExecutor, source: SourcePlan, parts: tuple[Part, ...]
    ) -> tuple[list[Future[ReadDone]], Future[tuple[int, ...]]]:
        self.progress.started(self.content, source.system, None)
        selection = self._asked[key_of(source)]
        session = self.systems[source.system]
        reads = [pool.submit(self._read, source, part) for part in parts]
        wanted = (selection.where,) if self.only else (None, selection.where)
        return reads, pool.submit(session.count, selection.relation, *wanted)

    def _ask(self, source: SourcePlan) -> Selection:
        """What the source's system is asked for: the whole selection, unless it knows the owners."""
        if self.only is None:
            return source.selection
        dialect = self.systems[source.system].info.dialect
        found = self.only.selection(self.plan, source, dialect, self.kin)
        return found or source.selection

    @staticmethod
    def _whole(reads: list[Future[ReadDone]], count: Future[tuple[int, ...]]) -> Gathered:
        found = [read.result() for read in reads]
        counts = count.result()
        return Gathered(
            read=sum(f.rows for f in found),
            deleted=sum(f.deleted for f in found),
            counted=counts[-1],
            every=counts[0],
            files=tuple(file for f in found for file in f.files),
            beside=sum(f.beside for f in found),
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
            f"{self.content_folder}/{side}-{index}-{part.number:05}",
            (index * MOST_PARTS if side == "old" else 0) + part.number,
            advanced,
            None if self.only is None else among_wanted(self.plan, self.kin),
        )

    @property
    def content_folder(self) -> str:
        """Where the files of this content lie."""
        return folder_of(self.content)

    def _batches(
        self, source: SourcePlan, part: Part, spent: Callable[[int], None]
    ) -> Iterator[pa.RecordBatch]:
        for batch in self.systems[source.system].stream(self._asked[key_of(source)], part):
            if self._given_up.is_set() or self.systems.stopped.is_set():
                raise SystemProblem("the reading was given up")
            yield batch
            spent(batch.num_rows)


def folder_of(content: str) -> str:
    """A folder's name for a content, whatever letters its name has."""
    return "content-" + hashlib.sha256(content.encode()).hexdigest()[:16]


def files_by_source(found: Mapping[Key, Gathered], side: str) -> dict[int, tuple[BucketFile, ...]]:
    """index of the source -> its files, for one side."""
    return {index: g.files for (where, index), g in found.items() if where == side}
