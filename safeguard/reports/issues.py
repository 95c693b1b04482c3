"""What a check found as issues of the files that were checked: for CI services that show such lists.

One issue for each content and kind, or field where something is changed; never one for each entry.
No issue holds anything that came from a customer: counts, names of the plan, and reasons without
what they quote.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from safeguard.contract.digest import digest_of
from safeguard.findings.result import CheckResult, ContentResult
from safeguard.findings.words import Kind, Verdict, Weight
from safeguard.reports import wording
from safeguard.reports.printable import clipped
from safeguard.reports.vocabulary import grouped, kind_word, number
from safeguard.reports.why import Why, not_blocking, run_reasons, why_of

MOST = 5_000
"""GitHub shows so many results of a SARIF run."""
_LONGEST = 1_000
_NAME = 120
_LINE_OF: Mapping[Kind, str] = {
    Kind.MOVED: "order",
    Kind.EXPECTATION: "expectations",
    Kind.MISROUTED: "new",
    Kind.ORPHANED: "owner",
    Kind.MISATTRIBUTED: "owner",
}
_QUOTED = re.compile(r"(?<!\w)([\"']).*\1")
_NO_CONTRACT = " is covered by no contract"
_COUNTED = re.compile(r"[\d,]+ of [\d,]+ values")
"""How what an expectation found begins where it is counted."""
_DIGITS = re.compile(r"\d[\d,.]*")


class Level(StrEnum):
    """How grave an issue is; the gravest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_LEVELS: Mapping[Weight, Level] = {
    Weight.BLOCKS: Level.ERROR,
    Weight.WARNS: Level.WARNING,
    Weight.ALLOWED: Level.NOTE,
}


@dataclass(frozen=True)
class Issue:
    """One thing that was found, and the line of the plan or contract that speaks of it.

    `where` is the content or its field, "" for the run as a whole; `file` is relative to the root
    of the repository. `key` is the same in every run that finds the same. Its texts are printable,
    on one line, and never empty.
    """

    level: Level
    kind: Kind
    where: str
    text: str
    file: str
    line: int
    key: str
    undecided: bool = False

    @property
    def title(self) -> str:
        """`queue: lost`."""
        return f"{self.where}: {kind_word(self.kind)}" if self.where else kind_word(self.kind)

    @property
    def sentence(self) -> str:
        """The text with its place before it, where it does not begin with that."""
        named = not self.where or self.text.startswith(self.where)
        return self.text if named else f"{self.where}: {self.text}"


def issues(result: CheckResult) -> tuple[Issue, ...]:
    """Every issue of a run, the gravest first. Without an error in it, the verdict is PASS."""
    every = [i for content in result.contents for i in _of_content(result, content)]
    every += _of_run(result)
    every += _uncovered(result)
    if result.verdict is not Verdict.PASS and all(i.level is not Level.ERROR for i in every):
        told = Why("", wording.headline(result), blocks=False)
        every.append(_doubt(result, told, plan_file(result), _line(result.lines, "migration")))
    rank = list(Level)
    return tuple(sorted(_told_apart(every), key=lambda i: (rank.index(i.level), i.undecided)))


def plan_file(result: CheckResult) -> str:
    """The plan, from the root of its repository."""
    return clipped(result.place or posixpath.basename(result.plan) or "safeguard.yaml", _LONGEST)


def contract_file(result: CheckResult, content: ContentResult) -> str:
    """The contract, likewise, or the plan where the contract is not in the repository."""
    plan = plan_file(result)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(plan), content.contract))
    inside = content.contract and not path.startswith(("../", "/"))
    return clipped(path, _LONGEST) if inside else plan


