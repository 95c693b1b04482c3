"""Say that a table is not there, with the nearest names that are."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from safeguard.findings.trouble import UsageProblem


class MissingRelation(UsageProblem):
    """A table or view that a system does not have. `nearest` are names it does have."""

    def __init__(self, system: str, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.nearest = nearest(name, known)
        hint = f" Did you mean `{self.nearest[0]}`?" if self.nearest else ""
        super().__init__(f"{system} has no table `{name}`.{hint}")


def nearest(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Up to three of the known names that look like `name`, best first, whatever their case."""
    by_low: dict[str, str] = {}
    for each in known:
        by_low.setdefault(each.casefold(), each)
        by_low.setdefault(each.casefold().rpartition(".")[2], each)
    close = get_close_matches(name.casefold(), list(by_low), n=3)
    return tuple(dict.fromkeys(by_low[low] for low in close))
