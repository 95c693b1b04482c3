"""Look at the systems, find what customers made and where it went, and write it down as a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from safeguard.contract.model import MigrationKind, SystemSpec
from safeguard.contract.schema import schema
from safeguard.contract.types import TypeName
from safeguard.drafting.assigning import assign, find_contents
from safeguard.drafting.crosswalks import find_ids
from safeguard.drafting.customers import CustomersTable, find_customers, usual_names
from safeguard.drafting.homes import Side
from safeguard.drafting.proposals import Proposal
from safeguard.drafting.routes import plain_or_quoted
from safeguard.drafting.secrets import PlanUrl, plan_urls
from safeguard.drafting.summary import summary
from safeguard.drafting.survey import Survey
from safeguard.drafting.writing import (
    PLAN,
    SCHEMAS,
    PlanText,
    SystemText,
    contract_text,
    plan_text,
)
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.planning.dependants import find_dependants, heirs
from safeguard.planning.naming import OwnerName, words
from safeguard.systems.interface import Session

_DEMO = "safeguard_demo"
"""The table by which the demo knows databases of its own: nobody's content."""


@dataclass(frozen=True)
class Draft:
    """The files that were written, and what to say of them."""

    files: tuple[Path, ...]
    lines: tuple[str, ...]


def draft(
    old: Mapping[str, str],
    new: Mapping[str, str],
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    force: bool = False,
) -> Draft:
    """Write safeguard.yaml and contracts/*.yaml for these systems (name -> URL) into `folder`.

    Relative paths in URLs are relative to the working folder, as a shell's are; the plan gets them
    as seen from `folder`. Raises UsageProblem where a file is there
    already (without `force`), or where nothing is found that could be checked.
    """
    from safeguard.systems.open import open_system

    _refuse_names(old, new)
    _refuse_overwriting([folder / PLAN], force)
    urls = plan_urls({**old, **new}, environ or {}, folder)
    with ExitStack() as stack:
        opened: dict[str, Session] = {}
        for name, url in {**old, **new}.items():
            opened[name] = open_system(name, SystemSpec(url=url), Path.cwd())
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
    _refuse_unreadable([*old_sides, *new_sides])
    found, aside = find_contents(old_sides, new_sides)
    proposals, homeless = assign(found, [s.survey.name for s in new_sides])
    aside += homeless
    aside += (spot for session in old.values() for spot in session.blind_spots())
    if not proposals:
        raise UsageProblem(
            "nothing was found that customers made and that has a likely home in the new systems",
            *(f"?  {line}" for line in aside),
        )
    texts = {f"contracts/{p.name}.yaml": contract_text(p) for p in proposals}
    plan = _plan(old_sides, new_sides, proposals, urls, tuple(texts), tuple(aside))
    files = _write(folder, {PLAN: plan_text(plan), **texts}, force)
    return Draft(files, tuple(summary(old_sides, proposals, texts, aside, urls, folder)))


def _names(customers: CustomersTable | None) -> tuple[OwnerName, ...]:
    return customers.names if customers else usual_names()


def _sides(sessions: Mapping[str, Session], more: tuple[OwnerName, ...]) -> list[Side]:
    """Each system with its customers and what hangs on them; `more` names are the old side's."""
    sides = []
    for name, session in sessions.items():
        survey = Survey(name, session, tuple(t for t in session.tables() if t.name != _DEMO))
        customers = find_customers(survey.tables)
        people = frozenset({customers.table.name}) if customers else frozenset()
        hanging = find_dependants(survey.tables, people, (*_names(customers), *more))
        # The rows of what inherits come with those of its parent: no contract of its own.
        heir = heirs(survey.tables, (*people, *hanging))
        survey = Survey(name, session, tuple(t for t in survey.tables if t.name not in heir))
        hanging = {table: hang for table, hang in hanging.items() if table not in heir}
        sides.append(Side(survey, customers, hanging, find_ids(survey)))
    return sides


def _refuse_unreadable(sides: Sequence[Side]) -> None:
    """A table that can't be read looks as if nobody had its content: no draft is made of that."""
    refused = [
        f"{side.survey.name}.{table}: this user may not read it ({words}). "
        "Grant SELECT and run init again."
        for side in sides
        for table in sorted(
            {*side.hanging, *([side.customers.table.name] if side.customers else [])}
        )
        if (words := side.survey.denied(table))
    ]
    if refused:
        raise SystemProblem("\n".join(refused))


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
    schemas = {
        name: json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"
        for kind, name in SCHEMAS.items()
        if not (folder / name).exists()
    }
    try:
        (folder / "contracts").mkdir(parents=True, exist_ok=True)
        for name, text in {**texts, **schemas}.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{folder} can't be written: {error.strerror}") from error
    return tuple(folder / name for name in (*texts, *SCHEMAS.values()))
