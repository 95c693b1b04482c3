from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from result_examples import content
from safeguard.contract.load import load_plan
from safeguard.contract.places import in_repository, lines_of_plan, with_lines

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("root", "here", "plan", "place"),
    [
        ("repo", "repo", "safeguard.yaml", "safeguard.yaml"),
        ("repo", "repo", "ops/safeguard.yaml", "ops/safeguard.yaml"),
        ("repo", "repo/ops", "safeguard.yaml", "ops/safeguard.yaml"),
        ("repo", "repo/ops", "../safeguard.yaml", "safeguard.yaml"),
        ("repo", "elsewhere", "../repo/ops/safeguard.yaml", "ops/safeguard.yaml"),
        (None, "repo", "ops/safeguard.yaml", "ops/safeguard.yaml"),
        (None, "elsewhere", "../repo/ops/safeguard.yaml", "safeguard.yaml"),
    ],
)
def test_a_plan_is_named_from_the_root_of_its_repository(
    root: str | None,
    here: str,
    plan: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "repo" / "ops").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    if root:
        (tmp_path / root / ".git").write_text("gitdir: ../elsewhere\n")  # as a worktree has it
    monkeypatch.chdir(tmp_path / here)
    assert in_repository(Path(plan)) == place
    assert in_repository(Path(plan).absolute()) == place


def test_each_line_is_the_one_that_says_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    plan = tmp_path / "safeguard.yaml"
    shutil.copy(ROOT / "contracts" / "safeguard.yaml", plan)
    names = ("OLD_URL", "STREAMING_URL", "DVD_URL")
    loaded = load_plan(plan, dict.fromkeys(names, "sqlite:///x.sqlite"))
    written = plan.read_text("utf-8").splitlines()
    for name, line in lines_of_plan(loaded).items():
        assert written[line - 1].startswith(f"{name}:")
    found = with_lines([content("queue"), content("unknown")], loaded)
    written = (ROOT / "contracts" / "queue.yaml").read_text("utf-8").splitlines()
    assert {"content", "order", "new", "fields.note"} <= set(found[0].lines)
    for name, line in found[0].lines.items():
        assert written[line - 1].strip().startswith(f"{name.removeprefix('fields.')}:")
    assert found[1].lines == {}
