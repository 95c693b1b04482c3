"""Which new column an old one became: by name, by meaning, by values, or as the only one left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeguard.contract.types import Type, TypeName
from safeguard.drafting.survey import Row
from safeguard.planning.kinds import READABLE, TypesDiffer, common_type
from safeguard.planning.naming import bare, joined, words
from safeguard.systems.interface import Column

_MEANINGS = (
    "queue watchlist wishlist wish list later",
    "rating thumb star vote score like rate rated thumbed stars",
    "notify notification alert notice reminder subscription release",
    "review opinion comment critique",
    "playlist collection mix set folder shelf",
    "item entry line row element",
    "title video movie film disc disk item product show song track book",
    "customer user member account subscriber client patron owner",
    "order purchase invoice",
    "position rank sort ordinal sequence seq order pos",
    "note memo remark comment annotation",
    "body text word words content message",
    "doc document content data payload json",
    "added created queued written inserted since",
    "count vote votes number total",
    "list shelf folder playlist",
)
_GROUPS = tuple(frozenset(w for text in group.split() for w in words(text)) for group in _MEANINGS)
_EMPTY = frozenset({"id", "at", "on", "no", "is", "the", "of", "me", "my", "tbl"})

ALIKE = "names alike"
MEANING = "guess: names mean the same"
VALUES = "guess: the sampled values are equal"
LEFT = "guess: the only ones left of their kind"


@dataclass(frozen=True)
class Match:
    """An old column's likely new one, and why."""

    column: Column
    why: str


def table_likeness(old: str, new: str) -> float:
    """1 for the same name, down to 0 for names that share no meaning."""
    return likeness(bare(old), bare(new))


def likeness(old: str, new: str) -> float:
    """How alike two names are: 1 the same, 0.6 and less by their words' meaning, 0 not at all."""
    if joined(old) == joined(new):
        return 1.0
    ours, theirs = _told(old), _told(new)
    if not ours or not theirs:
        return 0.0
    if ours == theirs:
        return 0.9
    met = sum(any(_same(a, b) for b in theirs) for a in ours)
    back = sum(any(_same(a, b) for a in ours) for b in theirs)
    return 0.6 * (met + back) / (len(ours) + len(theirs))


def _told(name: str) -> frozenset[str]:
    return frozenset(words(name)) - _EMPTY


def _same(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _GROUPS)


def match_names(old: Sequence[Column], new: Sequence[Column]) -> dict[str, Match]:
    """The best pairs by name alone, each column once, of kinds that can be read alike."""
    pairs = sorted(
        (
            (likeness(a.name, b.name), -abs(i - j), a.name, b)
            for i, a in enumerate(old)
            for j, b in enumerate(new)
            if comparable(a, b)
        ),
        key=lambda pair: pair[:2],
        reverse=True,
    )
    found: dict[str, Match] = {}
    taken: set[str] = set()
    for score, _, name, column in pairs:
        if score >= 0.3 and name not in found and column.name not in taken:
            found[name] = Match(column, ALIKE if score >= 0.9 else MEANING)
            taken.add(column.name)
    return found


def comparable(old: Column, new: Column) -> bool:
    """Whether some type could read both columns."""
    return not (old.type.unsupported or new.type.unsupported) and type_of(old, [new]) is not None


def match_values(
    old: Sequence[Column], new: Sequence[Column], pairs: Sequence[tuple[Row, Row]]
) -> dict[str, Match]:
    """Pairs of columns whose values agree in nine of ten paired rows that say something."""
    found: dict[str, Match] = {}
    taken: set[str] = set()
    for i, column in enumerate(old):
        for j, other in enumerate(new):
            if other.name in taken or not comparable(column, other):
                continue
            said = [(a[i], b[j]) for a, b in pairs if a[i] and b[j]]
            varied = len({a for a, _ in said}) > 1
            if varied and len(said) >= 5 and sum(a == b for a, b in said) >= 0.9 * len(said):
                found[column.name] = Match(other, VALUES)
                taken.add(other.name)
                break
    return found


def match_left(old: Sequence[Column], new: Sequence[Column]) -> dict[str, Match]:
    """Columns that are the only ones of their kind on each side."""
    found: dict[str, Match] = {}
    for kind in {c.type.kind for c in old if c.type.kind}:
        ours = [c for c in old if c.type.kind is kind]
        theirs = [c for c in new if c.type.kind is kind]
        if len(ours) == len(theirs) == 1 and comparable(ours[0], theirs[0]):
            found[ours[0].name] = Match(theirs[0], LEFT)
    return found


def type_of(old: Column, new: Sequence[Column]) -> Type | None:
    """The type to compare by: what all declare, else one that can read all; None if none can.

    Untyped on every side, it is compared as text.
    """
    declared = [c.type for c in (old, *new)]
    try:
        return common_type(declared) or Type(TypeName.TEXT)
    except TypesDiffer:
        pass
    kinds = {d.kind for d in declared if d.kind}
    fitting = [name for name in _by_exactness(old) if name in kinds and kinds <= READABLE[name]]
    return Type(fitting[0]) if fitting else None


def _by_exactness(old: Column) -> list[TypeName]:
    """What old declares comes first; text reads almost everything, and so comes last."""
    first = [old.type.kind] if old.type.kind and old.type.kind is not TypeName.TEXT else []
    return [*first, *(n for n in TypeName if n not in (*first, TypeName.TEXT)), TypeName.TEXT]


def differs(old: Column, new: Sequence[Column]) -> bool:
    """Whether the contract must name the type, because the systems do not agree on one."""
    try:
        return common_type([c.type for c in (old, *new)]) is None
    except TypesDiffer:
        return True


def majority(pairs: Sequence[tuple[str | None, str | None]]) -> Mapping[str, str]:
    """What most of the old value's partners say, by old value, where old values are few."""
    said: dict[str, dict[str, int]] = {}
    for old, new in pairs:
        if old is not None and new is not None:
            votes = said.setdefault(old, {})
            votes[new] = votes.get(new, 0) + 1
    if not said or len(said) > 12:
        return {}
    return {old: max(votes, key=votes.__getitem__) for old, votes in sorted(said.items())}
