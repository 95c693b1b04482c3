"""Faults inside of JSON documents."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from safeguard.contract.types import TypeName
from safeguard.drill.kinds import FaultKind
from safeguard.drill.values import UNFIT, Seen, value_fault
from safeguard.findings.words import Cause
from safeguard.planning.layout import FieldSlot
from safeguard.systems.canonical.documents import parsed_json, written_json


def _drop_key(seen: Seen) -> Any:
    """One key of one object is not there."""
    document = _parsed(seen)
    objects = [v for v in _inside(document) if isinstance(v, dict) and v]
    if not objects:
        return UNFIT
    random = Random(seen.value)
    inside = random.choice(objects)
    del inside[random.choice(sorted(inside))]
    return written_json(document)


def _reorder(seen: Seen) -> Any:
    """One array runs backwards."""
    document = _parsed(seen)
    arrays = [v for v in _inside(document) if isinstance(v, list) and v != v[::-1]]
    if not arrays:
        return UNFIT
    Random(seen.value).choice(arrays).reverse()
    return written_json(document)


def _parsed(seen: Seen) -> Any:
    try:
        return None if seen.value is None else parsed_json(seen.value)
    except RecursionError:
        return None


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _inside(inner)


def _json(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name is TypeName.JSON


DOCUMENTS: tuple[FaultKind, ...] = (
    value_fault("JSON array reordered", _json, _reorder, excuses=frozenset({"unordered"})),
    value_fault("JSON key dropped", _json, _drop_key, frozenset({Cause.DROPPED})),
)
