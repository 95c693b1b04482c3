"""Where an old content lives in a new system: the table, its columns, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safeguard.drafting.crosswalks import Ids
from safeguard.drafting.customers import CustomersTable
from safeguard.drafting.matching import (
    Match,
    match_left,
    match_names,
    match_values,
    table_likeness,
)
from safeguard.drafting.shapes import Content, customers_content, deleted_column, is_profile
from safeguard.drafting.survey import LOOKED_AT, SAMPLE, Row, Survey
from safeguard.planning.dependants import Hang
from safeguard.systems.interface import Column, Table

TRIED = 5
"""Tables of a new system whose rows are looked at for one content."""


@dataclass(frozen=True)
class Side:
    """A system, who its customers are, what hangs on them, and its crosswalks."""

    survey: Survey
    customers: CustomersTable | None
    hanging: Mapping[str, Hang]
    ids: tuple[Ids, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Some live old entries; each row has the table's columns and, last, the owner."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def cells(self, row: Row, names: Sequence[str]) -> Row:
        return tuple(row[self.columns.index(n)] for n in names)


@dataclass(frozen=True)
class Home:
    """A new table that a content may live in. `columns` are the new columns by old name, without
    the owner; `ids` translates owners; `found` are the places in the sample of entries that are
    there, `pairs` they and their partners."""

    side: Side
    table: Table
    hang: Hang
    columns: Mapping[str, Match]
    ids: Ids | None
    share: float | None
    found: frozenset[int]
    pairs: tuple[tuple[Row, Row], ...]
    likeness: float

    @property
    def score(self) -> float:
        return self.likeness + 1.5 * (self.share or 0.0) + 0.02 * len(self.columns)

    @property
    def readable(self) -> tuple[Column, ...]:
        """The columns of the new rows in `pairs`, without the owner that stands last."""
        return tuple(c for c in _free(self.table, self.hang) if not c.type.unsupported)

    def place(self, name: str) -> int | None:
        """Where an old column's partner stands in the new rows of `pairs`."""
        match = self.columns.get(name)
        names = [c.name for c in self.readable]
        return names.index(match.column.name) if match and match.column.name in names else None

    def has(self, content: Content) -> bool:
        """Whether everything that identifies and orders an entry has a column here."""
        wanted = (*content.parts, *((content.order,) if content.order else ()))
        return all(name in self.columns for name in wanted)


def take_sample(survey: Survey, content: Content) -> Sample:
    """Some of the content's live entries."""
    own = [c.name for c in content.table.columns if not c.type.unsupported]
    names = (*own, content.hang.owner[0])
    rows = survey.rows(content.table.name, names, limit=SAMPLE, hang=content.hang)
    live = (None, "0", "False", "false", "f")
    if content.deleted in own:
        at = own.index(content.deleted)
        rows = tuple(row for row in rows if row[at] in live)
    return Sample(names, rows)


def find_homes(content: Content, sample: Sample, side: Side) -> list[Home]:
    """Tables of a system that may hold the content, the likeliest first."""
    candidates = sorted(
        _candidates(content, side), key=lambda c: _promise(content, *c), reverse=True
    )
    looked = [_look(content, sample, side, *c) for c in candidates[:TRIED]]
    homes = [home for home in looked if home.has(content) and _is_likely(home)]
    return sorted(homes, key=lambda home: home.score, reverse=True)


def _is_likely(home: Home) -> bool:
    share = home.share or 0.0
    return home.likeness >= 0.9 or share >= 0.6 or (home.likeness >= 0.3 and share >= 0.05)


def _candidates(content: Content, side: Side) -> list[tuple[Table, Hang]]:
    people = side.customers.table.name if side.customers else None
    if is_profile(content):
        if side.customers is None:
            return []
        return [(side.customers.table, customers_content(side.customers).hang)]
    maps = {ids.table for ids in side.ids}
    return [
        (table, hang)
        for table in side.survey.tables
        if not table.is_view and table.name != people and table.name not in maps
        if (hang := side.hanging.get(table.name)) and len(hang.owner) == 1
    ]


def _promise(content: Content, table: Table, hang: Hang) -> float:
    old = [c for c in content.table.columns if c.name not in content.owner]
    new = [c for c in table.columns if c.name not in hang.owner]
    names = match_names(old, new)
    return 2 * table_likeness(content.table.name, table.name) + len(names) / max(len(old), 1)


def _look(content: Content, sample: Sample, side: Side, table: Table, hang: Hang) -> Home:
    """The table as a home, by the translation of owners under which most of the sample is there."""
    direct = _try(content, sample, side, table, hang, None)
    best = direct
    for ids in side.ids:
        tried = _try(content, sample, side, table, hang, ids)
        if (tried.share or 0.0) > 0 and (tried.share or 0.0) >= (best.share or 0.0):
            best = tried
    return best


