"""From a contract's source to what is read of its system: names become columns or expressions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from safeguard.contract.model import Contract, OldSource, Source
from safeguard.findings.trouble import Mistake, UsageProblem
from safeguard.planning.layout import DELETED_SLOT, ORDER_SLOT, UPDATED_SLOT, SourcePlan
from safeguard.systems.interface import Column, Output, Relation, Selection
from safeguard.systems.plan_sql import bracketed

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


def relation_of(source: Source) -> Relation:
    """The table or the query that a source reads."""
    return Relation(table=source.table, query=source.query)


def slots_of(contract: Contract) -> dict[str, str]:
    """Contract name -> slot, in the order owner, list, item, order, fields."""
    slots = {name: f"k{i}" for i, name in enumerate(contract.key_columns)}
    if contract.order is not None:
        slots[contract.order] = ORDER_SLOT
    return slots | {name: f"f{i}" for i, name in enumerate(contract.fields)}


def receives_of(contract: Contract, source: OldSource) -> tuple[str | None, ...]:
    """Per route, the condition over this old source; None where a route is due everything.

    A mapping that leaves an old system out gives it nothing: its condition is FALSE.
    """
    found: list[str | None] = []
    for new in contract.new:
        if isinstance(new.receives, dict):
            found.append(new.receives.get(source.system, "1 = 0"))
        else:
            found.append(new.receives)
    return tuple(found)


def select(
    contract: Contract, source: Source, columns: tuple[Column, ...], where: str
) -> Selection:
    """The selection of one source. `where` names it in messages ("old.queue_items").

    Raises UsageProblem with every column that does not exist and the nearest right spelling.
    """
    names = tuple(c.name for c in columns)
    outputs: list[Output] = []
    mistakes: list[Mistake] = []
    wanted = list(slots_of(contract).items())
    if contract.updated_at is not None:
        wanted.append((contract.updated_at, UPDATED_SLOT))
    for name, slot in wanted:
        sql = source.columns.get(name, name)
        if sql not in names and (name not in source.columns or _IDENTIFIER.fullmatch(sql)):
            mistakes.append(Mistake(_no_column(where, sql, names)))
            continue
        key = name in contract.key_columns
        outputs.append(Output(slot, sql, is_column=sql in names, key=key))
    if mistakes:
        raise UsageProblem(*dict.fromkeys(mistakes))
    outputs.extend(_conditions(contract, source))
    return Selection(relation_of(source), tuple(outputs), source.where)


def by_names(contract: Contract, source: SourcePlan) -> Selection:
    """What a source reads, with the contract's names for columns, and without what is deleted."""
    names = {slot: name for name, slot in slots_of(contract).items()}
    outputs = [replace(o, name=names[o.name]) for o in source.selection.outputs if o.name in names]
    if source.updated and contract.updated_at and contract.updated_at not in names.values():
        outputs.append(replace(source.updated.output, name=contract.updated_at))
    terms = [bracketed(source.selection.where)] if source.selection.where else []
    if source.deleted_when:  # NULL is not deleted
        terms.append(f"CASE WHEN {bracketed(source.deleted_when)} THEN 1 ELSE 0 END = 0")
    where = " AND ".join(terms) or None
    return Selection(source.selection.relation, tuple(outputs), where)


def _conditions(contract: Contract, source: Source) -> Iterator[Output]:
    if source.deleted_when:
        yield Output(DELETED_SLOT, source.deleted_when, is_column=False, condition=True)
    if isinstance(source, OldSource):
        for route, condition in enumerate(receives_of(contract, source)):
            if condition is not None:
                yield Output(f"r{route}", condition, is_column=False, condition=True)


def _no_column(where: str, wanted: str, names: Iterable[str]) -> str:
    names = tuple(names)
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    lower = [n for n in names if n.lower() == wanted.lower()]
    hint = f" Did you mean `{(lower or near)[0]}`?" if lower or near else ""
    return f"{where} has no column `{wanted}`. It has: {', '.join(names)}.{hint}"
