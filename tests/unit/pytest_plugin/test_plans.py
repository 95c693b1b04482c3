"""`pytest --safeguard PLAN`: which tests there are, what they say, and what pytest ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from small_plans import Run, make_plan

LOST = ("DELETE FROM queue WHERE customer_id = 3",)


def outcomes(done: pytest.RunResult) -> dict[str, str]:
    """Test -> outcome, of a run with -v, by one process or by workers."""
    found = {}
    for line in done.outlines:
        words = line.replace("safeguard.yaml::", "\0").partition("\0")
        for word in ("PASSED", "FAILED", "ERROR", "SKIPPED"):
            if words[1] and line.endswith("%]") and f" {word}" in f" {line}":
                name = words[2].split(" PASSED")[0].split(" FAILED")[0].split("  ")[0].strip()
                found[name] = word
    return found


def runs(folder: Path) -> list[Path]:
    return sorted((folder / ".safeguard" / "runs").glob("*"))


def test_each_content_and_route_is_a_test(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    done = run("--safeguard", "safeguard.yaml", "-v")
    assert done.ret == 0
    names = ["queue", "queue[streaming]", "queue[dvd]", "ratings", "ratings[streaming]"]
    assert outcomes(done) == dict.fromkeys([*names, "coverage", "verdict"], "PASSED")
    done.stdout.fnmatch_lines(
        [
            "*= safeguard =*",
            "safeguard.yaml",
            "  PASS  Everything that the contracts cover*has survived: 18 entries in 2 contents*",
            "  note    no customers table is declared: segments and orphans were not judged",
            "  report  .safeguard/runs/*/report.html",
        ]
    )


def test_a_block_fails_the_run_and_the_parts_that_show_it(
    pytester: pytest.Pytester, run: Run
) -> None:
    make_plan(pytester.path, spoil=LOST)
    done = run("--safeguard", "safeguard.yaml", "-v")
    assert done.ret == 1
    failed = {name for name, outcome in outcomes(done).items() if outcome == "FAILED"}
    assert failed == {"queue", "queue[dvd]", "verdict"}
    assert done.outlines[done.outlines.index("=" * 35 + " FAILURES " + "=" * 35) + 1 :][:9] == [
        f"{' queue ':_^80}",
        "BLOCK  9 entries, 8 kept, 1 lost, 1 customer",
        "queue: 1 entry is lost in dvd; 1 customer",
        f"{' queue[dvd] ':_^80}",
        "BLOCK  9 due, 8 kept, 1 lost",
        "1 entry is lost in dvd",
        f"{' verdict ':_^80}",
        "BLOCK  Do not roll out. 1 of 9 customers with content would lose something they made.",
        "queue: 1 entry is lost in dvd; 1 customer",
    ]
    assert "Traceback" not in done.stdout.str()
    assert ".py:" not in done.stdout.str()


def test_an_undecided_check_fails_everything(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    (pytester.path / "dvd.sqlite").write_bytes(b"not a database, and no file of SQLite" * 40)
    done = run("--safeguard", "safeguard.yaml", "-v")
    assert done.ret == 1
    assert set(outcomes(done).values()) == {"FAILED"}
    assert len(outcomes(done)) == 7
    done.stdout.fnmatch_lines(["UNDECIDED  *", "*dvd*not a database*"])
    assert "Traceback" not in done.stdout.str()


def test_what_can_not_be_compared_is_told_of_its_content(
    pytester: pytest.Pytester, run: Run
) -> None:
    make_plan(pytester.path)
    ratings = json.loads((pytester.path / "ratings.yaml").read_text())
    ratings["at_least"] = 50
    (pytester.path / "ratings.yaml").write_text(json.dumps(ratings))
    done = run("--safeguard", "safeguard.yaml", "-v")
    assert done.ret == 1
    failed = {name for name, outcome in outcomes(done).items() if outcome == "FAILED"}
    assert failed == {"ratings", "ratings[streaming]", "verdict"}
    done.stdout.fnmatch_lines(["UNDECIDED  9 entries, 9 kept", "ratings:*50*"])


def test_a_missing_column_fails_in_words(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path, spoil=("ALTER TABLE queue RENAME place TO rank_no",))
    done = run("--safeguard", "safeguard.yaml")
    assert done.ret == 1
    done.assert_outcomes(failed=7)
    done.stdout.fnmatch_lines(
        ["UNDECIDED  It was not checked.", "*queue.yaml:1:*dvd.queue has no column `place`*"]
    )
    assert "Traceback" not in done.stdout.str()


def test_a_mistake_in_the_plan_ends_the_collection(pytester: pytest.Pytester, run: Run) -> None:
    plan = make_plan(pytester.path)
    plan.write_text(plan.read_text().replace("contracts", "contract"))
    done = run("--safeguard", "safeguard.yaml")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines(["*safeguard.yaml:1:*unknown key `contract`*"])
    assert runs(pytester.path) == []


def test_a_missing_plan_is_a_usage_error(pytester: pytest.Pytester, run: Run) -> None:
    done = run("--safeguard", "nowhere.yaml")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --safeguard: there is no plan nowhere.yaml"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("arguments", [(), (".",), ("--ignore", "build"), ("test_one.py",)])
def test_a_plan_is_collected_whatever_is_ignored(
    arguments: tuple[str, ...], workers: tuple[str, ...], pytester: pytest.Pytester, run: Run
) -> None:
    """`build` is among pytest's norecursedirs: no green run may come of a plan inside."""
    plan = make_plan(pytester.path / "build", spoil=LOST)
    pytester.makepyfile(test_one="def test_one(): pass")
    run("--safeguard", plan, *arguments, *workers).assert_outcomes(passed=5, failed=3)


