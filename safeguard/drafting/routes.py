"""Which old entries landed in which new system, where one column of theirs tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safeguard.contract.types import TypeName
from safeguard.drafting.homes import Home, Sample
from safeguard.drafting.shapes import Content
from safeguard.drafting.survey import Survey
from safeguard.planning.naming import words

FEW = 8
"""Values that a column which decides the route may have at most."""
_RESERVED = frozenset(
    words(
        "case check column default desc end from group index key like limit offset option order "
        "rank read release row select set table to unique use user using value when where window"
    )
)


Landed = Mapping[str, tuple[bool, ...]]
"""For each value of the column that decides the route: which new systems have its entries."""


def find_routes(
    content: Content, sample: Sample, homes: Sequence[Home]
) -> tuple[str | None, Landed]:
    """A column whose values say in which new systems entries landed."""
    if len(homes) < 2 or all((h.share or 0.0) >= 0.9 for h in homes):
        return None, {}
    for name in content.fields:
        column = content.column(name)
        if column and column.type.kind in (TypeName.TEXT, TypeName.ENUM, TypeName.INTEGER):
            landed = _landed(sample, name, homes)
            if landed:
                return name, landed
    return None, {}


def due_share(
    home: Home, place: int, sample: Sample, routed_by: str | None, landed: Landed
) -> float | None:
    if routed_by is None:
        return home.share
    at = sample.columns.index(routed_by)
    due = [i for i, row in enumerate(sample.rows) if landed[row[at] or ""][place]]
    return sum(i in home.found for i in due) / len(due) if due else None


def _landed(sample: Sample, name: str, homes: Sequence[Home]) -> Landed | None:
    """What the column's values say of the route; None where it is not clear."""
    at = sample.columns.index(name)
    by_value: dict[str, list[int]] = {}
    for i, row in enumerate(sample.rows):
        if row[at] is None:
            return None
        by_value.setdefault(row[at] or "", []).append(i)
    if not 2 <= len(by_value) <= FEW:
        return None
    found: dict[str, tuple[bool, ...]] = {}
    for value, places in by_value.items():
        shares = [sum(i in h.found for i in places) / len(places) for h in homes]
        if len(places) < 3 or any(0.3 < s < 0.7 for s in shares) or max(shares) < 0.7:
            return None
        found[value] = tuple(s >= 0.7 for s in shares)
    return found if len(set(found.values())) > 1 else None


def conditions(
    survey: Survey, content: Content, name: str | None, landed: Landed, homes: Sequence[Home]
) -> dict[str, str]:
    """`receives` for each new system."""
    column = content.column(name) if name else None
    if column is None:
        return {}
    number = column.type.kind is TypeName.INTEGER
    found = {}
    for i, home in enumerate(homes):
        values = [v for v, there in sorted(landed.items()) if there[i]]
        told = ", ".join(v if number else "'" + v.replace("'", "''") + "'" for v in values)
        condition = f"{plain_or_quoted(survey, column.name)} IN ({told})" if values else "1 = 0"
        found[home.side.survey.name] = condition
    return found


def plain_or_quoted(survey: Survey, name: str) -> str:
    """A column's name in SQL, quoted where it must be."""
    simple = name.isidentifier() and name == name.lower() and name.isascii()
    return name if simple and name.rstrip("s") not in _RESERVED else survey.quote(name)
