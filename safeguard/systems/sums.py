"""Counts and sums of row hashes, taken inside a server: what two of them may be asked instead of
being read.

A sum is worth something only where both servers hash alike, and where the hash sees all that the
canonical form sees. So each says by a *scheme* how it encodes and hashes, and proves it by the
hashes of probes; where either differs from the other server's, the sums are never compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Selection

BUCKETS = 1024
"""Into so many the owners are hashed: grouping into more costs more than it saves in reading, see
docs/decisions/0016."""


@dataclass(frozen=True)
class Hashed:
    """One output of a selection that goes into the hash of a row, as a value of this type."""

    output: str
    kind: TypeName


@dataclass(frozen=True)
class Question:
    """What is to be summed of one resolved selection.

    `due` has one entry a route: the output whose condition says that an entry is due there, None
    where every entry is. `deleted` is the output that says that an entry is deleted.
    """

    selection: Selection
    owners: tuple[Hashed, ...]
    others: tuple[Hashed, ...]
    due: tuple[str | None, ...]
    deleted: str | None = None

    @property
    def hashed(self) -> tuple[Hashed, ...]:
        """All columns of a row's hash, in an order that both sides share."""
        return (*self.owners, *self.others)


@dataclass(frozen=True)
class Scheme:
    """How a server hashes the rows of a question, and what that makes of the probes.

    `refused` says why it can't be asked, in words; "" where it can.
    """

    text: str = ""
    probes: tuple[int, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class RouteSum:
    """Due entries of one route in one bucket, and the exact sum of their 64-bit hashes."""

    due: int
    total: int


@dataclass(frozen=True)
class BucketSum:
    """One bucket of owners. `unreceived` are live entries that are due nowhere."""

    rows: int
    deleted: int
    unreceived: int
    routes: tuple[RouteSum, ...]


class Sums(Protocol):
    """What sums a session answers, all of them in its one snapshot."""

    def scheme(self, question: Question) -> Scheme:
        """Whether and how this server hashes such rows. Raises SystemProblem."""

    def bucket_sums(self, question: Question) -> Mapping[int, BucketSum]:
        """Bucket -> its sums, of the buckets that have a row. One scan. Raises SystemProblem."""

    def first_owners(self, question: Question, most: int) -> tuple[str, ...]:
        """A few owners, whichever come first, as text; none where the server would have to scan for
        what an owner has. Raises SystemProblem."""

    def owner_sums(self, question: Question, owners: tuple[str, ...]) -> Mapping[str, BucketSum]:
        """The sums of these owners alone, each as a bucket of its own. Raises SystemProblem."""

    def live_owners(self, question: Question) -> Iterator[pa.RecordBatch]:
        """Each owner of a live entry once: raw columns named like the owners' outputs, and `bucket`.
        Raises SystemProblem."""

    def only_buckets(self, question: Question, buckets: tuple[int, ...]) -> Selection:
        """The question's selection, narrowed down to the owners of these buckets."""


@runtime_checkable
class CanSum(Protocol):
    """A session of an engine that has a hash for it."""

    @property
    def sums(self) -> Sums: ...
