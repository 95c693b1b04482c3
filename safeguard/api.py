"""The check for Python programs: one function, one result. `import safeguard` has both at its top."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safeguard.checking import Request, run_check
from safeguard.findings.progress import ProgressListener, SilentProgress
from safeguard.findings.result import CheckResult, ContentResult, Sample
from safeguard.findings.trouble import SafeguardError
from safeguard.findings.words import Verdict
from safeguard.planning.asking import Strategy
from safeguard.reports.cases import verdict_case
from safeguard.runs import findings
from safeguard.systems.opened import Kindness

if TYPE_CHECKING:
    from _typeshed import StrPath


class NotPassed(SafeguardError):
    """A check that was demanded to PASS did not. `result` is what it found instead."""

    __module__ = "safeguard"  # where people know it from

    def __init__(self, result: Result) -> None:
        self.result = result
        self.exit_code = result.verdict.exit_code
        super().__init__(f"{result.verdict}  {result.text}\nreport  {result.report}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.result,)


@dataclass(frozen=True, repr=False)
class Result:
    """What a check found. True in a condition only where the verdict is PASS."""

    details: CheckResult
    """Everything: customers, coverage, systems, notes, sums."""
    folder: Path
    """The run's folder, with verdict.json, the reports and findings.parquet."""

    @property
    def verdict(self) -> Verdict:
        """PASS, BLOCK or UNDECIDED."""
        return self.details.verdict

    @property
    def passed(self) -> bool:
        """Whether the verdict is PASS; UNDECIDED is not."""
        return self.verdict is Verdict.PASS

    @property
    def text(self) -> str:
        """The verdict in one or two sentences, then its reasons, a line each."""
        return verdict_case(self.details).text

    @property
    def contents(self) -> tuple[ContentResult, ...]:
        """One for each contract, in the plan's order."""
        return self.details.contents

    @property
    def report(self) -> Path:
        """The report for people, an HTML page that needs nothing else."""
        return self.folder / "report.html"

    def __getitem__(self, content: str) -> ContentResult:
        """The content of this name. Raises KeyError that tells which there are."""
        found = {each.content: each for each in self.contents}
        if content not in found:
            raise KeyError(f"no content is called {content!r}; there are {', '.join(found)}")
        return found[content]

    def findings(self) -> Iterator[Sample]:
        """Every finding, read from disk batch by batch: there may be millions.

        Texts are masked unless the check was run with `reveal`. Raises UsageProblem where the
        folder is gone.
        """
        return findings(self.folder)

    def raise_for_verdict(self) -> None:
        """Raises NotPassed unless the verdict is PASS."""
        if not self.passed:
            raise NotPassed(self)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"<Result {self.verdict}: {self.text.partition(chr(10))[0]}>"


def check(
    plan: StrPath = "safeguard.yaml",
    *,
    out: StrPath | None = None,
    reveal: bool = False,
    strategy: Literal["auto", "stream"] = "auto",
    kindness: Kindness | None = None,
    environ: Mapping[str, str] | None = None,
    progress: ProgressListener | None = None,
) -> Result:
    """Compare the old system with the new ones, entry by entry, and give the verdict.

    Does what `safeguard check` does, and neither prints, nor ends the process, nor touches its
    signals. BLOCK and UNDECIDED are results, a system that can't be reached included.

    Args:
        plan: The plan's file; what it names is relative to it.
        out: The folder for verdict and reports, `.safeguard/runs/ID` beside the plan if left out.
        reveal: Show free text in reports and findings instead of masking it.
        strategy: "auto" asks the servers for sums where that tells enough, "stream" reads all.
        kindness: What may be asked of the systems: rate, age of snapshots, timeouts.
        environ: What fills ${NAMES} in the plan's URLs; `os.environ` if left out.
        progress: Is told how far the reading has come, from any thread.

    Raises:
        UsageProblem: What a person must mend in the plan, a contract or the arguments; all
            mistakes at once, each with its place.
        SystemProblem: The run's folder can't be written any more.
    """
    request = Request(
        reveal=reveal,
        strategy=Strategy(strategy),
        kindness=kindness or Kindness(),
        signals=False,
    )
    details, folder = run_check(
        Path(plan),
        out=None if out is None else Path(out),
        request=request,
        progress=progress or SilentProgress(),
        environ=os.environ if environ is None else environ,
    )
    return Result(details, folder)
