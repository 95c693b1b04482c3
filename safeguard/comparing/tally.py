"""What is counted on the way through one content, beside its tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts by index of the old source or the route; sentences for the report."""

    old_read: dict[int, int] = field(default_factory=dict)
    old_counted: dict[int, int] = field(default_factory=dict)
    new_read: dict[int, int] = field(default_factory=dict)
    new_counted: dict[int, int] = field(default_factory=dict)
    new_deleted: dict[int, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    """What the partitions counted, added up."""
    left_out: int = 0
    reasons: list[str] = field(default_factory=list)
    """Why the content could not be compared whole: each forbids a PASS."""
    notes: list[str] = field(default_factory=list)

    @property
    def old_agrees(self) -> bool:
        """Every old source was read as often as it was counted."""
        return self.old_read == self.old_counted

    def new_agrees(self, route: int) -> bool:
        """This route was read as often as it was counted."""
        return self.new_read[route] == self.new_counted[route]
