"""A run's folder: its verdict, its evidence and its findings."""

from safeguard.runs.ending import verdict_whatever_happens
from safeguard.runs.folder import (
    CODE_QUALITY,
    CSV,
    EVIDENCE,
    FINDINGS,
    HTML,
    JUNIT,
    MARKDOWN,
    SARIF,
    SIGNED,
    RunFolder,
    create_run,
    findings,
    load_result,
    resume_run,
    shown,
    undecided,
    verdict_document,
)
from safeguard.runs.since import since_of

__all__ = [
    "CODE_QUALITY",
    "CSV",
    "EVIDENCE",
    "FINDINGS",
    "HTML",
    "JUNIT",
    "MARKDOWN",
    "SARIF",
    "SIGNED",
    "RunFolder",
    "create_run",
    "findings",
    "load_result",
    "resume_run",
    "shown",
    "since_of",
    "undecided",
    "verdict_document",
    "verdict_whatever_happens",
]
