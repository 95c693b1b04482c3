"""How long a check takes, from what was measured of its sources."""

from __future__ import annotations

import pytest

from safeguard.planning.estimates import (
    SUMS_SHARE,
    ContentEstimate,
    PlanEstimate,
    SourceEstimate,
)


def source(system: str, rows: int, speed: float | None = 100.0) -> SourceEstimate:
    return SourceEstimate("old", system, "t", rows, None, True, speed)


@pytest.mark.parametrize(
    ("sources", "seconds"),
    [
        ((source("a", 1000), source("b", 1000)), 10),  # at once
        ((source("a", 1000), source("b", 3000)), 30),  # the slowest
        ((source("a", 1000), source("a", 1000), source("b", 1500)), 20),  # share one system
        ((source("a", 0, None), source("b", 100)), 1),  # nothing there
        ((), 0),
    ],
)
def test_a_content_takes_as_long_as_its_slowest_system(sources, seconds):
    assert ContentEstimate("c", "stream", "", sources).seconds == seconds
    assert ContentEstimate("c", "sums", "", sources).seconds == seconds * SUMS_SHARE


def test_contents_are_compared_one_after_the_other():
    one = ContentEstimate("c", "stream", "", (source("a", 1000),))
    assert PlanEstimate((one, one, one), ()).seconds == 30
