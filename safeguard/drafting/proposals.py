"""What is proposed for one content: fields with types, routes, and what is left to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeguard.contract.types import Type, TypeName
from safeguard.drafting.homes import Home, Sample
from safeguard.drafting.matching import differs, majority, type_of
from safeguard.drafting.routes import conditions, due_share, find_routes
from safeguard.drafting.shapes import Content
from safeguard.drafting.survey import Survey
from safeguard.drafting.zones import likely_zone
from safeguard.planning.naming import bare, words
from safeguard.systems.interface import Column

_MOMENTS = (TypeName.TIMESTAMP, TypeName.DATE, TypeName.TIME)


@dataclass(frozen=True)
class Field:
    """A field of the contract; `type` None says that it was not decided. `why` is its comment;
    `open` marks what a person must decide, `hint` a line to put in its place."""

    name: str
    type: Type | None
    why: str = ""
    open: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Place:
    """Where an entry of the contract lies in one further system."""

    home: Home
    receives: str | None = None
    share: float | None = None
    """Of the sampled entries that are due here, those that were found."""


@dataclass(frozen=True)
class Proposal:
    """One contract to be written."""

    name: str
    survey: Survey
    content: Content
    fields: tuple[Field, ...]
    keys: Mapping[str, Type]
    old: tuple[Place, ...]
    """Further old systems of a merge, matched to the first."""
    new: tuple[Place, ...]
    any_of: bool = False
    zone: str | None = None
    """The time zone in which the old times would equal the new ones, if that is not UTC."""
    routed_by: str | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        return (*self.old, *self.new)


def propose(
    name: str,
    survey: Survey,
    content: Content,
    sample: Sample,
    old: Sequence[Home],
    new: Sequence[Home],
) -> Proposal:
    """The contract for a content that has a home in at least one new system."""
    routed_by, landed = find_routes(content, sample, new)
    receives = conditions(survey, content, routed_by, landed, new)
    homes = (*old, *new)
    spread = len(new) > 1 and not receives and any((h.share or 0.0) < 0.9 for h in new)
    return Proposal(
        name=name,
        survey=survey,
        content=content,
        fields=tuple(_field(n, content, homes, sample, routed_by) for n in content.fields),
        keys=_keys(content, homes),
        old=tuple(Place(h, share=h.share) for h in old),
        new=tuple(
            Place(h, receives.get(h.side.survey.name), due_share(h, i, sample, routed_by, landed))
            for i, h in enumerate(new)
        ),
        any_of=spread,
        zone=_zone(content, new, sample),
        routed_by=routed_by,
    )


def content_name(table: str, taken: Sequence[str]) -> str:
    """`queue_items` is called queue, `NotifyMe` notify-me."""
    plain = _split(bare(table))
    if len(plain) > 1 and words(plain[-1]) in (("item",), ("entry",)):
        plain = plain[:-1]
    name = "-".join(plain) or "content"
    number = 2
    while name in taken:
        name, number = f"{'-'.join(plain)}-{number}", number + 1
    return name


def title(table: str) -> str:
    """A table's name as people would write it."""
    return " ".join(_split(bare(table))).capitalize()


def _split(name: str) -> list[str]:
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _field(
    name: str, content: Content, homes: Sequence[Home], sample: Sample, routed_by: str | None
) -> Field:
    column = content.column(name)
    assert column is not None
    if name == routed_by and any(name not in h.columns for h in homes):
        return Field(name, None, "it decides the route, and is not kept as a field")
    if column.type.unsupported:
        return Field(name, None, f"can't be read exactly: {column.type.unsupported}", open=True)
    without = [h for h in homes if name not in h.columns]
    if without:
        said = ", ".join(f"{h.side.survey.name}.{h.table.name}" for h in without)
        return Field(name, None, f"no likely column in {said}. Was it meant to go?", open=True)
    return _typed(column, homes, sample)


def _typed(column: Column, homes: Sequence[Home], sample: Sample) -> Field:
    new = [h.columns[column.name].column for h in homes]
    kind = type_of(column, new)
    if kind is None:
        return Field(column.name, None, f"{_became(column, new)}: no type reads both", open=True)
    if not differs(column, new):
        return Field(column.name, kind)
    if all(c.type.kind is None for c in (column, *new)):
        return Field(column.name, kind, "no system declares its type: compared as text")
    shown = "" if kind.name in _MOMENTS else _shown_map(column, homes, sample)
    why = _became(column, new)
    if shown:
        hint = f"{column.name}: {{type: {kind}, map: {{{shown}}}}}"
        return Field(column.name, kind, f"? {why}: say how", open=True, hint=hint)
    return Field(column.name, kind, why)


def _zone(content: Content, homes: Sequence[Home], sample: Sample) -> str | None:
    for name in content.fields:
        column = content.column(name)
        if column is None or column.type.kind is not TypeName.TIMESTAMP or column.type.aware:
            continue
        at = sample.columns.index(name) if name in sample.columns else None
        for home in homes:
            there = home.place(name)
            if at is not None and there is not None:
                zone = likely_zone([(a[at], b[there]) for a, b in home.pairs])
                if zone:
                    return zone
    return None


def _became(old: Column, new: Sequence[Column]) -> str:
    said = {_kind(c) for c in new if c.type.kind is not old.type.kind}
    return f"{_kind(old)} became {', '.join(sorted(said))}"


def _kind(column: Column) -> str:
    return column.type.declared.lower() or str(column.type.kind or "untyped")


def _shown_map(column: Column, homes: Sequence[Home], sample: Sample) -> str:
    """What the partners of each old value mostly say, where they say something else."""
    at = sample.columns.index(column.name)
    for home in homes:
        there = home.place(column.name)
        if there is None:
            continue
        votes = majority([(a[at], b[there]) for a, b in home.pairs])
        if votes and any(old != new for old, new in votes.items()):
            return ", ".join(f"{_plain(o)}: {_plain(n)}" for o, n in votes.items())
    return ""


def _plain(value: str) -> str:
    return value if value.isalnum() else json.dumps(value, ensure_ascii=False)


def _keys(content: Content, homes: Sequence[Home]) -> dict[str, Type]:
    """Types of owner, list, item and order where the systems do not agree on one."""
    found: dict[str, Type] = {}
    names = [*content.parts, *((content.order,) if content.order else ())]
    for name in names:
        column = content.column(name)
        new = [h.columns[name].column for h in homes]
        if column and differs(column, new) and (kind := type_of(column, new)):
            found[name] = kind
    owner = content.owner[0]
    column = None if content.hang.path else content.column(content.hang.owner[0])
    if column:
        others = [c for h in homes if (c := _owner_there(h))]
        if differs(column, others) and (kind := type_of(column, others)):
            found[owner] = kind
    return found


def _owner_there(home: Home) -> Column | None:
    """The column that the old owner meets: the crosswalk's old one, or the table's own."""
    if home.ids:
        tables = [t for t in home.ids.survey.tables if t.name == home.ids.table]
        return tables[0].column(home.ids.old) if tables else None
    return None if home.hang.path else home.table.column(home.hang.owner[0])
