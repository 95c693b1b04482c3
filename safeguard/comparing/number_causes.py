"""Why two numbers differ, as SQL: exact where the type is."""

from __future__ import annotations

from safeguard.contract.types import TypeName

_PLACES = 18
_EXACT = f"DECIMAL(38, {_PLACES})"
_RATIOS = (10, 60, 100, 1000, 1024, 3600, 86_400, 1_000_000, 1_000_000_000)
"""Units that are taken for another. Small factors say nothing: of five stars, one may have become two
by any mistake."""
_LARGEST = tuple(2 ** (bits - sign) - 1 for bits in (8, 16, 24, 32, 64) for sign in (0, 1))
_WRAPPED = (16, 32, 64)
"""Of 8 bits too many unrelated numbers would be told to have wrapped: one in 256."""
_FLOAT_INTEGERS, _DOUBLE_INTEGERS = 2**24, 2**53
"""Up to here a float of 4 and of 8 bytes holds every integer."""


def of_numbers(old: str, new: str, kind: TypeName) -> list[tuple[str, str]]:
    """Of two numbers of one type."""
    found = [(test, "overflowed") for test in _overflowed(old, new, kind)]
    found += [(test, "rounded") for test in _rounded(old, new, kind)]
    return [*found, (_rescaled(old, new), "rescaled")]


def double(value: str) -> str:
    """A canonical number as a DOUBLE."""
    return f"TRY_CAST({value} AS DOUBLE)"


def whole(value: str) -> str:
    """A canonical number as an integer of 128 bits; NULL where it has a fraction or more digits."""
    text = f"CAST({value} AS VARCHAR)"
    return f"CASE WHEN regexp_full_match({text}, '-?\\d+') THEN TRY_CAST({text} AS HUGEINT) END"


def _overflowed(old: str, new: str, kind: TypeName) -> list[str]:
    o, n = double(old), double(new)
    limits = ", ".join(str(v) for v in (*_LARGEST, *(-v - 1 for v in _LARGEST[1::2])))
    beyond = f"abs({o}) > abs({n}) AND sign({o}) = sign({n})"
    text = f"CAST({new} AS VARCHAR)"
    nines = "-?(9{4,}|(9+\\.9+))"
    found = [
        f"{whole(new)} IN ({limits}) AND {beyond}",
        f"regexp_full_match({text}, '{nines}') AND length({text}) > 3 AND {beyond}",
    ]
    if kind is not TypeName.FLOAT:
        a, b = whole(old), whole(new)
        found += [
            f"abs({a}) >= {2 ** (bits - 1)} AND {b} BETWEEN -{2 ** (bits - 1)} AND {2**bits - 1}"
            f" AND ({a} - {b}) % {2**bits}::HUGEINT = 0"
            for bits in _WRAPPED
        ]
        found.append(
            f"abs({a}) > {_DOUBLE_INTEGERS} AND CAST(CAST({a} AS DOUBLE) AS HUGEINT) = {b}"
        )
    return found


def _rounded(old: str, new: str, kind: TypeName) -> list[str]:
    if kind is TypeName.INTEGER:
        a, b = whole(old), whole(new)
        # One more or less is a mistake of its own, and by chance a float for many numbers.
        as_float = f"CAST(CAST({a} AS FLOAT) AS HUGEINT) = {b}"
        return [f"abs({a}) > {_FLOAT_INTEGERS} AND abs({a} - {b}) > 1 AND {as_float}"]
    return [_to_float(old, new), _to_places(old, new, kind)]


def _to_float(old: str, new: str) -> str:
    """What a float of 4 bytes makes of the number, widened again or in its own shortest digits."""
    single = f"CAST({double(old)} AS FLOAT)"
    small = f"abs({double(old)}) < 3e38"
    shortest = f"TRY_CAST(CAST({single} AS VARCHAR) AS DOUBLE)"
    digits = f"length(CAST({old} AS VARCHAR)) > 7"
    return (
        f"CASE WHEN {small} THEN CAST({single} AS DOUBLE) = {double(new)} "
        f"OR ({digits} AND {shortest} = {double(new)}) ELSE FALSE END"
    )


def _to_places(old: str, new: str, kind: TypeName) -> str:
    """Rounded or cut to fewer places than it had."""
    if kind is TypeName.FLOAT:
        tests = " OR ".join(
            f"{new} = round({old}, {s}) OR {new} = trunc({old} * 1e{s}) / 1e{s}" for s in range(13)
        )
        return f"abs({old} - {new}) < 1 AND ({tests})"
    a, b = (exact(v) for v in (old, new))
    had, has = (places(v) for v in (old, new))
    halves = ", ".join(f"'0.{'0' * s}5'::{_EXACT}" for s in range(_PLACES))
    half = f"([{halves}])[{has} + 1]"
    return (
        f"{has} < {had} AND (abs({a} - {b}) <= {half} "
        f"OR (abs({a} - {b}) < 2 * {half} AND abs({b}) <= abs({a})))"
    )


def exact(value: str) -> str:
    """A decimal as digits of fixed width; NULL where it has more of them."""
    return f"CASE WHEN {places(value)} <= {_PLACES} THEN TRY_CAST({value} AS {_EXACT}) END"


def places(value: str) -> str:
    """How many digits stand behind a number's point."""
    return f"length(split_part(CAST({value} AS VARCHAR), '.', 2))"


def _rescaled(old: str, new: str) -> str:
    o, n = double(old), double(new)
    tests = " OR ".join(
        f"abs({n} - {o} * {r}) <= abs({n}) * 1e-14 OR abs({o} - {n} * {r}) <= abs({o}) * 1e-14"
        for r in _RATIOS
    )
    return f"{o} <> 0 AND {n} <> 0 AND isfinite({o}) AND isfinite({n}) AND ({tests})"
