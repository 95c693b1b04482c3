"""Text that was read in a wrong encoding: the mark it leaves is in the pair of values."""

from __future__ import annotations

_LOST = frozenset("?\ufffd")


def is_garbled(old: str, new: str) -> bool:
    """New is old, written as UTF-8 and read as Latin-1 or Windows-1252 (once or twice), the other
    way round, or with its letters beyond ASCII replaced by `?` or U+FFFD."""
    if old.isascii() or old == new:
        return False
    if new in _misread(old) or any(new in _misread(one) for one in _misread(old)):
        return True
    return old in _misread(new) or _replaced(old, new)


def _misread(text: str) -> set[str]:
    raw = text.encode("utf-8", "surrogatepass")
    found = {raw.decode("latin-1")}
    # Windows-1252 leaves five bytes undefined; programs keep them as Latin-1 does, or replace them.
    found.add("".join(_cp1252(byte) for byte in raw))
    found.add(raw.decode("cp1252", "replace"))
    return found - {text}


def _cp1252(byte: int) -> str:
    one = bytes([byte])
    try:
        return one.decode("cp1252")
    except UnicodeDecodeError:
        return one.decode("latin-1")


def _replaced(old: str, new: str) -> bool:
    if not _LOST & set(new) or _LOST & set(old):
        return False
    kept = [c for c in old if c.isascii()]
    if [c for c in new if c not in _LOST] == kept:
        return True
    pairs = list(zip(old, new, strict=False))
    return len(old) == len(new) and all(
        a == b or (b in _LOST and not a.isascii()) for a, b in pairs
    )
