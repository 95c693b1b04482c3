"""gl-code-quality-report.json: GitLab shows each issue beside the contract's line.

The format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from safeguard.findings.result import CheckResult
from safeguard.reports.issues import MOST, Issue, Level, issues

_SEVERITY: Mapping[Level, str] = {
    Level.ERROR: "blocker",
    Level.WARNING: "minor",
    Level.NOTE: "info",
}
_UNDECIDED = "critical"


def render_code_quality(result: CheckResult) -> str:
    """A JSON array, empty where nothing was found or is in doubt."""
    found = [_issue(issue) for issue in issues(result)[:MOST]]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _issue(issue: Issue) -> dict[str, Any]:
    return {
        "description": issue.sentence,
        "check_name": f"safeguard/{issue.kind.value}",
        "fingerprint": issue.key,
        "severity": _UNDECIDED if issue.undecided else _SEVERITY[issue.level],
        "location": {"path": issue.file, "lines": {"begin": issue.line}},
    }
