"""The pytest plugin: `pytest --safeguard PLAN` makes tests of a plan's check; fixtures for other tests.

Every pytest run on a machine loads this module, so it imports nothing but pytest. What checks is
loaded by the run that asks for it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from safeguard.api import Result
    from safeguard.pytest_plugin.collecting import PlanFile
    from safeguard.pytest_plugin.session import PlanSession, SharedPlan

_SESSION: pytest.StashKey[PlanSession] = pytest.StashKey()
_SHARED = "safeguard_shared"
"""The folder by which the workers of pytest-xdist know of each other's checks."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--safeguard` and `--safeguard-out`."""
    group = parser.getgroup("safeguard", "safeguard: does everything survive the migration?")
    group.addoption(
        "--safeguard",
        action="append",
        default=[],
        metavar="PLAN",
        dest="safeguard_plans",
        help="Check this plan (safeguard.yaml): a test for each content and route. May be repeated.",
    )
    group.addoption(
        "--safeguard-out",
        metavar="DIR",
        help="Folder for verdict and reports, of several plans a folder each inside. "
        "Default: .safeguard/runs/ID beside the plan.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Find the plans, and where the workers of one session meet."""
    if not config.option.safeguard_plans:
        return
    from safeguard.pytest_plugin.session import PlanSession

    ours = getattr(config, "workerinput", {}).get(_SHARED)
    shared = ours or tempfile.mkdtemp(prefix="safeguard-pytest-")
    if not ours:
        config.add_cleanup(lambda: shutil.rmtree(shared, ignore_errors=True))
    config.stash[_SESSION] = PlanSession.of(config, Path(shared))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the others are."""
    session = node.config.stash.get(_SESSION, None)
    if session is not None:
        node.workerinput[_SHARED] = str(session.shared)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PlanFile | None:
    """A plan that was asked for, where an argument names it or the folder around it."""
    plans = parent.config.stash.get(_SESSION, None)
    plan = plans and plans.plan_at(file_path)
    return _plan_file(parent, plan) if plan else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Every other plan that was asked for, whatever pytest was told to ignore."""
    plans = config.stash.get(_SESSION, None)
    for plan in plans.plans.values() if plans else ():
        if not plan.collected:
            items += session.genitems(_plan_file(session, plan))


def _plan_file(parent: pytest.Collector, plan: SharedPlan) -> PlanFile:
    from safeguard.pytest_plugin.collecting import PlanFile

    return PlanFile.from_parent(parent, path=plan.path, plan=plan)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The verdicts, with what even a PASS must name."""
    session = config.stash.get(_SESSION, None)
    if session is None:
        return
    from safeguard.pytest_plugin.summary import summary_lines

    terminalreporter.write_sep("=", "safeguard")
    for line in summary_lines(session):
        terminalreporter.write_line(line)


@pytest.fixture
def safeguard_check(tmp_path: Path) -> Callable[..., Result]:
    """`safeguard.check`, with the run's folder among the test's temporary ones unless `out` is given.

    Returns a Result, which is true only where the verdict is PASS: `assert safeguard_check(plan)`.
    """
    from safeguard.api import check

    def checked(plan: Any = "safeguard.yaml", **options: Any) -> Result:
        options.setdefault("out", Path(tempfile.mkdtemp(prefix="safeguard-", dir=tmp_path)))
        return check(plan, **options)

    return checked


@pytest.fixture
def assert_survives(tmp_path: Path) -> Callable[..., None]:
    """`safeguard.assert_survives`, which keeps the report among the test's temporary folders."""
    from safeguard.surviving import assert_survives as asserted

    def survives(**arguments: Any) -> None:
        __tracebackhide__ = True
        arguments.setdefault("out", Path(tempfile.mkdtemp(prefix="safeguard-", dir=tmp_path)))
        asserted(**arguments)

    return survives
