"""What every system answers: describe, count and stream, read only, in one snapshot.

A session hands on *raw* columns: Arrow arrays as its driver gives them, or text in ISO form; of JSON
lines, structs of a `text` and whether it was a `string`; of a column that mixes text and bytes, structs
of a `text` or `bytes`. What they mean is decided in one place for all systems, `canonical.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from safeguard.contract.types import TypeName
from safeguard.findings.result import SystemInfo


@dataclass(frozen=True)
class SourceType:
    """What a system declares of a column.

    `kind` is None where the system declares nothing (CSV, JSONL, SQLite expressions): the contract
    or the other side must say; `unsupported` says why it cannot be read exactly, else "".
    """

    kind: TypeName | None
    declared: str = ""
    aware: bool = False
    """Timestamps: it is an instant (with time zone). Naive otherwise."""
    blank_padded: bool = False
    """Text: CHAR(n), trailing blanks are not content."""
    single: bool = False
    """Float of 32 bits."""
    wide: bool = False
    """Integer beyond signed 64 bits (unsigned bigint, numeric(40))."""
    nanoseconds: bool = False
    """Timestamp finer than a microsecond."""
    unsupported: str = ""


@dataclass(frozen=True)
class Column:
    name: str
    type: SourceType
    nullable: bool = True


@dataclass(frozen=True)
class ForeignKey:
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table or view of a system; `name` is qualified by its schema where that is not the default."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_view: bool = False
    inherits: tuple[str, ...] = ()
    """Tables whose SELECT gives this table's rows too (PostgreSQL's INHERITS)."""

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True)
class Relation:
    """A table (quoted by the session) or a query (used as it is)."""

    table: str | None = None
    query: str | None = None

    def __str__(self) -> str:
        return self.table or "query"


@dataclass(frozen=True)
class Output:
    """One column of a selection: a column's exact name, or an SQL expression of that system.

    With `condition`, the expression is a condition: it comes back as a boolean, NULL is false.
    `type` is filled in by `Session.resolve`. Of a `key`, values of several kinds in one column must
    come so that `canonical.kinds_of` tells them apart.
    """

    name: str
    sql: str
    is_column: bool
    condition: bool = False
    type: SourceType = SourceType(None)
    key: bool = False


@dataclass(frozen=True)
class Selection:
    """What to read of one system: outputs of a relation, filtered by a condition."""

    relation: Relation
    outputs: tuple[Output, ...]
    where: str | None = None


@dataclass(frozen=True)
class Part:
    """A physical range of a selection's relation, that one read task reads. Only the session that
    made it, or one that joined its snapshot, knows what `range` means; it can be pickled."""

    number: int = 0
    range: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How kind to be to a system. Times are seconds, 0 is no limit."""

    connections: int = 2
    """At most so many at one time, the one that holds the snapshot not counted."""
    statement_timeout: float = 0
    lock_timeout: float = 60
    """So long a lock that somebody else holds on a table is waited for."""
    connect_timeout: float = 10


class Session(Protocol):
    """One system, opened read only by its own means, holding one snapshot until closed."""

    @property
    def info(self) -> SystemInfo: ...

    def tables(self) -> tuple[Table, ...]:
        """All tables and views of the default schema and those named, with keys."""

    def blind_spots(self) -> tuple[str, ...]:
        """Why `tables()` may not show every table; empty where it shows all."""

    def columns(self, relation: Relation) -> tuple[Column, ...]:
        """The columns of a table or query. Raises `MissingRelation` (a UsageProblem) with the
        nearest names when a table does not exist, SystemProblem when the server refuses."""

    def resolve(self, selection: Selection) -> Selection:
        """The same selection with each output's declared type. An SQL error in an expression is a
        UsageProblem that quotes the expression and the server's words."""

    def count(self, relation: Relation, *conditions: str | None) -> tuple[int, ...]:
        """Rows for which each condition is true (None counts all), by the server itself, or by a
        second parser for files; in the same snapshot."""

    def parts(self, selection: Selection, most: int) -> tuple[Part, ...]:
        """Physical ranges that together hold each row of the selection exactly once, at most
        `most` and at least one; one where the engine knows no ranges or one reader is as fast."""

    def stream(self, selection: Selection, part: Part | None = None) -> Iterator[pa.RecordBatch]:
        """Rows of a resolved selection (of one part, or all), as raw columns named like the outputs,
        in any order, in batches of bounded size: about 16 MB, and at most 1,048,576 rows. Raises
        ConnectionLost when the system goes away, SystemProblem when it refuses. Several streams of
        one session may be read side by side from several threads; where the engine has one
        connection to its snapshot, the second waits for the first."""

    def ticket(self) -> str | None:
        """What another process needs to read the same snapshot (see `open_system`); None where only
        this session can."""

    def alive(self) -> bool:
        """Whether the snapshot still stands: asked of the system itself, in a few seconds at most."""

    def strain(self) -> str:
        """Why the system should be given room now, in words; "" where it bears the reading well.
        Cheap: asked every few seconds, from another thread than the streams."""

    def close(self) -> None:
        """Give the snapshot and the connection back. Never raises."""
