"""`safeguard drill`: what a person and a pipeline see of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safeguard.cli.drill_lines import MOST_SURVIVORS, drill_lines
from safeguard.drill.result import DrilledContent, DrillResult, Fate, PlantedFault
from unit.cli.test_running import safeguard
from unit.drill.conftest import FIELDS, build


def test_all_is_caught(tmp_path: Path) -> None:
    done = safeguard("drill", build(tmp_path), "--faults", 40, "--quiet")
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "DRILL  40 of 40 planted faults of 29 kinds were caught."
    text = "\n".join(lines)
    assert "  strategy      stream: everything was read and compared; nothing was written" in text
    assert "  again         --faults 40 --seed 0 plants the same" in text
    assert lines[-2] == "  exit code     0"
    assert lines[-1].startswith("  next          safeguard check ")
    assert done.stderr == ""


def test_what_survives_comes_before_the_numbers(tmp_path: Path) -> None:
    plan = build(tmp_path, FIELDS.replace("  remark: {type: text}\n", ""))
    done = safeguard("drill", plan, "--faults", 20, "--quiet")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "DRILL  19 of 20 planted faults of 20 kinds were caught."
    assert lines[1].strip() == "1 survived: a check would not see it."
    at = lines.index("  survived  queue: column in no contract, `remark`, in stream, disc")
    assert lines[at + 1].strip() == (
        "`remark` of old.queue (540 values) is not among the fields of queue.yaml"
    )


def test_json_is_the_file_and_nothing_else(tmp_path: Path) -> None:
    plan = build(tmp_path)
    done = safeguard("drill", plan, "--faults", 15, "--format", "json", "--out", tmp_path / "d")
    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "d" / "drill.json").read_text(encoding="utf-8"))
    assert (told["schema"], told["exit_code"], told["seed"]) == (1, 0, 0)
    assert (told["score"]["planted"], told["score"]["caught"]) == (15, 15)
    assert len(told["contents"][0]["faults"]) == 15
    assert told["survivors"] == []


def test_nothing_to_plant_is_undecided(tmp_path: Path) -> None:
    plan = build(tmp_path)
    for name in ("stream", "disc"):
        (tmp_path / f"{name}.sqlite").write_bytes(b"")
    done = safeguard("drill", plan, "--quiet")
    assert done.returncode == 2  # no such table: for a person to mend
    assert "Traceback" not in done.stderr


def test_a_plan_that_is_not_there_is_for_a_person_to_mend(tmp_path: Path) -> None:
    done = safeguard("drill", tmp_path / "none.yaml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [1, MOST_SURVIVORS, MOST_SURVIVORS + 3])
def test_of_many_survivors_the_first_are_named(number: int) -> None:
    faults = tuple(fault(str(i)) for i in range(number))
    lines = list(drill_lines(result(faults), Path("d")))
    assert sum(line.startswith("  survived  ") for line in lines) == min(number, MOST_SURVIVORS)
    more = [line for line in lines if line.startswith("  ... and ")]
    assert more == (["  ... and 3 more, by name in drill.json"] if number > MOST_SURVIVORS else [])


def test_what_people_typed_steers_no_terminal() -> None:
    lines = list(drill_lines(result((fault("\x1b[2J"),)), Path("d")))
    assert not any("\x1b" in line for line in lines)


def fault(owner: str) -> PlantedFault:
    return PlantedFault(
        "queue", "entry dropped", "new", owner, "x", None, Fate.SURVIVED, reason="a bug of ours"
    )


def result(faults: tuple[PlantedFault, ...]) -> DrillResult:
    content = DrilledContent("queue", "queue.yaml", faults)
    times = ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00")
    return DrillResult("r", "m", "safeguard.yaml", "", "0", *times, 0, 400, (content,))
