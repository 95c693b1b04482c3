"""The plan and the contracts as YAML, each guess with its reason in a comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safeguard.contract.model import MigrationKind, Shape
from safeguard.contract.types import TypeName
from safeguard.drafting.customers import CustomersTable, pointing
from safeguard.drafting.homes import Home
from safeguard.drafting.matching import ALIKE
from safeguard.drafting.proposals import Field, Place, Proposal, title
from safeguard.drafting.routes import plain_or_quoted
from safeguard.drafting.shapes import Content, deleted_column, owner_outputs
from safeguard.drafting.survey import Survey
from safeguard.drafting.yaml_text import comment, flow, mapping, noted, scalar
from safeguard.systems.interface import Table

PLAN = "safeguard.yaml"
SCHEMAS = {"plan": "safeguard-plan.schema.json", "contract": "safeguard-contract.schema.json"}


@dataclass(frozen=True)
class SystemText:
    """How a system is written into the plan."""

    name: str
    url: str
    naive: bool
    """It has timestamps without a zone in what is compared."""


@dataclass(frozen=True)
class PlanText:
    """All that the plan says."""

    kind: MigrationKind
    systems: tuple[SystemText, ...]
    contracts: tuple[str, ...]
    old: tuple[tuple[str, CustomersTable], ...]
    new: tuple[tuple[str, CustomersTable], ...]
    segment: tuple[str, str] | None
    open: tuple[str, ...]
    """What could not be decided, one sentence each."""


def plan_text(plan: PlanText) -> str:
    """safeguard.yaml."""
    return "\n".join([*_plan_lines(plan), ""])


def _plan_lines(plan: PlanText) -> Iterator[str]:
    yield f"# yaml-language-server: $schema=./{SCHEMAS['plan']}"
    yield "# Drafted by `safeguard init` from what the systems tell. Read it before you trust it:"
    yield "# a comment says why each guess was made, and `?` marks what a person must decide."
    names = [s.name for s in plan.systems]
    yield f"migration: {scalar('-'.join(names))}"
    yield f"kind: {plan.kind}"
    yield "systems:"
    for system in plan.systems:
        yield from _system(system)
    yield "contracts:"
    for path in plan.contracts:
        yield f"  - {scalar(path)}"
    if plan.old:
        yield from _customers(plan)
    else:
        yield comment("? no table looks like the customers: no segments, no orphans are found")
    for sentence in plan.open:
        yield comment(f"? {sentence}")


def _system(system: SystemText) -> Iterator[str]:
    yield f"  {scalar(system.name)}:"
    yield f"    url: {scalar(system.url)}"
    if system.naive:
        why = "guess: columns have no zone; which one did the application write?"
        yield noted("    timezone: UTC", why)


def _customers(plan: PlanText) -> Iterator[str]:
    yield "customers:"
    yield "  old:"
    for system, customers in plan.old:
        yield noted(f"    - {_customer_place(system, customers)}", pointing(customers))
    if plan.new:
        yield "  new:"
        for system, customers in plan.new:
            yield f"    - {_customer_place(system, customers)}"
    if plan.segment:
        name, condition = plan.segment
        line = f"  segments: {mapping([(name, condition)])}"
        yield noted(line, "guess: who does not have the free one pays")


def _customer_place(system: str, customers: CustomersTable) -> str:
    place = mapping([("system", system), ("table", customers.table.name)])[:-1]
    return f"{place}, key: {flow(customers.key)}}}"


def contract_text(proposal: Proposal) -> str:
    """One contract file."""
    return "\n".join([*_contract_lines(proposal), ""])


def field_line(text: str, name: str) -> int | None:
    """The line of a contract on which a field stands, from 1."""
    start = f"  {scalar(name)}:"
    lines = text.split("\n")
    return next((i for i, line in enumerate(lines, 1) if line.startswith(start)), None)


def _contract_lines(proposal: Proposal) -> Iterator[str]:
    content, why = proposal.content, proposal.content.reasons
    yield f"# yaml-language-server: $schema=../{SCHEMAS['contract']}"
    yield f"content: {scalar(proposal.name)}"
    yield f"title: {scalar(title(content.table.name))}"
    yield noted(f"shape: {content.shape}", why["shape"])
    yield noted(f"owner: {flow(content.owner)}", why["owner"])
    if content.item:
        yield noted(f"item: {flow(content.item)}", why["item"])
    elif "item" in why:
        yield comment(f"no item: {why['item']}")
    if content.order:
        yield f"order: {scalar(content.order)}"
    if content.list:
        why_list = "tells several lists of one owner apart"
        yield noted(f"list: {scalar(content.list)}", why_list)
    if proposal.keys:
        yield noted(
            f"keys: {mapping((n, str(t)) for n, t in proposal.keys.items())}",
            "the systems declare different types",
        )
    yield from _fields(proposal.fields)
    yield "old:"
    yield from _old(proposal)
    yield "new:"
    for place in proposal.new:
        yield from _place(proposal, place)
    if proposal.any_of:
        why_any = "? entries are in one system or the other; say by `receives` which must go where"
        yield noted("routing: any_of", why_any)


def _fields(fields: Sequence[Field]) -> Iterator[str]:
    if any(f.type for f in fields):
        yield "fields:"
    for field in fields:
        if field.type is None:
            sign = "? not decided" if field.open else "left out"
            yield "  " + comment(f"{sign}: {field.name}: {field.why}")
            continue
        yield noted(f"  {scalar(field.name)}: {{type: {field.type}}}", field.why)
        if field.hint:
            yield "  " + comment(f"  most of the sampled entries say: {field.hint}")


def _old(proposal: Proposal) -> Iterator[str]:
    content, survey = proposal.content, proposal.survey
    yield f"  - system: {scalar(survey.name)}"
    yield from _relation(survey, content, content.table.name)
    yield from _deleted_when(survey, content.table)
    for place in proposal.old:
        yield from _place(proposal, place)


def _relation(survey: Survey, content: Content, table: str) -> Iterator[str]:
    if not content.hang.path:
        yield f"    table: {scalar(table)}"
        return
    query = survey.joined_query(content.table, content.hang, content.owner)
    yield noted(f"    query: {scalar(query)}", "the owner is further away")
    yield f"    covers: [{scalar(table)}]"


def _deleted_when(survey: Survey, table: Table) -> Iterator[str]:
    """What the customer deleted, on either side."""
    name = deleted_column(table)
    column = table.column(name) if name else None
    if column is None:
        return
    told = plain_or_quoted(survey, column.name)
    if column.type.kind is TypeName.INTEGER:
        told += " <> 0"
    elif column.type.kind is not TypeName.BOOLEAN:
        told += " IS NOT NULL"
    yield noted(f"    deleted_when: {scalar(told)}", "guess, by its name")


def _place(proposal: Proposal, place: Place) -> Iterator[str]:
    home, content = place.home, proposal.content
    survey = home.side.survey
    yield noted(f"  - system: {scalar(survey.name)}", certainty(place))
    names = owner_outputs(home.table, home.hang)
    if home.hang.path:
        query = survey.joined_query(home.table, home.hang, names)
        yield f"    query: {scalar(query)}"
        yield f"    covers: [{scalar(home.table.name)}]"
    else:
        yield f"    table: {scalar(home.table.name)}"
    yield from _columns(proposal, home, names)
    yield from _deleted_when(survey, home.table)
    if place.receives:
        why = f"guess: so the entries of each {proposal.routed_by} lie in the new systems"
        yield noted(f"    receives: {scalar(place.receives)}", why)
    if home.ids:
        walk = [
            ("system", home.ids.survey.name),
            ("table", home.ids.table),
            ("old", home.ids.old),
            ("new", home.ids.new),
        ]
        yield "    crosswalk:"
        yield f"      {scalar(content.owner[0])}: {mapping(walk)}"


def _columns(proposal: Proposal, home: Home, owners: Sequence[str]) -> Iterator[str]:
    content = proposal.content
    order = (content.order,) if content.order else ()
    fields = tuple(f.name for f in proposal.fields if f.type)
    why = {name: match.why for name, match in home.columns.items()}
    named = {name: home.columns[name].column.name for name in (*content.parts, *order, *fields)}
    pairs = {**dict(zip(content.owner, owners, strict=True)), **named}
    changed = {old: new for old, new in pairs.items() if old != new}
    if changed:
        yield "    columns:"
    for old, new in changed.items():
        reason = why.get(old, "")
        shown = "" if reason == ALIKE else reason
        yield noted(f"      {scalar(old)}: {scalar(new)}", shown)


def certainty(place: Place) -> str:
    """How sure a home is, in words."""
    named = "names alike" if place.home.likeness >= 0.9 else ""
    share = "" if place.share is None else f"{place.share:.0%} of sampled keys found"
    return "; ".join(x for x in (named, share) if x)


def certainties(places: Sequence[Place]) -> str:
    """How sure the homes of a content are, each by name where they differ."""
    said = {p.home.side.survey.name: certainty(p) for p in places}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return ", ".join(f"{name}: {how or 'not sampled'}" for name, how in said.items())


def shape_words(content: Content) -> str:
    """A content's shape for the summary."""
    if content.shape is Shape.LIST:
        return f"list, ordered by {content.order}"
    return str(content.shape)
