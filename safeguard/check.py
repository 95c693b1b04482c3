"""The story of a check: load, open, plan, compare, judge, tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from safeguard import __version__
from safeguard.comparing.buckets import Buckets
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.gathering import folder_of
from safeguard.comparing.journal import NoJournal
from safeguard.comparing.preparing import prepare
from safeguard.comparing.reading_customers import read_customers
from safeguard.comparing.resulting import failed_content
from safeguard.comparing.settling import Patience, Settling
from safeguard.comparing.store import (
    add_uncovered,
    keep_findings,
    recall_findings,
    write_findings,
)
from safeguard.comparing.surveying import blind_spots, survey
from safeguard.comparing.telling import create_findings
from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import CheckResult, ContentResult, Coverage, Impact
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.gate.verdict import Decision, decide
from safeguard.planning.layout import ContentPlan
from safeguard.planning.twins import self_comparisons
from safeguard.reports.writing import write_reports
from safeguard.runs import FINDINGS, RunFolder, create_run, verdict_whatever_happens
from safeguard.runs.journal import RunJournal, Terms, only_one
from safeguard.systems.opened import Kindness, Systems, open_systems


@dataclass(frozen=True)
class Request:
    """How a check is to be run, beside its plan."""

    formats: tuple[str, ...] = ()
    reveal: bool = False
    resumed: bool = False
    """The run's folder holds an earlier try, which this one goes on with."""
    kindness: Kindness = field(default_factory=Kindness)
    live: Patience | None = None
    """Both sides are being written: what differs is looked at again."""
    since: dt.datetime | None = None
    """Compare only customers with an entry that was written since. Never PASS."""


def run_check(
    plan_path: Path,
    *,
    out: Path | None = None,
    folder: RunFolder | None = None,
    request: Request | None = None,
    progress: ProgressListener,
    environ: Mapping[str, str],
) -> tuple[CheckResult, Path]:
    """Check a plan; returns the result and the run's folder, which then holds verdict and reports.

    `folder` is one that `create_run` or `resume_run` made already, so that its verdict was UNDECIDED
    before this module was even loaded. A system that can't be reached is a result too: UNDECIDED,
    with every report. Raises UsageProblem for what a person must mend; the folder's verdict.json is
    UNDECIDED then, as it is from the first moment on.
    """
    folder = folder or create_run(plan_path, out, dt.datetime.now(dt.UTC))
    request = request or Request()
    with verdict_whatever_happens(folder, folder.started), only_one(folder.path):
        loaded = load_plan(plan_path, environ)
        result = _Run(loaded, folder, request, progress).result()
        write_reports(folder, result, request.formats)
        folder.write_result(result)
        if not any(content.failed for content in result.contents):
            folder.clean()
    return result, folder.path


def run_discover(plan_path: Path, environ: Mapping[str, str]) -> Coverage:
    """Coverage alone: which content of the old systems no contract speaks of.

    Its notes say, too, why an old system may hide a table from it.
    """
    loaded = load_plan(plan_path, environ)
    with open_systems(loaded) as systems:
        coverage = survey(loaded, systems)
        return replace(coverage, notes=(*coverage.notes, *blind_spots(loaded, systems)))


# -- private -------------------------------------------------------------------------------------


