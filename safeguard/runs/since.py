"""From when on a check looks: a moment that a person names, or the start of a run that passed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Verdict
from safeguard.runs.folder import VERDICT, find_run


def since_of(plan: Path, text: str) -> dt.datetime:
    """The moment that `text` names: in ISO form with its zone, or an earlier run's id or path.

    Raises UsageProblem for a time without a zone, a run that is not there, or one that did not pass:
    what it had not seen safe would never be looked at.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return _start_of(plan, text)
    if moment.tzinfo is None:
        raise UsageProblem(f"--since: {text} has no time zone; write {text}Z for UTC")
    return moment


def _start_of(plan: Path, run: str) -> dt.datetime:
    folder = find_run(plan, run)
    try:
        document = json.loads((folder / VERDICT).read_bytes())
        verdict, started = document["verdict"], document["started_at"]
        moment = dt.datetime.fromisoformat(started)
    except (OSError, ValueError, KeyError) as error:
        raise UsageProblem(f"{folder} is no run's folder: it has no readable {VERDICT}") from error
    if verdict != Verdict.PASS:
        raise UsageProblem(
            f"--since: {run} ended with {verdict}. Name a run that ended with PASS: what it had not "
            "seen safe would never be looked at"
        )
    return moment
