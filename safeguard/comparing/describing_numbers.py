"""The changes of a column of numbers in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from safeguard.comparing.changed_column import Column, counted
from safeguard.comparing.number_causes import double, places, whole
from safeguard.contract.types import TypeName
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause

_MOST = 3
_NEARLY_ALL, _LEAST = 0.95, 5


def _rounded(column: Column) -> Iterator[Pattern]:
    if column.rule.name is TypeName.TIMESTAMP:
        return
    single = f"CAST(CAST({double('o')} AS FLOAT) AS DOUBLE)"
    shortest = f"TRY_CAST(CAST(CAST({double('o')} AS FLOAT) AS VARCHAR) AS DOUBLE)"
    near = f"{double('n')} IN ({single}, {shortest})"
    # What holds of a number with few digits for any precision says nothing of the precision.
    count, as_float, had, has = column.row(
        f"count(*), count(*) FILTER (WHERE {near}), max({places('o')}), max({places('n')})",
        Cause.ROUNDED,
    )
    if as_float == count:
        yield column.pattern(Cause.ROUNDED, count, "are as a float of 4 bytes holds them")
    elif has < had:
        places_ = counted(has, "place") if has else "whole numbers"
        yield column.pattern(Cause.ROUNDED, count, f"are rounded to {places_}")


def _overflowed(column: Column) -> Iterator[Pattern]:
    if column.rule.name is TypeName.TIMESTAMP:
        (count,) = column.row("count(*)", Cause.OVERFLOWED)
        yield column.pattern(
            Cause.OVERFLOWED,
            count,
            "are later than 2038-01-19 03:14:07, where seconds in 32 bits end",
        )
        return
    a, b = whole("o"), whole("n")
    around = f"{a} <> {b} AND abs({a} - {b}) % 65536 = 0"
    doubled = f"abs({a}) > {2**53} AND CAST(CAST({a} AS DOUBLE) AS HUGEINT) = {b}"
    rows = column.exchange.rows(
        f"""SELECT CASE WHEN {doubled} THEN 'double' WHEN {around} THEN 'around'
                ELSE CAST(n AS VARCHAR) END AS how, count(*), min(abs({a} - {b}))
        FROM changes WHERE cause = '{Cause.OVERFLOWED}' GROUP BY how ORDER BY 2 DESC, 1 LIMIT {_MOST}"""
    )
    for how, count, _ in rows:
        said = {
            "double": f"are past {2**53} (2^53), where a float of 8 bytes has not every number",
            "around": "went round past the end of their new type",
        }.get(how, f"are past {how} and became it")
        yield column.pattern(Cause.OVERFLOWED, count, said)


def _rescaled(column: Column) -> Iterator[Pattern]:
    o, n = double("o"), double("n")
    rows = column.exchange.rows(
        f"""SELECT abs({n}) < abs({o}) AS down, round(CASE WHEN abs({n}) < abs({o}) THEN {o} / {n}
            ELSE {n} / {o} END, 9) AS factor, count(*) FROM changes WHERE cause = '{Cause.RESCALED}'
        GROUP BY ALL ORDER BY 3 DESC, 2 LIMIT {_MOST}"""
    )
    for down, factor, count in rows:
        said = f"divided by {factor:,.10g}" if down else f"multiplied by {factor:,.10g}"
        yield column.pattern(Cause.RESCALED, count, f"are {said}")


def one_distance(column: Column) -> Iterator[Pattern]:
    """Nobody knows why they differ, but by how much."""
    exact = "TRY_CAST({} AS DECIMAL(38, 9))"
    rows = column.exchange.rows(
        f"""SELECT {exact.format("n")} - {exact.format("o")}, count(*), count(DISTINCT o),
            sum(count(*)) OVER ()
        FROM changes WHERE cause = '{Cause.OTHER}' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"""
    )
    for far, count, olds, every in rows:
        if far is not None and olds >= _LEAST and count >= _NEARLY_ALL * int(every):
            said = f"are {abs(far).normalize():f} {'more' if far > 0 else 'less'} than they were"
            yield column.pattern(Cause.OTHER, count, said)


TELLERS: dict[Cause, Callable[[Column], Iterator[Pattern]]] = {
    Cause.ROUNDED: _rounded,
    Cause.OVERFLOWED: _overflowed,
    Cause.RESCALED: _rescaled,
}
