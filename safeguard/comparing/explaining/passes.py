"""One side's entries again, partition by partition, after the content was compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safeguard.comparing.buckets import Buckets
from safeguard.comparing.partition import Partition, SourceFiles

MOST_ROWS = 20_000_000
"""Of one side: where there are more, or they lie on another machine, a few partitions stand for all."""
ROWS_FOR_ALL = 1_000_000
"""So many are read then."""


@dataclass(frozen=True)
class Passes:
    """The files of one side, and the partitions (first, last bucket) that they were joined in: entries
    have the same numbers again only in the same ones."""

    partition: Partition
    store: Buckets
    files: SourceFiles
    parts: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> int:
        """Entries in the files."""
        return sum(f.rows for f in self.files.every)

    @property
    def is_whole(self) -> bool:
        """Whether every partition is read."""
        return self.store.is_local and self.rows <= MOST_ROWS

    def run(self, *statements: str) -> None:
        """Run statements with each partition's entries in place of the side's table."""
        for first, last in self.parts if self.is_whole else self._few():
            self.partition.load(self.store, self.files, first, last)
            with self.partition.exchange.apart():
                for statement in statements:
                    self.partition.exchange.run(statement)
        self.partition.exchange.forget()

    @property
    def rows_read(self) -> int:
        """Entries that a run sees."""
        return self.rows if self.is_whole else sum(self._rows_of(p) for p in self._few())

    def _few(self) -> Sequence[tuple[int, int]]:
        """The first partitions: owners are in them by a hash, so that they are like the others."""
        found: list[tuple[int, int]] = []
        held = 0
        for part in self.parts:
            if held >= ROWS_FOR_ALL:
                break
            found.append(part)
            held += self._rows_of(part)
        return found

    def _rows_of(self, part: tuple[int, int]) -> int:
        first, last = part
        return sum(n for f in self.files.every for b, n in f.buckets if first <= b <= last)
