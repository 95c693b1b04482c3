"""The changes of one column in sentences, from sums over the table `changes`.

Sentences are passed on: numbers, lengths, times, and values of maps and enums may stand in them, free
text only where it is revealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from safeguard.comparing import describing_numbers, describing_texts
from safeguard.comparing.changed_column import Column, as_sides, quoted
from safeguard.comparing.describing_times import describe_times
from safeguard.comparing.fields import FieldRule
from safeguard.comparing.sql import shown
from safeguard.contract.types import TypeName
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause

_FREE = frozenset({TypeName.TEXT, TypeName.JSON, TypeName.BYTES})
_NUMBERS = frozenset({TypeName.INTEGER, TypeName.DECIMAL, TypeName.FLOAT})
_FEW = frozenset({TypeName.ENUM, TypeName.BOOLEAN})
_MOST = 3


def describe(column: Column) -> Iterator[Pattern]:
    """Every pattern of the changes of a column. Of a mapped one what its map says, and then what the
    new value is beside the one that the map wants."""
    present = {cause for (cause,) in column.exchange.rows("SELECT DISTINCT cause FROM changes")}
    if column.rule.mapping is not None:
        if Cause.MAPPED_WRONG in present:
            yield from _mapped(column)
        _as_meant(column)
    for cause, tell in _TELLERS.items():
        if cause in present:
            yield from tell(column)
    yield from describe_times(column)


def _as_meant(column: Column) -> None:
    """Of a mapped field, what the map makes of the old values stands for them: that is what the new
    ones were held against, and of their type."""
    rule = column.rule
    column.exchange.create(
        "changes",
        f"""AS SELECT rid, nid, cause,
            CASE WHEN FALSE THEN n.{rule.slot} ELSE {rule.expected()} END AS o, n.{rule.slot} AS n
        FROM (SELECT rid, nid, cause, {as_sides(rule, "o", "n")} FROM changes)""",
    )


def _mapped(column: Column) -> Iterator[Pattern]:
    """Which old value became what; whether the map's boundary lies one value off."""
    rule = column.rule
    image = {new for _, new in rule.mapping or ()}
    value = shown(f"n.{rule.slot}", rule.name)
    if rule.name in _FREE and not column.reveal:
        known = f"n.{rule.slot} IN ({', '.join(sorted(image))})" if image else "FALSE"
        value = f"CASE WHEN {known} THEN {value} END"
    expected = shown(rule.expected(), rule.name)
    rows = column.exchange.rows(
        f"""SELECT {shown("o." + rule.slot, rule.field.old.type.name)}, {value}, {expected}, count(*)
        FROM (SELECT {as_sides(rule, "o", "n")} FROM changes WHERE cause = '{Cause.MAPPED_WRONG}')
        GROUP BY ALL ORDER BY 4 DESC, 1, 2 LIMIT {_MOST}"""
    )
    spelled = _spelled(rule)
    for old, new, wanted, count in rows:
        became = "another value" if new is None else quoted(new)
        was = quoted(spelled.get(old, old))
        text = f"were {was} and became {became}; the contract's map says {quoted(wanted)}"
        one = text.replace("were", "was", 1)
        yield column.pattern(Cause.MAPPED_WRONG, count, text + _boundary(rule, old, new), one)


def _spelled(rule: FieldRule) -> dict[str, str]:
    """The map's keys as the contract writes them, by their canonical form."""
    keys = (str(key) for key in rule.field.spec.map or () if key is not None)
    return {old.strip("'"): key for (old, _), key in zip(rule.mapping or (), keys, strict=True)}


def _boundary(rule: FieldRule, old: str | None, new: str | None) -> str:
    """Where a neighbour of the old value, in the order of numbers, is mapped to what this became."""
    if rule.field.old.type.name not in _NUMBERS or old is None or new is None:
        return ""
    keys = sorted((float(o.strip("'")), n.strip("'")) for o, n in rule.mapping or () if o != "NULL")
    here = next((i for i, (key, _) in enumerate(keys) if key == float(old)), None)
    if here is None:
        return ""
    beside = [keys[i] for i in (here - 1, here + 1) if 0 <= i < len(keys) and keys[i][1] == new]
    return ", where its boundary lies" if beside else ""


def _defaulted(column: Column) -> Iterator[Pattern]:
    rule = column.rule
    hidden = rule.name in _FREE and not column.reveal
    value = "NULL" if hidden else shown("any_value(n)", rule.name, rule.per_microsecond > 1)
    rows = column.exchange.rows(
        f"""SELECT {value}, count(*), count(DISTINCT o), count(*) FILTER (WHERE o IS NULL)
        FROM changes WHERE cause = '{Cause.DEFAULTED}'
        GROUP BY n ORDER BY 2 DESC, min(hash(n)) LIMIT {_MOST}"""
    )
    for value, count, olds, empty in rows:
        became = "one value" if value is None else quoted(value)
        before = f"had {olds:,} different values" if olds > 1 else "had a value"
        if empty == count:
            before = "had none"
        yield column.pattern(Cause.DEFAULTED, count, f"{before} and became {became}")


def _swapped(column: Column) -> Iterator[Pattern]:
    (count,) = column.row("count(*)", Cause.SWAPPED_FIELDS)
    listed = " or ".join(column.partners) or "another field"
    yield column.pattern(Cause.SWAPPED_FIELDS, count, f"are swapped with {listed}")


def _other(column: Column) -> Iterator[Pattern]:
    """Nobody knows why, but it may be the same everywhere."""
    if column.rule.name in _FEW and column.rule.mapping is None:
        rows = column.exchange.rows(
            f"""SELECT CAST(o AS VARCHAR), CAST(n AS VARCHAR), count(*) FROM changes
            WHERE cause = '{Cause.OTHER}' GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {_MOST}"""
        )
        for old, new, count in rows:
            text = f"were {quoted(old)} and became {quoted(new)}"
            yield column.pattern(Cause.OTHER, count, text, text.replace("were", "was", 1))
    elif column.rule.name in (TypeName.INTEGER, TypeName.DECIMAL):
        yield from describing_numbers.one_distance(column)


_TELLERS: dict[Cause, Callable[[Column], Iterator[Pattern]]] = {
    **describing_texts.TELLERS,
    **describing_numbers.TELLERS,
    Cause.DEFAULTED: _defaulted,
    Cause.SWAPPED_FIELDS: _swapped,
    Cause.OTHER: _other,
}
