"""`import safeguard`: its names, the function, the result."""

from __future__ import annotations

import inspect
import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import safeguard
from safeguard import Kind, NotPassed, Result, UsageProblem, Verdict
from safeguard.findings.progress import SilentProgress
from small_plans import make_plan

HEAVY = ("pydantic", "pyarrow", "duckdb", "sqlalchemy", "numpy", "ruamel", "rich", "jinja2")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return make_plan(tmp_path, spoil=("DELETE FROM queue WHERE customer_id = 3",))


def test_every_name_is_there_and_documented() -> None:
    assert safeguard.__all__ == sorted(safeguard.__all__)
    for name in safeguard.__all__:
        assert inspect.getdoc(getattr(safeguard, name)), name
    assert set(safeguard.__all__) <= set(dir(safeguard))
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        safeguard.chekc  # noqa: B018


@pytest.mark.parametrize("module", ["safeguard", "safeguard.pytest_plugin"])
def test_nothing_heavy_is_loaded_before_it_is_used(module: str) -> None:
    asked = (
        f"import sys, pytest; before = set(sys.modules); import {module}; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name for name in loaded if name.startswith(HEAVY)} == set()
    assert {name for name in loaded if name.startswith("safeguard")} == {"safeguard", module}


def test_a_block_is_a_result(plan: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = safeguard.check(plan)
    assert isinstance(result, Result)
    assert (result.verdict, result.passed, bool(result)) == (Verdict.BLOCK, False, False)
    assert result["queue"].findings == {Kind.LOST: 1}
    assert result["ratings"].verdict is Verdict.PASS
    assert [c.content for c in result.contents] == ["queue", "ratings"]
    assert [(f.kind, f.owner, f.system) for f in result.findings()] == [(Kind.LOST, "3", "dvd")]
    assert result.report.is_file()
    assert result.folder.parent == plan.parent / ".safeguard" / "runs"
    assert repr(result).startswith("<Result BLOCK: Do not roll out. 1 of 9 customers")
    with pytest.raises(KeyError, match="no content is called 'queu'; there are queue, ratings"):
        result["queu"]
    assert capfd.readouterr() == ("", "")


def test_a_pass_can_be_demanded(tmp_path: Path, plan: Path) -> None:
    result = safeguard.check(str(make_plan(tmp_path / "right")), out=str(tmp_path / "out"))
    assert result
    assert result.raise_for_verdict() is None
    assert result.folder == tmp_path / "out"
    with pytest.raises(NotPassed, match="BLOCK  Do not roll out") as caught:
        safeguard.check(plan).raise_for_verdict()
    assert caught.value.exit_code == 1
    assert caught.value.result.verdict is Verdict.BLOCK


def test_failures_cross_processes(plan: Path) -> None:
    failed = NotPassed(safeguard.check(plan))
    again = pickle.loads(pickle.dumps(failed))
    assert (str(again), again.exit_code) == (str(failed), 1)
    assert again.result.contents == failed.result.contents
    lost = safeguard.DidNotSurvive("why", failed.result.details)
    assert pickle.loads(pickle.dumps(lost)).result == failed.result.details


def test_undecided_is_a_result_and_no_pass(plan: Path) -> None:
    (plan.parent / "dvd.sqlite").write_bytes(b"not a database, and no file of SQLite" * 40)
    result = safeguard.check(plan)
    assert result.verdict is Verdict.UNDECIDED
    assert not result
    with pytest.raises(NotPassed, match="UNDECIDED") as caught:
        result.raise_for_verdict()
    assert caught.value.exit_code == 3


def test_mistakes_are_raised_and_leave_no_pass(plan: Path, tmp_path: Path) -> None:
    plan.write_text(plan.read_text().replace("split", "splt", 2))
    with pytest.raises(UsageProblem, match="splt"):
        safeguard.check(plan, out=tmp_path / "out")
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert verdict["verdict"] == "UNDECIDED"
    with pytest.raises(UsageProblem, match="does not exist"):
        safeguard.check(tmp_path / "nowhere.yaml")
    with pytest.raises(ValueError, match="fast"):
        safeguard.check(plan, strategy="fast")  # type: ignore[arg-type]


def test_urls_are_filled_from_what_is_given(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.write_text(plan.read_text().replace("sqlite:///dvd.sqlite", "sqlite:///${DVD}"))
    assert safeguard.check(plan, environ={"DVD": "streaming.sqlite"}).verdict is Verdict.PASS
    assert safeguard.check(plan, environ={"DVD": "dvd.sqlite"}).verdict is Verdict.BLOCK
    monkeypatch.setenv("DVD", "dvd.sqlite")
    assert safeguard.check(plan).verdict is Verdict.BLOCK


def test_signals_stay_the_programs_own(plan: Path) -> None:
    seen = []

    class Listener(SilentProgress):
        def finished(self, content: str, system: str) -> None:
            handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
            seen.append((content, system, handlers))

    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    safeguard.check(plan, progress=Listener())
    assert {("queue", "old"), ("queue", "dvd")} <= {(c, s) for c, s, _ in seen}
    assert all(handlers == before for _, _, handlers in seen)
