"""How one column is read: what the system declares, what it is compared as, and how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from safeguard.contract.types import Type
from safeguard.systems.interface import SourceType


class Storage(StrEnum):
    """The Arrow type that canonical values are kept in."""

    INT64 = "int64"
    TEXT = "text"
    FLOAT64 = "float64"
    BOOL = "bool"
    BINARY = "binary"

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of this storage."""
        return _ARROW[self]


_ARROW: dict[Storage, pa.DataType] = {
    Storage.INT64: pa.int64(),
    Storage.TEXT: pa.string(),
    Storage.FLOAT64: pa.float64(),
    Storage.BOOL: pa.bool_(),
    Storage.BINARY: pa.binary(),
}

ALTERNATE = "__alt"
"""Ends the name of the column with the second reading of a time in a fold or gap."""

BAD = "bad"
"""The column that says which values of a row do not parse."""


@dataclass(frozen=True)
class CanonicalColumn:
    """One column to make canonical.

    `zone` is the IANA zone of naive timestamps; with `as_written` they stay wall time, kept as if
    it were UTC. `alternate` adds the second reading; `nanoseconds` keeps timestamps that fine.
    """

    name: str
    source: SourceType
    target: Type
    storage: Storage
    zone: str | None = None
    as_written: bool = False
    alternate: bool = False
    nanoseconds: bool = False


@dataclass(frozen=True)
class Reading:
    """Canonical values of one column: NULL where raw is NULL, and where raw does not parse."""

    values: pa.Array[Any]
    alternate: pa.Array[Any] | None = None
