"""The story of a check: load, open, plan, compare, judge, tell."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from safeguard import __version__
from safeguard.comparing.buckets import Buckets, folder_of
from safeguard.comparing.cluster import ClusterWorkers, cluster_executor, refuse_secrets
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.estimating import estimate
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.expecting import ask_expectations
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
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.surveying import blind_spots, survey
from safeguard.comparing.telling import create_findings
from safeguard.comparing.waiving import Findings
from safeguard.comparing.workers import LocalWorkers, Workers
from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.contract.places import in_repository, lines_of_plan, with_lines
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import CheckResult, ContentResult, Coverage, Impact
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.gate.signing import SigningKey
from safeguard.gate.verdict import Decision, decide
from safeguard.gate.waivers import Waived, waive
from safeguard.planning.asking import Strategy
from safeguard.planning.estimates import PlanEstimate
from safeguard.planning.layout import ContentPlan
from safeguard.planning.twins import self_comparisons
from safeguard.reports.writing import write_reports
from safeguard.runs import FINDINGS, RunFolder, create_run, verdict_whatever_happens
from safeguard.runs.drills import last_drill
from safeguard.runs.journal import RunJournal, Terms
from safeguard.runs.signed import dated, sign
from safeguard.systems.opened import Kindness, Systems, open_systems


@dataclass(frozen=True)
class Request:
    """How a check is to be run, beside its plan."""

    formats: tuple[str, ...] = ()
    reveal: bool = False
    kindness: Kindness = field(default_factory=Kindness)
    cluster: str = ""
    """Address of a Dask scheduler whose workers do the tasks; "" is this process."""
    exchange: str = ""
    """A folder or fsspec URL that all workers see; "" is the run's folder."""
    strategy: Strategy = Strategy.AUTO
    live: Patience | None = None
    """Both sides are being written: what differs is looked at again."""
    since: dt.datetime | None = None
    """Compare only customers with an entry that was written since. Never PASS."""
    signals: bool = True
    """End cleanly on Ctrl-C and SIGTERM; False where the process is not ours."""
    key: SigningKey | None = None
    """What the verdict is signed with."""


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
    ending = verdict_whatever_happens(folder, folder.started, signals=request.signals)
    with closing(folder), ending:
        loaded = load_plan(plan_path, environ)
        if request.cluster:
            refuse_secrets(loaded)
        run = _Run(loaded, folder, request, progress)
        result = run.result()
        write_reports(folder, result, request.formats)
        folder.write_result(result)
        if request.key:
            sign(folder, loaded, result, request.key, environ)
        if not result.resume:  # until the verdict is written, a later try may need it all
            run.store.remove()
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


def run_plan(
    plan_path: Path, environ: Mapping[str, str], strategy: Strategy = Strategy.AUTO
) -> PlanEstimate:
    """How each content would be compared, how much there is to read and how long that takes."""
    loaded = load_plan(plan_path, environ)
    with open_systems(loaded) as systems:
        return estimate(prepare(loaded, systems), systems, strategy)


# -- private -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """What a plan looks like in its systems."""

    coverage: Coverage
    blind: tuple[str, ...]
    plans: tuple[ContentPlan | ContentResult, ...]
    """One a contract, in their order: how it is read, or that a system refuses to tell."""
    book: CustomerBook


