"""What `safeguard plan` shows."""

from __future__ import annotations

from safeguard.cli.plan_lines import plan_data, plan_lines
from safeguard.planning.estimates import ContentEstimate, PlanEstimate, SourceEstimate

FOUND = PlanEstimate(
    (
        ContentEstimate(
            "queue",
            "stream",
            "it is a list",
            (
                SourceEstimate("old", "old", "queue_items", 12_000_000, 3 << 30, False, 1e6),
                SourceEstimate("new", "dvd", "q", 5, None, True, None),
            ),
        ),
    ),
    (("old", 0.0004), ("dvd", 0.012)),
)


def test_people_see_what_was_chosen_why_and_how_much():
    assert list(plan_lines(FOUND)) == [
        "queue: stream, about 12 s",
        "  because it is a list",
        "  old old.queue_items  ~12,000,000 rows  ~3.0 GiB  1,000,000 rows/s  about 12 s",
        "  new dvd.q                      5 rows                               under 1 s",
        "old answers in 0.4 ms",
        "dvd answers in 12.0 ms",
        "together about 12 s, by the first rows of each source; ~ is an estimate",
    ]


def test_machines_get_the_same_as_data():
    data = plan_data(FOUND)
    assert data["seconds"] == 12
    assert data["answers"] == {"old": 0.0004, "dvd": 0.012}
    assert data["contents"][0]["sources"][0] == {
        "side": "old",
        "system": "old",
        "relation": "queue_items",
        "rows": 12_000_000,
        "bytes": 3 << 30,
        "counted": False,
        "rows_per_second": 1e6,
        "seconds": 12,
    }
