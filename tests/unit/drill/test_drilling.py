"""What a drill promises beside its faults: repeatable, harmless, honest about what it could not do."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from safeguard.checking import run_check
from safeguard.comparing import partition
from safeguard.comparing.fields import FieldRule
from safeguard.drill.result import UNREAD, DrillResult, Fate
from safeguard.findings.progress import SilentProgress
from safeguard.reports.drills import drill_sentences
from safeguard.systems.opened import Kindness
from unit.drill.conftest import CONTRACT, FIELDS, PLAN, build, drill_plan

Drill = Callable[..., DrillResult]


def places(result: DrillResult) -> list[tuple[Any, ...]]:
    return [(f.kind, f.system, f.owner, f.item, f.field) for f in result.faults]


def survivors(result: DrillResult) -> set[tuple[str, str | None]]:
    return {(f.kind, f.field) for f in result.survivors}


# -- the same, and no trace ------------------------------------------------------------------------


def test_the_same_seed_plants_the_same(tmp_path: Path) -> None:
    plan = build(tmp_path)
    one, same, other = (drill_plan(plan, faults=80, seed=s) for s in (3, 3, 4))
    assert places(one) == places(same)
    assert places(one) != places(other)
    assert one.score.planted == 80


def test_no_more_are_planted_than_asked_for_and_every_kind_comes_first(drill: Drill) -> None:
    result = drill(faults=12)
    assert result.score.planted == 12
    assert result.score.kinds == 12
    assert result.contents[0].crowded


def test_nothing_is_written_to_any_system(tmp_path: Path) -> None:
    plan = build(tmp_path)
    systems = sorted(tmp_path.glob("*.sqlite"))
    before = [hashlib.sha256(s.read_bytes()).digest() for s in systems]
    drill_plan(plan, faults=60)
    assert [hashlib.sha256(s.read_bytes()).digest() for s in systems] == before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [".safeguard", "queue.yaml", "safeguard.yaml", *(s.name for s in systems)]
    )
    (folder,) = (tmp_path / ".safeguard" / "drills").iterdir()
    assert [p.name for p in folder.iterdir()] == ["drill.json"]


# -- what the contract lets through ----------------------------------------------------------------


def test_a_field_less_is_exactly_that_survivor(drill: Drill) -> None:
    result = drill(fields=FIELDS.replace("  remark: {type: text}\n", ""), faults=200)
    (survivor,) = result.survivors
    assert (survivor.content, survivor.kind, survivor.field) == ("queue", UNREAD, "remark")
    assert survivor.reason == (
        "`remark` of old.queue (540 values) is not among the fields of queue.yaml"
    )
    assert result.exit_code == 1
    assert result.score.caught == result.score.planted - 1


def test_without_an_order_the_position_is_nobodys(drill: Drill) -> None:
    unordered = CONTRACT.replace("shape: list", "shape: set").replace("order: position\n", "")
    result = drill(contract=unordered.replace(", position: integer", ""), faults=120)
    assert survivors(result) == {(UNREAD, "position")}
    assert not {"neighbours swapped", "list reversed"} & {f.kind for f in result.faults}


def test_a_column_in_which_nothing_stands_is_no_content(tmp_path: Path) -> None:
    plan = build(tmp_path)
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as database, database:
        database.execute("ALTER TABLE queue ADD COLUMN later TEXT")
    assert drill_plan(plan, faults=20).survivors == ()


ACCEPTING = """
  note: {type: text, accept: [case, null_empty, whitespace, line_endings, unicode_form]}
  score: {type: float(0.5)}
  added: {type: timestamp}
  doc: {type: json, unordered: [tags]}
  remark: {type: text}
  big: {type: integer}
  price: {type: decimal(2)}
  seen: {type: boolean}
  stars: {type: integer, map: {5: up, 4: up, 3: none, 2: down, 1: down}}
