"""The story of a check: load, open, plan, compare, judge, tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from safeguard import __version__
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.preparing import prepare
from safeguard.comparing.reading_customers import read_customers
from safeguard.comparing.resulting import failed_content
from safeguard.comparing.store import add_uncovered, write_findings
from safeguard.comparing.surveying import blind_spots, survey
from safeguard.comparing.telling import create_findings
from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import CheckResult, ContentResult, Coverage, Impact
from safeguard.findings.trouble import Mistake, SystemProblem, UsageProblem
from safeguard.gate.verdict import Decision, decide
from safeguard.planning.layout import ContentPlan
from safeguard.planning.twins import self_comparisons
from safeguard.reports.writing import write_reports
from safeguard.runs import FINDINGS, RunFolder, create_run, verdict_whatever_happens
from safeguard.systems.interface import Session
from safeguard.systems.open import open_system


def run_check(
    plan_path: Path,
    *,
    out: Path | None = None,
    folder: RunFolder | None = None,
    formats: Sequence[str] = (),
    reveal: bool = False,
    progress: ProgressListener,
    environ: Mapping[str, str],
) -> tuple[CheckResult, Path]:
    """Check a plan; returns the result and the run's folder, which then holds verdict and reports.

    `folder` is one that `create_run` made already, so that its verdict was UNDECIDED before this
    module was even loaded. A system that can't be reached is a result too: UNDECIDED, with every
    report. Raises UsageProblem for what a person must mend; the folder's verdict.json is UNDECIDED
    then, as it is from the first moment on.
    """
    folder = folder or create_run(plan_path, out, dt.datetime.now(dt.UTC))
    started = folder.started
    with verdict_whatever_happens(folder, started):
        loaded = load_plan(plan_path, environ)
        try:
            result = _read_and_compare(loaded, started, folder, progress, reveal)
        except SystemProblem as problem:
            result = _out_of_reach(loaded, started, folder, problem)
        write_reports(folder, result, formats)
        folder.write_result(result)
    return result, folder.path


def run_discover(plan_path: Path, environ: Mapping[str, str]) -> Coverage:
    """Coverage alone: which content of the old systems no contract speaks of.

    Its notes say, too, why an old system may hide a table from it.
    """
    loaded = load_plan(plan_path, environ)
    with open_systems(loaded) as sessions:
        coverage = survey(loaded, sessions)
        return replace(coverage, notes=(*coverage.notes, *blind_spots(loaded, sessions)))


@contextmanager
def open_systems(loaded: LoadedPlan) -> Iterator[Mapping[str, Session]]:
    """Every system of the plan, open and in its snapshot; closed whatever happens.

    Raises UsageProblem with every system that a person must mend, at its `url` in the plan.
    """
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        mistakes: list[Mistake] = []
        for name, spec in loaded.plan.systems.items():
            try:
                sessions[name] = open_system(name, spec, Path(loaded.folder))
            except UsageProblem as problem:
                place = f"systems.{name}.url"
                mistakes += [loaded.mistake(m.message, place) for m in problem.mistakes]
                continue
            stack.callback(sessions[name].close)
        if mistakes:
            raise UsageProblem(*mistakes)
        yield sessions


@contextmanager
def exchange_in(folder: RunFolder) -> Iterator[Exchange]:
    """The exchange of a run; nothing of it is left behind."""
    with ExitStack() as stack:
        stack.callback(folder.clean)
        exchange = Exchange(folder.work)
        stack.callback(exchange.close)
        yield exchange


# -- private -------------------------------------------------------------------------------------


def _read_and_compare(
    loaded: LoadedPlan,
    started: dt.datetime,
    folder: RunFolder,
    progress: ProgressListener,
    reveal: bool,
) -> CheckResult:
    with open_systems(loaded) as sessions, exchange_in(folder) as exchange:
        result = _compare(loaded, sessions, exchange, started, folder, progress, reveal)
        write_findings(exchange, folder.path / FINDINGS)
    return result


def _out_of_reach(
    loaded: LoadedPlan, started: dt.datetime, folder: RunFolder, problem: SystemProblem
) -> CheckResult:
    """The result of a run that a system ended before its contents were compared."""
    with exchange_in(folder) as exchange:
        create_findings(exchange)
        write_findings(exchange, folder.path / FINDINGS)
    contents = [failed_content(c.contract, c.path, str(problem)) for c in loaded.contracts]
    nothing = Coverage(0, 0, (), (), (), ("coverage was not judged",))
    decision = decide(contents, nothing, loaded.plan.policy)
    reasons = (str(problem), "nothing was compared")
    return _result(
        loaded, started, folder, replace(decision, reasons=reasons), Impact(0, 0), nothing
    )


def _compare(
    loaded: LoadedPlan,
    sessions: Mapping[str, Session],
    exchange: Exchange,
    started: dt.datetime,
    folder: RunFolder,
    progress: ProgressListener,
    reveal: bool,
) -> CheckResult:
    coverage = survey(loaded, sessions)
    blind = blind_spots(loaded, sessions)
    plans = prepare(loaded, sessions)
    create_findings(exchange)
    book = read_customers(exchange, loaded, plans, sessions)
    contents = [
        _compare_one(ContentComparison(exchange, plan, sessions, book, progress, reveal), plan)
        for plan in plans
    ]
    add_uncovered(exchange, coverage)
    doubts = (*self_comparisons(loaded), *blind)
    decision = decide(contents, coverage, loaded.plan.policy, doubts)
    return replace(
        _result(loaded, started, folder, decision, book.impact(), coverage),
        systems=tuple(session.info for session in sessions.values()),
        revealed=reveal,
    )


def _result(
    loaded: LoadedPlan,
    started: dt.datetime,
    folder: RunFolder,
    decision: Decision,
    customers: Impact,
    coverage: Coverage,
) -> CheckResult:
    finished = dt.datetime.now(dt.UTC)
    return CheckResult(
        run=folder.run,
        migration=loaded.plan.migration,
        kind=str(loaded.plan.kind),
        verdict=decision.verdict,
        reasons=decision.reasons,
        notes=_notes(loaded) + decision.notes,
        started_at=started.isoformat(),
        finished_at=finished.isoformat(),
        tool_version=__version__,
        plan_digest=loaded.digest,
        customers=customers,
        contents=decision.contents,
        coverage=coverage,
        systems=(),
        plan=loaded.path,
        exit_code=decision.verdict.exit_code,
        seconds=(finished - started).total_seconds(),
    )


def _compare_one(comparison: ContentComparison, plan: ContentPlan) -> ContentResult:
    """One content; a system that goes away costs this content its verdict, not the run its report."""
    try:
        return comparison.compare()
    except (SystemProblem, UsageProblem) as problem:  # SQL may fail on the data it meets
        comparison.abandon()
        return failed_content(plan.contract, plan.path, str(problem))


def _notes(loaded: LoadedPlan) -> tuple[str, ...]:
    if loaded.plan.customers is not None:
        return ()
    return ("no customers table is declared: segments and orphans were not judged",)
