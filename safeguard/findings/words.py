"""The words that findings, sums and verdicts are made of."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What can be wrong with an entry (or with the check itself)."""

    LOST = "lost"
    EXTRA = "extra"
    CHANGED = "changed"
    MOVED = "moved"
    DUPLICATED = "duplicated"
    MISATTRIBUTED = "misattributed"
    MISROUTED = "misrouted"
    RESURRECTED = "resurrected"
    ORPHANED = "orphaned"
    UNCOVERED = "uncovered"
    EXPECTATION = "expectation"
    NOT_COMPARED = "not_compared"


class Cause(StrEnum):
    """Why a field is `changed`, when the evidence tells."""

    NULLED = "nulled"
    EMPTIED = "emptied"
    NULL_EMPTY = "null_empty"
    TRUNCATED = "truncated"
    GARBLED = "garbled"
    CASE = "case"
    WHITESPACE = "whitespace"
    LINE_ENDINGS = "line_endings"
    UNICODE_FORM = "unicode_form"
    ESCAPED = "escaped"
    TIME_SHIFT = "time_shift"
    TIME_TRUNCATED = "time_truncated"
    ROUNDED = "rounded"
    RESCALED = "rescaled"
    OVERFLOWED = "overflowed"
    MAPPED_WRONG = "mapped_wrong"
    SWAPPED_FIELDS = "swapped_fields"
    DEFAULTED = "defaulted"
    DROPPED = "dropped"
    ADDED = "added"
    OTHER = "other"


class OldStatus(StrEnum):
    """The one status of an old entry; of several routes, the first in this order."""

    MISATTRIBUTED = "misattributed"
    MISROUTED = "misrouted"
    LOST = "lost"
    ORPHANED = "orphaned"
    CHANGED = "changed"
    MOVED = "moved"
    NOT_COMPARED = "not_compared"
    KEPT = "kept"
    DELETED = "deleted"
    NOT_DUE = "not_due"
    OVERLAPPED = "overlapped"


class NewStatus(StrEnum):
    """The one status of a new entry; the first that holds, in this order."""

    PARTNER = "partner"
    DELETED = "deleted"
    NOT_DUE = "not_due"
    RESURRECTED = "resurrected"
    DUPLICATED = "duplicated"
    ORPHANED = "orphaned"
    EXTRA = "extra"
    NOT_COMPARED = "not_compared"


class WaiverState(StrEnum):
    """What became of a waiver in a run. Only one that is used waives anything; the next three block."""

    USED = "used"
    EXPIRED = "expired"
    OVERFULL = "overfull"
    UNAPPROVED = "unapproved"
    UNUSED = "unused"

    @property
    def blocks(self) -> bool:
        """Whether it is about something that was found, and is not valid."""
        return self not in (WaiverState.USED, WaiverState.UNUSED)


class Verdict(StrEnum):
    """May we roll out."""

    PASS = "PASS"
    BLOCK = "BLOCK"
    UNDECIDED = "UNDECIDED"

    @property
    def exit_code(self) -> int:
        """The process exit code that says this verdict to CI."""
        return {Verdict.PASS: 0, Verdict.BLOCK: 1, Verdict.UNDECIDED: 3}[self]


class Weight(StrEnum):
    """What the policy does about a kind of finding."""

    BLOCKS = "blocks"
    WARNS = "warns"
    ALLOWED = "allowed"


AFFECTING = frozenset(
    {
        Kind.LOST,
        Kind.CHANGED,
        Kind.MOVED,
        Kind.MISATTRIBUTED,
        Kind.MISROUTED,
        Kind.ORPHANED,
        Kind.DUPLICATED,
    }
)
"""Kinds that make a customer `affected`."""
