"""What an earlier try of a run made of a partition is taken only where it is still true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from safeguard.comparing.journal import NoJournal
from safeguard.comparing.partition import JoinDone
from safeguard.findings.words import Verdict

RECORD = {"shape": "record", "owner": "owner", "item": "item", "fields": {"value": {}}}
ROWS = [{"owner": owner, "item": 1, "value": "a"} for owner in range(5)]


class Joined(NoJournal):
    """Says that every partition has been joined, and that nothing was found in it."""

    def __init__(self, customers: str) -> None:
        self._customers = customers

    def joined(self, content: str, first: int, last: int) -> JoinDone:
        return JoinDone({}, {}, self._customers)


@pytest.mark.parametrize(
    ("customers", "is_taken"), [("customer 0 0", True), ("customer 1 42", False)]
)
def test_beside_other_customers_it_is_joined_again(
    compare: Callable[..., Any], customers: str, is_taken: bool
) -> None:
    found = compare(ROWS, ROWS, contract=RECORD, journal=Joined(customers))
    assert found.result.kept == (0 if is_taken else 5)
    assert (found.verdict is Verdict.UNDECIDED) == is_taken
