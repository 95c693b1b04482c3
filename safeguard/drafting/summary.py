"""What `init` says of its draft: what goes where, and what a person must decide."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from safeguard.drafting.customers import pointing
from safeguard.drafting.homes import Side
from safeguard.drafting.proposals import Proposal
from safeguard.drafting.secrets import PlanUrl
from safeguard.drafting.writing import PLAN, certainties, field_line, shape_words


def summary(
    old: Sequence[Side],
    proposals: Sequence[Proposal],
    texts: Mapping[str, str],
    aside: Sequence[str],
    urls: Mapping[str, PlanUrl],
    folder: Path,
) -> Iterator[str]:
    """The lines; `folder` is where the plan was written."""
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
    plan = str(folder / PLAN)
    yield f"wrote {plan} and {count}. Next: safeguard check {shlex.quote(plan)}"


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
