"""The signed verdict of a run: written when all else of the run is, weighed when a rollout asks."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.findings.result import CheckResult, SystemInfo
from safeguard.findings.trouble import SystemProblem
from safeguard.gate.admission import Admission, Terms, admit
from safeguard.gate.envelope import MAX_BYTES, seal
from safeguard.gate.signing import SigningKey, VerifyingKey
from safeguard.gate.statement import Database, state
from safeguard.runs.folder import FINDINGS, SIGNED, VERDICT, RunFolder
from safeguard.systems.identity import identity

_LEFT = (VERDICT, FINDINGS)
_CHUNK = 1 << 20


def sign(
    folder: RunFolder,
    loaded: LoadedPlan,
    result: CheckResult,
    key: SigningKey,
    environ: Mapping[str, str],
) -> None:
    """Write the signed verdict of a run that has its `verdict.json`, whatever the verdict is.

    Raises SystemProblem when the disk refuses."""
    try:
        left = _digests(folder.path)
    except OSError as error:
        raise SystemProblem(f"{error.filename} can't be read: {error.strerror}") from error
    payload = state(result, loaded.digests, left, _databases(loaded, environ))
    folder.write_text(SIGNED, seal(payload, key))


def dated(systems: Sequence[SystemInfo], folder: RunFolder) -> tuple[SystemInfo, ...]:
    """How old the systems' states are, at most. What was kept of an earlier try is as old as that try
    may be, and so is what nobody knows."""
    start = folder.started.astimezone(dt.UTC).isoformat()
    return tuple(
        replace(info, taken_at=start if folder.resumed else info.taken_at or start)
        for info in systems
    )


def weigh(
    envelope: Path,
    plan: Path,
    keys: Sequence[VerifyingKey],
    max_age: dt.timedelta,
    environ: Mapping[str, str],
    now: dt.datetime,
) -> Admission:
    """Whether the rollout may rely on this signed verdict, with the plan as it is now.

    What lies beside the envelope, of the files that a run leaves, is held against it. Raises
    UsageProblem for a plan that can't be loaded, OSError for an envelope that can't be read.
    """
    with envelope.open("rb") as file:
        sealed = file.read(MAX_BYTES + 1)
    loaded = load_plan(plan, environ)
    beside = _digests(envelope.parent)
    terms = Terms(loaded.digests, _databases(loaded, environ), max_age, now, beside)
    return admit(sealed, keys, terms)


def _databases(loaded: LoadedPlan, environ: Mapping[str, str]) -> dict[str, Database]:
    return {name: identity(spec.url, environ) for name, spec in loaded.plan.systems.items()}


def _digests(folder: Path) -> dict[str, str]:
    """Of the files that a run leaves, those that are there."""
    return {name: _digest(folder / name) for name in _LEFT if (folder / name).exists()}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
