"""How figures are written in sentences."""

from __future__ import annotations


def number(value: int) -> str:
    """1234567 as 1,234,567."""
    return f"{value:,}"


def entries(value: int) -> str:
    """`1 entry`, `2,774 entries`."""
    return "1 entry" if value == 1 else f"{number(value)} entries"


def percent(part: int, whole: int) -> str:
    """A share that never says 0 % of something or 100 % of not everything."""
    if whole <= 0:
        return "n/a"
    if part in (0, whole):
        return "0 %" if part == 0 else "100 %"
    tenths = min(max(round(part * 1000 / whole), 0), 1000)
    if tenths == 0:
        return "< 0.1 %"
    return "> 99.9 %" if tenths == 1000 else f"{tenths / 10:.1f} %"
