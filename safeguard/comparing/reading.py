"""A read task: rows of one source, canonical and translated, into the buckets of their owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from safeguard.comparing.buckets import BucketFile, Buckets
from safeguard.comparing.exchange import Exchange
from safeguard.findings.trouble import SafeguardError
from safeguard.systems.canonical import (
    CanonicalColumn,
    canonical_batch,
    canonical_schema,
    kinds_of,
)

CHUNK_BYTES = 12 << 20
"""So much of a source is held before it is stored."""

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True)
class ReadDone:
    """What a read task left. `deleted` rows of the new side and those `beside` a restriction are
    read, and not stored."""

    rows: int
    deleted: int
    files: tuple[BucketFile, ...]
    beside: int = 0
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Key slot -> the kinds of its raw values, see `canonical.kinds_of`."""


def read_part(
    exchange: Exchange,
    buckets: Buckets,
    batches: Batches,
    columns: tuple[CanonicalColumn, ...],
    query: str | None,
    keys: tuple[str, ...],
    owners: tuple[str, ...],
    number: int,
    name: str,
    advanced: Callable[[int], None],
    among: str | None = None,
) -> ReadDone:
    """Store raw batches through `query` (see `entries.stored`) in `number` buckets of the columns
    `owners`, in files whose names begin with `name`; `keys` are the slots of the whole key. `among` is
    a second query, which leaves out what is not asked for.

    May be called from several threads at once. Raises what reading the batches raises, and OutOfRoom.
    """
    read = deleted = beside = 0
    files: list[BucketFile] = []
    kinds: dict[str, set[str]] = {slot: set() for slot in keys}
    for rows in _chunks(_watched(batches, kinds), columns):
        found = exchange.through(query, rows) if query else rows
        read += rows.num_rows
        deleted += rows.num_rows - found.num_rows
        if among is not None:
            every, found = found.num_rows, exchange.through(among, found)
            beside += every - found.num_rows
        files.append(buckets.write(f"{name}-{len(files):05}.arrow", found, owners, number))
        advanced(rows.num_rows)
    seen = {slot: tuple(sorted(found)) for slot, found in kinds.items()}
    return ReadDone(read, deleted, tuple(files), beside, seen)


def canonical(batch: pa.RecordBatch, wanted: tuple[CanonicalColumn, ...]) -> pa.RecordBatch:
    """A raw batch in canonical form. The number of rows never changes."""
    rows = canonical_batch(batch, wanted)
    if rows.num_rows != batch.num_rows:
        raise SafeguardError(f"{batch.num_rows - rows.num_rows} rows were dropped on the way")
    if rows.schema.names != canonical_schema(wanted).names:
        raise SafeguardError(f"unexpected columns {rows.schema.names}")
    return rows


def _watched(batches: Batches, kinds: dict[str, set[str]]) -> Iterator[pa.RecordBatch]:
    """The raw batches, with what kinds of keys they hold written down."""
    for batch in batches:
        for slot in kinds:
            kinds[slot] |= kinds_of(batch.column(slot))
        yield batch


def _chunks(batches: Batches, columns: tuple[CanonicalColumn, ...]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        rows = canonical(batch, columns)
        held.append(rows)
        size += rows.nbytes
        if size >= CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)
