"""A plan as pytest collects it: a test for each content, each of its routes, the coverage and the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safeguard.contract.load import load_plan
from safeguard.contract.model import Contract, Routing
from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.trouble import SafeguardError, UsageProblem
from safeguard.findings.words import Verdict
from safeguard.pytest_plugin.session import SharedPlan
from safeguard.reports.cases import (
    Case,
    content_case,
    coverage_case,
    route_case,
    verdict_case,
)
from safeguard.reports.printable import printable


class NotSurvived(Exception):
    """A test that fails for what the check found: there is no traceback to look at."""


class PlanFile(pytest.File):
    """A plan."""

    def __init__(self, *, plan: SharedPlan, **more: Any) -> None:
        super().__init__(**more)
        self.plan = plan

    def collect(self) -> Iterator[pytest.Item]:
        """Read the plan; no system is asked anything before the first test runs."""
        self.plan.collected = (
            True  # pytest makes nodes of all files of a folder, and asks few of them
        )
        try:
            loaded = load_plan(self.path, os.environ)
        except UsageProblem as problem:
            raise self.CollectError(str(problem)) from None
        names: set[str] = set()
        for contract in (each.contract for each in loaded.contracts):
            yield self._item(names, contract.content, contract.content, None)
            for system in _routes(contract):
                name = f"{contract.content}[{system}]"
                yield self._item(names, name, contract.content, system)
        for name in ("coverage", "verdict"):
            yield self._item(names, name, None, None)

    def _item(
        self, names: set[str], name: str, content: str | None, system: str | None
    ) -> PlanItem:
        """An item by a name that no other one has: a content may be called `verdict`."""
        shown, again = name, 1
        while shown in names:
            again += 1
            shown = f"{name} ({again})"
        names.add(shown)
        told = content, system, name
        return PlanItem.from_parent(self, name=shown, told=told)


class PlanItem(pytest.Item):
    """A content, one of its routes, the coverage or the verdict of the run."""

    def __init__(self, *, told: tuple[str | None, str | None, str], **more: Any) -> None:
        super().__init__(**more)
        self._content, self._system, self._part = told

    def runtest(self) -> None:
        """Fails unless the verdict of this part is PASS. The first test of a plan has it checked."""
        assert isinstance(self.parent, PlanFile)
        try:
            result = self.parent.plan.result
        except SafeguardError as problem:
            raise NotSurvived(f"{Verdict.UNDECIDED}  It was not checked.\n{problem}") from None
        case = self._case(result)
        self.user_properties.append(("safeguard_verdict", str(case.verdict)))
        if case.verdict is not Verdict.PASS:
            raise NotSurvived(f"{case.verdict}  {case.text}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was found, in words; a traceback only of a fault of our own."""
        if isinstance(excinfo.value, NotSurvived):
            return "\n".join(printable(line) for line in str(excinfo.value).splitlines())
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The plan, and the name of this part."""
        return self.path, None, self.name

    def _case(self, result: CheckResult) -> Case:
        if self._content is None:
            return (coverage_case if self._part == "coverage" else verdict_case)(result)
        for content in result.contents:
            if content.content == self._content:
                return self._part_of(content)
        return Case(Verdict.UNDECIDED, "the check says nothing of this content")

    def _part_of(self, content: ContentResult) -> Case:
        """The content or its route; one that was not read shares the verdict of the content."""
        for route in content.routes:
            if route.system == self._system:
                return route_case(content, route)
        whole = content_case(content)
        if self._system is not None and whole.verdict is Verdict.PASS:
            return Case(Verdict.UNDECIDED, "the check says nothing of this route")
        return whole


def _routes(contract: Contract) -> list[str]:
    """The routes as a result names them."""
    if contract.routing is not Routing.BY_RECEIVES:
        return ["*"]
    return [source.system for source in contract.new]
