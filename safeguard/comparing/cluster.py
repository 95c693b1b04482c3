"""Read and join tasks on the workers of a Dask cluster, which share a store with us.

A worker reads by a connection of its own, in our snapshot where the system lets others join it (see
`Session.ticket`); what only our session can read is read here. URLs travel as they are written, with
the names of environment variables in them, and are filled in from the worker's own environment.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Event
from typing import Any

import duckdb
import pyarrow as pa

from safeguard import __version__
from safeguard.comparing.buckets import Buckets, folder_of
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.partition import JoinDone, Partition
from safeguard.comparing.reading import ReadDone
from safeguard.comparing.workers import JoinOrder, Paced, ReadOrder, read_here, unique
from safeguard.contract.load import fill
from safeguard.contract.model import LoadedPlan, SystemSpec
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.planning.layout import ContentPlan
from safeguard.systems.interface import Limits, Session
from safeguard.systems.open import open_system
from safeguard.systems.opened import Systems
from safeguard.systems.pace import Pace

PARTS_PER_READER = 4
"""A source is cut finer than there are readers, so that a lost worker loses little."""
_SECRET = re.compile(r"://[^/@\s]*:[^@\s]+@")


@dataclass(frozen=True)
class Errand:
    """What a worker knows of the run. `specs` have their URLs as they are written in the plan."""

    run: str
    program: str
    place: str
    folder: str
    specs: Mapping[str, SystemSpec]
    limits: Limits
    max_rate: float
    """Rows a second of each reader: those of a system keep its limit together. 0 is none."""


@dataclass(frozen=True)
class Sides:
    """Tables of the run's exchange that tasks of one content need, each with its file."""

    content: str
    files: Mapping[str, str]
    segments: tuple[str, ...]
    declared: bool
    newcomers: Mapping[str, str]


def program() -> str:
    """What must be the same here and on a worker: buckets are cut by DuckDB's hash."""
    return f"safeguard {__version__}, DuckDB {duckdb.__version__}, pyarrow {pa.__version__}"


