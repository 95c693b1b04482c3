"""A run's folder: made UNDECIDED before anything is read, filled when the check is done.

`verdict.json` is for machines and fixed; `evidence.json` holds the whole result, so that every
report can be rendered again from the folder alone.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from safeguard.findings.result import CheckResult, Sample
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.findings.words import Kind, Verdict
from safeguard.runs.holding import Hold

VERDICT, EVIDENCE, FINDINGS = "verdict.json", "evidence.json", "findings.parquet"
HTML, MARKDOWN, JUNIT, CSV = "report.html", "summary.md", "junit.xml", "findings.csv"
SARIF, CODE_QUALITY = "safeguard.sarif", "gl-code-quality-report.json"
SIGNED = "verdict.dsse.json"
_OF_A_RESULT = (SIGNED, EVIDENCE, FINDINGS, HTML, MARKDOWN, JUNIT, CSV, SARIF, CODE_QUALITY)
_SCHEMA = 1


@cache
def _form() -> Any:
    """How a result is written and read. Imported when it is needed: the first verdict comes before
    anything that takes time to load."""
    from pydantic import TypeAdapter

    return TypeAdapter(CheckResult)


class RunFolder:
    """One run's folder."""

    def __init__(
        self, path: Path, run: str, started: dt.datetime | None = None, plan: Path | None = None
    ) -> None:
        self.path, self.run = path, run
        self.resumed = False
        """Whether an earlier try did a part of it."""
        self.started = started or dt.datetime.now(dt.UTC)
        self.began = time.monotonic()
        self._plan = plan
        self._hold: Hold | None = None

    @property
    def work(self) -> Path:
        """Where the exchange lives while the check runs."""
        return self.path / "exchange"

    def write_text(self, name: str, text: str) -> None:
        """Write a file whole or not at all: a reader never sees half a verdict.

        Raises SystemProblem when the disk is full or refuses.
        """
        target = self.path / name
        partial = target.with_name(f".{name}.partial")
        try:
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")
            partial.replace(target)
        except OSError as error:
            raise SystemProblem(f"{target} can't be written: {error.strerror}") from error

    def write_result(self, result: CheckResult) -> None:
        """`verdict.json` and `evidence.json`; the verdict last."""
        self.write_text(EVIDENCE, _form().dump_json(result, indent=1).decode())
        self.write_text(VERDICT, json.dumps(verdict_document(result), indent=2) + "\n")

    def clean(self) -> None:
        """Remove what is only needed while the check runs."""
        shutil.rmtree(self.work, ignore_errors=True)

    def hold(self) -> None:
        """Let no other process write here, until `close` or the end of this one.

        Raises UsageProblem where another one does, OSError where nobody can.
        """
        self._hold = Hold(self.path)

    def close(self) -> None:
        """Others may write here."""
        if self._hold is not None:
            self._hold.release()

    @property
    def resume(self) -> str:
        """The command that goes on with this run; "" where nothing of it is left to go on with."""
        if self._plan is None or not self.work.is_dir():
            return ""
        at_home = self.path.parent == _runs(self._plan)
        run = self.path.name if at_home else shown(self.path)
        return f"safeguard check {shlex.quote(str(self._plan))} --resume {shlex.quote(run)}"


def id_of(started: dt.datetime) -> str:
    """What a run or a drill is called that began at this moment (UTC)."""
    return started.strftime("%Y-%m-%dT%H-%M-%SZ")


def create_run(plan: Path, out: Path | None, started: dt.datetime) -> RunFolder:
    """Make a run's folder and its first verdict: UNDECIDED, over any older one.

    Raises UsageProblem when the folder can't be written.
    """
    run = id_of(started)
    made = RunFolder(out or fresh(_runs(plan) / run), run, started, plan)
    _begin(made)
    made.clean()
    return made