class _Run:
    """One check, between its plan and its result."""

    def __init__(
        self, loaded: LoadedPlan, folder: RunFolder, request: Request, progress: ProgressListener
    ) -> None:
        self.loaded, self.folder = loaded, folder
        self.request, self.progress = request, progress
        self.store = self._store()

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
        loaded, store = self.loaded, self.store
        seen = systems.steadily(lambda: self._look_around(systems, exchange))
        with self._workers(systems, exchange, store, seen.book) as workers:
            settler = self._settler(seen.plans, systems)
            around = Surroundings(
                exchange,
                store,
                systems,
                workers,
                seen.book,
                self.progress,
                self.request.reveal,
            )
            contents = [
                self._content(plan, around, journal, settler)
                if isinstance(plan, ContentPlan)
                else plan
                for plan in seen.plans
            ]
        contents = ask_expectations(seen.plans, contents, around, self.request.live)
        add_uncovered(exchange, seen.coverage)
        doubts = (*self_comparisons(loaded), *seen.blind, *_partial(self.request.since))
        waived = self._waived(Findings(exchange, seen.book, loaded), contents, seen.coverage)
        coverage, uses = waived.coverage, waived.uses
        decision = decide(waived.contents, coverage, loaded.plan.policy, doubts, uses)
        result = self._judged(decision, seen.book.impact(), coverage)
        infos, reveal = dated(systems.infos(), self.folder), self.request.reveal
        return replace(result, systems=infos, revealed=reveal, waivers=uses)

    def _waived(
        self, findings: Findings, contents: Sequence[ContentResult], coverage: Coverage
    ) -> Waived:
        """What the plan's waivers leave. A clock that was set back meanwhile prolongs none."""
        loaded, moment = self.loaded, max(self.folder.started, dt.datetime.now(dt.UTC))
        approvers = loaded.plan.policy.approvers
        return waive(loaded.waivers, findings, contents, coverage, approvers, moment)

    def _look_around(self, systems: Systems, exchange: Exchange) -> _Seen:
        """What is asked of the systems before any content is read."""
        loaded = self.loaded
        coverage, blind = survey(loaded, systems), blind_spots(loaded, systems)
        refused: dict[str, SystemProblem] = {}
        plans = {p.contract.content: p for p in prepare(loaded, systems, refused)}
        book = read_customers(exchange, loaded, tuple(plans.values()), systems)
        every = [
            plans.get(name) or failed_content(one.contract, one.path, refused[name])
            for one in loaded.contracts
            for name in [one.contract.content]
        ]
        return _Seen(coverage, blind, tuple(every), book)

    def _store(self) -> Buckets:
        """Where entries wait between reading and joining."""
        if self.request.exchange:
            return Buckets(f"{self.request.exchange.rstrip('/')}/{self.folder.run}")
        return Buckets(self.folder.work.absolute() / "entries")

    @contextmanager
    def _workers(
        self, systems: Systems, exchange: Exchange, store: Buckets, book: CustomerBook
    ) -> Iterator[Workers]:
        """Who does the tasks: this process, or a cluster."""
        if not self.request.cluster:
            yield LocalWorkers(exchange, store, systems.__getitem__, os.cpu_count() or 1)
            return
        with cluster_executor(self.request.cluster) as (executor, slots):
            yield ClusterWorkers(
                executor, slots, self.loaded, systems, exchange, store, book, self.folder.run
            )

    def _content(
        self,
        plan: ContentPlan,
        around: Surroundings,
        journal: RunJournal,
        settler: Settling | None,
    ) -> ContentResult:
        """One content; a system that goes away costs this content its verdict, not the run its
        report. One that an earlier try compared is taken as it was."""
        name, exchange, store = plan.contract.content, around.exchange, around.store
        kept = journal.result(name)
        if kept and store.has(list(kept[1].values())):
            recall_findings(exchange, store, kept[1])
            return kept[0]
        since = self.request.since
        # Nothing partial may ever be gone on with.
        kept_in = journal if since is None else NoJournal()
        comparison = ContentComparison(around, plan, kept_in, self.request.strategy, since=since)
        try:
            result = comparison.compare(settler)
        except (SystemProblem, UsageProblem) as problem:  # SQL may fail on the data it meets
            comparison.abandon()
            return failed_content(plan.contract, plan.path, problem)
        if since is None:
            left = keep_findings(exchange, store, name, f"done-{folder_of(name)}")
            journal.keep_result(name, result, left)
        store.remove(folder_of(name))
        return result

    def _settler(
        self, plans: Sequence[ContentPlan | ContentResult], systems: Systems
    ) -> Settling | None:
        """Who looks again, in a live check."""
        if self.request.live is None:
            return None
        readable = [plan for plan in plans if isinstance(plan, ContentPlan)]

        def read_book(exchange: Exchange) -> CustomerBook:
            return read_customers(exchange, self.loaded, readable, systems)

        folder = self.folder.work / "look"
        return Settling(self.request.live, read_book, folder, self.progress)

    def _out_of_reach(self, problem: SystemProblem) -> CheckResult:
        """The result of a run that a system ended before its contents were compared."""
        loaded = self.loaded
        contents = [failed_content(c.contract, c.path, problem) for c in loaded.contracts]
        nothing = Coverage(0, 0, (), (), (), ("coverage was not judged",))
        decision = decide(contents, nothing, loaded.plan.policy)
        reasons = (str(problem), "nothing was compared")
        return self._judged(replace(decision, reasons=reasons), Impact(0, 0), nothing)

    def _judged(self, decision: Decision, customers: Impact, coverage: Coverage) -> CheckResult:
        loaded, folder = self.loaded, self.folder
        return CheckResult(
            run=folder.run,
            migration=loaded.plan.migration,
            kind=str(loaded.plan.kind),
            verdict=decision.verdict,
            reasons=decision.reasons,
            notes=_notes(loaded) + decision.notes,
            started_at=folder.started.isoformat(),
            finished_at=dt.datetime.now(dt.UTC).isoformat(),
            tool_version=__version__,
            plan_digest=loaded.digest,
            waivers_digest=loaded.waivers_digest,
            customers=customers,
            contents=with_lines(decision.contents, loaded),
            coverage=coverage,
            systems=(),
            plan=loaded.path,
            place=in_repository(Path(loaded.path)),
            lines=lines_of_plan(loaded),
            exit_code=decision.verdict.exit_code,
            seconds=time.monotonic() - folder.began,
            resume=folder.resume if any(c.failed for c in decision.contents) else "",
            drill=last_drill(Path(loaded.path), folder.path, loaded.digest),
        )


def _partial(since: dt.datetime | None) -> tuple[str, ...]:
    if since is None:
        return ()
    return (f"only what was written since {since.isoformat()} was asked for: that is never a PASS",)


def _notes(loaded: LoadedPlan) -> tuple[str, ...]:
    if loaded.plan.customers is not None:
        return ()
    return ("no customers table is declared: segments and orphans were not judged",)
