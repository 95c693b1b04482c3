"""Whether two sides may be asked for sums of row hashes instead of being read, and what for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum

from safeguard.contract.model import Overlap, Routing
from safeguard.contract.types import TypeName
from safeguard.planning.layout import (
    DELETED_SLOT,
    ContentPlan,
    FieldSlot,
    KeySlot,
    OldPlan,
    SourcePlan,
)
from safeguard.systems.canonical import CanonicalColumn
from safeguard.systems.sums import Hashed, Question


class Strategy(StrEnum):
    """How contents may be compared: AUTO asks for sums where they tell enough, STREAM reads all."""

    AUTO = "auto"
    STREAM = "stream"


T = TypeName
_KINDS: dict[TypeName, frozenset[TypeName]] = {
    **{
        kind: frozenset({kind})
        for kind in (T.INTEGER, T.DATE, T.TIMESTAMP, T.UUID, T.BYTES, T.BOOLEAN, T.TEXT)
    },
    T.DECIMAL: frozenset({T.DECIMAL, T.INTEGER}),
}
"""Compared as -> declared kinds of which every value has a canonical form, and equal forms are
equal values. The hash of a server is asked to see no more and no less than that."""
_CHANCE = 2


def why_read(plan: ContentPlan, dialects: Mapping[str, str]) -> str:
    """Why this content must be read row by row, in words; "" where sums may tell that it is equal.

    `dialects` has the dialect of each system.
    """
    return next(_obstacles(plan, dialects), "")


def question_of(plan: ContentPlan, source: SourcePlan) -> Question:
    """What is to be summed of one source of a content that need not be read."""
    columns = {c.name: c for c in source.columns}
    owners = [k.slot for k in plan.owners]
    others = [k.slot for k in plan.keys if k.slot not in owners] + [f.slot for f in plan.fields]
    due = source.receives if isinstance(source, OldPlan) else (None,)
    return Question(
        source.selection,
        tuple(Hashed(slot, columns[slot].target.name) for slot in owners),
        tuple(Hashed(slot, columns[slot].target.name) for slot in others),
        due,
        DELETED_SLOT if source.deleted_when else None,
    )


def likely_unequal(seen: int, differing: int, owners: int, buckets: int) -> float:
    """The share of buckets that will turn out unequal, when `differing` of `seen` owners that were
    looked at do; two of them may be chance."""
    share = max(0, differing - _CHANCE) / max(1, seen)
    return 1 - math.pow(1 - share, max(1.0, owners / buckets))


def _obstacles(plan: ContentPlan, dialects: Mapping[str, str]) -> Iterator[str]:
    contract = plan.contract
    sources: tuple[SourcePlan, ...] = (*plan.old, *plan.new)
    engines = sorted({dialects[source.system] for source in sources})
    if len(engines) > 1:
        yield (
            f"its systems are of different engines ({', '.join(engines)}), and a hash that both "
            "can compute takes longer than reading"
        )
    if plan.order is not None:
        yield "it is a list: its order is judged entry by entry"
    if contract.shape == "document":
        yield "it is a document, compared path by path"
    if contract.routing is not Routing.BY_RECEIVES:
        yield f"routing: {contract.routing} looks for an entry in every new system"
    if contract.overlap is not Overlap.EVERY:
        yield "overlap: one chooses among the old entries that meet"
    if plan.cutoff is not None:
        yield "as_of tells entries apart that are not due yet"
    if any(source.crosswalks for source in sources):
        yield "a crosswalk translates its ids"
    for name, why in plan.unreadable:
        yield f"`{name}` {why}"
    for field in plan.fields:
        if field.spec.map is not None:
            yield f"`{field.name}` is mapped"
    for name, columns in _columns(plan, sources):
        if why := _blind(columns):
            yield f"`{name}` {why}"


def _columns(
    plan: ContentPlan, sources: tuple[SourcePlan, ...]
) -> Iterator[tuple[str, list[CanonicalColumn]]]:
    """Each key and field with its column in every source."""
    slots: tuple[KeySlot | FieldSlot, ...] = (*plan.keys, *plan.fields)
    for slot in slots:
        found = [next(c for c in s.columns if c.name == slot.slot) for s in sources]
        yield slot.name, found


def _blind(columns: list[CanonicalColumn]) -> str:
    """Why equal values of these columns need not hash alike, or differing ones may; or ""."""
    targets = {c.target.name for c in columns}
    if len(targets) > 1:
        return "is not compared as one type"
    target = targets.pop()
    if target not in _KINDS:
        return f"is of type {target}, whose hash does not see what we compare"
    for column in columns:
        if column.source.kind not in _KINDS[target]:
            return f"is {column.source.declared or 'of no declared type'}, compared as {target}"
        if column.source.blank_padded:
            return "is CHAR(n), whose trailing blanks are no content"
    if target is T.TIMESTAMP and not _one_clock(columns):
        return "is a time whose zone the two sides do not share"
    return ""


def _one_clock(columns: list[CanonicalColumn]) -> bool:
    if any(c.alternate or c.nanoseconds for c in columns):
        return False
    aware = {c.source.aware for c in columns}
    return aware == {True} or (aware == {False} and all(c.as_written for c in columns))