def resume_run(plan: Path, run: str) -> RunFolder:
    """The folder of an earlier try that did not end, by its id or path or `last`; UNDECIDED again.

    Raises UsageProblem where there is none, or nothing of it was kept.
    """
    folder = find_run(plan, run)
    try:
        first = json.loads((folder / VERDICT).read_bytes())
        started = dt.datetime.fromisoformat(first["started_at"])
        made = RunFolder(folder, first["run"], started, plan)
    except (OSError, ValueError, KeyError) as error:
        raise UsageProblem(f"{folder} is no run's folder: it has no readable {VERDICT}") from error
    if not made.work.is_dir():
        raise UsageProblem(
            f"{shown(folder)} can't be resumed: it ended with {first.get('verdict')}, and nothing was "
            "left to do. Start a new check"
        )
    made.resumed = True
    _begin(made)
    return made


def _begin(made: RunFolder) -> None:
    first = _first_verdict(made.run, made.started)
    try:
        made.path.mkdir(parents=True, exist_ok=True)
        made.hold()
        made.write_text(VERDICT, json.dumps(first, indent=2) + "\n")
        for stale in _OF_A_RESULT:
            (made.path / stale).unlink(missing_ok=True)
    except OSError as error:
        raise UsageProblem(f"{made.path} can't be written: {error.strerror}") from error
    except SystemProblem as error:
        raise UsageProblem(str(error)) from error


def _runs(plan: Path) -> Path:
    return plan.parent / ".safeguard" / "runs"


def find_run(plan: Path, run: str) -> Path:
    """The folder of an earlier run, by its id or path or `last`. Raises UsageProblem where there is
    none."""
    known = sorted(p.name for p in _runs(plan).glob("*") if p.is_dir())
    if run == "last" and known:
        return _runs(plan) / known[-1]
    for folder in (_runs(plan) / run, Path(run)):
        if folder.is_dir():
            return folder
    near = get_close_matches(run, known, n=1, cutoff=0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    raise UsageProblem(f"there is no run `{run}` below {shown(_runs(plan))}.{hint}")


def shown(folder: Path) -> str:
    """A run's folder as a person names it: relative where it is below the working folder."""
    whole = folder.absolute()
    try:
        return str(whole.relative_to(Path.cwd()))
    except ValueError:
        return str(whole)


def fresh(path: Path) -> Path:
    """A folder that is not there yet: two runs in one second do not share one."""
    candidate, n = path, 1
    while candidate.exists():
        n += 1
        candidate = path.with_name(f"{path.name}-{n}")
    return candidate


def _first_verdict(run: str, started: dt.datetime) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        "run": run,
        "verdict": str(Verdict.UNDECIDED),
        "exit_code": Verdict.UNDECIDED.exit_code,
        "reasons": ["the check has not ended"],
        "started_at": started.isoformat(),
    }


def undecided(folder: RunFolder, started: dt.datetime, reason: str, exit_code: int) -> None:
    """The verdict of a run that ended before it could judge. No signed one stands beside it."""
    with suppress(OSError):
        (folder.path / SIGNED).unlink(missing_ok=True)
    document = _first_verdict(folder.run, started) | {
        "reasons": [reason],
        "exit_code": exit_code,
        "finished_at": dt.datetime.now(dt.UTC).isoformat(),
    }
    folder.write_text(VERDICT, json.dumps(document, indent=2) + "\n")


def verdict_document(result: CheckResult) -> dict[str, Any]:
    """`verdict.json` (schema 1, fixed): every count an integer."""
    customers = result.customers
    return {
        "schema": _SCHEMA,
        "run": result.run,
        "migration": result.migration,
        "kind": result.kind,
        "verdict": str(result.verdict),
        "exit_code": result.exit_code,
        "reasons": list(result.reasons),
        "notes": list(result.notes),
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "tool_version": result.tool_version,
        "plan_digest": result.plan_digest,
        "customers": {"total": customers.total, **_impact(customers)},
        "contents": [_content(c) for c in result.contents],
        "coverage": {
            "tables": result.coverage.tables,
            "covered": result.coverage.covered,
            "ignored": len(result.coverage.ignored),
            "uncovered": [f"{u.system}.{u.table}" for u in result.coverage.uncovered],
            "unchecked_columns": list(result.coverage.unchecked_columns),
        },
        "waivers_digest": result.waivers_digest,
        "waivers": [_waiver(use) for use in result.waivers],
        "drill": asdict(result.drill) if result.drill else None,
        "systems": {
            s.name: {"dialect": s.dialect, "version": s.version, "snapshot": s.snapshot}
            for s in result.systems
        },
    }


