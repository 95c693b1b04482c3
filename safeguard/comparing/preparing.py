"""Ask the systems what a contract needs to know of them, and align it: contract -> ContentPlan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from safeguard.comparing.declaring import declare_types
from safeguard.comparing.fields import rule_for
from safeguard.contract.model import Contract, Crosswalk, LoadedContract, LoadedPlan, Source
from safeguard.findings.trouble import ConnectionLost, Mistake, SystemProblem, UsageProblem
from safeguard.planning.align import align
from safeguard.planning.described import (
    CrosswalkKey,
    Described,
    DescribedCrosswalk,
    crosswalks_of,
)
from safeguard.planning.layout import ContentPlan
from safeguard.planning.selection import relation_of, select
from safeguard.systems.interface import Output, Relation, Selection, Session
from safeguard.systems.missing import MissingRelation

Sessions = Mapping[str, Session]


def prepare(
    loaded: LoadedPlan, sessions: Sessions, refused: dict[str, SystemProblem] | None = None
) -> tuple[ContentPlan, ...]:
    """One ContentPlan a contract; without those that a system refuses to tell about, where `refused`
    takes them by name. Raises UsageProblem with the mistakes of all contracts in one go.
    """
    _declare(loaded, sessions)
    plans: list[ContentPlan] = []
    mistakes: list[Mistake] = []
    for contract in loaded.contracts:
        try:
            plans.append(_prepare_one(loaded, contract, sessions))
        except UsageProblem as problem:
            mistakes += problem.mistakes
        except SystemProblem as problem:
            if refused is None or isinstance(problem, ConnectionLost):
                raise
            refused[contract.contract.content] = problem
    if mistakes:
        raise UsageProblem(*mistakes)
    return tuple(plans)


def _declare(loaded: LoadedPlan, sessions: Sessions) -> None:
    """A table that is not there is told with its place, when its contract is prepared."""
    with suppress(MissingRelation):
        declare_types(loaded, sessions)


def _prepare_one(loaded: LoadedPlan, one: LoadedContract, sessions: Sessions) -> ContentPlan:
    contract = one.contract
    mistakes: list[Mistake] = []
    described: dict[str, list[Described]] = {"old": [], "new": []}
    for side, sources in (("old", contract.old), ("new", contract.new)):
        for i, source in enumerate(sources):
            try:
                described[side].append(_describe(loaded, contract, source, sessions))
            except UsageProblem as problem:
                mistakes += [_placed(m, one, f"{side}.{i}") for m in problem.mistakes]
    walks: dict[CrosswalkKey, DescribedCrosswalk] = {}
    for key, walk in crosswalks_of(contract).items():
        try:
            walks[key] = _describe_walk(walk, sessions)
        except UsageProblem as problem:
            mistakes += [_placed(m, one, f"{key[0]}.{key[1]}.crosswalk") for m in problem.mistakes]
    if mistakes:
        raise UsageProblem(*mistakes)
    plan = align(one, tuple(described["old"]), tuple(described["new"]), walks)
    _vet_maps(plan, one)
    return plan


def _describe(
    loaded: LoadedPlan, contract: Contract, source: Source, sessions: Sessions
) -> Described:
    session = sessions[source.system]
    relation = relation_of(source)
    columns = session.columns(relation)
    selection = select(contract, source, columns, f"{source.system}.{relation}")
    zone = loaded.plan.systems[source.system].timezone
    return Described(source, session.resolve(selection), zone)


def _describe_walk(walk: Crosswalk, sessions: Sessions) -> DescribedCrosswalk:
    session = sessions[walk.system]
    relation = Relation(table=walk.table)
    names = {c.name for c in session.columns(relation)}
    missing = [c for c in (walk.old, walk.new) if c not in names]
    if missing:
        raise UsageProblem(
            *(
                f"{walk.system}.{walk.table} has no column `{c}`. It has: {', '.join(sorted(names))}."
                for c in missing
            )
        )
    outputs = (Output("old", walk.old, True), Output("new", walk.new, True))
    return DescribedCrosswalk(walk, session.resolve(Selection(relation, outputs)))


def _placed(mistake: Mistake, one: LoadedContract, where: str) -> Mistake:
    """The mistake with its place in the contract: the column that it quotes, else the source."""
    if mistake.line is not None:
        return mistake
    for path in one.lines:
        if path.startswith(f"{where}.columns.") and f"`{_column(one, path)}`" in mistake.message:
            return one.mistake(mistake.message, path)
    return one.mistake(mistake.message, f"{where}.table")


def _column(one: LoadedContract, path: str) -> str:
    side, index, _, name = path.split(".", 3)
    sources = one.contract.old if side == "old" else one.contract.new
    return sources[int(index)].columns.get(name, name)


def _vet_maps(plan: ContentPlan, one: LoadedContract) -> None:
    """Every key of a map parses as the old type, every value as the new one."""
    for field in plan.fields:
        for route, _ in enumerate(plan.new):
            try:
                rule_for(field, route)
            except ValueError as error:
                raise UsageProblem(
                    one.mistake(f"the map of `{field.name}`: {error}", f"fields.{field.name}.map")
                ) from error
