"""What became of planted faults: the findings of a comparison, beside what each should be found as."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import literal
from safeguard.contract.model import Policy
from safeguard.drill.kinds import FaultKind, Plant, Target
from safeguard.drill.result import Fate, PlantedFault
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan


@dataclass(frozen=True)
class Planted:
    """A fault in place."""

    kind: FaultKind
    target: Target
    plant: Plant


@dataclass(frozen=True)
class Found:
    """One finding, as far as it matters here."""

    kind: str
    cause: str | None
    field: str | None


def findings_of(
    exchange: Exchange, content: str, planted: Iterable[Planted]
) -> Mapping[str, list[Found]]:
    """The findings of every customer who has a fault."""
    people = sorted({c.id for p in planted for c in p.plant.customers})
    exchange.fill("drilled", pa.table({"id": pa.array(people, pa.string())}))
    found: dict[str, list[Found]] = defaultdict(list)
    for customer, *rest in exchange.rows(
        f"""SELECT DISTINCT customer, kind, cause, field FROM finding
        WHERE content = {literal(content)} AND customer IN (SELECT id FROM drilled)"""
    ):
        found[customer].append(Found(*rest))
    exchange.drop("drilled")
    return found


def judge(
    plan: ContentPlan, policy: Policy, planted: Planted, found: Mapping[str, list[Found]]
) -> PlantedFault:
    """One fault with its fate."""
    plant, field = planted.plant, planted.target.field
    mine = [f for c in plant.customers for f in found.get(c.id, ())]
    kinds = frozenset(f.kind for f in mine)
    reason = "" if mine else _excuse(plan, planted)
    fate = Fate.CAUGHT if mine else Fate.TOLERATED if reason else Fate.SURVIVED
    return PlantedFault(
        content=plan.contract.content,
        kind=planted.kind.name,
        system=plan.new[planted.target.route].system,
        owner=plant.customers[0].name,
        item=plant.item,
        field=field.name if field else None,
        fate=fate,
        found=tuple(sorted(kinds)),
        right_kind=any(wanted <= kinds for wanted in plant.expected),
        right_cause=_is_right(planted, mine) if mine and plant.causes else None,
        warned=bool(mine) and all(_passes(Kind(k), plan, policy) for k in kinds),
        reason=reason or ("" if mine else f"nothing in {plan.path} lets it through: a bug of ours"),
    )


def _passes(kind: Kind, plan: ContentPlan, policy: Policy) -> bool:
    """Whether the policy lets one finding of a kind pass, at least of some customers."""
    allowed = next(
        (a for a in policy.allow if (a.content, a.kind) == (plan.contract.content, kind)), None
    )
    return kind in policy.warn or (allowed is not None and allowed.at_most != 0)


def _is_right(planted: Planted, mine: list[Found]) -> bool:
    field = planted.target.field
    assert field is not None
    return any(
        f.cause in planted.plant.causes and f.field is not None and f.field.startswith(field.name)
        for f in mine
        if f.kind == Kind.CHANGED
    )


def _excuse(plan: ContentPlan, planted: Planted) -> str:
    """What in the contract says that this difference is accepted; "" where nothing does."""
    field, excuses = planted.target.field, planted.plant.excuses
    if field is None:
        return ""
    for accept in field.spec.accept:
        if str(accept.form) in excuses:
            return f"{plan.path} accepts `{accept}` of `{field.name}`"
    if "within_tolerance" in excuses and field.old.type.tolerance:
        return f"{plan.path} compares `{field.name}` as `{field.old.type}`"
    if "unordered" in excuses and field.spec.unordered:
        paths = ", ".join(field.spec.unordered)
        return f"{plan.path} calls {paths} of `{field.name}` unordered"
    if "time_fold" in excuses and (field.alternate_old or any(field.alternate_new)):
        return f"`{field.name}` has two readings where the clocks are turned back"
    return ""
