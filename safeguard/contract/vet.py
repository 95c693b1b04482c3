"""Cross checks: what a plan and its contracts say that cannot be meant, each with its place."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from safeguard.contract.maps import check_maps
from safeguard.contract.migration import MigrationKind, Plan
from safeguard.contract.model import Contract, LoadedContract
from safeguard.contract.page import Page
from safeguard.contract.vet_contract import CHECKS, sources
from safeguard.contract.yaml_text import Document
from safeguard.contract.zones import unknown_zone
from safeguard.findings.trouble import Mistake
from safeguard.findings.words import Kind

Mistakes = Iterator[Mistake]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*:.+", re.DOTALL)
NAME = re.compile(r"\w[\w .-]*")
_UNDECLARED = "the plan has no system"


def vet_contract(
    contract: Contract, document: Document, file: str, systems: Collection[str] | None
) -> list[Mistake]:
    """Every mistake of a contract that fits the model; `systems` are the plan's, if known."""
    page = Page(file, document)
    found = [mistake for check in (*CHECKS, check_maps) for mistake in check(contract, page)]
    if not NAME.fullmatch(contract.content):
        message = "`content` must be a name of letters, digits, `-`, `_`, `.` and spaces"
        found.append(page.mistake(message, "content"))
    if systems is not None:
        found += _contract_systems(contract, page, systems)
    return found


def _contract_systems(contract: Contract, page: Page, systems: Collection[str]) -> Mistakes:
    for side, index, source in sources(contract):
        if source.system not in systems:
            yield page.unknown(_UNDECLARED, source.system, systems, side, index, "system")
        for name, walk in source.crosswalk.items():
            if walk.system not in systems:
                place = (side, index, "crosswalk", name, "system")
                yield page.unknown(_UNDECLARED, walk.system, systems, *place)
    for name, walk in contract.crosswalk.items():
        if walk.system not in systems:
            yield page.unknown(_UNDECLARED, walk.system, systems, "crosswalk", name, "system")


def vet_plan(plan: Plan, document: Document, file: str) -> list[Mistake]:
    """Every mistake of a plan that fits the model, its contracts aside."""
    page = Page(file, document)
    return [mistake for check in _PLAN_CHECKS for mistake in check(plan, page)]


def _systems(plan: Plan, page: Page) -> Mistakes:
    for name, spec in plan.systems.items():
        place = ("systems", name)
        if not NAME.fullmatch(name):
            message = f"`{name}` must be a name of letters, digits, `-`, `_` and `.`"
            yield page.mistake(message, *place, key=True)
        if not _URL.fullmatch(spec.url) and not spec.url.startswith("${"):
            message = "`url` must be a database URL, or `files:` and a folder"
            yield page.mistake(message, *place, "url")
        if spec.timezone is not None and (trouble := unknown_zone(spec.timezone)):
            yield page.mistake(trouble, *place, "timezone")
        if "csv" in spec.model_fields_set and not spec.url.startswith(("files:", "${")):
            yield page.mistake("`csv` is of a `files:` system only", *place, "csv", key=True)
        if not _is_encoding(spec.csv.encoding):
            message = f"unknown encoding `{spec.csv.encoding}`"
            yield page.mistake(message, *place, "csv", "encoding")


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False


def _plan_system_names(plan: Plan, page: Page) -> Mistakes:
    named: list[tuple[str, tuple[str | int, ...]]] = [
        (entry.system, ("coverage", "ignore", index, "system"))
        for index, entry in enumerate(plan.coverage.ignore)
    ]
    if plan.customers is not None:
        sides = (("old", plan.customers.old), ("new", plan.customers.new))
        named += [
            (table.system, ("customers", side, index, "system"))
            for side, tables in sides
            for index, table in enumerate(tables)
        ]
    for system, place in named:
        if system not in plan.systems:
            yield page.unknown(_UNDECLARED, system, plan.systems, *place)


def _customer_keys(plan: Plan, page: Page) -> Mistakes:
    if plan.customers is None:
        return
    size = len(plan.customers.old[0].key)
    for side, tables in (("old", plan.customers.old), ("new", plan.customers.new)):
        for index, table in enumerate(tables):
            if len(table.key) != size:
                message = f"`key` must have {_columns(size)}, as the first of the old customers"
                yield page.mistake(message, "customers", side, index, "key")


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"


