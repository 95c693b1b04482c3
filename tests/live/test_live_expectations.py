"""What breaks only because something is on its way is asked again; what stays broken blocks."""

from __future__ import annotations

import json

import pytest

from safeguard.comparing.settling import Patience
from safeguard.findings.words import Verdict

RULE = {"expect_column_max_to_be_between": {"column": "place", "max_value": 100}}
LATE = "UPDATE queue SET place = 900 WHERE owner = 3 AND item = 19"
ARRIVES = "UPDATE queue SET place = 19 WHERE owner = 3 AND item = 19"


@pytest.fixture
def expecting(service):
    path = service.folder / "q.yaml"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"expectations": [RULE]}))
    service.new.execute(LATE)
    return service


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("arrives_at", "verdict"), [(1, Verdict.PASS), (3, Verdict.PASS), (99, Verdict.BLOCK)]
)
def test_an_expectation_is_asked_until_it_holds(expecting, arrives_at: int, verdict) -> None:
    """The order does not change: 19 is the last place either way, so that only the rule sees it."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == arrives_at:
            expecting.new.execute(ARRIVES)

    result = expecting.check(live=Patience(settle=1, tries=4, wait=wait))
    assert result.verdict is verdict
    (content,) = result.contents
    (rule,) = content.expectations
    assert rule.new is (verdict is Verdict.PASS)
    assert len(waits) == min(arrives_at, 4)