def _try(
    content: Content,
    sample: Sample,
    side: Side,
    table: Table,
    hang: Hang,
    ids: Ids | None,
) -> Home:
    free = _free(table, hang)
    owners = {row[-1] for row in sample.rows if row[-1] is not None}
    new_ids = ids.translated(owners) if ids else {o: o for o in owners}
    there = _rows_of(side.survey, table, hang, free, set(new_ids.values()))
    wanted = [c for c in content.table.columns if c.name in _wanted(content)]
    columns = dict(match_names(wanted, free))
    old_keys = [new_ids.get(row[-1] or "") for row in sample.rows]
    columns |= _parts_by_values(content, sample, columns, free, old_keys, there)
    home = Home(
        side,
        table,
        hang,
        columns,
        ids,
        None,
        frozenset(),
        (),
        table_likeness(content.table.name, table.name),
    )
    if not home.has(content):
        return home
    home = _paired(home, content, sample, free, old_keys, there)
    return replace(home, columns=_fields_matched(home, content, sample, free))


def _free(table: Table, hang: Hang) -> list[Column]:
    """Columns that an old one may have become: not the owner, not the mark of a deletion."""
    taken = (*(() if hang.path else hang.owner), deleted_column(table))
    return [c for c in table.columns if c.name not in taken]


def _wanted(content: Content) -> set[str]:
    order = {content.order} if content.order else set()
    return {*content.parts, *order, *content.fields}


def _rows_of(
    survey: Survey, table: Table, hang: Hang, free: Sequence[Column], owners: set[str]
) -> tuple[Row, ...]:
    """All entries of these owners; the owner comes last."""
    if not owners:
        return ()
    names = tuple(c.name for c in free if not c.type.unsupported)
    return survey.rows_of_owners(table, hang, names, owners, LOOKED_AT)


def _parts_by_values(
    content: Content,
    sample: Sample,
    columns: Mapping[str, Match],
    free: Sequence[Column],
    old_keys: Sequence[str | None],
    there: Sequence[Row],
) -> dict[str, Match]:
    """For parts of the key that no name tells: the column in which most of their values are, of
    the same owners."""
    readable = [c for c in free if not c.type.unsupported]
    found: dict[str, Match] = {}
    for part in content.parts:
        if part in columns:
            continue
        taken = {m.column.name for m in (*columns.values(), *found.values())}
        values = {
            (key, sample.cells(row, (part,))[0])
            for key, row in zip(old_keys, sample.rows, strict=True)
        }
        shares = [
            (len(values & {(row[-1], row[i]) for row in there}) / max(len(values), 1), -i, c)
            for i, c in enumerate(readable)
            if c.name not in taken
        ]
        best = max(shares, key=lambda s: s[:2], default=None)
        if best and best[0] >= 0.2:
            found[part] = Match(best[2], "guess: holds the same values for the same owners")
    return found


def _paired(
    home: Home,
    content: Content,
    sample: Sample,
    free: Sequence[Column],
    old_keys: Sequence[str | None],
    there: Sequence[Row],
) -> Home:
    names = [c.name for c in free if not c.type.unsupported]
    places = [names.index(home.columns[p].column.name) for p in content.parts]
    by_key = {(row[-1], *(row[i] for i in places)): row for row in there}
    pairs, found = [], set()
    for i, (key, row) in enumerate(zip(old_keys, sample.rows, strict=True)):
        partner = by_key.get((key, *sample.cells(row, content.parts)))
        if key is not None and partner is not None:
            pairs.append((row, partner))
            found.add(i)
    share = len(pairs) / len(sample.rows) if sample.rows else None
    return replace(home, share=share, pairs=tuple(pairs), found=frozenset(found))


def _fields_matched(
    home: Home, content: Content, sample: Sample, free: Sequence[Column]
) -> dict[str, Match]:
    """Fields that no name tells, by their values in paired entries, else as the only ones left."""
    columns = dict(home.columns)
    readable = [c for c in free if not c.type.unsupported]
    for step in (match_values, None):
        taken = {m.column.name for m in columns.values()}
        old = [
            c
            for c in content.table.columns
            if c.name in content.fields and c.name not in columns and not c.type.unsupported
        ]
        new = [c for c in readable if c.name not in taken]
        if step is None:
            columns |= match_left(old, new)
            continue
        at = [readable.index(c) for c in new]
        pairs = [
            (sample.cells(a, [c.name for c in old]), tuple(b[i] for i in at)) for a, b in home.pairs
        ]
        columns |= step(old, new, pairs)
    return columns
