"""Faults of texts: cut, read in the wrong encoding, tidied up."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from safeguard.contract.types import AcceptForm, TypeName
from safeguard.drill.kinds import FaultKind
from safeguard.drill.values import UNFIT, Seen, value_fault
from safeguard.findings.words import Cause
from safeguard.planning.layout import FieldSlot

COLUMN_BYTES = 255
"""What a VARCHAR(255) of a server that counts bytes can hold."""


def _garbled(text: str) -> Any:
    """UTF-8 that was read as cp1252; the five bytes that it lacks as MySQL's latin1 reads them."""
    if text.isascii():
        return UNFIT
    found = []
    for byte in text.encode("utf-8", "surrogatepass"):
        raw = bytes((byte,))
        try:
            found.append(raw.decode("cp1252"))
        except UnicodeDecodeError:
            found.append(raw.decode("latin-1"))
    return "".join(found)


def _truncated(text: str) -> Any:
    """Cut at 255 bytes where it is longer, else in the middle; no character is cut."""
    if len(text.encode("utf-8", "surrogatepass")) > COLUMN_BYTES:
        return text.encode("utf-8", "surrogatepass")[:COLUMN_BYTES].decode("utf-8", "ignore")
    cut = text[: (len(text) + 1) // 2].rstrip()
    return cut if cut and cut != text.rstrip() else UNFIT


def _cut_inside(text: str) -> Any:
    """Cut inside a character, at the last one of several bytes within 255: what is left of it shows."""
    raw = text.encode("utf-8", "surrogatepass")
    for at in range(min(COLUMN_BYTES, len(raw)) - 1, 0, -1):
        if raw[at] & 0xC0 == 0x80:
            return raw[:at].decode("utf-8", "replace")
    return UNFIT


def _case(text: str) -> Any:
    return next((t for t in (text.lower(), text.upper()) if t != text), UNFIT)


def _line_endings(text: str) -> Any:
    if "\r\n" in text:
        return text.replace("\r\n", "\n")
    return text.replace("\n", "\r\n") if "\n" in text else UNFIT


def _other_form(text: str) -> Any:
    forms = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return next((t for t in forms if t != text), UNFIT)


def _text(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name is TypeName.TEXT


def _textual(field: FieldSlot, route: int) -> bool:
    return field.new[route].type.name in (TypeName.TEXT, TypeName.ENUM)


def _of_text(change: Callable[[str], Any]) -> Callable[[Seen], Any]:
    return lambda seen: change(seen.value) if seen.value else UNFIT


def _trailing_space(seen: Seen) -> Any:
    """Not of CHAR(n), whose trailing blanks are no content."""
    columns = seen.ground.plan.new[seen.entry.route].columns
    padded = any(c.name == seen.field.slot and c.source.blank_padded for c in columns)
    return UNFIT if padded or not seen.value else seen.value + " "


def _emptied(seen: Seen) -> Any:
    return "" if seen.value else UNFIT


def _empty_nulled(seen: Seen) -> Any:
    return None if seen.value == "" else UNFIT


_CUT = frozenset({Cause.TRUNCATED})
_BROKEN = frozenset({Cause.TRUNCATED, Cause.GARBLED})

TEXTS: tuple[FaultKind, ...] = (
    value_fault("text emptied", _textual, _emptied, frozenset({Cause.EMPTIED})),
    value_fault(
        "empty text nulled",
        _textual,
        _empty_nulled,
        frozenset({Cause.NULL_EMPTY}),
        frozenset({AcceptForm.NULL_EMPTY}),
    ),
    value_fault(
        "text truncated", _text, _of_text(_truncated), _CUT, frozenset({AcceptForm.TRUNCATED})
    ),
    value_fault("text cut inside a character", _text, _of_text(_cut_inside), _BROKEN),
    value_fault("text garbled", _text, _of_text(_garbled), frozenset({Cause.GARBLED})),
    value_fault(
        "case changed",
        _text,
        _of_text(_case),
        frozenset({Cause.CASE}),
        frozenset({AcceptForm.CASE}),
    ),
    value_fault(
        "trailing space",
        _text,
        _trailing_space,
        frozenset({Cause.WHITESPACE}),
        frozenset({AcceptForm.WHITESPACE}),
    ),
    value_fault(
        "line endings changed",
        _text,
        _of_text(_line_endings),
        frozenset({Cause.LINE_ENDINGS}),
        frozenset({AcceptForm.LINE_ENDINGS}),
    ),
    value_fault(
        "Unicode form changed",
        _text,
        _of_text(_other_form),
        frozenset({Cause.UNICODE_FORM}),
        frozenset({AcceptForm.UNICODE_FORM}),
    ),
)
