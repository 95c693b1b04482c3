"""What is asked of Great Expectations, and what comes of it, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLES = 3
"""So many unexpected values are asked for."""


@dataclass(frozen=True)
class Wanted:
    """One expectation as a contract names it."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one expectation came to. `held` is None where nobody knows; `trouble` says why."""

    held: bool | None
    trouble: str = ""
    unexpected: int | None = None
    """So many values, or rows, of `elements` were not as expected."""
    elements: int | None = None
    examples: tuple[Any, ...] = ()
    looked: int | None = None
    """So many values were looked at, the empty ones left out; None where it does not count them."""
    observed: Any = None
    """Of expectations about a whole column or table."""


@dataclass(frozen=True)
class Run:
    """All expectations on one selection; `rows` is how many Great Expectations saw there."""

    rows: int
    outcomes: tuple[Outcome, ...]
