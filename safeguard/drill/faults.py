"""The table of faults: what a migration does to content when nobody looks."""

from __future__ import annotations

from safeguard.contract.types import TypeName
from safeguard.drill.documents import DOCUMENTS
from safeguard.drill.entries import ENTRIES
from safeguard.drill.kinds import FaultKind, fields_where
from safeguard.drill.lists import LISTS
from safeguard.drill.numbers import NUMBERS
from safeguard.drill.texts import TEXTS
from safeguard.drill.values import (
    UNFIT,
    Seen,
    borrow,
    off_the_map,
    shift_comma,
    texts_with_another,
    value_fault,
)
from safeguard.findings.words import Cause
from safeguard.planning.layout import FieldSlot


def _any(field: FieldSlot, route: int) -> bool:  # noqa: ARG001
    return True


def _mapped(field: FieldSlot, route: int) -> bool:  # noqa: ARG001
    return field.spec.map is not None


def _nulled(seen: Seen) -> object:
    """Of an empty text it is another fault, see texts.py."""
    return None if seen.value not in (None, "") else UNFIT


def _flipped(seen: Seen) -> object:
    return UNFIT if seen.value is None else not seen.value


def _boolean(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name is TypeName.BOOLEAN


FAULTS: tuple[FaultKind, ...] = (
    *ENTRIES,
    *LISTS,
    value_fault("value nulled", _any, _nulled, frozenset({Cause.NULLED, Cause.MAPPED_WRONG})),
    *TEXTS,
    FaultKind("comma shifted between columns", texts_with_another, shift_comma),
    *NUMBERS,
    value_fault("boolean flipped", _boolean, _flipped),
    FaultKind("value map off at its boundary", fields_where(_mapped), off_the_map),
    FaultKind("value of another customer", fields_where(_any), borrow),
    *DOCUMENTS,
)
