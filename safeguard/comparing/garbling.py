"""Text that was read in a wrong encoding: the mark that it leaves is in the pair of values.

All at once, on the bytes of whole Arrow columns: a byte that is read in a code page of single bytes
becomes one character, so a misreading is a table of 256 rows.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from safeguard.comparing.bytes_of_texts import Texts, joined

CODE_PAGES = ("latin-1", "cp1252", "cp1251", "cp437", "mac-roman")
"""By which UTF-8 is taken for something else: Western web pages, Windows in Western Europe and where
Russian is written, consoles, old Macintoshes."""
_TWICE = ("latin-1", "cp1252")
_HEAD = 8
"""So many characters are tried before the whole text is."""
_REPLACEMENT = "\ufffd"
_NOT_ASCII, _NOT_LATIN, _NOT_BASIC = r"[^\x00-\x7f]", r"[^\x00-\xff]", r"[^\x{0}-\x{ffff}]"

Mask = npt.NDArray[np.bool_]
Column: TypeAlias = "pa.Array[Any]"


@dataclass(frozen=True)
class Way:
    """One way in which texts become others, in words, and which pairs of a batch show it."""

    words: str
    mask: Mask


def ways(old: Column, new: Column) -> Iterator[Way]:
    """Every way of garbling, with the pairs of two text columns that show it. Neither has NULLs."""
    before, after = Texts(old), Texts(new)
    forth, back = _may_be_misread(before, after), _may_be_misread(after, before)
    for page in CODE_PAGES:
        said = f"UTF-8 read as {_NAMES[page]}"
        yield Way(said, _misread(before, after, page, forth))
        yield Way(f"the other way round, {said}", _misread(after, before, page, back, whole=True))
    for page in _TWICE:
        said = f"UTF-8 read as {_NAMES[page]} twice"
        yield Way(said, _misread(before, after, page, forth, twice=True))
        yield Way(f"the other way round, {said}", _misread(after, before, page, back, True, True))
    yield Way("letters replaced by a mark", _replaced(before, after))
    for pattern, what in ((_NOT_ASCII, "letters beyond ASCII"), (_NOT_BASIC, "emoji")):
        yield Way(f"{what} left out", _left_out(before, after, pattern))


def garbled(old: Column, new: Column) -> Mask:
    """The pairs that some way of garbling explains."""
    found: Mask = np.zeros(len(old), dtype=bool)
    for way in ways(old, new):
        found |= way.mask
    return found


def unescaped(old: Column, new: Column) -> Mask:
    """The pairs that are equal without their HTML entities, of any name and number. One of them has
    an ampersand; Python reads them one by one."""
    found = [
        html.unescape(html.unescape(a)) == html.unescape(html.unescape(b))
        for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)
    ]
    return np.array(found, dtype=bool)


def compatible(old: Column, new: Column) -> Mask:
    """The pairs that are one in Unicode's compatibility form: ligatures, letters of full width."""
    a, b = (pc.utf8_normalize(texts, "NFKC") for texts in (old, new))
    return _mask(pc.equal(a, b))


_NAMES = {
    "latin-1": "Latin-1",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "cp437": "code page 437",
    "mac-roman": "Mac Roman",
}


def _may_be_misread(true: Texts, shown: Texts) -> Mask:
    """Both have letters beyond ASCII, the wrong text one that stands for the first byte of another's."""
    lead = _mask(pc.match_substring_regex(shown.texts, _leads()))
    return ~true.ascii & lead & (shown.characters >= true.characters)


@cache
def _leads() -> str:
    """What bytes become with which letters of several begin, as a class of characters."""
    leads = bytes(range(0xC2, 0xF5))
    return f"[{''.join(sorted({c for page in CODE_PAGES for c in leads.decode(page)}))}]"