def _policy(plan: Plan, page: Page) -> Mistakes:
    policy = plan.policy
    for side, kinds in (("block", policy.block), ("warn", policy.warn)):
        for index, kind in enumerate(kinds):
            if kind is Kind.NOT_COMPARED:
                message = "`not_compared` can't be listed: what was not compared is UNDECIDED"
                yield page.mistake(message, "policy", side, index)
            elif side == "warn" and kind in policy.block:
                message = f"`{kind}` is both in `block` and in `warn`"
                yield page.mistake(message, "policy", side, index)


def _allow(plan: Plan, page: Page) -> Mistakes:
    segments = tuple(plan.customers.segments) if plan.customers else ()
    for index, entry in enumerate(plan.policy.allow):
        place = ("policy", "allow", index)
        if entry.kind is Kind.NOT_COMPARED:
            message = "`not_compared` can't be allowed: what was not compared is UNDECIDED"
            yield page.mistake(message, *place, "kind")
        if entry.at_most is None and not entry.segment_at_most:
            yield page.mistake("`at_most` or `segment_at_most` is missing: how many?", *place)
        for name in entry.segment_at_most:
            if name not in segments:
                where = (*place, "segment_at_most", name)
                yield page.unknown(
                    "the customers have no segment", name, segments, *where, key=True
                )


def _approvers(plan: Plan, page: Page) -> Mistakes:
    segments = tuple(plan.customers.segments) if plan.customers else ()
    for name in plan.policy.approvers:
        if name not in segments:
            place = ("policy", "approvers", name)
            yield page.unknown("the customers have no segment", name, segments, *place, key=True)


_PLAN_CHECKS: tuple[Callable[[Plan, Page], Mistakes], ...] = (
    _systems,
    _plan_system_names,
    _customer_keys,
    _policy,
    _allow,
    _approvers,
)


def vet_together(
    plan: Plan,
    document: Document,
    file: str,
    loaded: Sequence[LoadedContract],
    contents: Collection[str],
    expected: int,
) -> list[Mistake]:
    """What the plan and its contracts only say together.

    `contents` are the names of all contracts, `loaded` the contracts that fit the model; counts
    are judged only if all `expected` ones do, and name systems that there are.
    """
    page = Page(file, document)
    found = [*_unique(loaded), *_owners(plan, loaded), *_allowed_contents(plan, page, contents)]
    named = {source.system for entry in loaded for _, _, source in sources(entry.contract)}
    if len(loaded) == expected == len(plan.contracts) and named <= set(plan.systems):
        found += _system_counts(plan, page, loaded)
    return found


def _unique(loaded: Sequence[LoadedContract]) -> Mistakes:
    first: dict[str, LoadedContract] = {}
    for entry in loaded:
        name = entry.contract.content
        if name in first:
            yield entry.mistake(f"`{name}` is also the content of {first[name].file}", "content")
        first.setdefault(name, entry)


def _owners(plan: Plan, loaded: Sequence[LoadedContract]) -> Mistakes:
    if plan.customers is None:
        return
    size = len(plan.customers.old[0].key)
    for entry in loaded:
        if len(entry.contract.owner) != size:
            message = f"`owner` must have {_columns(size)}, as the key of the plan's customers"
            yield entry.mistake(message, "owner")


def _allowed_contents(plan: Plan, page: Page, contents: Collection[str]) -> Mistakes:
    for index, entry in enumerate(plan.policy.allow):
        if entry.content not in contents:
            place = ("policy", "allow", index, "content")
            yield page.unknown("no contract is of the content", entry.content, contents, *place)


_ONE, _SEVERAL = (1, 1), (2, None)
_COUNTS: dict[MigrationKind, tuple[tuple[int, int | None], tuple[int, int | None]]] = {
    MigrationKind.MOVE: (_ONE, _ONE),
    MigrationKind.SPLIT: (_ONE, _SEVERAL),
    MigrationKind.MERGE: (_SEVERAL, _ONE),
    MigrationKind.SHUTDOWN: (_ONE, (1, None)),
}


def _system_counts(plan: Plan, page: Page, loaded: Sequence[LoadedContract]) -> Mistakes:
    old = {source.system for entry in loaded for source in entry.contract.old}
    new = {source.system for entry in loaded for source in entry.contract.new}
    for side, used, bounds in zip(("old", "new"), (old, new), _COUNTS[plan.kind], strict=True):
        least, most = bounds
        if len(used) < least or (most is not None and len(used) > most):
            wanted = "one" if most == 1 else "at least two"
            names = ", ".join(sorted(used))
            message = (
                f"a {plan.kind} has {wanted} {side} system{'' if most == 1 else 's'}; "
                f"the contracts name {len(used)}: {names}"
            )
            yield page.mistake(message, "kind")
