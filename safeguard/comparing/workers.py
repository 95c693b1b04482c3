"""Who carries out read and join tasks: this process, or the workers of a cluster (see cluster.py).

An order says everything that a task needs beside the tables and sessions at hand, and leaves the
same whoever carries it out, as often as that may be: what it writes has a name of its own each time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from safeguard.comparing.buckets import Buckets
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.entries import stored
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.partition import JoinDone, Partition, SourceFiles
from safeguard.comparing.reading import ReadDone, read_part
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.interface import Part, Session

Paced = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class ReadOrder:
    """Read one part of a source into buckets. `kin` are the owner slots that have a kin table."""

    plan: ContentPlan
    source: SourcePlan
    part: Part
    kin: frozenset[str]
    buckets: int
    name: str
    among: str | None = None
    """A query that leaves out whose entries are not asked for, see restriction.py."""


@dataclass(frozen=True)
class JoinOrder:
    """Compare the buckets first..last of a content."""

    plan: ContentPlan
    files: SourceFiles
    first: int
    last: int
    name: str
    reveal: bool


class Workers(Protocol):
    """Carries out orders. May be called from several threads at once; each call returns when the
    task is done, and raises what the task raised."""

    @property
    def joins_at_once(self) -> int:
        """So many join tasks may be given at one time."""

    def parts(self, system: str, sources: int) -> int:
        """Into so many parts a source is worth being cut, beside other `sources`."""

    def readers(self, system: str) -> int:
        """So many parts of a system may be read at one time."""

    def prepare(self, plan: ContentPlan, tables: tuple[str, ...]) -> None:
        """A content begins; its tasks need these tables of the run's exchange."""

    def read(self, order: ReadOrder, paced: Paced, advanced: Callable[[int], None]) -> ReadDone:
        """Carry out a read task. `paced` is put around its batches, `advanced` told its rows."""

    def join(self, order: JoinOrder, partition: Partition) -> JoinDone:
        """Carry out a join task. `partition` is this process's own, for a task done here."""

    def stop(self) -> None:
        """Give up what is being done, so that every call returns soon."""


def read_here(
    exchange: Exchange,
    store: Buckets,
    session: Session,
    order: ReadOrder,
    paced: Paced,
    advanced: Callable[[int], None],
) -> ReadDone:
    """A read task, with the session and the exchange that hold its snapshot and crosswalks."""
    return read_part(
        exchange,
        store,
        paced(session.stream(order.source.selection, order.part)),
        order.source.columns,
        stored(order.plan, order.source, order.kin, order.buckets),
        tuple(k.slot for k in order.plan.keys),
        tuple(k.slot for k in order.plan.owners),
        order.buckets,
        unique(order.name),
        advanced,
        order.among,
    )


def unique(name: str) -> str:
    """A name for the files of one try at a task: a task that runs twice at once writes twice."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


class LocalWorkers:
    """This process: reads in threads, joins one after the other (DuckDB uses all cores for each)."""

    def __init__(
        self, exchange: Exchange, store: Buckets, session: Callable[[str], Session], cores: int
    ) -> None:
        self._exchange, self._store, self._session = exchange, store, session
        self._cores = cores

    @property
    def joins_at_once(self) -> int:
        """See `Workers.joins_at_once`."""
        return 1

    def parts(self, system: str, sources: int) -> int:  # noqa: ARG002
        """See `Workers.parts`. As many as the cores can turn into buckets."""
        return max(1, self._cores // max(1, sources))

    def readers(self, system: str) -> int:  # noqa: ARG002
        """See `Workers.readers`."""
        return self._cores

    def prepare(self, plan: ContentPlan, tables: tuple[str, ...]) -> None:
        """See `Workers.prepare`. They are all here."""

    def read(self, order: ReadOrder, paced: Paced, advanced: Callable[[int], None]) -> ReadDone:
        """See `Workers.read`."""
        session = self._session(order.source.system)
        return read_here(self._exchange, self._store, session, order, paced, advanced)

    def join(self, order: JoinOrder, partition: Partition) -> JoinDone:
        """See `Workers.join`."""
        return partition.compare(
            self._store, order.files, order.first, order.last, unique(order.name)
        )

    def stop(self) -> None:
        """See `Workers.stop`. Threads here look for it themselves."""


def book_tables(book: CustomerBook) -> tuple[str, ...]:
    """The tables of a run's customers."""
    return ("customer", *book.newcomers.values())
