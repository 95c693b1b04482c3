"""All sources of one content, read at once: each counted by its system and stored by bucket.

A lost connection costs only the task that it served while its snapshot stands. When the snapshot is
gone, everything of that system that the content needs is read again in a new one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import zip_longest

import pyarrow as pa

from safeguard.comparing.buckets import BucketFile, folder_of
from safeguard.comparing.reading import ReadDone
from safeguard.comparing.restriction import Restriction, among_wanted
from safeguard.comparing.workers import ReadOrder, Workers
from safeguard.findings.progress import ProgressListener
from safeguard.findings.trouble import ConnectionLost, SystemProblem
from safeguard.planning.layout import ContentPlan, NewPlan, SourcePlan
from safeguard.systems.canonical import Storage
from safeguard.systems.interface import Part, Selection
from safeguard.systems.opened import TRIES, Systems

BUCKET_BYTES, MOST_BUCKETS = 12 << 20, 1024
"""How large a bucket is meant to be, of all sources together. Owners with more entries make larger
ones, for a customer is never cut in two."""
_WIDTHS = {
    Storage.INT64: 8,
    Storage.FLOAT64: 8,
    Storage.BOOL: 1,
    Storage.TEXT: 32,
    Storage.BINARY: 64,
}
"""Bytes of a value; of texts a guess."""

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
    buckets: int
    """Into so many its owners are hashed: the same for every source of a content."""
    ids: str = ""
    """What the content's crosswalks were when its rows were translated, see `crosswalks.digest`."""
    beside: int = 0
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Key slot -> the kinds of its raw values, see `canonical.kinds_of`."""


def key_of(source: SourcePlan) -> Key:
    """What a source is called in a journal and in file names."""
    return ("new" if isinstance(source, NewPlan) else "old", source.index)


class Gathering:
    """Reads the sources of one content. `kin` are the owner slots that have a kin table; `buckets`
    how many there are, where sources that were read before have them already.

    With `only`, no more than these selections leave is read of each source (nothing where it is
    None), and only in the snapshots that are open now. With `restriction`, only its owners are.
    `folder` is where the files go.
    """

    def __init__(
        self,
        plan: ContentPlan,
        systems: Systems,
        workers: Workers,
        progress: ProgressListener,
        kin: frozenset[str],
        buckets: int | None = None,
        only: Mapping[Key, Selection | None] | None = None,
        folder: str = "",
        restriction: Restriction | None = None,
    ) -> None:
        self.plan, self.workers, self.only = plan, workers, only
        self.restriction = restriction
        self.systems, self.progress, self.kin = systems, progress, kin
        self.content = plan.contract.content
        self.folder = folder or folder_of(self.content)
        self.buckets, self._are_chosen = buckets or 1, buckets is not None
        self._given_up = threading.Event()

    def gather(
        self,
        sources: Iterable[SourcePlan],
        begun: Callable[[Iterable[Key]], None],
        done: Callable[[SourcePlan, Gathered], None],
    ) -> None:
        """Read these sources; `begun` is called before what is known of them is overwritten, `done`
        with each as soon as it is whole, here and not in a thread. A source may be begun and done a
        second time, when its system's snapshot was lost.

        Raises SystemProblem when a system does not come back, SnapshotGone where only its old
        snapshot would do, UsageProblem for SQL that fails on the data, OutOfRoom.
        """
        wanted = {key_of(s): s for s in sources}
        every, tries = dict(wanted), dict.fromkeys(wanted, 0)
        while wanted:
            lost: dict[Key, ConnectionLost] = {}
            begun(wanted)
            for key, found in self._at_once(list(wanted.values())):
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
                mended = self.systems.mend(system, problem, tries[key])
                if mended and self.only is not None:
                    raise SnapshotGone(f"the snapshot in which {system} was asked is gone")
                keys = again if mended else {key}
                wanted |= {k: every[k] for k in keys}

    def _at_once(
        self, sources: list[SourcePlan]
    ) -> Iterator[tuple[Key, Gathered | ConnectionLost]]:
        """Read sources side by side. Any other trouble than a lost connection ends them all."""
        self._given_up = threading.Event()
        sources = [self._asked(source) for source in sources]
        with self._pool(sources) as pool:
            counts = {key_of(s): pool.submit(self._count, s) for s in sources}
            with self.systems.awaited(*{s.system for s in sources}):
                self._choose_buckets(sources, counts.values())
            reads = self._submit(pool, sources)
            for source in sources:
                key = key_of(source)
                yield key, self._found(source, reads[key], counts[key])
                self.progress.finished(self.content, source.system)

    @contextmanager
    def _pool(self, sources: list[SourcePlan]) -> Iterator[ThreadPoolExecutor]:
        """Threads that end when the block ends, and soon when it ends in trouble."""
        readers = {s.system: self.workers.readers(s.system) for s in sources}
        pool = ThreadPoolExecutor(max(len(sources), sum(readers.values())), "read")
        try:
            yield pool
        except BaseException as error:
            self._given_up.set()
            if not isinstance(error, Exception):  # Ctrl-C: what still waits for a server must end
                self.systems.close()
            self.workers.stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _found(
        self,
        source: SourcePlan,
        reads: list[Future[ReadDone]],
        count: Future[tuple[int, int]],
    ) -> Gathered | ConnectionLost:
        try:
            with self.systems.awaited(source.system):
                return _whole([r.result() for r in reads], *count.result(), self.buckets)
        except ConnectionLost as problem:
            return problem

    def _asked(self, source: SourcePlan) -> SourcePlan:
        """The source as it is asked for: whole, unless its system can tell the wanted owners."""
        if self.restriction is None:
            return source
        dialect = self.systems[source.system].info.dialect
        found = self.restriction.selection(self.plan, source, dialect, self.kin)
        return replace(source, selection=found or source.selection)

    def _count(self, source: SourcePlan) -> tuple[int, int]:
        selection = source.selection
        conditions = (selection.where,) if self.restriction else (None, selection.where)
        counts = self.systems[source.system].count(selection.relation, *conditions)
        every, wanted = counts[0], counts[-1]
        self.progress.started(self.content, source.system, wanted)
        return every, wanted

    def _choose_buckets(
        self, sources: Iterable[SourcePlan], counts: Iterable[Future[tuple[int, int]]]
    ) -> None:
        """So many that a few of them make a partition; where some sources are read already, as many
        as those have."""
        if self._are_chosen:
            return
        size = 0
        for source, count in zip(sources, counts, strict=True):
            with suppress(ConnectionLost):
                size += count.result()[1] * sum(_WIDTHS[c.storage] for c in source.columns)
        self.buckets, self._are_chosen = min(MOST_BUCKETS, 1 + size // BUCKET_BYTES), True

    def _submit(
        self, pool: ThreadPoolExecutor, sources: Sequence[SourcePlan]
    ) -> dict[Key, list[Future[ReadDone]]]:
        """Parts of all sources in turn, so that all systems are at work and none has all readers."""
        reads: dict[Key, list[Future[ReadDone]]] = {key_of(s): [] for s in sources}
        cut: list[list[tuple[SourcePlan, Part]]] = []
        for source in sources:
            try:
                cut.append(self._cut(source, len(sources)))
            except ConnectionLost as problem:
                failed: Future[ReadDone] = Future()
                failed.set_exception(problem)
                reads[key_of(source)].append(failed)
        for each in zip_longest(*cut):
            for source, part in filter(None, each):
                reads[key_of(source)].append(pool.submit(self._read, source, part))
        return reads

    def _cut(self, source: SourcePlan, sources: int) -> list[tuple[SourcePlan, Part]]:
        selection = source.selection if self.only is None else self.only[key_of(source)]
        if selection is None:
            return []
        source = replace(source, selection=selection)
        # What a server is asked for by its owners is one: ranges keep it from its index.
        most = 1 if self.restriction else self.workers.parts(source.system, sources)
        with self.systems.awaited(source.system):
            parts = self.systems[source.system].parts(source.selection, most)
        return [(source, part) for part in parts]

    def _read(self, source: SourcePlan, part: Part) -> ReadDone:
        side, index = key_of(source)

        def advanced(rows: int) -> None:
            self.progress.advanced(self.content, source.system, rows)

        order = ReadOrder(
            self.plan,
            source,
            part,
            self.kin,
            self.buckets,
            f"{self.folder}/{side}-{index}-{part.number:05}",
            among_wanted(self.plan, self.kin) if self.restriction else None,
        )
        return self.workers.read(order, partial(self._paced, source.system), advanced)

    def _paced(self, system: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pace = self.systems.pace(system)
        for batch in batches:
            if self._given_up.is_set() or self.systems.stopped.is_set():
                raise SystemProblem("the reading was given up")
            yield batch
            pace.spend(batch.num_rows)
            self.systems.heard(system)


class SnapshotGone(SystemProblem):
    """What was asked of a system is no longer true of what can be read of it."""


def _whole(reads: list[ReadDone], every: int, counted: int, buckets: int) -> Gathered:
    slots = {slot for r in reads for slot in r.kinds}
    return Gathered(
        read=sum(r.rows for r in reads),
        deleted=sum(r.deleted for r in reads),
        counted=counted,
        every=every,
        files=tuple(file for r in reads for file in r.files),
        buckets=buckets,
        beside=sum(r.beside for r in reads),
        kinds={slot: sorted({k for r in reads for k in r.kinds.get(slot, ())}) for slot in slots},
    )


def files_by_source(found: Mapping[Key, Gathered], side: str) -> dict[int, tuple[BucketFile, ...]]:
    """index of the source -> its files, for one side."""
    return {index: g.files for (where, index), g in found.items() if where == side}
