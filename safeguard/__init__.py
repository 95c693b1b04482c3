"""Safeguard: proves that what customers made survives a service split, merge, move or shutdown.

`check` runs a plan, `assert_survives` holds a migration's own tests to it. Nothing is loaded before
one of these names is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safeguard.api import NotPassed, Result, check
    from safeguard.findings.progress import ProgressListener
    from safeguard.findings.result import ContentResult
    from safeguard.findings.result import Sample as Finding
    from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
    from safeguard.findings.words import Cause, Kind, Verdict
    from safeguard.surviving import DidNotSurvive, assert_survives
    from safeguard.systems.opened import Kindness

__version__ = "0.1.0"

__all__ = [
    "Cause",
    "ContentResult",
    "DidNotSurvive",
    "Finding",
    "Kind",
    "Kindness",
    "NotPassed",
    "ProgressListener",
    "Result",
    "SafeguardError",
    "SystemProblem",
    "UsageProblem",
    "Verdict",
    "assert_survives",
    "check",
]

_HOMES = {
    "Cause": "findings.words",
    "ContentResult": "findings.result",
    "DidNotSurvive": "surviving",
    "Finding": "findings.result:Sample",
    "Kind": "findings.words",
    "Kindness": "systems.opened",
    "NotPassed": "api",
    "ProgressListener": "findings.progress",
    "Result": "api",
    "SafeguardError": "findings.trouble",
    "SystemProblem": "findings.trouble",
    "UsageProblem": "findings.trouble",
    "Verdict": "findings.words",
    "assert_survives": "surviving",
    "check": "api",
}
"""Where each name lives; after a colon what it is called there."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, own = _HOMES[name].partition(":")
    found = getattr(importlib.import_module(f"{__name__}.{module}"), own or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