class _Run:
    """One check, between its plan and its result."""

    def __init__(
        self, loaded: LoadedPlan, folder: RunFolder, request: Request, progress: ProgressListener
    ) -> None:
        self.loaded, self.folder = loaded, folder
        self.request, self.progress = request, progress

    def result(self) -> CheckResult:
        """The result; of a run that a system ended before its contents were compared, too."""
        folder = self.folder
        with (
            closing(Exchange(folder.work)) as exchange,
            closing(RunJournal(folder.work)) as journal,
        ):
            journal.begin(Terms.of(self.loaded, self.request.reveal))
            create_findings(exchange)
            try:
                with open_systems(
                    self.loaded, self.request.kindness, self.progress.note
                ) as systems:
                    result = self._compare(systems, exchange, journal)
            except SystemProblem as problem:
                create_findings(exchange)
                result = self._out_of_reach(problem)
            write_findings(exchange, folder.path / FINDINGS)
        return result

    def _compare(self, systems: Systems, exchange: Exchange, journal: RunJournal) -> CheckResult:
        loaded = self.loaded
        coverage = survey(loaded, systems)
        blind = blind_spots(loaded, systems)
        plans = prepare(loaded, systems)
        book = read_customers(exchange, loaded, plans, systems)
        buckets = Buckets(self.folder.work)
        settler = self._settler(plans, systems)
        contents = [
            self._content(plan, exchange, buckets, systems, book, journal, settler)
            for plan in plans
        ]
        add_uncovered(exchange, coverage)
        doubts = (*self_comparisons(loaded), *blind, *_partial(self.request.since))
        decision = decide(contents, coverage, loaded.plan.policy, doubts)
        result = self._judged(decision, book.impact(), coverage)
        return replace(result, systems=systems.infos(), revealed=self.request.reveal)

    def _content(
        self,
        plan: ContentPlan,
        exchange: Exchange,
        buckets: Buckets,
        systems: Systems,
        book: CustomerBook,
        journal: RunJournal,
        settler: Settling | None,
    ) -> ContentResult:
        """One content; a system that goes away costs this content its verdict, not the run its
        report. One that an earlier try compared is taken as it was."""
        name = plan.contract.content
        if kept := journal.result(name):
            recall_findings(exchange, buckets, kept[1])
            return kept[0]
        since = self.request.since
        comparison = ContentComparison(
            exchange,
            buckets,
            plan,
            systems,
            book,
            self.progress,
            journal if since is None else NoJournal(),  # nothing partial may ever be gone on with
            self.request.reveal,
            since=since,
        )
        try:
            result = comparison.compare(settler)
        except (SystemProblem, UsageProblem) as problem:  # SQL may fail on the data it meets
            comparison.abandon()
            return failed_content(plan.contract, plan.path, str(problem))
        if since is None:
            left = keep_findings(exchange, buckets, name, f"done-{folder_of(name)}")
            journal.keep_result(name, result, left)
        buckets.remove(folder_of(name))
        return result

    def _settler(self, plans: Sequence[ContentPlan], systems: Systems) -> Settling | None:
        """Who looks again, in a live check."""
        if self.request.live is None:
            return None

        def read_book(exchange: Exchange) -> CustomerBook:
            return read_customers(exchange, self.loaded, plans, systems)

        folder = self.folder.work / "look"
        return Settling(self.request.live, read_book, folder, self.progress)

    def _out_of_reach(self, problem: SystemProblem) -> CheckResult:
        """The result of a run that a system ended before its contents were compared."""
        loaded = self.loaded
        contents = [failed_content(c.contract, c.path, str(problem)) for c in loaded.contracts]
        nothing = Coverage(0, 0, (), (), (), ("coverage was not judged",))
        decision = decide(contents, nothing, loaded.plan.policy)
        reasons = (str(problem), "nothing was compared")
        return self._judged(replace(decision, reasons=reasons), Impact(0, 0), nothing)

    def _judged(self, decision: Decision, customers: Impact, coverage: Coverage) -> CheckResult:
        loaded, folder = self.loaded, self.folder
        finished = dt.datetime.now(dt.UTC)
        return CheckResult(
            run=folder.run,
            migration=loaded.plan.migration,
            kind=str(loaded.plan.kind),
            verdict=decision.verdict,
            reasons=decision.reasons,
            notes=_notes(loaded) + decision.notes,
            started_at=folder.started.isoformat(),
            finished_at=finished.isoformat(),
            tool_version=__version__,
            plan_digest=loaded.digest,
            customers=customers,
            contents=decision.contents,
            coverage=coverage,
            systems=(),
            plan=loaded.path,
            exit_code=decision.verdict.exit_code,
            seconds=(finished - folder.started).total_seconds(),
        )


def _partial(since: dt.datetime | None) -> tuple[str, ...]:
    if since is None:
        return ()
    return (f"only what was written since {since.isoformat()} was asked for: that is never a PASS",)


def _notes(loaded: LoadedPlan) -> tuple[str, ...]:
    if loaded.plan.customers is not None:
        return ()
    return ("no customers table is declared: segments and orphans were not judged",)
