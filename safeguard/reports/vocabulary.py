"""What kinds, causes and statuses are called in people's words, and how numbers are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from safeguard.findings.figures import entries as entries
from safeguard.findings.figures import number as number
from safeguard.findings.figures import percent as percent
from safeguard.findings.words import Kind

KIND_WORDS: Mapping[str, str] = {
    Kind.LOST: "lost",
    Kind.EXTRA: "extra",
    Kind.CHANGED: "changed",
    Kind.MOVED: "moved",
    Kind.DUPLICATED: "duplicated",
    Kind.MISATTRIBUTED: "with another customer",
    Kind.MISROUTED: "in the wrong system",
    Kind.RESURRECTED: "back though deleted",
    Kind.ORPHANED: "without an owner",
    Kind.UNCOVERED: "not covered",
    Kind.EXPECTATION: "of the contract's expectations broken",
    Kind.NOT_COMPARED: "not compared",
}
KIND_MEANINGS: Mapping[str, str] = {
    Kind.LOST: "The customer made it; it is not in the new system.",
    Kind.EXTRA: "The new system has it; the customer never made it.",
    Kind.CHANGED: "It is there, but not as the customer left it.",
    Kind.MOVED: "It is there, but at another place in the customer's order.",
    Kind.DUPLICATED: "The customer made it once; the new system has it again.",
    Kind.MISATTRIBUTED: "It belongs to one customer; the new system shows it to another.",
    Kind.MISROUTED: "It landed in a new system where it does not belong.",
    Kind.RESURRECTED: "The customer deleted it; in the new system it is back.",
    Kind.ORPHANED: "It is there, but the customer it belongs to is not.",
    Kind.UNCOVERED: "Customers made it, and no contract says how it must survive.",
    Kind.EXPECTATION: "A rule that the contract states held on the old side and fails in the new system.",
    Kind.NOT_COMPARED: "It could not be checked, so nobody knows.",
}
CAUSE_WORDS: Mapping[str, str] = {
    "nulled": "value gone",
    "emptied": "text emptied",
    "null_empty": "empty text for no value, or back",
    "truncated": "cut off",
    "garbled": "wrong encoding",
    "case": "upper and lower case",
    "whitespace": "blanks",
    "line_endings": "line endings",
    "unicode_form": "Unicode form",
    "escaped": "HTML escapes",
    "time_shift": "shifted in time",
    "time_truncated": "time cut to a coarser unit",
    "rounded": "rounded",
    "rescaled": "another scale",
    "overflowed": "too large for its new column",
    "mapped_wrong": "translated wrongly",
    "swapped_fields": "fields swapped",
    "defaulted": "replaced by a default",
    "dropped": "part missing",
    "added": "part added",
    "other": "different",
    "renumbered": "renumbered in the same order",
    "mapped": "translated by a map that loses detail",
    "within_tolerance": "within the tolerance",
    "time_fold": "in the hour that happens twice",
}
_CAUSE_PHRASES: Mapping[str, str] = {
    "nulled": "without their value",
    "null_empty": "with empty text for no value, or back",
    "garbled": "in a wrong encoding",
    "case": "in other upper and lower case",
    "whitespace": "with other blanks",
    "line_endings": "with other line endings",
    "unicode_form": "in another Unicode form",
    "escaped": "with HTML escapes",
    "rescaled": "on another scale",
    "mapped_wrong": "not as the contract's map says",
    "swapped_fields": "swapped with another field",
    "dropped": "with a part missing",
    "added": "with a part added",
}
STATUS_WORDS: Mapping[str, str] = {
    **KIND_WORDS,
    "kept": "kept",
    "deleted": "deleted by customers",
    "not_due": "not due yet",
    "overlapped": "overlapped",
    "partner": "matching an old entry",
}
_DESTINATION = {
    "move": "the new system",
    "split": "the new systems",
    "merge": "the merged system",
    "shutdown": "the archive",
}


_COUNT = re.compile(
    r"\b\d{4,18}(?= (?:entr(?:y|ies)|rows|counted|are unaccounted for|tolerated)\b)"
    r"|(?<=add up to )\d{4,18}\b|(?<=, not to )\d{4,18}\b|(?<=, but )\d{4,18}\b"
)


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 customer`, `3,214 customers`; `count(2, "entry", "entries")`."""
    return f"{value:,} {noun(value, one, many)}"


def noun(value: int, one: str, many: str | None = None) -> str:
    """The noun alone, as it follows that number."""
    return one if value == 1 else many or one + "s"


def grouped(text: str) -> str:
    """Counts that a sentence has bare, as `number` writes them; years, dates and names stay."""
    return _COUNT.sub(lambda match: number(int(match[0])), text)


def listed(words: Iterable[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`; of many, the first and how many more."""
    names = list(words)
    if len(names) > most:
        names = [*names[:most], f"{number(len(names) - most)} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def moment(written: str) -> str:
    """`22 November 2026, 03:14 UTC`; what is no time is given back as it is."""
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return written
    if time.tzinfo is None:
        return written
    return f"{time.astimezone(UTC):%d %B %Y, %H:%M} UTC".removeprefix("0")


def destination(kind: str) -> str:
    """Where the content goes in this kind of migration."""
    return _DESTINATION.get(kind, "the new system")


def kind_word(kind: str) -> str:
    """A finding's or a status's name, as it follows a number."""
    return STATUS_WORDS.get(kind, kind.replace("_", " "))


def cause_phrase(cause: str) -> str:
    """A cause as it follows a number of fields: `99 cut off`, `1 in a wrong encoding`."""
    return _CAUSE_PHRASES.get(cause) or CAUSE_WORDS.get(cause, cause.replace("_", " "))


def cause_word(cause: str) -> str:
    """Why a value is not the same, in words, with the cause's own name."""
    word = CAUSE_WORDS.get(cause)
    return f"{word} ({cause})" if word and word != cause else cause
