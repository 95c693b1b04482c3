"""Fills the demo's databases: one old system, two new ones, and what a hurried migration did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from safeguard.demo import faults as planting
from safeguard.demo.customers import Customer, batches
from safeguard.demo.databases import Database, open_database, prepare, refuse_foreign
from safeguard.demo.faults import Expected, Fault
from safeguard.demo.sides import Rows, dvd_rows, old_rows, streaming_rows
from safeguard.demo.tables import KNOWN, NEW, OLD, SAVED_SEARCHES, Table


@dataclass(frozen=True)
class Built:
    """What was made: rows by side and table, and what the planted faults must be found as."""

    rows: Mapping[str, Mapping[str, int]]
    planted: tuple[tuple[Fault, int], ...]
    expected: Mapping[tuple[str, str], int]

    @property
    def entries(self) -> int:
        """Rows of the old system that customers made."""
        kept_out = ("customers", "web_sessions")
        return sum(n for table, n in self.rows["old"].items() if table not in kept_out)


def build(
    customers: int,
    seed: int,
    old_url: str,
    new_urls: Mapping[str, str],
    faults: bool,
    folder: Path = Path(),
) -> Built:
    """Make the Qwikster split in these databases, batch by batch. The same arguments make the same
    content. A database that holds anything else is refused with UsageProblem, untouched."""
    urls = {"old": old_url, **new_urls}
    tables = {"old": (*OLD, SAVED_SEARCHES) if faults else OLD, **NEW}
    with ExitStack() as stack:
        databases = {
            name: stack.enter_context(closing(open_database(urls[name], folder))) for name in tables
        }
        for name, database in databases.items():
            refuse_foreign(database, name)
        for name, database in databases.items():
            prepare(database, KNOWN[name], tables[name])
        filler = _Filler(databases, tables)
        for batch in batches(customers, seed):
            filler.write(batch, planting.stride(customers) if faults else None)
    return filler.built()


class _Filler:
    """Writes batches and keeps count."""

    def __init__(
        self, databases: Mapping[str, Database], tables: Mapping[str, Sequence[Table]]
    ) -> None:
        self._databases = databases
        self._tables = tables
        self._rows: dict[str, Counter[str]] = {name: Counter() for name in tables}
        self._planted: Counter[str] = Counter()
        self._expected: Expected = Counter()

    def write(self, batch: list[Customer], stride: int | None) -> None:
        """Write what these customers made, to all systems."""
        rows = [old_rows(made) | streaming_rows(made) | dvd_rows(made) for made in batch]
        if stride is not None:
            for fault, expected in planting.plant(batch, rows, stride):
                self._planted[fault.name] += expected.total()
                self._expected.update(expected)
        together: Rows = defaultdict(list)
        for some in rows:
            for table, its_rows in some.items():
                together[table] += its_rows
        for name in self._tables:
            self._insert(name, together)

    def _insert(self, name: str, rows: Rows) -> None:
        """Table names are distinct over all systems, so each takes its own."""
        for table in self._tables[name]:
            self._databases[name].insert(table, rows[table.name])
            self._rows[name][table.name] += len(rows[table.name])
        self._databases[name].commit()

    def built(self) -> Built:
        return Built(
            rows={name: dict(counts) for name, counts in self._rows.items()},
            planted=tuple((fault, self._planted[fault.name]) for fault in planting.FAULTS),
            expected={key: n for key, n in self._expected.items() if n},
        )
