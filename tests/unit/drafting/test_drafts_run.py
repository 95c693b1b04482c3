"""What `init` wrote, `check` runs without an edit."""

from __future__ import annotations

from pathlib import Path

from safeguard.checking import run_check
from safeguard.demo import set_scene
from safeguard.drafting import draft
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.words import Verdict


def checked(folder: Path) -> CheckResult:
    """The drafted plan's result, as it was written."""
    result, _ = run_check(
        folder / "safeguard.yaml", out=folder / "out", progress=SilentProgress(), environ={}
    )
    return result


def test_the_demo_runs_and_open_questions_can_not_pass(tmp_path: Path) -> None:
    set_scene(tmp_path / "demo", 60, 7, faults=False)
    url = {n: f"sqlite:///{tmp_path}/demo/{n}.sqlite" for n in ("old", "streaming", "dvd")}
    new = {n: u for n, u in url.items() if n != "old"}
    draft({"old": url["old"]}, new, tmp_path / "drafted")

    result = checked(tmp_path / "drafted")
    verdicts = {c.content: c.verdict for c in result.contents}
    assert verdicts["notify-me"] is Verdict.PASS
    assert verdicts["ratings"] is not Verdict.PASS  # nobody has said yet what stars became
    assert [u.table for u in result.coverage.uncovered] == ["web_sessions"]


def test_chinook_runs(real: Path, tmp_path: Path) -> None:
    shop = real / "chinook" / "Chinook_Sqlite.sqlite"
    (tmp_path / "new.sqlite").write_bytes(shop.read_bytes())
    draft({"old": f"sqlite:///{shop}"}, {"new": f"sqlite:///{tmp_path}/new.sqlite"}, tmp_path)
    result = checked(tmp_path)
    assert result.verdict is Verdict.PASS
    assert {c.content: c.kept for c in result.contents} == {
        "profile": 59,
        "invoice": 412,
        "invoice-line": 2240,
    }