def _misread(
    true: Texts, shown: Texts, page: str, may: Mask, twice: bool = False, whole: bool = False
) -> Mask:
    """Where `shown` is `true`, read in a code page; unless `whole`, it may have been cut too."""
    if whole:
        may = may & (shown.characters >= true.sizes)
    rows = np.flatnonzero(may)
    begun = _read(true.at(rows).heads(_HEAD), page, twice).begins_with(shown.at(rows).heads(_HEAD))
    rows = rows[begun]
    found: Mask = np.zeros(len(true), dtype=bool)
    made, seen = _read(true.at(rows), page, twice), shown.at(rows)
    found[rows] = made.equals(seen) | (False if whole else made.begins_with(seen))
    return found


def _read(texts: Texts, page: str, twice: bool) -> Texts:
    made = _read_as(texts, page)
    return _read_as(made, page) if twice else made


def _read_as(texts: Texts, page: str) -> Texts:
    """The bytes of texts, each read as a character of the code page."""
    sizes, characters = _table(page)
    data = texts.data
    each = sizes[data]
    ends = np.concatenate(([0], np.cumsum(each, dtype=np.int64)))
    out = np.empty(ends[-1], dtype=np.uint8)
    out[ends[:-1]] = characters[data, 0]
    for place in (1, 2):
        longer = np.flatnonzero(each > place)
        out[ends[longer] + place] = characters[data[longer], place]
    return Texts.of(out, ends[texts.offsets])


@cache
def _table(page: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Of each byte, how long its character is in UTF-8, and that character. What the page leaves
    undefined is kept as Latin-1 has it, as programs do."""
    sizes = np.zeros(256, dtype=np.uint8)
    characters = np.zeros((256, 3), dtype=np.uint8)
    for byte in range(256):
        one = bytes([byte])
        try:
            encoded = one.decode(page).encode()
        except UnicodeDecodeError:
            encoded = one.decode("latin-1").encode()
        sizes[byte] = len(encoded)
        characters[byte, : len(encoded)] = list(encoded)
    return sizes, characters


def _replaced(old: Texts, new: Texts) -> Mask:
    """Where letters beyond ASCII became `?` or U+FFFD: some of them, one by one; or all of them, by
    as many marks as somebody liked."""
    found: Mask = np.zeros(len(old), dtype=bool)
    marked = pc.match_substring_regex(new.texts, r"[?\x{FFFD}]")
    rows = np.flatnonzero(~old.ascii & _mask(marked))
    if not len(rows):
        return found
    before, after = old.at(rows), new.at(rows)
    kept = pc.replace_substring_regex(before.texts, _NOT_ASCII, "")
    left = pc.replace_substring_regex(after.texts, r"[?\x{FFFD}]", "")
    plain = pc.replace_substring_regex(kept, r"\?", "")
    found[rows] = _mask(pc.equal(plain, left)) | _one_by_one(before, after)
    return found


def _one_by_one(old: Texts, new: Texts) -> Mask:
    """Where both texts have as many characters, and each is the same or a mark for one beyond ASCII."""
    found: Mask = np.zeros(len(old), dtype=bool)
    rows = np.flatnonzero((old.characters == new.characters) & (old.characters > 0))
    if not len(rows):
        return found
    a, b = old.at(rows), new.at(rows)
    x, y = a.code_points(), b.code_points()
    lost = (y == ord("?")) | (y == ord(_REPLACEMENT))
    fits = (x == y) | (lost & (x > 0x7F))
    starts = np.concatenate(([0], np.cumsum(a.characters)[:-1]))
    found[rows] = np.logical_and.reduceat(fits, starts)
    return found


def _left_out(old: Texts, new: Texts, pattern: str) -> Mask:
    """Where the characters of a pattern are gone, and something is left."""
    found: Mask = np.zeros(len(old), dtype=bool)
    rows = np.flatnonzero(~old.ascii & (new.sizes < old.sizes) & (new.sizes > 0))
    if len(rows):
        kept = pc.replace_substring_regex(joined(old.texts).take(pa.array(rows)), pattern, "")
        found[rows] = _mask(pc.equal(kept, joined(new.texts).take(pa.array(rows))))
    return found


def _mask(found: Any) -> Mask:
    mask: Mask = np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
    return mask
