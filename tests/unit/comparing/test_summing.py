"""Which buckets the sums call equal."""

from __future__ import annotations

import pytest

from safeguard.comparing.summing import unequal_buckets
from safeguard.systems.sums import BucketSum, RouteSum


def bucket(*routes: tuple[int, int], deleted: int = 0, unreceived: int = 0) -> BucketSum:
    rows = sum(due for due, _ in routes) + deleted + unreceived
    return BucketSum(rows, deleted, unreceived, tuple(RouteSum(*route) for route in routes))


HUGE = 2**70
CASES = {
    "equal": ([{0: bucket((2, 7))}], [{0: bucket((2, 7))}], set()),
    "equal, beyond 64 bits": ([{0: bucket((2, HUGE))}], [{0: bucket((2, HUGE))}], set()),
    "a sum that wraps": ([{0: bucket((2, HUGE))}], [{0: bucket((2, HUGE + 2**64))}], {0}),
    "more rows, same sum": ([{0: bucket((2, 0))}], [{0: bucket((3, 0))}], {0}),
    "another sum": ([{0: bucket((2, 7))}], [{0: bucket((2, 8))}], {0}),
    "only in old": ([{0: bucket((1, 5)), 1: bucket((1, 1))}], [{0: bucket((1, 5))}], {1}),
    "only in new": ([{0: bucket((1, 5))}], [{0: bucket((1, 5)), 9: bucket((1, 1))}], {9}),
    "rows whose hashes add up to nothing": ([{0: bucket((1, 0))}], [{}], {0}),
    "deleted on either side": (
        [{0: bucket((1, 5), deleted=3)}],
        [{0: bucket((1, 5), deleted=1), 2: bucket((0, 0), deleted=1)}],
        set(),
    ),
    "received nowhere": ([{0: bucket((1, 5), unreceived=1)}], [{0: bucket((1, 5))}], {0}),
    "two routes": (
        [{0: bucket((1, 5), (2, 6))}],
        [{0: bucket((1, 5))}, {0: bucket((2, 6))}],
        set(),
    ),
    "landed in the wrong route": (
        [{0: bucket((1, 5), (1, 6))}],
        [{0: bucket((1, 6))}, {0: bucket((1, 5))}],
        {0},
    ),
    "two old systems": (
        [{0: bucket((1, 5))}, {0: bucket((2, 6)), 3: bucket((1, 1))}],
        [{0: bucket((3, 11)), 3: bucket((1, 1))}],
        set(),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bucket_is_equal_only_if_everything_arrived(case):
    olds, news, unequal = CASES[case]
    answers = {("old", i): found for i, found in enumerate(olds)}
    answers |= {("new", i): found for i, found in enumerate(news)}
    assert unequal_buckets(answers, len(news)) == unequal
