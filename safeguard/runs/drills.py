"""Drills: where one is kept, and the last one of a plan beside a verdict."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safeguard.findings.result import DrillSummary
from safeguard.findings.trouble import UsageProblem
from safeguard.runs.folder import RunFolder, fresh, id_of

DRILL = "drill.json"
_SCHEMA = 1


def create_drill(plan: Path, out: Path | None, started: dt.datetime) -> RunFolder:
    """Make a drill's folder; an older drill in it is gone. Raises UsageProblem when it can't be
    written, or another process is writing there."""
    run = id_of(started)
    made = RunFolder(out or fresh(_drills(plan) / run), run, started, plan)
    try:
        made.path.mkdir(parents=True, exist_ok=True)
        made.hold()
        (made.path / DRILL).unlink(missing_ok=True)
    except OSError as error:
        raise UsageProblem(f"{made.path} can't be written: {error.strerror}") from error
    made.clean()
    return made


def write_drill(folder: RunFolder, document: Mapping[str, Any]) -> None:
    """Write drill.json, whole or not at all. Raises SystemProblem when the disk is full."""
    text = json.dumps({"schema": _SCHEMA, **document}, indent=2, ensure_ascii=False)
    folder.write_text(DRILL, text + "\n")


def last_drill(plan: Path, beside: Path, digest: str) -> DrillSummary | None:
    """The latest drill of a plan, in its own folder or in that of a run; None where there is none.
    `digest` is what plan and contracts are now: a drill of what they were is told as such, and only
    where there is none of what they are."""
    places = [*_drills(plan).glob(f"*/{DRILL}"), beside / DRILL]
    found = [s for place in places if (s := _summary(place, plan.name, digest)) is not None]
    return max(found, key=lambda s: (not s.outdated, s.at), default=None)


def _drills(plan: Path) -> Path:
    return plan.parent / ".safeguard" / "drills"


def _summary(place: Path, plan: str, digest: str) -> DrillSummary | None:
    """What a file says of the plan of that name; one that can't be read, that another version wrote, or
    that is of another plan, says nothing."""
    try:
        told = json.loads(place.read_bytes())
        if told["schema"] != _SCHEMA or Path(told["plan"]).name != plan:
            return None
        score = told["score"]
        return DrillSummary(
            run=str(told["run"]),
            at=str(told["started_at"]),
            planted=int(score["planted"]),
            caught=int(score["caught"]),
            kinds=int(score["kinds"]),
            survivors=tuple(str(s) for s in told["survivors"]),
            strategy=str(told["strategy"]),
            tolerated=int(score["tolerated"]),
            undecided=tuple(str(s) for s in told["reasons"]),
            outdated=told["plan_digest"] != digest,
            warned=int(score["warned"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
