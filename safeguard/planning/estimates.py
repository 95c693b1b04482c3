"""What a check is expected to read and how long that takes: plain data, and the arithmetic of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

SUMS_SHARE = 0.75
"""Of the time to read everything: what sums take where both sides are equal, see
docs/decisions/0016."""


@dataclass(frozen=True)
class SourceEstimate:
    """One old or new entry of a contract. `rows_per_second` was measured on its first rows; None
    where it has none."""

    side: str
    system: str
    relation: str
    rows: int
    bytes: int | None
    counted: bool
    rows_per_second: float | None

    @property
    def seconds(self) -> float:
        """To read all of it."""
        return self.rows / self.rows_per_second if self.rows_per_second else 0.0


@dataclass(frozen=True)
class ContentEstimate:
    """One content: `strategy` is "sums" or "stream", `reason` says why in words."""

    content: str
    strategy: str
    reason: str
    sources: tuple[SourceEstimate, ...]

    @property
    def seconds(self) -> float:
        """Systems are read at once, the sources of one system share its speed."""
        by_system: dict[str, float] = defaultdict(float)
        for source in self.sources:
            by_system[source.system] += source.seconds
        share = SUMS_SHARE if self.strategy == "sums" else 1.0
        return share * max(by_system.values(), default=0.0)


@dataclass(frozen=True)
class PlanEstimate:
    """A whole plan. `answers` has the seconds in which each system answers a trivial question."""

    contents: tuple[ContentEstimate, ...]
    answers: tuple[tuple[str, float], ...]

    @property
    def seconds(self) -> float:
        """Contents are compared one after the other."""
        return sum(content.seconds for content in self.contents)
