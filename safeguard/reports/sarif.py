"""safeguard.sarif: SARIF 2.1.0, for code scanning; findings point at the contract's line.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What GitHub reads of
it, and how much: https://docs.github.com/code-security/code-scanning, "SARIF support".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from safeguard.findings.result import CheckResult
from safeguard.findings.words import Kind, Verdict
from safeguard.reports import wording
from safeguard.reports.advice import step_for
from safeguard.reports.issues import MOST, Issue, issues
from safeguard.reports.printable import clipped
from safeguard.reports.vocabulary import KIND_MEANINGS, kind_word, number

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = list(Kind)
_MARKED = re.compile(r"[\\\[\]]|[{}]")
_MOST_TEXT = 1_000


def render_sarif(result: CheckResult) -> str:
    """The whole log: one run, with one result for each issue; a PASS has none but its warnings."""
    every = issues(result)
    run = {
        "tool": {"driver": _driver(result)},
        "automationDetails": {"id": f"safeguard/{clipped(result.migration, 200) or 'plan'}/"},
        "invocations": [_invocation(result, left_out=len(every) - MOST)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(issue) for issue in every[:MOST]],
        "properties": _properties(result),
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def _driver(result: CheckResult) -> dict[str, Any]:
    return {"name": "Safeguard", "version": result.tool_version or "0", "rules": _rules()}


def _rules() -> list[dict[str, Any]]:
    """All kinds in their order, whatever was found: the ids and places are the same in every run."""
    return [
        {
            "id": kind.value,
            "name": kind.value.title().replace("_", ""),
            "shortDescription": {"text": f"Customers' content: {kind_word(kind)}"},
            "fullDescription": {"text": KIND_MEANINGS[kind]},
            "help": {"text": step_for(kind)},
            "defaultConfiguration": {"level": "error"},
        }
        for kind in _RULES
    ]


def _result(issue: Issue) -> dict[str, Any]:
    return {
        "ruleId": issue.kind.value,
        "ruleIndex": _RULES.index(issue.kind),
        "level": issue.level.value,
        "message": {"text": _message(issue.sentence)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(issue.file)},
                    "region": {"startLine": issue.line, "startColumn": 1, "endLine": issue.line},
                }
            }
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{issue.key[:16]}:1",
            "safeguard/v1": issue.key,
        },
    }


def _invocation(result: CheckResult, *, left_out: int) -> dict[str, Any]:
    times = {
        "startTimeUtc": _utc(result.started_at),
        "endTimeUtc": _utc(result.finished_at),
    }
    headline = clipped(wording.headline(result), _MOST_TEXT)
    said: list[dict[str, Any]] = []
    if result.verdict is not Verdict.UNDECIDED:
        said.append({"level": "note", "message": {"text": _message(headline)}})
    if left_out > 0:
        text = f"{number(left_out)} more are in the run's report.html"
        said.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": result.verdict is not Verdict.UNDECIDED,
        "exitCode": result.exit_code,
        **{name: time for name, time in times.items() if time},
        "toolExecutionNotifications": said,
    }


def _properties(result: CheckResult) -> Mapping[str, Any]:
    return {
        "verdict": result.verdict.value,
        "run": clipped(result.run, 200),
        "planDigest": clipped(result.plan_digest, 200),
        "customersAffected": result.customers.affected,
    }


def _utc(written: str) -> str | None:
    """A moment as SARIF wants it, in UTC with `Z`; None for what is no moment."""
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return None
    if time.tzinfo is None:
        return None
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _message(text: str) -> str:
    """Plain text in which nothing is a link or a placeholder (SARIF 3.11.5 and 3.11.6)."""
    return _MARKED.sub(lambda m: m[0] * 2 if m[0] in "{}" else f"\\{m[0]}", text)