def _of_content(result: CheckResult, content: ContentResult) -> Iterator[Issue]:
    file = contract_file(result, content)
    content = replace(
        content, patterns=(), reasons=_without_values(content)
    )  # both may name values
    waivers = {use.text: use.kind for use in result.waivers}
    for told in (*why_of(content), *not_blocking(content)):
        reason = replace(told, kind=waivers.get(told.text, told.kind))
        line = _line(content.lines, f"fields.{reason.field}", _LINE_OF.get(reason.kind, "content"))
        if reason.kind is Kind.NOT_COMPARED:
            yield _doubt(result, reason, file, line)
            continue
        yield Issue(
            _level(content, reason),
            reason.kind,
            clipped(reason.where, _NAME),
            clipped(grouped(reason.text) + _waived(content, reason), _LONGEST),
            file,
            line,
            _key(result, content.content, reason.kind, reason.field),
        )


def _without_values(content: ContentResult) -> tuple[str, ...]:
    """The reasons without what an expectation found: of how many values it is true, and no value."""
    reasons = content.reasons
    for one in content.expectations:
        if one.observed:
            place, counted = f"{one.expectation} in {one.system}", _COUNTED.match(one.observed)
            told = f"{place}, {counted[0]}" if counted else place
            reasons = tuple(r.replace(f"{place}, {one.observed}", told) for r in reasons)
    return reasons


def _waived(content: ContentResult, reason: Why) -> str:
    count = content.waived.get(reason.kind, 0)
    return f"; {number(count)} waived" if count and not reason.field else ""


def _level(content: ContentResult, reason: Why) -> Level:
    weight = Weight.BLOCKS if reason.blocks else content.weighed.get(reason.kind)
    return _LEVELS[weight] if weight else Level.NOTE


def _of_run(result: CheckResult) -> Iterator[Issue]:
    for reason in run_reasons(result):
        if not reason.blocks and result.verdict is not Verdict.PASS:
            yield _doubt(result, reason, plan_file(result), _line(result.lines, "migration"))


def _doubt(result: CheckResult, reason: Why, file: str, line: int) -> Issue:
    """Why something is UNDECIDED. What it quotes may be a customer's, so that is left out."""
    said = _QUOTED.sub(r"\1…\1", reason.text.partition("\n")[0])
    key = _key(result, reason.where, Kind.NOT_COMPARED, _DIGITS.sub("#", said))
    where = clipped(reason.where, _NAME)
    kind, shown = Kind.NOT_COMPARED, clipped(grouped(said) or "no reason was left", _LONGEST)
    return Issue(Level.ERROR, kind, where, shown, file, line, key, undecided=True)


def _uncovered(result: CheckResult) -> Iterator[Issue]:
    line, blocking = _line(result.lines, "coverage", "contracts"), _blocking_tables(result)
    for table in result.coverage.uncovered:
        name = f"{table.system}.{table.table}"
        key = _key(result, name, Kind.UNCOVERED, "")
        text = clipped(wording.uncovered_sentence(table), _LONGEST)
        level = Level.ERROR if name in blocking else Level.WARNING
        yield Issue(level, Kind.UNCOVERED, clipped(name, _NAME), text, plan_file(result), line, key)


def _blocking_tables(result: CheckResult) -> frozenset[str]:
    """The uncovered tables that are among the reasons, as the gate names them."""
    named = [r.removesuffix(_NO_CONTRACT) for r in result.reasons if r.endswith(_NO_CONTRACT)]
    return frozenset((*named, *(name.rpartition(" (")[0] for name in named)))


def _told_apart(every: list[Issue]) -> Iterator[Issue]:
    """Two issues never share a key: of such, code hosts show only the first."""
    seen: dict[str, int] = {}
    for issue in every:
        again = seen[issue.key] = seen.get(issue.key, 0) + 1
        yield issue if again == 1 else replace(issue, key=_hash(issue.key, str(again)))


def _key(result: CheckResult, where: str, kind: Kind, more: str) -> str:
    return _hash(result.migration, where, kind, more)


def _hash(*parts: str) -> str:
    return digest_of(part.encode("utf-8", "surrogatepass") for part in parts)


def _line(lines: Mapping[str, int], *paths: str) -> int:
    """The line of the first path that is written."""
    return next((lines[path] for path in (*paths, "content") if path in lines), 1)
