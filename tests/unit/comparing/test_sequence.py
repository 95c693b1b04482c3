"""The longest common subsequence against trying everything, and the cases that DESIGN.md names.

What works on whole columns is held against what works entry by entry.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from safeguard.comparing.order import TangledList, moved_in
from safeguard.comparing.rising import longest_rising
from safeguard.comparing.sequence import Place, Singles, in_place, in_place_once

Entry = tuple[int, bool, int, int, int | None, int | None]
"""(list number, is old, entry number, item number, rank, partner's number)."""


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
    found, _ = in_place(places(old), places(new))
    assert set(found) == set(stays)


def test_ties_in_old_promise_nothing_and_ties_in_new_keep_nothing():
    assert len(in_place(places("ab", [1, 1]), places("ba"))[0]) == 2
    assert len(in_place(places("ab"), places("ab", [1, 1]))[0]) == 1


@pytest.mark.parametrize("seed", range(300))
def test_the_chain_is_as_long_as_any_and_the_earliest_in_old(seed):
    rng = random.Random(seed)
    old, new = ("".join(rng.choices("abc", k=rng.randint(0, 6))) for _ in range(2))
    found, _ = in_place(places(old), places(new))
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
    found, _ = in_place(places("".join(old), ranks[0]), places("".join(new), ranks[1]))
    best = oracle.longest(
        [(i, x, ranks[0][i]) for i, x in enumerate(old)],
        [(i, x, ranks[1][i]) for i, x in enumerate(new)],
    )
    assert len(found) == len(best)


many = settings(max_examples=500, deadline=None, derandomize=True)


def plainly_rising(values: Sequence[int], marks: Sequence[int]) -> list[int]:
    """What `longest_rising` promises, value by value, without runs."""
    ends = _lengths(values)
    starts = _lengths([-v for v in reversed(values)])[::-1]
    chain: list[int] = []
    for i, value in enumerate(values):
        again = bool(chain) and marks[i] == marks[chain[-1]]
        wanted = len(chain) + (0 if again else 1)
        fits = ends[i] == wanted and starts[i] == max(ends) - wanted + 1
        if fits and (wanted == 1 or value > values[chain[wanted - 2]]):
            chain[wanted - 1 :] = [i]
    return chain


def _lengths(values: Sequence[int]) -> list[int]:
    tails: list[int] = []
    found = []
    for value in values:
        place = bisect_left(tails, value)
        tails[place : place + 1] = [value]
        found.append(place + 1)
    return found


def nearly_sorted(seed: int, size: int, moves: int) -> list[int]:
    """Numbers in order, of which blocks were moved, turned round or made equal."""
    rng = random.Random(seed)
    values = list(range(size))
    for _ in range(moves):
        first, last = sorted(rng.choices(range(size + 1), k=2))
        block = values[first:last]
        del values[first:last]
        at = rng.randint(0, len(values))
        turned = {0: block[::-1], 1: block[:1] * len(block)}.get(rng.randrange(6), block)
        values[at:at] = turned
    return values


@many
@given(
    st.one_of(
        st.lists(st.integers(0, 9), max_size=12),
        st.permutations(range(9)),
        st.builds(nearly_sorted, st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 5)),
    ),
    st.randoms(use_true_random=False),
)
def test_runs_change_nothing_about_the_longest_rising_chain(values, rng):
    alone = list(range(len(values)))
    marks = [m if rng.random() < 0.8 else max(0, m - 1) for m in alone]
    array = np.array(values, np.int64)
    assert longest_rising(array).tolist() == plainly_rising(values, alone)
    assert longest_rising(array, np.array(marks, np.int64)).tolist() == plainly_rising(
        values, marks
    )


RANKS = st.one_of(st.integers(1, 3), st.integers(1, 9), st.none())
PAIR = st.tuples(RANKS, RANKS)
MISSING = st.sampled_from([None, None, None, None, "old", "new"])


@many
@given(
    st.lists(st.lists(st.tuples(PAIR, MISSING), max_size=9), min_size=1, max_size=4), st.randoms()
)
def test_all_lists_at_once_settle_as_each_alone(lists, rng):
    entries = [written_list(n, pairs, rng) for n, pairs in enumerate(lists)]
    expected = {pair for own in entries for pair in moved_entries(own)}
    assert moved_at_once(entries) == expected


