"""Why two values differ, as far as the pair itself tells: pairs of an SQL test and its cause."""

from __future__ import annotations

from safeguard.comparing.forms import normal
from safeguard.comparing.rounding import time_cut
from safeguard.contract.types import AcceptForm, TypeName
from safeguard.systems.canonical import INFINITY, MINUS_INFINITY

Cases = list[tuple[str, str]]


def text_causes(old: str, new: str) -> Cases:
    """Of two texts."""
    found = [(f"{new} = ''", "emptied")]
    for form, cause in (
        (AcceptForm.LINE_ENDINGS, "line_endings"),
        (AcceptForm.WHITESPACE, "whitespace"),
        (AcceptForm.UNICODE_FORM, "unicode_form"),
        (AcceptForm.CASE, "case"),
        (AcceptForm.ESCAPED, "escaped"),
    ):
        found.append((f"{normal(form, old)} = {normal(form, new)}", cause))
    found.append((f"starts_with({old}, {new})", "truncated"))
    found.append((f"contains({new}, chr(65533)) AND NOT contains({old}, chr(65533))", "garbled"))
    return found


def time_causes(old: str, new: str, factor: int, zone: str | None) -> Cases:
    """Of two instants; `factor` is 1 for microseconds, 1000 for nanoseconds."""
    finite = f"abs({old}) < {INFINITY - 10} AND abs({new}) < {-MINUS_INFINITY - 10}"
    truncated = " OR ".join(
        time_cut(old, new, u, factor, zone)
        for u in ("millisecond", "second", "minute", "hour", "day")
    )
    quarter, most = 900_000_000 * factor, 26 * 3_600_000_000 * factor
    apart = f"({old}::HUGEINT - {new})"
    shifted = f"{apart} % {quarter} = 0 AND abs({apart}) <= {most}"
    return [
        (f"{finite} AND ({shifted})", "time_shift"),
        (f"{finite} AND ({truncated})", "time_truncated"),
    ]


def number_causes(old: str, new: str, kind: TypeName) -> Cases:
    """Of two numbers."""
    o, n = (f"TRY_CAST({v} AS DOUBLE)" for v in (old, new))
    limits = ", ".join(
        str(v)
        for bits in (8, 16, 24, 32, 63)
        for v in (2 ** (bits - 1) - 1, 2**bits - 1, -(2 ** (bits - 1)))
    )
    found = [
        (f"{n} IN ({limits}) AND abs({o}) > abs({n})", "overflowed"),
        (
            f"{o} <> 0 AND {n} <> 0 AND abs({o} - {n}) % 65536 = 0 AND abs({n}) < abs({o})",
            "overflowed",
        ),
    ]
    if kind is not TypeName.INTEGER:
        rounded = " OR ".join(f"abs({n} - round({o}, {s})) < 1e-12" for s in range(7))
        found.append((f"abs({o} - {n}) < 1 AND ({rounded} OR {n} = trunc({o}))", "rounded"))
    # Small factors say nothing: of five stars, one may have become two by any mistake.
    ratios = ", ".join(str(r) for r in (10, 60, 100, 1000, 1024, 3600, 1_000_000))
    found.append(
        (
            f"{o} <> 0 AND ({n} / {o} IN ({ratios}) OR (({n} <> 0) AND {o} / {n} IN ({ratios})))",
            "rescaled",
        )
    )
    return found
