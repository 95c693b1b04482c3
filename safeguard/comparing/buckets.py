"""Where entries wait between reading and comparing: files of Arrow batches, one batch an owner bucket.

A file is written whole or not at all, in a folder or, with fsspec, in any store that it knows. A
bucket's rows are found without reading those of the others, and a customer has one bucket.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from safeguard.comparing.exchange import OutOfRoom
from safeguard.findings.trouble import SystemProblem

BUCKET = "bucket"
"""The column that says where a row belongs; it is not stored."""


@dataclass(frozen=True)
class BucketFile:
    """One file: how many rows and bytes each of its buckets has, in the order of its batches."""

    name: str
    buckets: tuple[tuple[int, int], ...]
    """(bucket, rows), ascending."""
    size: int
    """Bytes of all of them in memory."""

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.buckets)


class Buckets:
    """The files of one run, below a folder or an fsspec URL."""

    def __init__(self, place: str | Path) -> None:
        self.place = str(place)
        self.is_local = "://" not in self.place

    def write(
        self, name: str, rows: pa.Table, owners: Sequence[str] = (), number: int = 1
    ) -> BucketFile:
        """Store rows by their column `bucket`, or else by `number` buckets of their integer columns
        `owners`. Raises OutOfRoom when they do not fit."""
        if BUCKET in rows.column_names:
            numbers, rows = rows.column(BUCKET).to_numpy(), rows.drop_columns([BUCKET])
        else:
            numbers = owner_buckets(rows, owners, number)
        batch, counts = _sorted(rows, numbers)
        found, first = [], 0
        with self._writing(name) as sink, pa.ipc.new_file(sink, batch.schema) as file:
            for bucket in np.flatnonzero(counts).tolist():
                size = int(counts[bucket])
                file.write_batch(batch.slice(first, size))
                found.append((bucket, size))
                first += size
        return BucketFile(name, tuple(found), batch.nbytes)

    def read(self, files: Iterable[BucketFile], first: int, last: int) -> Iterator[pa.Table]:
        """The rows of the buckets first..last in the order of the files, one table for each schema
        among them."""
        tables: dict[pa.Schema, list[pa.RecordBatch]] = {}
        for file in files:
            wanted = [i for i, (bucket, _) in enumerate(file.buckets) if first <= bucket <= last]
            if not wanted:
                continue
            with self._reading(file.name) as source, pa.ipc.open_file(source) as reader:
                tables.setdefault(reader.schema, []).extend(reader.get_batch(i) for i in wanted)
        for schema, batches in tables.items():
            yield pa.Table.from_batches(batches, schema)

    def write_table(self, name: str, rows: pa.Table, *, sync: bool = False) -> None:
        """Store a table as it is. With `sync` it survives a power cut. Raises OutOfRoom when it does
        not fit."""
        with self._writing(name) as sink, pa.ipc.new_file(sink, rows.schema) as file:
            file.write_table(rows)
        if sync and self.is_local:
            for path in (self._path(name), self._path(name).parent):
                _sync(path)

    def read_table(self, name: str) -> pa.Table:
        """A table that `write_table` left."""
        with self._reading(name) as source, pa.ipc.open_file(source) as reader:
            return reader.read_all()

    def remove(self, folder: str = "") -> None:
        """Remove a folder of files that nobody needs any more, or all of them."""
        if self.is_local:
            shutil.rmtree(self._path(folder), ignore_errors=True)
            return
        system, root = self._remote()
        gone = f"{root}/{folder}".rstrip("/")
        if system.exists(gone):
            system.rm(gone, recursive=True)

    def has(self, names: Sequence[str]) -> bool:
        """Whether all of these files are there."""
        if self.is_local:
            return all(self._path(name).is_file() for name in names)
        system, root = self._remote()
        return all(system.exists(f"{root}/{name}") for name in names)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        try:
            if self.is_local:
                path = self._path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                partial = path.with_name(f".{path.name}.partial")
                with pa.OSFile(str(partial), "wb") as sink:
                    yield sink
                partial.replace(path)
            else:
                system, root = self._remote()
                target = f"{root}/{name}"
                system.makedirs(target.rpartition("/")[0], exist_ok=True)
                with system.open(target, "wb") as sink:
                    yield sink
        except OSError as error:
            raise self._trouble(error) from error

    @contextmanager
    def _reading(self, name: str) -> Iterator[Any]:
        try:
            if self.is_local:
                with pa.OSFile(str(self._path(name)), "rb") as source:
                    yield source
            else:
                system, root = self._remote()
                with system.open(f"{root}/{name}", "rb") as source:
                    yield source
        except (OSError, pa.ArrowInvalid) as error:
            raise SystemProblem(
                f"what was read can't be found again in {self.place}: {error}"
            ) from error

    def _path(self, name: str) -> Path:
        return Path(self.place) / name

    def _remote(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # the extra `cluster` brings it

        system, root = url_to_fs(self.place)
        return system, root.rstrip("/")

    def _trouble(self, error: OSError) -> SystemProblem:
        words = f"what is read can't be kept in {self.place}: {error.strerror or error}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return OutOfRoom(f"the check ran out of room: {words}")
        return SystemProblem(words)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def folder_of(content: str) -> str:
    """A folder's name for a content, whatever letters its name has."""
    return "content-" + hashlib.sha256(content.encode()).hexdigest()[:16]


