"""The story of a check: load, open, plan, compare, judge, tell."""

from __future__ import annotations

import datetime as dt
import signal
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
from safeguard.findings.result import CheckResult, ContentResult, Coverage
from safeguard.findings.trouble import SafeguardError, SystemProblem
from safeguard.gate.verdict import decide
from safeguard.planning.layout import ContentPlan
from safeguard.planning.twins import self_comparisons
from safeguard.reports.writing import write_reports
from safeguard.runs import FINDINGS, RunFolder, create_run, undecided
from safeguard.systems.interface import Session
from safeguard.systems.open import open_system


def run_check(
    plan_path: Path,
    *,
    out: Path | None = None,
    formats: Sequence[str] = (),
    reveal: bool = False,
    progress: ProgressListener,
    environ: Mapping[str, str],
) -> tuple[CheckResult, Path]:
    """Check a plan; returns the result and the run's folder, which then holds verdict and reports.

    Raises UsageProblem for what a person must mend, SystemProblem when a system can't be opened;
    the folder's verdict.json is UNDECIDED then, as it is from the first moment on.
    """
    started = dt.datetime.now(dt.UTC)
    folder = create_run(plan_path, out, started)
    with _verdict_whatever_happens(folder, started):
        loaded = load_plan(plan_path, environ)
        with open_systems(loaded) as sessions, exchange_in(folder) as exchange:
            result = _compare(loaded, sessions, exchange, started, folder, progress, reveal)
            write_findings(exchange, folder.path / FINDINGS)
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
    """Every system of the plan, open and in its snapshot; closed whatever happens."""
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name, spec in loaded.plan.systems.items():
            sessions[name] = open_system(name, spec, Path(loaded.folder))
            stack.callback(sessions[name].close)
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
    book = read_customers(exchange, loaded.plan.customers, plans, sessions)
    contents = [
        _compare_one(ContentComparison(exchange, plan, sessions, book, progress, reveal), plan)
        for plan in plans
    ]
    add_uncovered(exchange, coverage)
    doubts = (*self_comparisons(loaded), *blind)
    decision = decide(contents, coverage, loaded.plan.policy, doubts)
    return CheckResult(
        run=folder.run,
        migration=loaded.plan.migration,
        kind=str(loaded.plan.kind),
        verdict=decision.verdict,
        reasons=decision.reasons,
        notes=_notes(loaded) + decision.notes,
        started_at=started.isoformat(),
        finished_at=dt.datetime.now(dt.UTC).isoformat(),
        tool_version=__version__,
        plan_digest=loaded.digest,
        customers=book.impact(),
        contents=decision.contents,
        coverage=coverage,
        systems=tuple(session.info for session in sessions.values()),
        plan=loaded.path,
        exit_code=decision.verdict.exit_code,
        seconds=(dt.datetime.now(dt.UTC) - started).total_seconds(),
        revealed=reveal,
    )


def _compare_one(comparison: ContentComparison, plan: ContentPlan) -> ContentResult:
    """One content; a system that goes away costs this content its verdict, not the run its report."""
    try:
        return comparison.compare()
    except SystemProblem as problem:
        comparison.abandon()
        return failed_content(plan, str(problem))


def _notes(loaded: LoadedPlan) -> tuple[str, ...]:
    if loaded.plan.customers is not None:
        return ()
    return ("no customers table is declared: segments and orphans were not judged",)


@contextmanager
def _verdict_whatever_happens(folder: RunFolder, started: dt.datetime) -> Iterator[None]:
    """However the run ends, its verdict.json says so: UNDECIDED, and why."""
    try:
        with _sigterm_interrupts():
            yield
    except SafeguardError as error:
        undecided(folder, started, str(error), error.exit_code)
        raise
    except KeyboardInterrupt:
        undecided(folder, started, "the check was interrupted", 130)
        raise
    except BaseException as error:
        undecided(folder, started, f"a fault of Safeguard's own: {type(error).__name__}", 70)
        raise


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """SIGTERM ends a check as Ctrl-C does: cleanly, with an UNDECIDED verdict."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: the caller's business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
