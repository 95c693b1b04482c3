"""Where Chromium is, and how it is started for tests."""

from __future__ import annotations

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Its path; without one the test is skipped, visibly, and fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    missing = "no chromium on the PATH"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"CI must run every test: {missing}", pytrace=False)
    pytest.skip(f"NOT TESTED in a browser: {missing}")
