"""What a contract implies of the new content, as a suite that plain Great Expectations loads.

A suite is weaker than a check: it never sees the old content. It is for what runs after the cutover.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from safeguard.comparing.preparing import prepare
from safeguard.contract.load import load_contract, load_plan
from safeguard.contract.model import Contract, FieldSpec, Overlap, Shape
from safeguard.contract.spelling import listed
from safeguard.contract.types import TypeName
from safeguard.drafting.seen import Seen, look
from safeguard.findings.trouble import UsageProblem
from safeguard.systems.opened import open_systems

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_EXACT = 2**53
"""Great Expectations keeps bounds as floats: whole numbers beyond this would be rounded."""


@dataclass(frozen=True)
class Implied:
    """One expectation of a suite, and why it is there."""

    name: str
    arguments: Mapping[str, Any]
    why: str
    derived: bool = False
    """From the old content as it was, not from the contract."""


@dataclass(frozen=True)
class Suite:
    """A suite; `queries` give the columns their contract names, by system."""

    name: str
    expectations: tuple[Implied, ...]
    queries: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As Great Expectations 1.x reads it."""
        meta: dict[str, Any] = {"made_by": "safeguard suite"}
        if self.queries:
            meta["queries"] = dict(self.queries)
        return {
            "name": self.name,
            "expectations": [
                {
                    "type": one.name,
                    "kwargs": dict(one.arguments),
                    "notes": one.why,
                    "meta": {"from": "old content" if one.derived else "contract"},
                }
                for one in self.expectations
            ],
            "meta": meta,
        }


def imply(contract: Contract, seen: Seen | None = None) -> Suite:
    """What a contract implies; with what was `seen` in the systems, ranges and types too."""
    found = [
        *_rows(contract),
        *_keys(contract),
        *_unique(contract),
        *(one for name, spec in contract.fields.items() for one in _field(name, spec, seen)),
        *_written(contract),
    ]
    return Suite(contract.content, tuple(found), seen.queries if seen else {})


def suite_of(path: Path, plan: Path | None, environ: Mapping[str, str]) -> Suite:
    """The suite of the contract at `path`; with its plan, the systems are asked, too.

    Raises UsageProblem for what a person must mend, a plan that has no such contract included, and
    SystemProblem for a system that can't be asked.
    """
    alone = load_contract(path).contract
    if plan is None:
        return imply(alone)
    loaded = load_plan(plan, environ)
    if alone not in [one.contract for one in loaded.contracts]:
        names = listed(one.path for one in loaded.contracts)
        raise UsageProblem(f"{plan} has no contract {path}; it has {names}")
    only = loaded.model_copy(
        update={"contracts": tuple(o for o in loaded.contracts if o.contract == alone)}
    )
    with open_systems(only) as systems:
        (content,) = prepare(only, systems)
        return imply(alone, look(content, only, systems))


# -- private -------------------------------------------------------------------------------------


def _rows(contract: Contract) -> Iterator[Implied]:
    """Of one new system that is due everything: of several, each has its part."""
    (first, *others) = contract.new
    least = max(contract.at_least, first.at_least or 0)
    if not others and first.receives is None and contract.as_of is None and least:
        why = f"the contract wants at least {least}"
        yield Implied("expect_table_row_count_to_be_between", {"min_value": least}, why)


def _keys(contract: Contract) -> Iterator[Implied]:
    for name in contract.key_columns:
        why = "an entry is known by its owner, list and item"
        yield Implied("expect_column_values_to_not_be_null", {"column": name}, why)


def _unique(contract: Contract) -> Iterator[Implied]:
    """A list may hold an item twice; in a merge each of several old entries of a key has its own."""
    merged = len(contract.old) > 1 and contract.overlap is Overlap.EVERY
    if contract.shape is Shape.LIST or merged:
        return
    key = list(contract.key_columns)
    why = f"a {contract.shape} has one entry a key"
    if len(key) == 1:
        yield Implied("expect_column_values_to_be_unique", {"column": key[0]}, why)
    else:
        yield Implied("expect_compound_columns_to_be_unique", {"column_list": key}, why)


def _field(name: str, spec: FieldSpec, seen: Seen | None) -> Iterator[Implied]:
    if spec.accept:  # what else may stand there is not known
        return
    if spec.map is not None:
        values = _results(spec, seen.kinds.get(name) if seen else None)
        why = "the results of the contract's map"
        yield Implied("expect_column_values_to_be_in_set", _in_set(name, values), why)
    elif spec.type is not None and spec.type.name is TypeName.BOOLEAN:
        if seen is None or seen.kinds.get(name) in (TypeName.BOOLEAN, TypeName.INTEGER):
            why = "the contract says boolean"
            yield Implied("expect_column_values_to_be_in_set", _in_set(name, [True, False]), why)
    elif seen and (labels := seen.labels.get(name)):
        why = "the labels of the old content"
        yield Implied("expect_column_values_to_be_in_set", _in_set(name, labels), why, derived=True)
    elif seen and (ends := seen.ranges.get(name)):
        yield from _range(name, spec, *ends)


def _in_set(name: str, values: Any) -> dict[str, Any]:
    return {"column": name, "value_set": list(values)}


def _results(spec: FieldSpec, kind: TypeName | None) -> list[Any]:
    """Results of a map, NULL aside, as values of the new column's type."""
    written = list(dict.fromkeys(v for v in (spec.map or {}).values() if v is not None))
    whole = all(_WHOLE.fullmatch(value) for value in written)
    return [int(v) for v in written] if whole and kind in (None, TypeName.INTEGER) else written


def _range(name: str, spec: FieldSpec, low: Decimal, high: Decimal) -> Iterator[Implied]:
    """Nothing that survives can lie outside of what was seen; floats by their tolerance more."""
    if max(abs(low), abs(high)) >= _EXACT:
        return
    slack = spec.type.tolerance if spec.type else Decimal(0)
    ends = {
        "min_value": _bound(low - slack, -math.inf),
        "max_value": _bound(high + slack, math.inf),
    }
    why = "the range of the old content"
    yield Implied("expect_column_values_to_be_between", {"column": name, **ends}, why, derived=True)


def _bound(exact: Decimal, outside: float) -> int | float:
    """A bound that leaves nothing out: where no float is written like it, the next one outside."""
    if exact == exact.to_integral_value():
        return int(exact)
    near = float(exact)
    return near if Decimal(repr(near)) == exact else math.nextafter(near, outside)


def _written(contract: Contract) -> Iterator[Implied]:
    for one in contract.expectations:
        for name, arguments in one.items():
            yield Implied(name, arguments, "the contract's expectations have it")
