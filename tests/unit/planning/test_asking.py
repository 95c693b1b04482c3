"""When asking for sums would be in vain."""

from __future__ import annotations

import pytest

from safeguard.planning.asking import likely_unequal


@pytest.mark.parametrize(
    ("seen", "differing", "owners", "least", "most"),
    [
        (256, 0, 100_000, 0, 0),
        (256, 2, 100_000, 0, 0),  # chance
        (256, 3, 100_000, 0.3, 0.35),  # 300 differences among 100,000 owners seldom look worse
        (256, 12, 100_000, 0.95, 1),
        (256, 12, 500, 0.03, 0.05),  # a bucket is one owner
        (256, 256, 500, 0.9, 1),
        (0, 0, 0, 0, 0),
    ],
)
def test_how_many_buckets_differ_is_told_by_a_few_owners(seen, differing, owners, least, most):
    assert least <= likely_unequal(seen, differing, owners, 1024) <= most