"""
ACCEPTED = (
    ("note", "case changed", "queue.yaml accepts `case` of `note`"),
    ("note", "empty text nulled", "queue.yaml accepts `null_empty` of `note`"),
    ("note", "trailing space", "queue.yaml accepts `whitespace` of `note`"),
    ("note", "line endings changed", "queue.yaml accepts `line_endings` of `note`"),
    ("note", "Unicode form changed", "queue.yaml accepts `unicode_form` of `note`"),
    (
        "score",
        "number off by one in its last digit",
        "queue.yaml compares `score` as `float(0.5)`",
    ),
    ("doc", "JSON array reordered", "queue.yaml calls tags of `doc` unordered"),
)


@pytest.fixture(scope="module")
def accepting(tmp_path_factory: pytest.TempPathFactory) -> DrillResult:
    return drill_plan(build(tmp_path_factory.mktemp("accepting"), ACCEPTING), faults=300)


@pytest.mark.parametrize(
    ("field", "kind", "reason"), ACCEPTED, ids=[kind for _, kind, _ in ACCEPTED]
)
def test_what_the_contract_accepts_is_tolerated(
    accepting: DrillResult, field: str, kind: str, reason: str
) -> None:
    mine = [f for f in accepting.faults if f.kind == kind and f.field == field]
    assert mine
    assert {(f.fate, f.reason) for f in mine} == {(Fate.TOLERATED, reason)}


def test_what_is_tolerated_does_not_fail_the_drill(accepting: DrillResult) -> None:
    assert (accepting.survivors, accepting.exit_code) == ((), 0)
    accepted = {(field, kind) for field, kind, _ in ACCEPTED}
    told = {(f.field, f.kind) for f in accepting.faults if f.fate is Fate.TOLERATED}
    assert told - {("note", "value of another customer")} == accepted


# -- a compare that is broken ----------------------------------------------------------------------


def _sees_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FieldRule, "equal", property(lambda rule: "TRUE"))


def _ignores_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def equal(rule: FieldRule) -> str:
        old, new = rule.expected(), f"n.{rule.slot}"
        return f"lower(({old})::VARCHAR) IS NOT DISTINCT FROM lower(({new})::VARCHAR)"

    monkeypatch.setattr(FieldRule, "equal", property(equal))


def _sees_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "judge_order", lambda *_: 0)


BROKEN = (
    (_sees_no_values, {"value nulled", "text truncated", "JSON key dropped"}, {"entry dropped"}),
    (_ignores_case, {"case changed"}, {"text truncated", "entry dropped", "trailing space"}),
    (_sees_no_order, {"neighbours swapped", "list reversed"}, {"value nulled", "entry dropped"}),
)


@pytest.mark.parametrize(("damage", "through", "seen"), BROKEN, ids=[b[0].__name__ for b in BROKEN])
def test_the_drill_itself_can_fail(
    drill: Drill,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[pytest.MonkeyPatch], None],
    through: set[str],
    seen: set[str],
) -> None:
    """A compare that is blind lets faults survive, and nothing in the contract is to blame."""
    damage(monkeypatch)
    result = drill(faults=150)
    assert result.exit_code == 1
    blind = {f.kind for f in result.survivors}
    assert through <= blind
    assert not seen & blind
    assert all("a bug of ours" in f.reason for f in result.survivors)


# -- a plan that has findings ----------------------------------------------------------------------


def test_real_findings_are_nobodys_faults(tmp_path: Path) -> None:
    """Faults are planted at customers of whom a check says nothing, so that none is caught by luck."""
    plan = build(tmp_path)
    with closing(sqlite3.connect(tmp_path / "stream.sqlite")) as database, database:
        database.execute("DELETE FROM queue WHERE customer_id % 3 = 0")
        database.execute("UPDATE queue SET note = 'x' WHERE customer_id % 3 = 1")
    result = drill_plan(plan, faults=100)
    owners = {int(f.owner) % 3 for f in result.faults if f.owner is not None}
    assert owners == {2}
    assert (result.score.caught, result.score.planted) == (100, 100)


def test_where_nothing_is_kept_nothing_is_proven(tmp_path: Path) -> None:
    plan = build(tmp_path)
    for name in ("stream", "disc"):
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as database, database:
            database.execute("DELETE FROM queue")
    result = drill_plan(plan)
    assert (result.score.planted, result.exit_code) == (0, 3)
    assert "nothing could be planted" in result.reasons[0]


def test_a_system_that_is_away_is_undecided(tmp_path: Path) -> None:
    plan = build(tmp_path)
    away = "postgresql://nobody@127.0.0.1:1/none"
    plan.write_text(PLAN.replace("sqlite:///disc.sqlite", away), encoding="utf-8")
    result = drill_plan(plan, kindness=Kindness(retry_for=0))
    assert (result.score.planted, result.exit_code) == (0, 3)
    assert result.reasons


def test_where_columns_in_no_contract_take_all_faults_that_is_why_nothing_is_planted(
    tmp_path: Path,
) -> None:
    plan = build(tmp_path, fields="\n  note: {type: text}\n")
    result = drill_plan(plan, faults=2)
    assert {f.kind for f in result.faults} == {"column in no contract"}
    assert result.reasons == (
        "queue: nothing was planted: 2 faults leave no room for any here; ask for more with --faults",
    )


def test_what_the_policy_only_warns_of_is_counted_apart(tmp_path: Path) -> None:
    plan = build(tmp_path)
    plan.write_text(PLAN + "policy: {warn: [extra, duplicated]}\n", encoding="utf-8")
    result = drill_plan(plan, faults=60)
    warned = {f.kind for f in result.faults if f.warned}
    assert warned == {"entry duplicated"}
    assert (result.score.warned > 0, result.exit_code) == (True, 0)


def test_what_the_policy_allows_up_to_a_number_is_counted_apart_too(tmp_path: Path) -> None:
    plan = build(tmp_path)
    allow = "policy: {allow: [{content: queue, kind: duplicated, at_most: MOST}]}\n"
    plan.write_text(PLAN + allow.replace("MOST", "5"), encoding="utf-8")
    warned = {f.kind for f in drill_plan(plan, faults=60).faults if f.warned}
    assert warned == {"entry duplicated"}
    plan.write_text(PLAN + allow.replace("MOST", "0"), encoding="utf-8")
    assert drill_plan(plan, faults=60).score.warned == 0


# -- beside the verdict ----------------------------------------------------------------------------


def test_the_check_names_the_last_drill_of_its_plan(tmp_path: Path) -> None:
    plan = build(tmp_path)
    assert _checked(plan, tmp_path / "before")["drill"] is None
    result = drill_plan(plan, faults=90)
    told = _checked(plan, tmp_path / "after")["drill"]
    assert (told["planted"], told["caught"], told["kinds"]) == (90, 90, result.score.kinds)
    assert (told["run"], told["strategy"], told["outdated"]) == (result.run, "stream", False)
    page = (tmp_path / "after" / "report.html").read_text(encoding="utf-8")
    said = f"This check would have caught 90 of 90 planted faults of {result.score.kinds} kinds"
    assert said in page
    assert said in (tmp_path / "after" / "summary.md").read_text(encoding="utf-8")


def test_a_drill_of_an_older_contract_is_told_as_such(tmp_path: Path) -> None:
    plan = build(tmp_path)
    drill_plan(plan, faults=20)
    contract = plan.parent / "queue.yaml"
    contract.write_text(contract.read_text(encoding="utf-8") + "at_least: 2\n", encoding="utf-8")
    assert _checked(plan, tmp_path / "after")["drill"]["outdated"] is True
    result, _ = run_check(plan, out=tmp_path / "again", progress=SilentProgress(), environ={})
    (said,) = drill_sentences(result)
    assert "was of an older plan or contract" in said


def test_faults_that_would_not_have_blocked_are_named_beside_the_verdict(tmp_path: Path) -> None:
    plan = build(tmp_path)
    plan.write_text(PLAN + "policy: {warn: [extra, duplicated]}\n", encoding="utf-8")
    warned = drill_plan(plan, faults=60).score.warned
    result, _ = run_check(plan, out=tmp_path / "run", progress=SilentProgress(), environ={})
    caught, passed_over = drill_sentences(result)
    assert caught.startswith("This check would have caught 60 of 60")
    assert passed_over.startswith(f"{warned} of those it would have found and not blocked")


def test_a_drill_of_another_plan_in_the_folder_hides_none(tmp_path: Path) -> None:
    """Nor is it told as one of an older plan."""
    plan = build(tmp_path)
    other = plan.with_name("other.yaml")
    other.write_text(PLAN + "policy: {warn: [extra, duplicated]}\n", encoding="utf-8")
    drill_plan(other, faults=30)
    assert _checked(plan, tmp_path / "before")["drill"] is None
    drill_plan(plan, faults=20)
    drill_plan(other, faults=30)
    told = _checked(plan, tmp_path / "after")["drill"]
    assert (told["planted"], told["outdated"]) == (20, False)


def test_a_drill_of_this_very_plan_goes_before_a_later_one_of_another_state(tmp_path: Path) -> None:
    plan = build(tmp_path)
    drill_plan(plan, faults=20)
    plan.write_text(PLAN + "policy: {warn: [extra, duplicated]}\n", encoding="utf-8")
    drill_plan(plan, faults=30)
    plan.write_text(PLAN, encoding="utf-8")
    told = _checked(plan, tmp_path / "after")["drill"]
    assert (told["planted"], told["outdated"]) == (20, False)


def test_a_drill_beside_the_run_is_found_too(tmp_path: Path) -> None:
    plan = build(tmp_path)
    drill_plan(plan, faults=20, out=tmp_path / "ci")
    assert _checked(plan, tmp_path / "ci")["drill"]["planted"] == 20
    assert _checked(plan, tmp_path / "elsewhere")["drill"] is None


def test_survivors_stand_beside_a_verdict(tmp_path: Path) -> None:
    plan = build(tmp_path, fields=FIELDS.replace("  remark: {type: text}\n", ""))
    drill_plan(plan, faults=30)
    result, _ = run_check(plan, out=tmp_path / "run", progress=SilentProgress(), environ={})
    caught, missed = drill_sentences(result)
    assert caught.startswith("This check would have caught 29 of 30 planted faults")
    assert missed.startswith(
        "It would not have seen 1 fault: queue: column in no contract `remark`"
    )


@pytest.mark.parametrize("text", ["", "{", '{"schema": 2}', '{"schema": 1}', "[]"])
def test_a_drill_that_cant_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    plan = build(tmp_path)
    folder = tmp_path / ".safeguard" / "drills" / "2026"
    folder.mkdir(parents=True)
    (folder / "drill.json").write_text(text, encoding="utf-8")
    assert _checked(plan, tmp_path / "run")["drill"] is None


def _checked(plan: Path, out: Path) -> Any:
    _, folder = run_check(plan, out=out, progress=SilentProgress(), environ={})
    return json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
