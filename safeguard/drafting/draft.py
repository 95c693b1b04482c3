"""Look at the systems, find what customers made and where it went, and write it down as a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from safeguard.contract.model import MigrationKind, Shape, SystemSpec
from safeguard.contract.schema import schema
from safeguard.contract.types import TypeName
from safeguard.drafting.crosswalks import find_ids
from safeguard.drafting.customers import CustomersTable, find_customers, pointing, usual_names
from safeguard.drafting.homes import Home, Sample, Side, find_homes, take_sample
from safeguard.drafting.proposals import Proposal, content_name, plain_or_quoted, propose
from safeguard.drafting.secrets import PlanUrl, plan_urls
from safeguard.drafting.shapes import Content, customers_content, is_profile, read_contents
from safeguard.drafting.survey import Survey
from safeguard.drafting.writing import (
    SCHEMAS,
    PlanText,
    SystemText,
    certainties,
    contract_text,
    field_line,
    plan_text,
    shape_words,
)
from safeguard.findings.trouble import UsageProblem
from safeguard.planning.dependants import find_dependants
from safeguard.planning.naming import OwnerName, words
from safeguard.systems.interface import Session

PLAN = "safeguard.yaml"
PROFILE = "profile"
"""What the customers' own table is called as a content."""


@dataclass(frozen=True)
class Draft:
    """The files that were written, and what to say of them."""

    files: tuple[Path, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """A content with its sample and its possible homes, by the name of their system."""

    side: Side
    content: Content
    sample: Sample
    homes: Mapping[str, Sequence[Home]]

    @property
    def best(self) -> float:
        return max((h.share or 0.0 for homes in self.homes.values() for h in homes[:1]), default=-1)


def draft(
    old: Mapping[str, str],
    new: Mapping[str, str],
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    force: bool = False,
) -> Draft:
    """Write safeguard.yaml and contracts/*.yaml for these systems (name -> URL) into `folder`.

    Relative paths in URLs are relative to `folder`. Raises UsageProblem where a file is there
    already (without `force`), or where nothing is found that could be checked.
    """
    from safeguard.systems.open import open_system

    _refuse_names(old, new)
    _refuse_overwriting([folder / PLAN], force)
    urls = plan_urls({**old, **new}, environ or {})
    with ExitStack() as stack:
        opened: dict[str, Session] = {}
        for name, url in {**old, **new}.items():
            opened[name] = open_system(name, SystemSpec(url=url), folder)
            stack.callback(opened[name].close)
        return draft_sessions(
            {n: opened[n] for n in old}, {n: opened[n] for n in new}, urls, folder, force=force
        )


def draft_sessions(
    old: Mapping[str, Session],
    new: Mapping[str, Session],
    urls: Mapping[str, PlanUrl],
    folder: Path,
    *,
    force: bool = False,
) -> Draft:
    """The same for systems that are open."""
    old_sides = _sides(old, ())
    names = tuple(n for side in old_sides for n in _names(side.customers))
    new_sides = _sides(new, names)
    found, aside = _find_all(old_sides, new_sides)
    proposals, homeless = _assign(found, [s.survey.name for s in new_sides])
    aside += homeless
    if not proposals:
        raise UsageProblem(
            "nothing was found that customers made and that has a likely home in the new systems",
            *(f"?  {line}" for line in aside),
        )
    texts = {f"contracts/{p.name}.yaml": contract_text(p) for p in proposals}
    plan = _plan(old_sides, new_sides, proposals, urls, tuple(texts), tuple(aside))
    files = _write(folder, {PLAN: plan_text(plan), **texts}, force)
    return Draft(files, tuple(_lines(old_sides, proposals, texts, aside, urls)))


def _names(customers: CustomersTable | None) -> tuple[OwnerName, ...]:
    return customers.names if customers else usual_names()


def _sides(sessions: Mapping[str, Session], more: tuple[OwnerName, ...]) -> list[Side]:
    """Each system with its customers and what hangs on them; `more` names are the old side's."""
    sides = []
    for name, session in sessions.items():
        survey = Survey(name, session, session.tables())
        customers = find_customers(survey.tables)
        people = frozenset({customers.table.name}) if customers else frozenset()
        hanging = find_dependants(survey.tables, people, (*_names(customers), *more))
        sides.append(Side(survey, customers, hanging, find_ids(survey)))
    return sides


# What was found


def _find_all(old: Sequence[Side], new: Sequence[Side]) -> tuple[list[_Found], list[str]]:
    """Every content of the old systems with its possible homes; and sentences on what has none."""
    found: list[_Found] = []
    aside: list[str] = []
    for place, side in enumerate(old):
        others = [*old[place + 1 :], *new]
        if side.customers:
            people = customers_content(side.customers)
            looked = _look(side, [people], others)
            if looked.homes and _keeps_most(looked):
                found.append(looked)
        for table in side.survey.tables:
            hang = side.hanging.get(table.name)
            if hang is None or table.name in {ids.table for ids in side.ids}:
                continue
            shown = f"{side.survey.name}.{table.name}"
            if len(hang.owner) != 1:
                aside.append(f"{shown}: its owner is a key of several columns. Write a contract.")
            elif side.survey.count(table.name) == 0:
                aside.append(f"{shown} is empty: nothing to survive, so no contract.")
            else:
                readings = read_contents(side.survey, table, hang, frozenset(side.hanging))
                found.append(_look(side, readings, others))
    return found, aside


def _look(side: Side, readings: Sequence[Content], others: Sequence[Side]) -> _Found:
    """The reading of a table under which most of it is found in the other systems."""
    tried = []
    for content in readings:
        sample = take_sample(side.survey, content)
        homes = {o.survey.name: found for o in others if (found := find_homes(content, sample, o))}
        tried.append(_Found(side, content, sample, homes))
    return max(tried, key=lambda f: round(f.best, 1))


def _keeps_most(found: _Found) -> bool:
    """Whether the new customers' tables hold what customers told of themselves, and not only ids."""
    fields = found.content.fields
    return all(
        2 * sum(f in homes[0].columns for f in fields) >= len(fields) > 0
        for homes in found.homes.values()
    )


def _assign(found: Sequence[_Found], new: Sequence[str]) -> tuple[list[Proposal], list[str]]:
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
    found: Sequence[_Found],
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
        name = PROFILE if is_profile(content) else content_name(content.table.name, taken)
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


# The plan


def _plan(
    old: Sequence[Side],
    new: Sequence[Side],
    proposals: Sequence[Proposal],
    urls: Mapping[str, PlanUrl],
    paths: tuple[str, ...],
    aside: tuple[str, ...],
) -> PlanText:
    naive = _naive_systems(proposals)
    systems = tuple(
        SystemText(s.survey.name, urls[s.survey.name].written, s.survey.name in naive)
        for s in (*old, *new)
    )
    people = [(s.survey.name, s.customers) for s in old if s.customers]
    return PlanText(
        kind=_kind(proposals, urls),
        systems=systems,
        contracts=paths,
        old=tuple(people) if len(people) == len(old) else (),
        new=tuple((s.survey.name, s.customers) for s in new if s.customers),
        segment=_segment(old[0]),
        open=aside,
    )


def _kind(proposals: Sequence[Proposal], urls: Mapping[str, PlanUrl]) -> MigrationKind:
    old = {p.survey.name for p in proposals}
    old |= {place.home.side.survey.name for p in proposals for place in p.old}
    new = {place.home.side.survey.name for p in proposals for place in p.new}
    if len(old) > 1:
        return MigrationKind.MERGE
    if len(new) > 1:
        return MigrationKind.SPLIT
    archived = all(urls[name].written.startswith("files:") for name in new)
    return MigrationKind.SHUTDOWN if archived else MigrationKind.MOVE


def _naive_systems(proposals: Sequence[Proposal]) -> set[str]:
    """Systems in which a timestamp without a zone is compared."""
    found = set()
    for p in proposals:
        order = (p.content.order,) if p.content.order else ()
        names = [*p.content.parts, *order]
        names += [f.name for f in p.fields if f.type and f.type.name is TypeName.TIMESTAMP]
        stamped = [n for n in names if _is_stamp(p, n)]
        for name in stamped:
            column = p.content.column(name)
            if column and not column.type.aware:
                found.add(p.survey.name)
            for place in p.places:
                if not place.home.columns[name].column.type.aware:
                    found.add(place.home.side.survey.name)
    return found


def _is_stamp(proposal: Proposal, name: str) -> bool:
    kinds = [c.type.kind for c in (proposal.content.column(name),) if c]
    kinds += [p.home.columns[name].column.type.kind for p in proposal.places]
    return TypeName.TIMESTAMP in kinds


def _segment(side: Side) -> tuple[str, str] | None:
    """Who pays, where the customers have a plan and one of the plans is called free."""
    if side.customers is None:
        return None
    for column in side.customers.table.columns:
        if not {"plan", "tier", "subscription", "membership"} & set(words(column.name)):
            continue
        rows = side.survey.rows(side.customers.table.name, (column.name,))
        if any(row[0] == "free" for row in rows):
            return "paying", f"{plain_or_quoted(side.survey, column.name)} <> 'free'"
    return None


# Files


def _refuse_names(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    twice = sorted(set(old) & set(new))
    if twice or not old or not new:
        raise UsageProblem(
            f"`{twice[0]}` is both an old and a new system; give them different names"
            if twice
            else "name at least one old and one new system"
        )
    if len(old) > 1 and len(new) > 1:
        raise UsageProblem(
            "several old and several new systems are no one migration; draft a plan for each"
        )


def _refuse_overwriting(paths: Sequence[Path], force: bool) -> None:
    there = [p for p in paths if p.exists()]
    if there and not force:
        raise UsageProblem(*(f"{path} is there already; nothing was written" for path in there))


def _write(folder: Path, texts: Mapping[str, str], force: bool) -> tuple[Path, ...]:
    _refuse_overwriting([folder / name for name in texts], force)
    (folder / "contracts").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for kind, name in SCHEMAS.items():
        if not (folder / name).exists():
            text = json.dumps(schema(kind), indent=2, ensure_ascii=False)
            (folder / name).write_text(text + "\n", encoding="utf-8")
    return tuple(folder / name for name in (*texts, *SCHEMAS.values()))


# What is said


def _lines(
    old: Sequence[Side],
    proposals: Sequence[Proposal],
    texts: Mapping[str, str],
    aside: Sequence[str],
    urls: Mapping[str, PlanUrl],
) -> Iterator[str]:
    rows = [*_customer_rows(old), *(_summary(p) for p in proposals)]
    rows += [("?", line, "") for p in proposals for line in _open(p, texts)]
    rows += [("?", line, "") for line in (*_zone_lines(proposals), *aside)]
    first = max(len(row[0]) for row in rows) + 2
    second = max((len(row[1]) for row in rows if row[2]), default=0) + 2
    for name, what, how in rows:
        yield f"{name:<{first}}{what:<{second}}{how}".rstrip()
    for name, url in urls.items():
        if url.export:
            yield f"export {url.variable}=...  before a check: the plan holds no password of {name}"
    count = f"{len(proposals)} contract{'s' if len(proposals) > 1 else ''}"
    yield f"wrote {PLAN} and {count}. Next: safeguard check {PLAN}"


def _customer_rows(old: Sequence[Side]) -> Iterator[tuple[str, str, str]]:
    for side in old:
        people = side.customers
        if people is None:
            yield "?", f"{side.survey.name}: no table looks like the customers", ""
            continue
        shown = f"{side.survey.name}.{people.table.name} ({', '.join(people.key)})"
        yield "customers", f"{shown}: {pointing(people)}", ""


def _summary(p: Proposal) -> tuple[str, str, str]:
    from_ = [f"{p.survey.name}.{p.content.table.name}"]
    from_ += [f"{x.home.side.survey.name}.{x.home.table.name}" for x in p.old]
    to = [f"{x.home.side.survey.name}.{x.home.table.name}" for x in p.new]
    sure = certainties(p.new)
    how = f"{shape_words(p.content)}   ({sure})" if sure else shape_words(p.content)
    return p.name, f"{', '.join(from_)} -> {', '.join(to)}", how


def _zone_lines(proposals: Sequence[Proposal]) -> Iterator[str]:
    zones = {(p.survey.name, p.zone): p.name for p in reversed(proposals) if p.zone}
    for (system, zone), name in zones.items():
        yield (
            f"{system}: times of {name} equal the new ones if they were written in {zone}, not in "
            f"UTC. Were they? Then say so at `timezone` in {PLAN}"
        )


def _open(p: Proposal, texts: Mapping[str, str]) -> Iterator[str]:
    path = f"contracts/{p.name}.yaml"
    shown = f"{p.survey.name}.{p.content.table.name}"
    for field in p.fields:
        if field.hint:
            line = field_line(texts[path], field.name)
            yield f"{shown}.{field.name}: {field.why.removeprefix('? ')} in {path}:{line}"
        elif field.open:
            yield f"{shown}.{field.name}: {field.why}"
    if p.any_of:
        yield f"{shown}: which entries must land in which system? Say by `receives` in {path}"
    if not p.content.certain:
        yield f"{shown}: {p.content.reasons['item'].removeprefix('? ')}; say in {path}"
