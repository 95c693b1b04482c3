"""The search: which condition, or which two, tells the found entries from the kept ones.

Support and risk ratio are those of the DIFF operator (Abuzaid et al., "DIFF: A Relational Interface
for Large-Scale Data Explanation", PVLDB 12(4), 2018; Bailis et al., "MacroBase", SIGMOD 2017). What
passes them is ranked by how much it says beyond what it costs to say: the log-likelihood ratio of the
two shares, less the description length of the condition among all that could have been asked
(Rissanen, "Modeling by shortest data description", 1978). What does not pay for its own description
is what chance would show somewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import numpy.typing as npt

from safeguard.comparing.explaining.borders import Form, border
from safeguard.comparing.explaining.conditions import Codes, Column, Condition, Mask, Rule

LEAST = 5
"""Findings; fewer have always something in common."""
SUPPORT = 0.2
"""Of the findings: what is true of fewer explains nothing."""
RISK_RATIO = 3.0
"""Times as often found where the condition holds, and times as common among the found."""
_DOUBT = log(1e4)
"""Beyond its description: chance alone gets there once in so many contents."""
_MOST_COUNTED = 1_000
"""Findings; more than these make no condition more likely, or any trifle would be worth two."""
_PRESENCE = 4.0
"""What it costs more to say that a field has a value at all."""
_SLOPES = (1.0, 4.0, 16.0)
"""How much more a kept entry inside a range weighs than a found one."""
_SINGLES = 120
"""Of so many single conditions, the best, every pair is tried."""
_MOST_VALUES = 4
"""Named together, where they are nearly all of the findings."""
_NEARLY_ALL = 0.9
_GAIN = 0.1
"""Of the findings: so many more an alternative must explain to be named."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Entries of one kind, the found ones first. `owners` is the place of each one's owner among all;
    `found` and `kept` are how many they stand for."""

    columns: tuple[Column, ...]
    owners: Codes
    here: int
    """How many of the entries of the sample are found."""
    found: int
    kept: int

    @property
    def others(self) -> int:
        return len(self.owners) - self.here


@dataclass(frozen=True)
class _Single:
    condition: Condition
    cost: float
    mask: Mask
    crowding: float
    """How many entries count as one: those of an owner, or of a value, that were found together."""


def best_rule(sample: Sample, free: Mask) -> Rule | None:
    """What explains the found entries of `free` best (one truth value each; kept ones are all asked);
    None where nothing does."""
    asked = free.copy()
    asked[sample.here :] = True
    here = int(free[: sample.here].sum())
    if here < LEAST or not sample.others:
        return None
    search = _Search(sample, asked, here)
    singles = search.singles()
    if not singles:
        return None
    rule = search.best(singles)
    return _sharpened(rule, sample, asked) if rule else None


class _Search:
    def __init__(self, sample: Sample, asked: Mask, here: int) -> None:
        self.sample, self.asked, self.here = sample, asked, here
        self.others = sample.others
        self.is_found = np.arange(len(asked)) < sample.here
        self.by_owner = self._crowding(sample.owners)

    # -- single conditions ------------------------------------------------------------------

    def singles(self) -> list[_Single]:
        """The most telling ones, the best first; alone they need not tell enough."""
        found = [s for column in self.sample.columns for s in self._of(column)]
        weights = [self._weight(s) for s in found]
        order = np.argsort(-np.array(weights), kind="stable")
        return [found[i] for i in order[:_SINGLES] if weights[i] > -np.inf]

    def _weight(self, single: _Single) -> float:
        support, kept = self._shares(single.mask)
        if support < SUPPORT / 2 or support <= kept:
            return -np.inf
        return _likelihood(support, kept, self._counted, self.others) - single.cost

    def _of(self, column: Column) -> Iterator[_Single]:
        width, every = len(column.values), log(len(self.sample.columns))
        codes = np.where(self.asked, column.codes, -1)
        here, there = (
            np.bincount(codes[side & (codes >= 0)], minlength=width)
            for side in (self.is_found, ~self.is_found)
        )
        distinct = int((here > 0).sum())
        if not distinct:
            return
        trait = column.trait
        by_owner = 1.0 if trait.owner else self.by_owner
        if trait.values:
            for chosen in self._frequent(here, there, column):
                values = tuple(column.values[code] for code in sorted(chosen))
                condition = Condition(trait, column.place, values=values)
                is_presence = bool(trait.presence) and not values[0]
                cost = every + len(chosen) * log(distinct) + (_PRESENCE if is_presence else 0.0)
                yield _Single(condition, cost, condition.mask(column), by_owner)
        if trait.ranges and trait.form is not Form.FLAG:
            crowding = max(by_owner, self._crowding(column.codes, distinct))
            for first, last in self._ranges(here, there):
                condition = _between(column, first, last)
                ends = (condition.low is not None) + (condition.high is not None)
                cost = every + log(2) + ends * log(distinct + 1)
                yield _Single(condition, cost, condition.mask(column), crowding)

    def _frequent(
        self, here: npt.NDArray[np.int64], there: npt.NDArray[np.int64], column: Column
    ) -> list[list[int]]:
        """Places of values that enough found entries have, or that nearly all have together."""
        if column.trait.form is Form.FLAG:
            told = (bool(column.trait.lacking), True)
            return [[i] for i, v in enumerate(column.values) if told[v] and here[i]]
        best = np.argsort(there / self.others - here / self.here, kind="stable")
        best = best[:_MOST_VALUES][here[best[:_MOST_VALUES]] > 0]
        least = max(LEAST, SUPPORT * self.here / 2)
        found = [[int(i)] for i in best if here[i] >= least]
        shares = np.cumsum(here[best]) / self.here
        found += [best[: n + 1].tolist() for n in range(1, len(best)) if shares[n] >= _NEARLY_ALL]
        return found

    def _ranges(
        self, here: npt.NDArray[np.int64], there: npt.NDArray[np.int64]
    ) -> set[tuple[int, int]]:
        """Ranges of places (first, last + 1) that have many found and few kept entries: the maximum
        sum subarray, with both ends free or one of them (Bentley, CACM 27(9), 1984)."""
        present = np.flatnonzero(here)
        hull = (int(present[0]), int(present[-1]) + 1)
        found = {hull, (hull[0], len(here)), (0, hull[1])}
        for slope in _SLOPES:
            sums = np.concatenate(
                [[0.0], np.cumsum(here / self.here - slope * there / self.others)]
            )
            found.add((int(np.argmin(sums)), len(here)))
            found.add((0, int(np.argmax(sums))))
            gains = sums - np.minimum.accumulate(sums)
            last = int(np.argmax(gains))
            found.add((int(np.argmin(sums[: last + 1])), last))
        return {
            (first, last)
            for first, last in found
            if first < last and last - first < len(here) and here[first:last].any()
        }

    # -- weighing ---------------------------------------------------------------------------

    def _shares(self, mask: Mask) -> tuple[float, float]:
        """Of the found entries asked for, and of the kept ones."""
        held = mask & self.asked
        here = held[: self.sample.here].sum()
        return float(here) / self.here, float(held[self.sample.here :].sum()) / self.others

    def _score(self, support: float, kept: float, crowding: float, cost: float) -> float:
        """How much a rule says beyond what it costs; nothing where chance says as much. Crowded
        entries count less as a proof, and as much as others in what is explained."""
        if not self._tells(support, kept):
            return -1.0
        if crowding > 1.0 and self.here / crowding * support < LEAST - 1e-9:
            return -1.0
        proof = _likelihood(support, kept, self._counted / crowding, self.others)
        if proof - cost <= _DOUBT:
            return -1.0
        return _likelihood(support, kept, self._counted, self.others) - cost

    @property
    def _counted(self) -> float:
        return min(self.here, _MOST_COUNTED)

    def _tells(self, support: float, kept: float) -> bool:
        """Support and risk ratio, over the entries that the sample stands for."""
        if support < SUPPORT or support * self.here < LEAST or support < RISK_RATIO * kept:
            return False
        found = self.sample.found * self.here / self.sample.here
        inside, outside = support * found, (1 - support) * found
        kept_in, kept_out = kept * self.sample.kept, (1 - kept) * self.sample.kept
        risk, elsewhere = inside / (inside + kept_in), outside / max(outside + kept_out, 1e-9)
        return risk >= RISK_RATIO * elsewhere

    def _crowding(self, codes: Codes, distinct: int = 0) -> float:
        """The design effect of found entries that share a value (Kish, "Survey Sampling", 1965): 1
        where found and kept ones mix within it, their number where all of it was found at once; with
        `distinct`, so many values that count once each, however many entries have them."""
        asked = codes[self.asked] + 1
        found = self.is_found[self.asked]
        here = np.bincount(asked[found], minlength=int(asked.max()) + 1)
        there = np.bincount(asked[~found], minlength=len(here))
        size = float((here.astype(float) ** 2).sum() / here.sum())
        size = self.here / distinct if distinct else size
        beside = float(there[here > 0].sum()) / self.others * self.sample.kept
        whole = self.sample.found * self.here / self.sample.here
        inside, share = whole / (whole + beside), whole / (whole + self.sample.kept)
        alike = max(0.0, (inside - share) / (1 - share)) if share < 1 else 0.0
        return 1 + (size - 1) * alike

    # -- pairs ------------------------------------------------------------------------------

    def best(self, singles: Sequence[_Single]) -> Rule | None:
        """The best single condition, or a pair that says clearly more than each of its halves."""
        masks = np.array([s.mask & self.asked for s in singles], np.float32)
        here, there = masks[:, : self.sample.here], masks[:, self.sample.here :]
        both = (here @ here.T) / self.here, (there @ there.T) / self.others
        support, kept = np.diag(both[0]).astype(float), np.diag(both[1]).astype(float)
        found = [
            (self._score(support[i], kept[i], s.crowding, s.cost), Rule((s.condition,)))
            for i, s in enumerate(singles)
        ]
        found += self._pairs(singles, both, support, kept)
        score, rule = max(found, key=lambda pair: pair[0])
        return rule if score > 0 else None

    def _pairs(
        self,
        singles: Sequence[_Single],
        both: tuple[Floats, Floats],
        support: Floats,
        kept: Floats,
    ) -> Iterator[tuple[float, Rule]]:
        """Every pair that says clearly more than each of its halves, and its score."""
        one, other = np.triu_indices(len(singles), 1)
        joint = both[0][one, other], both[1][one, other]
        either = (
            support[one] + support[other] - joint[0],
            kept[one] + kept[other] - joint[1],
        )
        halves = support[one], support[other], kept[one], kept[other]
        narrow = _narrows(joint, *halves, 1 / self.others)
        wide = either[0] >= np.maximum(*halves[:2]) + _GAIN
        for shares, chosen, is_either in ((joint, narrow, False), (either, wide, True)):
            for at in np.flatnonzero(chosen):
                first, second = singles[one[at]], singles[other[at]]
                if first.condition.place == second.condition.place:
                    continue
                cost = first.cost + second.cost + log(2)
                crowding = max(first.crowding, second.crowding)
                score = self._score(float(shares[0][at]), float(shares[1][at]), crowding, cost)
                yield score, Rule((first.condition, second.condition), is_either)


def _narrows(
    joint: tuple[Floats, Floats],
    support: Floats,
    other_support: Floats,
    kept: Floats,
    other_kept: Floats,
    one: float,
) -> Mask:
    """Of the kept entries at most half as many as with either half, of the found ones nearly all.
    `one` is the share of a single kept entry."""
    nearly: Mask = joint[0] >= _NEARLY_ALL * np.maximum(support, other_support)
    return nearly & (joint[1] + one <= 0.5 * (np.minimum(kept, other_kept) + one))


def _sharpened(rule: Rule, sample: Sample, asked: Mask) -> Rule:
    """Where two must hold, the border of each as the entries tell it for which the other does."""
    if rule.either or len(rule.parts) < 2:
        return rule
    columns = [sample.columns[part.place] for part in rule.parts]
    masks = [part.mask(column) for part, column in zip(rule.parts, columns, strict=True)]
    parts = (
        _tightened(rule.parts[0], columns[0], masks[0], masks[1] & asked, sample.here),
        _tightened(rule.parts[1], columns[1], masks[1], masks[0] & asked, sample.here),
    )
    return Rule(parts)


def _tightened(part: Condition, column: Column, mask: Mask, among: Mask, here: int) -> Condition:
    codes = column.codes
    inside = codes[:here][(mask & among)[:here]]
    if part.values or not len(inside):
        return part
    around = codes[among & (codes >= 0)]
    first, last = int(inside.min()), int(inside.max())
    below, above = around[around < first], around[around > last]
    value, form = column.values, part.trait.form
    low = border(form, value[below.max()], value[first]) if len(below) else None
    high = border(form, value[last], value[above.min()]) if len(above) else None
    if low is None and high is None:
        return part
    return replace(
        part,
        low=low if part.low is not None else None,
        high=high if part.high is not None else None,
    )


def _likelihood(support: float, kept: float, here: float, others: float) -> float:
    """The log-likelihood ratio of two shares against one share for all."""
    share = (support * here + kept * others) / (here + others)
    return here * _divergence(support, share) + others * _divergence(kept, share)


def _divergence(one: float, other: float) -> float:
    """Kullback and Leibler's, of two shares."""
    first = one * log(one / other) if one > 0 else 0.0
    rest = (1 - one) * log((1 - one) / (1 - other)) if one < 1 else 0.0
    return first + rest


def _between(column: Column, first: int, last: int) -> Condition:
    """A range of places as the roundest condition that holds for it."""
    values, trait = column.values, column.trait
    if last == first + 1 and trait.values:
        return Condition(trait, column.place, values=(values[first],))
    low = border(trait.form, values[first - 1], values[first]) if first else None
    high = border(trait.form, values[last - 1], values[last]) if last < len(values) else None
    return Condition(trait, column.place, low, high)
