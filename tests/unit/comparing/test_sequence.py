"""The longest common subsequence against trying everything, and the cases that DESIGN.md names."""

from __future__ import annotations

import random

import pytest

import oracle
from safeguard.comparing.sequence import Place, in_place


def places(items: str, ranks: list[int | None] | None = None) -> list[Place]:
    return [Place(i, x, ranks[i] if ranks else i) for i, x in enumerate(items)]


@pytest.mark.parametrize(
    ("old", "new", "stays"),
    [
        ("abcd", "abcd", {0: 0, 1: 1, 2: 2, 3: 3}),
        ("abcd", "acd", {0: 0, 2: 1, 3: 2}),
        ("abcd", "bcda", {1: 0, 2: 1, 3: 2}),
        ("ab", "ba", {0: 1}),
        ("aba", "aab", {0: 0, 1: 2}),
        ("", "", {}),
        ("a", "b", {}),
    ],
)
def test_what_stays(old, new, stays):
    found = in_place(places(old), places(new))
    assert set(found) == set(stays)


def test_ties_in_old_promise_nothing_and_ties_in_new_keep_nothing():
    assert len(in_place(places("ab", [1, 1]), places("ba"))) == 2
    assert len(in_place(places("ab"), places("ab", [1, 1]))) == 1


@pytest.mark.parametrize("seed", range(300))
def test_the_chain_is_as_long_as_any_and_the_earliest_in_old(seed):
    rng = random.Random(seed)
    old, new = ("".join(rng.choices("abc", k=rng.randint(0, 6))) for _ in range(2))
    found = in_place(places(old), places(new))
    best = oracle.longest(
        [(i, x, i) for i, x in enumerate(old)], [(i, x, i) for i, x in enumerate(new)]
    )
    assert sorted(found) == sorted(i for i, _ in best)
    assert [new[n] for n in found.values()] == [old[i] for i in found]


@pytest.mark.parametrize("seed", range(300))
def test_ties_of_items_that_stand_once(seed):
    rng = random.Random(seed)
    old, new = (rng.sample("abcde", rng.randint(0, 5)) for _ in range(2))
    ranks = [[rng.randint(1, 3) for _ in side] for side in (old, new)]
    found = in_place(places("".join(old), ranks[0]), places("".join(new), ranks[1]))
    best = oracle.longest(
        [(i, x, ranks[0][i]) for i, x in enumerate(old)],
        [(i, x, ranks[1][i]) for i, x in enumerate(new)],
    )
    assert len(found) == len(best)
