"""User text that can be shown: nothing in it steers a terminal, reverses a line or breaks UTF-8."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """The text on one line, with control, bidi and invisible characters written as escapes.

    The joiners of Persian words and of emoji (U+200C, U+200D) stay: they are part of what was typed.
    """
    return _STEERING.sub(_escape, text)


def clipped(text: str, length: int) -> str:
    """`printable` text of at most `length` characters, with an ellipsis where it was cut."""
    shown = printable(text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def without_surrogates(text: str) -> str:
    """The text as it is, but for lone surrogates, which UTF-8 cannot carry."""
    return re.sub("[\ud800-\udfff]", _escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
