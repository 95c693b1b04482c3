"""The types that values are compared by, and the differences a contract may accept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from safeguard.contract.spelling import did_you_mean


class TypeName(StrEnum):
    """How two values are compared. The canonical form of each is in docs/types.md."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    ENUM = "enum"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TIME = "time"
    UUID = "uuid"
    BYTES = "bytes"
    JSON = "json"


@dataclass(frozen=True)
class Type:
    """A declared type: `decimal(2)` is Type(DECIMAL, "2"), `float(0.01)` Type(FLOAT, "0.01")."""

    name: TypeName
    argument: str | None = None

    @property
    def tolerance(self) -> Decimal:
        """The absolute difference that is still equal; 0 for every type but float(t)."""
        if self.name is TypeName.FLOAT and self.argument:
            return Decimal(self.argument)
        return Decimal(0)

    def __str__(self) -> str:
        return f"{self.name}({self.argument})" if self.argument is not None else str(self.name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `integer`, `decimal(2)`, `float(0.01)`. Raises ValueError that says what is allowed."""
        match = re.fullmatch(r"\s*([a-z]+)\s*(?:\(\s*([0-9.eE+-]+)\s*\))?\s*", text)
        if not match or match[1] not in set(TypeName):
            raise ValueError(_unknown("unknown type", text, TypeName))
        name, argument = TypeName(match[1]), match[2]
        if argument is not None:
            _check_argument(name, argument)
        return cls(name, argument)


def _unknown(what: str, text: str, names: Iterable[str]) -> str:
    every = tuple(names)
    word = text.split("(")[0].strip()
    return f"{what} `{text}`; there are {', '.join(every)}.{did_you_mean(word, every)}"


def _check_argument(name: TypeName, argument: str) -> None:
    if name is TypeName.DECIMAL and argument.isdigit():
        return
    if name is TypeName.FLOAT and re.fullmatch(r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?", argument):
        return
    raise ValueError(
        f"`{name}({argument})` is not a type; decimal(2) and float(0.01) take an argument"
    )


class AcceptForm(StrEnum):
    """A difference that a contract may accept by name; each is counted when it occurs."""

    NULL_EMPTY = "null_empty"
    CASE = "case"
    WHITESPACE = "whitespace"
    LINE_ENDINGS = "line_endings"
    UNICODE_FORM = "unicode_form"
    ESCAPED = "escaped"
    TIME_TRUNCATED = "time_truncated"
    ROUNDED = "rounded"
    TRUNCATED = "truncated"


TIME_UNITS = ("microsecond", "millisecond", "second", "minute", "hour", "day")
_ARGUMENTS = {
    AcceptForm.TIME_TRUNCATED: TIME_UNITS,
    AcceptForm.ROUNDED: None,
    AcceptForm.TRUNCATED: None,
}


_TEXTS = frozenset({TypeName.TEXT, TypeName.ENUM})
_FITS = {
    AcceptForm.TIME_TRUNCATED: frozenset({TypeName.TIMESTAMP, TypeName.TIME}),
    AcceptForm.ROUNDED: frozenset({TypeName.DECIMAL, TypeName.FLOAT}),
}


@dataclass(frozen=True)
class Accept:
    """One accepted form: `truncated(255)` is Accept(TRUNCATED, "255")."""

    form: AcceptForm
    argument: str | None = None

    @property
    def fits(self) -> frozenset[TypeName]:
        """The types of which this difference can be accepted."""
        return _FITS.get(self.form, _TEXTS)

    def __str__(self) -> str:
        return f"{self.form}({self.argument})" if self.argument is not None else str(self.form)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `case`, `rounded(2)`, `time_truncated(second)`. Raises ValueError."""
        match = re.fullmatch(r"\s*([a-z_]+)\s*(?:\(\s*([a-z0-9]+)\s*\))?\s*", text)
        if not match or match[1] not in set(AcceptForm):
            raise ValueError(_unknown("nothing that can be accepted is called", text, AcceptForm))
        form, argument = AcceptForm(match[1]), match[2]
        if (argument is None) != (form not in _ARGUMENTS):
            example = {"time_truncated": "second", "rounded": "2", "truncated": "255"}.get(form)
            raise ValueError(
                f"write `{form}({example})`" if example else f"`{form}` takes no argument"
            )
        if argument is not None:
            units = _ARGUMENTS[form]
            if units is not None and argument not in units:
                raise ValueError(f"`{form}` takes one of {', '.join(units)}")
            if units is None and not argument.isdigit():
                raise ValueError(f"`{form}` takes a whole number")
        return cls(form, argument)
