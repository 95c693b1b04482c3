"""What waivers say that can't be meant, each with its place: a waiver of nothing that exists, or of
more than a person can sign for."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from pydantic import ValidationError

from safeguard.contract.migration import Plan
from safeguard.contract.model import Contract
from safeguard.contract.page import Page
from safeguard.contract.vet import NAME
from safeguard.contract.waivers import PLACEHOLDER, Waiver
from safeguard.contract.yaml_text import Document
from safeguard.findings.trouble import Mistake
from safeguard.findings.words import Kind

Mistakes = Iterator[Mistake]
Contracts = Mapping[str, Contract | None]
"""By content; None where the contract itself has mistakes."""


def vet_waivers(document: Document, name: str, plan: Plan, contracts: Contracts) -> list[Mistake]:
    """Every mistake of those waivers of a file that fit the model."""
    page = Page(name, document)
    found: list[Mistake] = []
    first: dict[str, int] = {}
    for index, waiver in _fitting(document):
        here = _Place(page, index, plan, contracts)
        if waiver.id in first:
            line = document.locate("waivers", first[waiver.id], "id")[0]
            found.append(here.mistake(f"`{waiver.id}` is also the id in line {line}", "id"))
        first.setdefault(waiver.id, index)
        found += [mistake for check in _CHECKS for mistake in check(waiver, here)]
    return found


# -- private -------------------------------------------------------------------------------------


def _fitting(document: Document) -> Iterator[tuple[int, Waiver]]:
    written = document.value.get("waivers")
    for index, value in enumerate(written if isinstance(written, list) else []):
        with suppress(ValidationError):
            yield index, Waiver.model_validate(value)


class _Place:
    """Where one waiver stands, and what there is that it may name."""

    def __init__(self, page: Page, index: int, plan: Plan, contracts: Contracts) -> None:
        self.page, self.index = page, index
        self.plan, self.contracts = plan, contracts

    def mistake(self, message: str, *path: str | int) -> Mistake:
        return self.page.mistake(message, "waivers", self.index, *path)

    def unknown(self, what: str, name: str, names: Iterator[str], key: str) -> Mistake:
        return self.page.unknown(what, name, names, "waivers", self.index, key)


def _names(waiver: Waiver, here: _Place) -> Mistakes:
    if not NAME.fullmatch(waiver.id):
        yield here.mistake("`id` must be a name of letters, digits, `-`, `_`, `.` and spaces", "id")


def _kind(waiver: Waiver, here: _Place) -> Mistakes:
    if waiver.kind is Kind.NOT_COMPARED:
        message = "`not_compared` can't be waived: what was not compared is UNDECIDED"
        yield here.mistake(message, "kind")
    elif waiver.kind is Kind.UNCOVERED:
        for key in ("cause", "field", "owners", "condition"):
            if getattr(waiver, key) is not None:
                yield here.mistake(f"`{key}` is of no use: a table that is uncovered has none", key)
    if waiver.cause is not None and waiver.kind not in (Kind.CHANGED, Kind.UNCOVERED):
        yield here.mistake(f"`cause` is of `changed` only; `{waiver.kind}` has none", "cause")
    without = waiver.kind not in (Kind.CHANGED, Kind.EXPECTATION, Kind.UNCOVERED)
    if waiver.field is not None and without:
        yield here.mistake(f"`field` is of `changed` only; `{waiver.kind}` has none", "field")


def _content(waiver: Waiver, here: _Place) -> Mistakes:
    if waiver.kind is not Kind.UNCOVERED and waiver.content not in here.contracts:
        what = "no contract is of the content"
        yield here.unknown(what, waiver.content, iter(here.contracts), "content")


def _field(waiver: Waiver, here: _Place) -> Mistakes:
    contract = here.contracts.get(waiver.content)
    if contract is None or waiver.field is None or waiver.kind is not Kind.CHANGED:
        return
    if waiver.field in contract.fields:
        return
    if contract.shape == "document" and any(
        waiver.field.startswith((f"{name}.", f"{name}[")) for name in contract.fields
    ):
        return
    yield here.unknown("the contract has no field", waiver.field, iter(contract.fields), "field")


def _system(waiver: Waiver, here: _Place) -> Mistakes:
    if waiver.system is None:
        return
    if waiver.system not in here.plan.systems:
        what = "the plan has no system"
        yield here.unknown(what, waiver.system, iter(here.plan.systems), "system")
        return
    contract = here.contracts.get(waiver.content)
    if contract is None or waiver.kind is Kind.UNCOVERED:
        return
    new = {source.system: None for source in contract.new}
    if waiver.system not in new:
        what = f"a finding of `{waiver.content}` is in a new system, and there is none"
        yield here.unknown(what, waiver.system, iter(new), "system")


def _owners(waiver: Waiver, here: _Place) -> Mistakes:
    contract = here.contracts.get(waiver.content)
    if contract is None or waiver.kind is Kind.UNCOVERED:
        return
    size = len(contract.owner)
    wanted = "one id" if size == 1 else f"a list of {size} ids, one of each owner column"
    for index, owner in enumerate(waiver.owners or ()):
        if size != (len(owner) if isinstance(owner, tuple) else 1) or (
            size == 1 and isinstance(owner, tuple)
        ):
            yield here.mistake(f"each of `owners` must be {wanted}", "owners", index)


def _signed(waiver: Waiver, here: _Place) -> Mistakes:
    for key, texts in (("reason", (waiver.reason,)), ("approved_by", waiver.approved_by)):
        if any(approver(text).upper().startswith(PLACEHOLDER) for text in texts):
            yield here.mistake(f"`{key}` still has to be filled in", key)
    names = [approver(name) for name in waiver.approved_by]
    for index, name in enumerate(names):
        if not any(character.isalnum() for character in name):
            yield here.mistake("a name must have a letter or a digit", "approved_by", index)
        elif name in names[:index]:
            message = f"`{waiver.approved_by[index]}` is named twice: that is one approver"
            yield here.mistake(message, "approved_by", index)


def approver(name: str) -> str:
    """A name as it counts: however it is cased, spaced and composed, and whatever that nobody sees is
    in it, it is one person. Letters of two scripts that look alike are two."""
    seen = "".join(c for c in name if not _is_invisible(c))
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return " ".join(plain.split())


_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
"""Of those that Unicode lets a display ignore, what is neither a format character nor a selector."""


def _is_invisible(character: str) -> bool:
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return is_selector or character in _INVISIBLE or unicodedata.category(character) == "Cf"


_CHECKS: tuple[Callable[[Waiver, _Place], Mistakes], ...] = (
    _names,
    _kind,
    _content,
    _field,
    _system,
    _owners,
    _signed,
)
