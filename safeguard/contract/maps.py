"""The keys of a field's `map`: old values as text, of the field's type."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from safeguard.contract.model import Contract
from safeguard.contract.page import Page
from safeguard.contract.types import TypeName
from safeguard.contract.yaml_text import NULL_KEY
from safeguard.findings.trouble import Mistake


def _integer(text: str) -> object:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(text)
    return Decimal(text)


def _boolean(text: str) -> object:
    known = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
    return known[text.lower()]


_READERS: dict[TypeName, Callable[[str], object]] = {
    TypeName.INTEGER: _integer,
    TypeName.DECIMAL: Decimal,
    TypeName.FLOAT: float,
    TypeName.BOOLEAN: _boolean,
    TypeName.TIMESTAMP: dt.datetime.fromisoformat,
    TypeName.DATE: dt.date.fromisoformat,
    TypeName.TIME: dt.time.fromisoformat,
    TypeName.UUID: uuid.UUID,
}


def check_maps(contract: Contract, page: Page) -> Iterator[Mistake]:
    """Keys that no old value can equal, and keys that are one value."""
    for name, spec in contract.fields.items():
        if spec.map is not None and not spec.map:
            yield page.mistake("`map` must not be empty", "fields", name, "map", key=True)
        if spec.map is None or spec.type is None or spec.type.name not in _READERS:
            continue
        seen: dict[object, str] = {}
        for key in spec.map:
            if key is None:
                continue
            place = ("fields", name, "map", key or NULL_KEY)
            try:
                value = _READERS[spec.type.name](key)
            except (ValueError, KeyError, InvalidOperation):
                message = f"`{key}` is not {_an(spec.type.name)}: keys of `map` are old values"
                yield page.mistake(message, *place, key=True)
                continue
            if value in seen:
                message = f"`{key}` and `{seen[value]}` are the same {spec.type.name}"
                yield page.mistake(message, *place, key=True)
            seen.setdefault(value, key)


def _an(name: TypeName) -> str:
    return f"{'an' if name is TypeName.INTEGER else 'a'} {name}"