def runs_of_buckets(files: Sequence[BucketFile], budget: int) -> tuple[tuple[int, int], ...]:
    """Buckets joined into partitions (first, last) of at most `budget` bytes where they are smaller;
    together all that hold rows, each once. Of files without rows one partition."""
    sizes: Counter[int] = Counter()
    for file in files:
        for bucket, rows in file.buckets:
            sizes[bucket] += rows * file.size // file.rows
    found: list[tuple[int, int]] = []
    held = 0
    for bucket, size in sorted(sizes.items()):
        if found and held + size <= budget:
            found[-1] = (found[-1][0], bucket)
        else:
            found.append((bucket, bucket))
            held = 0
        held += size
    return tuple(found) or ((0, 0),)


def owner_buckets(rows: pa.Table, owners: Sequence[str], number: int) -> Any:
    """The bucket of each row by its integer owner columns, a multiplicative hash (Knuth, The Art of
    Computer Programming 3, 6.4) whose low half is folded in; NULL counts as 0."""
    mixed = np.zeros(rows.num_rows, np.uint64)
    if number > 1:
        for owner in owners:
            value = rows.column(owner).combine_chunks().fill_null(0).to_numpy(zero_copy_only=False)
            mixed = (mixed + value.view(np.uint64)) * _GOLDEN
            mixed ^= mixed >> np.uint64(32)
    return (mixed % np.uint64(number)).astype(np.uint16)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio."""


def _sorted(rows: pa.Table, numbers: Any) -> tuple[pa.RecordBatch, Any]:
    """The rows in the order of their buckets, and how many each bucket has."""
    counts = np.bincount(numbers)
    plain = _without_empty(rows)
    if np.count_nonzero(counts) > 1:
        narrow = (
            numbers.astype(np.uint8) if len(counts) <= 256 else numbers
        )  # one pass of radix sort
        plain = plain.take(pa.array(np.argsort(narrow, kind="stable")))
    batches = plain.combine_chunks().to_batches()
    return (batches[0] if batches else pa.RecordBatch.from_pylist([], plain.schema)), counts


def _without_empty(rows: pa.Table) -> pa.Table:
    """Columns in which nothing stands take no room."""
    for i, name in enumerate(rows.column_names):
        if rows.column(i).null_count == rows.num_rows:
            rows = rows.set_column(i, name, pa.nulls(rows.num_rows))
    return rows
