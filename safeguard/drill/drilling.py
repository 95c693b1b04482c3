"""The story of a drill: load, open, read, and of each content: plant, compare, say what was caught."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from safeguard import __version__
from safeguard.comparing.buckets import Buckets
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.preparing import prepare
from safeguard.comparing.reading_customers import read_customers
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.surveying import survey
from safeguard.comparing.telling import create_findings
from safeguard.comparing.workers import LocalWorkers
from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.drill.content import ContentDrill, charges_of
from safeguard.drill.result import UNREAD, DrilledContent, DrillResult, PlantedFault
from safeguard.drill.unread import unread_columns
from safeguard.findings.progress import ProgressListener
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.planning.layout import ContentPlan
from safeguard.runs.drills import create_drill, write_drill
from safeguard.runs.folder import RunFolder
from safeguard.systems.opened import Kindness, Systems, open_systems

FAULTS = 400
"""So many are planted where nobody says how many."""


def run_drill(
    plan_path: Path,
    *,
    faults: int = FAULTS,
    seed: int = 0,
    out: Path | None = None,
    kindness: Kindness | None = None,
    progress: ProgressListener,
    environ: Mapping[str, str],
) -> tuple[DrillResult, Path]:
    """Drill a plan; returns what was caught and the drill's folder. Nothing is written to any system.

    A system that can't be reached is a result too: undecided. Raises UsageProblem for what a person
    must mend.
    """
    folder = create_drill(plan_path, out, dt.datetime.now(dt.UTC))
    with closing(folder):
        loaded = load_plan(plan_path, environ)
        try:
            with open_systems(loaded, kindness, progress.note) as systems:
                drilled = _Drill(loaded, systems, folder, progress, faults, seed).contents()
        except SystemProblem as problem:
            drilled = [_failed(c.contract.content, c.path, problem) for c in loaded.contracts]
        finally:
            folder.clean()
        result = _result(loaded, folder, drilled, faults, seed)
        write_drill(folder, drill_document(result))
    return result, folder.path


def drill_document(result: DrillResult) -> dict[str, Any]:
    """drill.json: every planted fault by name, and the score."""
    document = dataclasses.asdict(result)
    return document | {
        "exit_code": result.exit_code,
        "score": dataclasses.asdict(result.score),
        "survivors": [survivor(f) for f in result.survivors],
    }


def survivor(fault: PlantedFault) -> str:
    """One sentence about a fault that was not caught, and why."""
    who = f" of customer {fault.owner}" if fault.owner is not None else ""
    what = f", item {fault.item}" if fault.item is not None else ""
    where = f" `{fault.field}`" if fault.field is not None else ""
    return f"{fault.content}: {fault.kind}{where} in {fault.system}{who}{what}: {fault.reason}"


# -- private -------------------------------------------------------------------------------------


class _Drill:
    """One drill, while its systems are open."""

    def __init__(
        self,
        loaded: LoadedPlan,
        systems: Systems,
        folder: RunFolder,
        progress: ProgressListener,
        faults: int,
        seed: int,
    ) -> None:
        self.loaded, self.systems, self.folder = loaded, systems, folder
        self.progress, self.left, self.seed = progress, faults, seed

    def contents(self) -> list[DrilledContent]:
        """Every content drilled, in the order of the contracts."""
        with closing(Exchange(self.folder.work)) as exchange:
            create_findings(exchange)
            return self._drilled(exchange)

    def _drilled(self, exchange: Exchange) -> list[DrilledContent]:
        loaded, systems = self.loaded, self.systems
        refused: dict[str, SystemProblem] = {}
        coverage = systems.steadily(lambda: survey(loaded, systems))
        unread = systems.steadily(lambda: unread_columns(loaded, systems, coverage))
        plans = systems.steadily(lambda: prepare(loaded, systems, refused))
        book = systems.steadily(lambda: read_customers(exchange, loaded, plans, systems))
        store = Buckets(self.folder.work.absolute() / "entries")
        workers = LocalWorkers(exchange, store, systems.__getitem__, os.cpu_count() or 1)
        around = Surroundings(exchange, store, systems, workers, book, self.progress)
        waiting = {p.contract.content: p for p in plans}
        self.left -= sum(len(faults) for faults in unread.values())
        found = []
        for one in loaded.contracts:
            name = one.contract.content
            if name in refused:
                found.append(_failed(name, one.path, refused[name]))
                continue
            share = self._share(list(waiting.values()))
            drilled = self._content(around, waiting.pop(name), share)
            self.left -= len(drilled.faults)
            found.append(
                dataclasses.replace(drilled, faults=(*drilled.faults, *unread.get(name, ())))
            )
        return found

    def _share(self, waiting: list[ContentPlan]) -> int:
        """Of the faults that are left to plant the part of the first content that waits: by how many
        kinds can be planted where."""
        charges = [len(charges_of(plan)) for plan in waiting]
        return max(0, round(self.left * charges[0] / sum(charges)))

    def _content(self, around: Surroundings, plan: ContentPlan, share: int) -> DrilledContent:
        zone = self.loaded.plan.systems[plan.old[0].system].timezone
        drill = ContentDrill(around, plan, self.loaded.plan.policy, zone, self.seed, share)
        self.progress.note(f"drilling {plan.contract.content}")
        try:
            return drill.drill()
        except (SystemProblem, UsageProblem) as problem:  # SQL may fail on the data it meets
            create_findings(around.exchange)
            return _failed(plan.contract.content, plan.path, problem)


def _failed(content: str, path: str, problem: SafeguardError) -> DrilledContent:
    return DrilledContent(content, path, (), failed=str(problem))


def _too_few(wanted: int) -> str:
    leave = "1 fault leaves" if wanted == 1 else f"{wanted:,} faults leave"
    return f"{leave} no room for any here; ask for more with --faults"


def _result(
    loaded: LoadedPlan, folder: RunFolder, drilled: list[DrilledContent], faults: int, seed: int
) -> DrillResult:
    return DrillResult(
        run=folder.run,
        migration=loaded.plan.migration,
        plan=loaded.path,
        plan_digest=loaded.digest,
        tool_version=__version__,
        started_at=folder.started.isoformat(),
        finished_at=dt.datetime.now(dt.UTC).isoformat(),
        seed=seed,
        wanted=faults,
        contents=tuple(drilled),
        reasons=tuple(reason for content in drilled for reason in _reasons(content, faults)),
    )


def _reasons(content: DrilledContent, wanted: int) -> list[str]:
    """Why a content's drill is not the whole answer."""
    if content.failed:
        return [f"{content.content}: {content.failed}"]
    if all(f.kind == UNREAD for f in content.faults):
        if content.crowded:
            return [f"{content.content}: nothing was planted: {_too_few(wanted)}"]
        why = "no customer without a finding has an entry that is kept"
        return [f"{content.content}: nothing could be planted: {why}"]
    return [f"{content.content}: {note}" for note in content.notes if note.startswith("the sums")]
