"""One condition on a trait, or two together: whom it holds for, as SQL and in words."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from safeguard.comparing.explaining.borders import Form, written
from safeguard.comparing.explaining.traits import Trait
from safeguard.comparing.sql import literal

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """A trait of a sample of entries: its distinct values, ascending, and each entry's place among
    them; -1 is NULL."""

    trait: Trait
    place: int
    """Of the trait among all that are asked; its column is `tPLACE`."""
    values: tuple[Any, ...]
    codes: Codes

    @classmethod
    def of(cls, trait: Trait, place: int, values: pa.Array[Any]) -> Column:
        """From the values of one column, in the order of the entries."""
        distinct = pc.unique(values.drop_null())
        distinct = distinct.take(pc.sort_indices(distinct))
        codes = pc.index_in(values, value_set=distinct).fill_null(-1)
        return cls(
            trait, place, tuple(distinct.to_pylist()), codes.to_numpy(False).astype(np.int64)
        )


@dataclass(frozen=True)
class Condition:
    """One of `values` where there are any, else from `low` on up to but not including `high`."""

    trait: Trait
    place: int
    low: Any = None
    high: Any = None
    values: tuple[Any, ...] = ()

    def mask(self, column: Column) -> Mask:
        """For which entries of its sample it holds; for none with NULL."""
        values, codes = column.values, column.codes
        if self.values:
            return np.isin(codes, [bisect_left(values, value) for value in self.values])
        first = 0 if self.low is None else bisect_left(values, self.low)
        last = len(values) if self.high is None else bisect_left(values, self.high)
        return (codes >= first) & (codes < last)

    @property
    def sql(self) -> str:
        """Over the column of its trait; never NULL."""
        name = f"t{self.place}"
        if self.values:
            return f"coalesce({name} IN ({', '.join(map(literal, self.values))}), FALSE)"
        tests = [] if self.low is None else [f"{name} >= {literal(self.low)}"]
        tests += [] if self.high is None else [f"{name} < {literal(self.high)}"]
        return f"coalesce({' AND '.join(tests)}, FALSE)"

    @property
    def words(self) -> str:
        """What follows the verb of its trait."""
        trait = self.trait
        if trait.form is Form.FLAG:
            return trait.name if self.values[0] else trait.lacking
        if self.values:
            *most, last = (written(trait.form, value) for value in self.values)
            told = f"{', '.join(most)} or {last}" if most else last
            if trait.form is Form.LENGTH:
                told = f"of {told} {trait.unit}"
            return f"{trait.name} {told}{self._zone}"
        ends = _whole_ends if trait.form in (Form.WHOLE, Form.LENGTH) else _open_ends
        return f"{trait.name} {ends(trait, self.low, self.high)}{self._zone}"

    @property
    def _zone(self) -> str:
        return f" {self.trait.zone}" if self.trait.zone else ""


@dataclass(frozen=True)
class Rule:
    """One condition, or two of which both (`either` False) or one (True) must hold."""

    parts: tuple[Condition, ...]
    either: bool = False

    @property
    def names_owners(self) -> bool:
        """Whether it is a list of owners and nothing else."""
        return all(part.trait.owner and part.values for part in self.parts)

    @property
    def sql(self) -> str:
        return f"({(' OR ' if self.either else ' AND ').join(p.sql for p in self.parts)})"

    @property
    def words(self) -> str:
        """A verb and what follows it: `belong to paying customers and have no note`."""
        told: list[str] = []
        for i, part in enumerate(self.parts):
            again = i and part.trait.verb == self.parts[i - 1].trait.verb
            told.append(part.words if again else f"{part.trait.verb} {part.words}")
        return (" or " if self.either else " and ").join(told)


def _whole_ends(trait: Trait, low: int | None, high: int | None) -> str:
    """`above 2,147,483,647`, `of more than 255 characters`."""
    first = None if low is None else written(trait.form, low, border=True)
    last = None if high is None else written(trait.form, high - 1, border=True)
    before = None if low is None else written(trait.form, low - 1, border=True)
    if trait.form is Form.LENGTH:
        of = f"of {first} to {last}" if first and last else ""
        of = of or (f"of more than {before}" if first else f"of at most {last}")
        return f"{of} {trait.unit}"
    return f"from {first} to {last}" if first and last else (
        f"above {before}" if first else f"up to {last}"
    )  # fmt: skip


def _open_ends(trait: Trait, low: Any, high: Any) -> str:
    """`from 2024-04-01 on`, `below 3`."""
    first = None if low is None else written(trait.form, low, border=True)
    last = None if high is None else written(trait.form, high, border=True)
    under = "below" if trait.form is Form.REAL else "before"
    if first and last:
        return f"from {first} to {under} {last}"
    if last:
        return f"{under} {last}"
    return f"of {first} or more" if trait.form is Form.REAL else f"from {first} on"