def test_a_selection_reaches_the_plan(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    run("--safeguard", "safeguard.yaml", "-k", "dvd").assert_outcomes(passed=1, deselected=6)
    skipped = "safeguard.yaml::verdict"
    pytester.makepyfile(test_one="def test_one(): pass")
    done = run("--safeguard", "safeguard.yaml", "test_one.py", "--deselect", skipped)
    done.assert_outcomes(passed=7, deselected=1)


def test_collecting_asks_no_system(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    (pytester.path / "old.sqlite").unlink()
    done = run("--safeguard", "safeguard.yaml", "--collect-only", "-q")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["safeguard.yaml::queue[[]dvd]", "safeguard.yaml::verdict"])
    done.stdout.fnmatch_lines(["  not checked: none of its tests was run"])
    assert runs(pytester.path) == []


@pytest.mark.parametrize(
    ("argument", "names"),
    [
        ("safeguard.yaml::ratings", {"ratings", "ratings[streaming]"}),
        ("safeguard.yaml::queue[dvd]", {"queue[dvd]"}),
        ("safeguard.yaml::verdict", {"verdict"}),
    ],
)
def test_a_part_is_run_alone(
    argument: str, names: set[str], pytester: pytest.Pytester, run: Run
) -> None:
    make_plan(pytester.path)
    done = run("--safeguard", "safeguard.yaml", argument, "-v")
    assert set(outcomes(done)) == names


def test_other_tests_run_beside(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    pytester.makepyfile("def test_one(): pass")
    run("--safeguard", "safeguard.yaml").assert_outcomes(passed=8)
    run("--safeguard", "safeguard.yaml", ".").assert_outcomes(passed=8)
    run("--safeguard", "safeguard.yaml", "safeguard.yaml").assert_outcomes(passed=7)
    run(".").assert_outcomes(passed=1)


def test_several_plans(pytester: pytest.Pytester, run: Run) -> None:
    for name, spoil in (("first", ()), ("second", LOST)):
        make_plan(pytester.path / name, spoil=spoil)
    plans = ("first/safeguard.yaml", "second/safeguard.yaml", "first/safeguard.yaml")
    asked = [word for plan in plans for word in ("--safeguard", plan)]
    done = run(*asked, "--safeguard-out", "reports")
    done.assert_outcomes(passed=11, failed=3)
    verdicts = {
        name: json.loads(
            (pytester.path / f"reports/{name}/safeguard.yaml/verdict.json").read_text()
        )["verdict"]
        for name in ("first", "second")
    }
    assert verdicts == {"first": "PASS", "second": "BLOCK"}
    assert runs(pytester.path / "first") == []


def test_a_plan_by_a_link_is_read_where_the_link_is(pytester: pytest.Pytester, run: Run) -> None:
    """As the command line reads it: contracts are relative to the name that was given."""
    plan = make_plan(pytester.path / "here")
    (pytester.path / "there").mkdir()
    plan.rename(pytester.path / "there" / "real.yaml")
    plan.symlink_to("../there/real.yaml")
    twice = ("--safeguard", "here/../here/safeguard.yaml", "--safeguard", plan)
    run(*twice).assert_outcomes(passed=7)


def test_names_of_odd_characters(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path, queue="Ätt göra - 見る. v2", ratings="verdict")
    done = run("--safeguard", "safeguard.yaml", "--collect-only", "-q")
    assert [line for line in done.outlines if "::" in line] == [
        f"safeguard.yaml::{name}"
        for name in (
            "Ätt göra - 見る. v2",
            "Ätt göra - 見る. v2[streaming]",
            "Ätt göra - 見る. v2[dvd]",
            "verdict",
            "verdict[streaming]",
            "coverage",
            "verdict (2)",
        )
    ]
    run("--safeguard", "safeguard.yaml", "-n", "2").assert_outcomes(passed=7)
    one = run("--safeguard", "safeguard.yaml", "safeguard.yaml::Ätt göra - 見る. v2[dvd]")
    one.assert_outcomes(passed=1)


@pytest.mark.parametrize("spread", ["load", "loadfile", "each"])
def test_workers_check_once(spread: str, pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path, spoil=LOST)
    done = run("--safeguard", "safeguard.yaml", "-n", "2", "--dist", spread)
    times = 2 if spread == "each" else 1
    done.assert_outcomes(passed=4 * times, failed=3 * times)
    assert len(runs(pytester.path)) == 1
    done.stdout.fnmatch_lines(["  BLOCK  Do not roll out. 1 of 9 customers*"])


def test_junit_of_pytest_carries_the_verdicts(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path, spoil=LOST)
    run("--safeguard", "safeguard.yaml", "--junit-xml", "junit.xml")
    text = (pytester.path / "junit.xml").read_text()
    assert 'name="queue[dvd]"' in text
    assert 'name="safeguard_verdict" value="BLOCK"' in text
    assert 'failures="3"' in text


BROKEN = """
import os
import pathlib
import safeguard.api

real = safeguard.api.run_check

def run_check(*arguments, **more):
    with pathlib.Path("asked").open("a") as file:
        file.write("x")
    if len(pathlib.Path("asked").read_text()) == 1:
        {does}
    return real(*arguments, **more)

safeguard.api.run_check = run_check
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_fault_of_our_own_fails_all_and_is_not_tried_again(
    workers: tuple[str, ...], pytester: pytest.Pytester, run: Run
) -> None:
    make_plan(pytester.path)
    pytester.makeconftest(BROKEN.format(does="raise RuntimeError('boom')"))
    done = run("--safeguard", "safeguard.yaml", *workers)
    done.assert_outcomes(failed=7)
    done.stdout.fnmatch_lines(
        ["*RuntimeError: boom*", "*a fault of Safeguard's own: RuntimeError*"]
    )
    assert (pytester.path / "asked").read_text() == "x"


def test_a_worker_that_dies_leaves_the_check_to_another(
    pytester: pytest.Pytester, run: Run
) -> None:
    make_plan(pytester.path)
    pytester.makeconftest(BROKEN.format(does="os._exit(9)"))
    done = run("--safeguard", "safeguard.yaml", "-n", "2")
    done.assert_outcomes(failed=1, passed=6)
    done.stdout.fnmatch_lines(["*worker 'gw*' crashed while running 'safeguard.yaml::*"])


def test_an_interrupted_check_is_no_pass(pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path)
    pytester.makeconftest(BROKEN.format(does="raise KeyboardInterrupt"))
    done = run("--safeguard", "safeguard.yaml")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines(["  not checked: none of its tests was run*"])
