"""pytest runs of their own, with the plugin of this checkout."""

from __future__ import annotations

import pytest

from small_plans import Run


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("--safeguard", plan)`: pytest in a process of its own, with this plugin and xdist alone,
    whether or not an entry point of the plugin is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    plugins = ("-p", "safeguard.pytest_plugin", "-p", "xdist.plugin")

    def made(*arguments: object) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugins, *map(str, arguments), timeout=120)

    return made
