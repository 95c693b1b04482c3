"""What the findings of each kind have in common, as sentences; at most three a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from safeguard.comparing.buckets import Buckets
from safeguard.comparing.explaining.conditions import Mask, Rule
from safeguard.comparing.explaining.evidence import Evidence, Side, new_side, old_side
from safeguard.comparing.explaining.mining import LEAST, RISK_RATIO, SUPPORT, Sample, best_rule
from safeguard.comparing.explaining.passes import Passes
from safeguard.comparing.explaining.traits import Trait, new_traits, old_traits
from safeguard.comparing.partition import Partition, SourceFiles
from safeguard.findings.figures import number, percent
from safeguard.findings.result import Explanation
from safeguard.findings.words import Kind

MOST_SENTENCES = 3
_REST = 0.05
"""Of the findings: so few are left without a word."""
_OF_OLD = (
    Kind.LOST,
    Kind.MISATTRIBUTED,
    Kind.MISROUTED,
    Kind.ORPHANED,
    Kind.CHANGED,
    Kind.MOVED,
)
_OF_NEW = (Kind.DUPLICATED, Kind.RESURRECTED, Kind.ORPHANED, Kind.EXTRA)


_OF_OWNERS = frozenset({Kind.ORPHANED, Kind.MISATTRIBUTED})
"""Whoever they are found at is named with each of them."""


@dataclass(frozen=True)
class Told:
    """A content whose findings are told, and whose entries still lie in their buckets."""

    partition: Partition
    store: Buckets
    files: SourceFiles
    parts: tuple[tuple[int, int], ...]
    partly: bool
    """Sums said of some owners that they are equal: their entries were never read."""


@dataclass(frozen=True)
class _Mined:
    """A rule, and for how many entries of the sample's kept ones it holds."""

    kind: Kind
    rule: Rule
    total: int
    sampled: int
    others: int


def explain(told: Told, findings: Mapping[str, int]) -> tuple[Explanation, ...]:
    """Sentences for the kinds of which there are enough findings. Raises SystemProblem when the
    entries can't be read again."""
    plan = told.partition.plan
    found = _of_side(told, old_side(plan), None, _OF_OLD, findings)
    for route in told.partition.routes:
        found += _of_side(told, new_side(route), route, _OF_NEW, findings)
    return tuple(found)


def _of_side(
    told: Told, side: Side, route: int | None, kinds: Iterable[Kind], findings: Mapping[str, int]
) -> list[Explanation]:
    asked = [kind for kind in kinds if findings.get(kind, 0) >= LEAST]
    if not asked:
        return []
    evidence = _evidence(told, side, route)
    # A kind that both sides or several routes show is more than this side can explain.
    asked = [kind for kind in asked if evidence.count(kind) == findings[kind]]
    if not asked:
        return []
    evidence.gather()
    mined = [m for kind in asked for m in _mine(evidence, kind)]
    said = _say(evidence, mined, "kept ones" if route is None else "others", told.partly)
    evidence.drop()
    return said


def _evidence(told: Told, side: Side, route: int | None) -> Evidence:
    partition, plan = told.partition, told.partition.plan
    if route is None:
        files = SourceFiles(told.files.old, {})
    else:
        files = SourceFiles({}, {route: told.files.new.get(route, ())})
    passes = Passes(partition, told.store, files, told.parts)
    return Evidence(partition.exchange, plan, side, _traits(told, route, passes), passes)


def _traits(told: Told, route: int | None, passes: Passes) -> tuple[Trait, ...]:
    partition, plan = told.partition, told.partition.plan
    places = passes.is_whole and plan.order is not None
    if route is None:
        return old_traits(plan, partition.book, reveal=partition.reveal, places=places)
    return new_traits(plan, partition.book, route, reveal=partition.reveal, places=places)


def _mine(evidence: Evidence, kind: Kind) -> list[_Mined]:
    """The best rule of all findings, then of those that it leaves, and so on: each must explain
    enough of them all. Who they belong to is said once, and not of kinds that are about just that."""
    sample = evidence.sample(kind)
    free = np.arange(len(sample.owners)) < sample.here
    found: list[_Mined] = []
    while len(found) < MOST_SENTENCES and free.sum() > _REST * sample.here:
        rule = best_rule(sample, free)
        if rule is None:
            break
        mask = _holds(rule, sample)
        if mask[: sample.here].sum() < SUPPORT * sample.here:
            break  # much of what is left, but little of all
        free &= ~mask
        if rule.names_owners and (kind in _OF_OWNERS or any(m.rule.names_owners for m in found)):
            continue
        sampled = int(mask[sample.here :].sum())
        found.append(_Mined(kind, rule, sample.found, sampled, sample.others))
    return found


def _holds(rule: Rule, sample: Sample) -> Mask:
    masks = [part.mask(sample.columns[part.place]) for part in rule.parts]
    held: Mask = np.logical_or.reduce(masks) if rule.either else np.logical_and.reduce(masks)
    return held


def _say(
    evidence: Evidence, mined: Sequence[_Mined], others: str, partly: bool
) -> list[Explanation]:
    if not mined:
        return []
    rules = [m.rule for m in mined]
    kept, every = [m.sampled for m in mined], mined[0].others
    exact = evidence.is_exact
    if exact and not evidence.is_all:
        kept, every = evidence.count_kept(rules)
    found = []
    for one, held in zip(mined, kept, strict=True):
        (here,) = evidence.count_found(one.kind, [one.rule])
        if here * every < RISK_RATIO * held * one.total:
            continue  # the sample was kinder than the whole
        share = _share(held, every, about="" if exact else "about ")
        read = " that were read" if partly else ""
        subject = f"All {number(one.total)}" if here == one.total else (
            f"{number(here)} of {number(one.total)}"
        )  # fmt: skip
        text = f"{subject} {one.kind} entries {one.rule.words}; of the {others}{read} {share}."
        found.append(Explanation(one.kind, text, here, one.total, held / every if every else 0.0))
    return found


def _share(part: int, whole: int, about: str) -> str:
    return "none" if part == 0 else f"{about}{percent(part, whole)}"
