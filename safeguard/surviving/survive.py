"""`assert_survives`: the whole check for two sides and one contract, in a folder that is gone after."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeguard.api import check
from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import Mistake, UsageProblem
from safeguard.surviving.contracts import FILE, Terms, terms_of
from safeguard.surviving.failing import failure_text
from safeguard.surviving.sides import Side, side_of

if TYPE_CHECKING:
    from _typeshed import StrPath

_PLAN = "safeguard.yaml"


class DidNotSurvive(AssertionError):
    """Not everything survived, or nobody can say. `result` is what was found."""

    __module__ = "safeguard"  # where people know it from

    def __init__(self, text: str, result: CheckResult) -> None:
        super().__init__(text)
        self.result = result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.result)


def assert_survives(
    *,
    old: Any,
    new: Any,
    contract: Mapping[str, Any] | StrPath,
    timezone: str = "",
    reveal: bool | None = None,
    out: StrPath | None = None,
) -> None:
    """Assert that everything of `old` is in `new`, as `contract` demands. Only a PASS is silent.

    A side is a URL, a folder of exports (a Path), a SQLAlchemy engine, an Arrow table, a pandas or
    Polars DataFrame, a list of dicts, or a mapping of tables' names to such data. Where the contract
    names several systems on a side, it is a mapping of their names to sides.

    Args:
        old: What customers made.
        new: Where it should be now.
        contract: The contract's file, or its keys as a dict. A dict may leave out `content`, `old`,
            `new` and their `system` and `table`, and `shape` where `order` or `fields` tell it.
        timezone: IANA zone of timestamps that have none, on both sides.
        reveal: Whether the message shows texts. Left out: where both sides were in memory, and so
            are the test's own.
        out: Keep verdict, report and findings in this folder.

    Raises:
        DidNotSurvive: The verdict is BLOCK or UNDECIDED; an AssertionError.
        UsageProblem: An argument or the contract must be mended.
    """
    __tracebackhide__ = _is_told  # pytest shows the line of the test
    with tempfile.TemporaryDirectory(prefix="safeguard-") as name:
        folder = Path(name)
        try:
            terms = terms_of(contract, folder)
            sides = _sides(terms, {"old": old, "new": new}, folder)
            result = check(
                _plan(terms, sides, timezone, folder),
                out=folder / "run" if out is None else out,
                reveal=all(s.in_memory for s in sides.values()) if reveal is None else reveal,
                environ={_variable(n): side.url for n, side in enumerate(sides.values())},
            )
        except UsageProblem as problem:  # raised again from here, where pytest hides the frame
            raise _as_said(problem, folder) from None
        if not result:
            text = failure_text(result.details, result.findings())
            kept = "" if out is None else f"\n  report  {result.report}"
            raise DidNotSurvive(text + kept, result.details)


def _is_told(caught: Any) -> bool:
    """Whether an exception says all that there is to say, of pytest's ExceptionInfo."""
    return isinstance(caught.value, DidNotSurvive | UsageProblem)


def _sides(terms: Terms, given: Mapping[str, Any], folder: Path) -> dict[str, Side]:
    """Every system that the contract names, by name."""
    found: dict[str, Side] = {}
    for side, data in given.items():
        for system, own in _by_system(terms.systems(side), data, side).items():
            if system in found:
                raise UsageProblem(f"contract: `{system}` is on both sides: give each its own name")
            place = folder / f"system-{len(found)}"
            place.mkdir()
            called = side if own is data else f"{side}[{system!r}]"
            wanted = terms.wanted(side, system)
            found[system] = side_of(own, called, wanted, place, os.environ)
    return found


def _by_system(systems: tuple[str, ...], data: Any, side: str) -> Mapping[str, Any]:
    if len(systems) == 1:
        return {systems[0]: data}
    if isinstance(data, Mapping) and set(data) == set(systems):
        return {system: data[system] for system in systems}
    names = ", ".join(systems)
    raise UsageProblem(f"{side}: the contract names {names}: give a mapping of each to its content")


def _plan(terms: Terms, sides: Mapping[str, Side], timezone: str, folder: Path) -> Path:
    """The plan. Tables that the contract does not speak of are not what is asserted: a warning."""
    zone = {"timezone": timezone} if timezone else {}
    kind = "merge" if len(terms.systems("old")) > 1 else "move"
    whole = {
        "migration": "assert_survives",
        "kind": "split" if len(terms.systems("new")) > 1 else kind,
        "systems": {name: {"url": f"${{{_variable(n)}}}", **zone} for n, name in enumerate(sides)},
        "contracts": [str(terms.file) if terms.file.parent != folder else terms.file.name],
        "policy": {"warn": ["extra", "uncovered"]},
    }
    plan = folder / _PLAN
    plan.write_text(json.dumps(whole), encoding="utf-8")
    return plan


def _variable(number: int) -> str:
    """The variable that has a system's URL, so that no file has it."""
    return f"SYSTEM_{number}"


def _as_said(problem: UsageProblem, folder: Path) -> UsageProblem:
    """Mistakes as of the arguments: nobody wrote the files that they were found in."""
    return UsageProblem(*(_of_argument(m, folder) for m in problem.mistakes))


def _of_argument(mistake: Mistake, folder: Path) -> Mistake:
    if mistake.file == str(folder / FILE):
        return Mistake(mistake.message, "contract")
    if mistake.file == str(folder / _PLAN):
        return Mistake(mistake.message)
    return replace(mistake, message=mistake.message.replace(f"{folder}/", ""))
