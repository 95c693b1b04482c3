"""The longest strictly rising subsequence of whole numbers; of several, the earliest.

Values that follow each other in place and in size, and stand once, are in every longest subsequence
together or not at all: whatever takes one of them has room for all. Each such run becomes one value
with a weight, so that a list of a million entries of which a few were moved is a few runs long. Of
those the heaviest rising subsequence is found by patience sorting (Fredman, "On computing the length
of longest increasing subsequences", Discrete Mathematics 11, 1975), whose piles are here sorted by
value and by weight at once: O(r log r) comparisons for r runs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[Any]


def longest_rising(values: Integers, marks: Integers | None = None) -> Integers:
    """Indices of the longest strictly rising subsequence; of several, the lexicographically first.
    `values` and `marks` are integers from 0 on, not many more than there are of them.

    Values with one mark stand for one and the same thing: of those that would do, the least is taken,
    which leaves the most room for what follows.
    """
    if not len(values):
        return np.zeros(0, np.int64)
    firsts = _runs(values, marks)
    weights = np.diff(firsts, append=len(values))
    heads = values[firsts]
    ends = _heaviest(heads, weights)
    starts = _heaviest(-heads[::-1], weights[::-1])[::-1]
    fit = np.flatnonzero(ends + starts - weights == ends.max())
    groups = np.arange(len(fit)) if marks is None else marks[firsts[fit]]
    chain = fit[_earliest(heads[fit], (ends - weights)[fit], weights[fit], groups)]
    return _indices(firsts[chain], weights[chain])


def _runs(values: Integers, marks: Integers | None) -> Integers:
    """Where each run begins."""
    lone = (np.bincount(values) == 1)[values]
    if marks is not None:
        lone &= (np.bincount(marks) == 1)[marks]
    follows = (values[1:] == values[:-1] + 1) & lone[1:] & lone[:-1]
    return np.concatenate(([0], np.flatnonzero(~follows) + 1))


def _heaviest(values: Integers, weights: Integers) -> Integers:
    """Weight of the heaviest strictly rising subsequence that ends at each index."""
    found = np.empty(len(values), np.int64)
    out = _view(found)
    tops: list[int] = []
    loads: list[int] = []  # of the heaviest that ends at most at the top; both rise
    for i, (value, weight) in enumerate(zip(_view(values), _view(weights), strict=True)):
        place = bisect_left(tops, value)
        load = weight + (loads[place - 1] if place else 0)
        out[i] = load
        beyond = bisect_right(loads, load, place)
        if beyond > place or place == len(tops) or tops[place] != value:
            tops[place:beyond] = [value]
            loads[place:beyond] = [load]
    return found


def _earliest(values: Integers, before: Integers, weights: Integers, marks: Integers) -> Integers:
    """Indices of the lexicographically first chain among runs that all are in a heaviest one; `before`
    is what stands before each of them in it."""
    chain, tops = array("q"), array("q")
    held = last_weight = 0
    last_mark = -1
    views = map(_view, (values, before, weights, marks))
    for i, (value, wanted, weight, mark) in enumerate(zip(*views, strict=True)):
        again = mark == last_mark
        kept = held - last_weight if again else held
        deep = len(tops) - again
        if wanted != kept or (deep and value <= tops[deep - 1]):
            continue
        del chain[deep:], tops[deep:]
        chain.append(i)
        tops.append(value)
        held, last_weight, last_mark = kept + weight, weight, mark
    return np.frombuffer(chain, np.int64)


def _view(values: Integers) -> Any:
    """Its items as plain integers, one after the other: a list of them all would be large."""
    return np.ascontiguousarray(values).data


def _indices(firsts: Integers, weights: Integers) -> Integers:
    """The indices of whole runs."""
    shifts = firsts - np.concatenate(([0], np.cumsum(weights)[:-1]))
    return np.repeat(shifts, weights) + np.arange(int(weights.sum()))