@contextmanager
def cluster_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on a running Dask cluster, and how many tasks it runs at one time.

    Raises UsageProblem when Dask is not installed or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageProblem(
            "--cluster needs Dask: pip install 'content-safeguard[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageProblem(f"--cluster {address}: no scheduler answers there ({error})") from error
    with closing(client):
        slots = sum(client.nthreads().values())
        if not slots:
            raise UsageProblem(f"--cluster {address}: the cluster has no workers")
        yield client.get_executor(pure=False), slots


class ClusterWorkers:
    """See `Workers`. `slots` is how many tasks the cluster runs at one time."""

    def __init__(
        self,
        executor: Executor,
        slots: int,
        loaded: LoadedPlan,
        systems: Systems,
        exchange: Exchange,
        store: Buckets,
        book: CustomerBook,
        run: str,
    ) -> None:
        self._executor, self._slots = executor, slots
        self._systems, self._exchange, self._store, self._book = systems, exchange, store, book
        specs = {
            name: spec.model_copy(update={"url": loaded.urls[name]})
            for name, spec in loaded.plan.systems.items()
        }
        limits = systems.kindness.limits
        folder = str(Path(loaded.folder).absolute())
        rate = systems.kindness.max_rate / limits.connections
        self._errand = Errand(run, program(), store.place, folder, specs, limits, rate)
        self._turns = {name: BoundedSemaphore(limits.connections) for name in specs}
        self._sides = Sides("", {}, (), False, {})
        self._pending: set[Future[Any]] = set()

    @property
    def joins_at_once(self) -> int:
        """See `Workers.joins_at_once`."""
        return self._slots

    def parts(self, system: str, sources: int) -> int:  # noqa: ARG002
        """See `Workers.parts`."""
        return PARTS_PER_READER * self.readers(system)

    def readers(self, system: str) -> int:
        """See `Workers.readers`. As many connections as the run allows, over all workers."""
        if self._systems[system].ticket() is None:
            return 1
        return self._systems.kindness.limits.connections

    def prepare(self, plan: ContentPlan, tables: tuple[str, ...]) -> None:
        """See `Workers.prepare`."""
        content = plan.contract.content
        files = {}
        for table in tables:
            files[table] = f"{folder_of(content)}/{unique(f'side-{table}')}.arrow"
            self._store.write_table(files[table], self._exchange.table(f"FROM main.{table}"))
        book = self._book
        self._sides = Sides(
            unique(content), files, book.segments, book.declared, dict(book.newcomers)
        )

    def read(self, order: ReadOrder, paced: Paced, advanced: Callable[[int], None]) -> ReadDone:
        """See `Workers.read`."""
        session = self._systems[order.source.system]
        ticket = session.ticket()
        if ticket is None:
            return read_here(self._exchange, self._store, session, order, paced, advanced)
        with self._turns[order.source.system]:
            done: ReadDone = self._await(do_read, self._errand, self._sides, order, ticket)
        advanced(done.rows)
        return done

    def join(self, order: JoinOrder, partition: Partition) -> JoinDone:  # noqa: ARG002
        """See `Workers.join`."""
        done: JoinDone = self._await(do_join, self._errand, self._sides, order)
        return done

    def _await(self, task: Callable[..., Any], *arguments: Any) -> Any:
        """Its result is fetched at once: Dask does a task again whose worker died with the result."""
        future = self._executor.submit(task, *arguments)
        self._pending.add(future)
        try:
            return future.result()
        except (OSError, CancelledError) as error:
            raise SystemProblem(f"the cluster gave the task up: {error}") from error
        except Exception as error:
            if type(error).__module__.startswith("distributed"):
                raise SystemProblem(f"the cluster gave the task up: {error}") from error
            raise
        finally:
            self._pending.discard(future)

    def stop(self) -> None:
        """See `Workers.stop`."""
        for future in list(self._pending):
            future.cancel()


def refuse_secrets(loaded: LoadedPlan) -> None:
    """Raises UsageProblem for every password that is written in the plan itself."""
    mistakes = [
        loaded.mistake(
            f"--cluster: the url of {name} holds a password, which would travel; write it as "
            "${NAME} and set NAME on each worker",
            f"systems.{name}.url",
        )
        for name, url in loaded.urls.items()
        if _SECRET.search(url)
    ]
    if mistakes:
        raise UsageProblem(*mistakes)


# -- on a worker -------------------------------------------------------------------------------


def do_read(errand: Errand, sides: Sides, order: ReadOrder, ticket: str) -> ReadDone:
    """A read task on a worker, by a connection of its own to the snapshot that `ticket` names."""
    shop = _workshop(errand, sides)
    name = order.source.system
    with closing(_opened(errand, name, ticket)) as session:
        pace = Pace(lambda: session, errand.max_rate, _nobody, Event())
        return read_here(shop.exchange, shop.store, session, order, pace.kept_by, _nobody)


def do_join(errand: Errand, sides: Sides, order: JoinOrder) -> JoinDone:
    """A join task on a worker."""
    shop = _workshop(errand, sides)
    partition = Partition(shop.exchange, order.plan, shop.book, order.reveal)
    return partition.compare(shop.store, order.files, order.first, order.last, unique(order.name))


@dataclass(frozen=True)
class _Workshop:
    """What one thread of a worker keeps between tasks of one content."""

    content: str
    exchange: Exchange
    store: Buckets
    book: CustomerBook
    folder: Path

    def close(self) -> None:
        self.exchange.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_here = threading.local()


def _workshop(errand: Errand, sides: Sides) -> _Workshop:
    if errand.program != program():
        raise UsageProblem(
            f"a worker of the cluster runs {program()}, and this check {errand.program}: install "
            "the same on both"
        )
    shop: _Workshop | None = getattr(_here, "shop", None)
    if shop is None or shop.content != sides.content:
        if shop is not None:
            shop.close()
        shop = _here.shop = _furnished(errand, sides)
        atexit.register(shop.close)
    return shop


def _furnished(errand: Errand, sides: Sides) -> _Workshop:
    folder = Path(tempfile.mkdtemp(prefix="safeguard-worker-"))
    exchange, store = Exchange(folder), Buckets(errand.place)
    book = CustomerBook(exchange, sides.segments, sides.declared)
    book.newcomers.update(sides.newcomers)
    for table, name in sides.files.items():
        exchange.fill(table, store.read_table(name))
    return _Workshop(sides.content, exchange, store, book, folder)


def _opened(errand: Errand, name: str, ticket: str) -> Session:
    spec = errand.specs[name]
    url, troubles = fill(spec.url, os.environ)
    if troubles:
        raise UsageProblem(f"on a worker of the cluster: {name}: {'; '.join(troubles)}")
    filled = spec.model_copy(update={"url": url})
    return open_system(name, filled, Path(errand.folder), errand.limits, ticket)


def _nobody(_: object) -> None: ...