def _waiver(use: Any) -> dict[str, Any]:
    plain = ("id", "content", "entries", "at_most", "reason", "expires", "text")
    return {
        **{name: getattr(use, name) for name in plain},
        "kind": str(use.kind),
        "state": str(use.state),
        "approved_by": list(use.approved_by),
    }


def _impact(impact: Any) -> dict[str, Any]:
    return {
        "with_content": impact.with_content,
        "affected": impact.affected,
        "segments": {
            name: {"with_content": s.with_content, "affected": s.affected}
            for name, s in impact.segments.items()
        },
    }


def _content(content: Any) -> dict[str, Any]:
    plain = ("content", "shape", "old", "new", "kept", "left_out", "not_due")
    return {
        **{name: getattr(content, name) for name in plain},
        "verdict": str(content.verdict),
        "reasons": list(content.reasons),
        "due": content.due,
        "sums": {"old": dict(content.sums_old), "new": dict(content.sums_new)},
        "tolerated": dict(content.tolerated),
        "findings": dict(content.findings),
        "waived": dict(content.waived),
        "causes": dict(content.causes),
        "customers": _impact(content.customers),
        "explanations": [
            {
                "kind": str(e.kind),
                "text": e.text,
                "found": e.found,
                "total": e.total,
                "kept_share": e.kept_share,
            }
            for e in content.explanations
        ],
        "routes": [
            {
                "system": r.system,
                "due": r.due,
                "kept": r.kept,
                **r.statuses,
                "new": dict(r.new_statuses),
            }
            for r in content.routes
        ],
        "conservation": {"old": content.conservation.old, "new": content.conservation.new},
        "patterns": [asdict(p) for p in content.patterns],
        "expectations": [
            {
                "expectation": e.expectation,
                "system": e.system,
                "old": e.old,
                "new": e.new,
                "observed": e.observed,
                "trouble": e.trouble,
            }
            for e in content.expectations
        ],
        "strategy": {"chosen": content.strategy, "reason": content.strategy_reason},
    }


def load_result(folder: Path) -> CheckResult:
    """The result that a run left. Raises UsageProblem where there is none, or a newer one."""
    try:
        result: CheckResult = _form().validate_json((folder / EVIDENCE).read_bytes())
        verdict = json.loads((folder / VERDICT).read_bytes())
    except FileNotFoundError:
        if (folder / VERDICT).exists():
            raise _not_ended(folder) from None
        missing = VERDICT if (folder / EVIDENCE).exists() else EVIDENCE
        raise UsageProblem(f"{folder} is no run's folder: it has no {missing}") from None
    except (ValueError, OSError) as error:
        raise UsageProblem(f"{folder}: its result can't be read: {_first_line(error)}") from error
    if verdict.get("schema") != _SCHEMA:
        raise UsageProblem(f"{folder}: another version of Safeguard left this result")
    if verdict.get("verdict") != result.verdict:
        raise _not_ended(folder)
    return result


def _not_ended(folder: Path) -> UsageProblem:
    return UsageProblem(f"{folder}: this run did not end with a result; see its {VERDICT}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def findings(folder: Path) -> Iterator[Sample]:
    """Every finding of a run, batch by batch. Raises UsageProblem where there are none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / FINDINGS
    if not path.exists():
        raise UsageProblem(f"{folder} has no {FINDINGS}")
    names = [f.name for f in fields(Sample)]
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageProblem(f"{path} can't be read: {_first_line(error)}") from error
    for batch in file.iter_batches(batch_size=10_000, columns=names):
        for row in batch.to_pylist():
            yield Sample(**row | {"kind": Kind(row["kind"])})
