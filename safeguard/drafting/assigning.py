"""Which old content lives where: every table is given to the one content that fits it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from safeguard.contract.model import Shape
from safeguard.drafting.customers import CustomersTable
from safeguard.drafting.homes import Home, Sample, Side, find_homes, take_sample
from safeguard.drafting.proposals import Proposal, content_name, propose
from safeguard.drafting.shapes import Content, customers_content, is_profile, read_contents
from safeguard.planning.dependants import Hang, find_table
from safeguard.systems.interface import Table

PROFILE = "profile"
"""What the customers' own table is called as a content."""


@dataclass(frozen=True)
class Found:
    """A content with its sample and its possible homes, by the name of their system."""

    side: Side
    content: Content
    sample: Sample
    homes: Mapping[str, Sequence[Home]]

    @property
    def best(self) -> float:
        return max((h.share or 0.0 for homes in self.homes.values() for h in homes[:1]), default=-1)


def find_contents(old: Sequence[Side], new: Sequence[Side]) -> tuple[list[Found], list[str]]:
    """Every content of the old systems with its possible homes; and sentences on what has none."""
    found: list[Found] = []
    aside: list[str] = []
    for place, side in enumerate(old):
        others = [*old[place + 1 :], *new]
        maps = {ids.table for ids in side.ids}
        if side.customers:
            _add_profile(side, side.customers, others, found, aside)
        for table in side.survey.tables:
            hang = side.hanging.get(table.name)
            if hang and table.name not in maps:
                _add(side, table, hang, others, found, aside)
        aside += _tied_to_nobody(side, maps)
    return found, aside


def _tied_to_nobody(side: Side, maps: set[str]) -> list[str]:
    """Tables that a draft knows nothing of: a shop's catalogue, or content whose owner is elsewhere."""
    known = {*side.hanging, *maps, *((side.customers.table.name,) if side.customers else ())}
    names = [t.name for t in side.survey.tables if not t.is_view and t.name not in known]
    if not names:
        return []
    tables = f"table{'s' if len(names) > 1 else ''} {', '.join(names)}"
    question = "Did customers make any of it? Write a contract."
    return [f"{side.survey.name}: no key or name ties to a customer: {tables}. {question}"]


def _add_profile(
    side: Side,
    customers: CustomersTable,
    others: Sequence[Side],
    found: list[Found],
    aside: list[str],
) -> None:
    looked = _look(side, [customers_content(customers)], others)
    if looked.homes and looked.sample.rows and _keeps_most(looked):
        found.append(looked)
    else:
        shown = f"{side.survey.name}.{customers.table.name}"
        aside.append(f"{shown}: no contract says what must survive of the customers themselves.")


def _add(
    side: Side,
    table: Table,
    hang: Hang,
    others: Sequence[Side],
    found: list[Found],
    aside: list[str],
) -> None:
    shown = f"{side.survey.name}.{table.name}"
    if len(hang.owner) != 1:
        aside.append(f"{shown}: its owner is a key of several columns. Write a contract.")
    elif by := _other_key(side, table, hang):
        aside.append(f"{shown}: it points at the customers by {by}. Write a contract.")
    elif side.survey.count(table.name) == 0:
        aside.append(f"{shown} is empty: nothing to survive, so no contract.")
    else:
        readings = read_contents(side.survey, table, hang, frozenset(side.hanging))
        found.append(_look(side, readings, others))


def _other_key(side: Side, table: Table, hang: Hang) -> str | None:
    """The customers' column that an owner is, where that is not their key."""
    holder = find_table(side.survey.tables, hang.path[-1].parent) if hang.path else table
    if side.customers is None or holder is None:
        return None
    for key in holder.foreign_keys:
        parent = find_table(side.survey.tables, key.parent)
        own = key.columns == hang.owner and parent is not None
        if own and parent == side.customers.table and key.parent_columns:
            return None if key.parent_columns == side.customers.key else key.parent_columns[0]
    return None


def _look(side: Side, readings: Sequence[Content], others: Sequence[Side]) -> Found:
    """The reading of a table under which most of it is found in the other systems."""
    tried = []
    for content in readings:
        sample = take_sample(side.survey, content)
        homes = {o.survey.name: found for o in others if (found := find_homes(content, sample, o))}
        tried.append(Found(side, content, sample, homes))
    return max(tried, key=lambda f: round(f.best, 1))


def _keeps_most(found: Found) -> bool:
    """Whether the new customers' tables hold what customers told of themselves, and not only ids."""
    fields = found.content.fields
    return all(
        2 * sum(f in homes[0].columns for f in fields) >= len(fields) > 0
        for homes in found.homes.values()
    )


def assign(found: Sequence[Found], new: Sequence[str]) -> tuple[list[Proposal], list[str]]:
    """Give each table to the one content that fits it best."""
    claims = sorted(
        (
            (home.score, i, system, home)
            for i, one in enumerate(found)
            for system, homes in one.homes.items()
            for home in homes
        ),
        key=lambda claim: -claim[0],
    )
    own = {(f.side.survey.name, f.content.table.name): i for i, f in enumerate(found)}
    taken: dict[tuple[str, str], int] = {}
    given: dict[tuple[int, str], Home] = {}
    merged: set[int] = set()
    for _, i, system, home in claims:
        place = (system, home.table.name)
        if place in taken or (i, system) in given or i in merged:
            continue
        taken[place], given[i, system] = i, home
        if place in own:
            merged.add(own[place])
    return _proposals(found, given, merged, new)


def _proposals(
    found: Sequence[Found],
    given: Mapping[tuple[int, str], Home],
    merged: set[int],
    new: Sequence[str],
) -> tuple[list[Proposal], list[str]]:
    proposals: list[Proposal] = []
    homeless: list[str] = []
    for i, one in enumerate(found):
        if i in merged:
            continue
        homes = {system: home for (j, system), home in given.items() if j == i}
        shown = f"{one.side.survey.name}.{one.content.table.name}"
        there = [homes[s] for s in new if s in homes]
        if not there:
            homeless.append(f"{shown}: no likely home in the new systems. Is it meant to go?")
            continue
        older = [h for s, h in homes.items() if s not in new]
        content = _named_shape(one.content)
        taken = [p.name for p in proposals]
        name = content_name(PROFILE if is_profile(content) else content.table.name, taken)
        proposals.append(propose(name, one.side.survey, content, one.sample, older, there))
    return proposals, homeless


def _named_shape(content: Content) -> Content:
    """A set or list must have an item; where an owner has one entry, it is a record."""
    if content.item or content.shape in (Shape.RECORD, Shape.DOCUMENT):
        return content
    order = (content.order,) if content.order else ()
    listed = (content.list,) if content.list else ()
    return replace(
        content,
        shape=Shape.RECORD,
        order=None,
        list=None,
        fields=(*listed, *order, *content.fields),
    )