def test_a_list_without_a_chain_keeps_its_largest_tie():
    own = [(0, True, i, i, rank, i) for i, rank in enumerate([1, 2, 2, 3])]
    own += [(0, False, i, i, None, None) for i in range(4)]
    assert moved_at_once([own]) == {(0, 0), (3, 3)} == set(moved_entries(own))


def written_list(number, pairs, rng) -> list[Entry]:
    """Items that stand at most once on either side; entry numbers say nothing about positions."""
    numbers = [[number * 100 + n for n in rng.sample(range(100), len(pairs))] for _ in range(2)]
    own: list[Entry] = []
    for item, ((old_rank, new_rank), missing) in enumerate(pairs):
        old, new = (side[item] for side in numbers)
        if missing != "old":
            own.append((number, True, old, item, old_rank, None if missing else new))
        if missing != "new":
            own.append((number, False, new, item, new_rank, None))
    return own


def moved_at_once(lists: list[list[Entry]]) -> set[tuple[int, int]]:
    """(old, new) numbers of moved entries, from the columns that order.py reads in SQL."""
    rows = []
    for own in lists:
        new_ranks = {e[2]: e[4] for e in own if not e[1]}
        pairs = [e for e in own if e[1] and e[4] is not None and e[5] is not None]
        placed = [e for e in pairs if new_ranks[e[5]] is not None]
        placed.sort(key=lambda e: (new_ranks[e[5]], -e[4], e[5]))
        rise = {e[2]: i for i, e in enumerate(placed, 1)}
        rows += [(e[0], e[4], rise.get(e[2], 0), e[2], e[5]) for e in pairs]
    table = np.array(sorted(rows), np.int64).reshape(-1, 5)
    stays = in_place_once(*table.T[:4])
    return {(old, new) for _, _, _, old, new in table[~stays].tolist()}


REPEATING = st.lists(st.tuples(st.integers(0, 4), RANKS, RANKS, MISSING), max_size=10)


@many
@given(REPEATING, st.randoms())
def test_items_that_stand_once_may_be_taken_as_columns(written, rng):
    own = written_list(0, [((old, new), missing) for _, old, new, missing in written], rng)
    items = {
        number: written[item][0]
        for _, is_old, number, item, _, _ in own
        for number in [(is_old, number)]
    }
    own = paired([(*e[:3], items[e[1], e[2]], *e[4:]) for e in own])
    assert set(moved_in_columns(own)) == set(moved_entries(own))


def paired(own: list[Entry]) -> list[Entry]:
    """What stands once on either side is always paired."""
    sides = [Counter(e[3] for e in own if e[1] is is_old) for is_old in (True, False)]
    once = {e[3]: e[2] for e in own if not e[1] and all(side[e[3]] == 1 for side in sides)}
    return [(*e[:5], once.get(e[3], e[5])) if e[1] else e for e in own]


def moved_entries(own: list[Entry]) -> list[tuple[int, int]]:
    """Entry by entry."""
    return pairs_of(moved_in(TangledList(*places_of(own), partners_of(own), in_columns([], own))))


def moved_in_columns(own: list[Entry]) -> list[tuple[int, int]]:
    sides = [[e[3] for e in own if e[1] is is_old] for is_old in (True, False)]
    twice = {item for side in sides for item in side if side.count(item) > 1}
    others = [e for e in own if e[3] in twice]
    old_ranks = [e[4] for e in own if e[1]]
    tangled = TangledList(
        *places_of(others),
        partners_of(others),
        in_columns([e for e in own if e[3] not in twice], own),
        {e[4] for e in others if e[1] and e[4] is not None and old_ranks.count(e[4]) > 1},
        any(e[4] is None for e in own if not e[1]),
    )
    return pairs_of(moved_in(tangled))


def places_of(own: list[Entry]) -> list[list[Place]]:
    return [[Place(e[2], e[3], e[4]) for e in own if e[1] is is_old] for is_old in (True, False)]


def partners_of(own: list[Entry]) -> dict[int, int]:
    return {e[2]: e[5] for e in own if e[1] and e[5] is not None}


def in_columns(singles: list[Entry], own: list[Entry]) -> Singles:
    new_ranks = {e[2]: e[4] or 0 for e in own if not e[1]}
    pairs = [e for e in singles if e[1] and e[4] is not None and e[5] is not None]
    rows = [(e[4], e[2], new_ranks[e[5]], e[5]) for e in pairs]
    return Singles(*np.array(rows, np.int64).reshape(-1, 4).T)


def pairs_of(moved) -> list[tuple[int, int]]:
    return list(zip(*(side.tolist() for side in moved), strict=True))
