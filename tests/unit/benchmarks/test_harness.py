"""The benchmarks measure what they say: what is planted, who was wrong or broke, ratios in pairs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from benchmarks import cells
from benchmarks.__main__ import main
from benchmarks.chart import write_chart
from benchmarks.contenders import LIMIT, RELADIFF, Contender, Failed, Job
from benchmarks.content import Content, Planted, Shape, State
from benchmarks.environments import Environments
from benchmarks.figures import against_others, of_safeguard
from benchmarks.page import write_page
from benchmarks.results import Results
from benchmarks.rounds import Patience, measure, run_once
from benchmarks.stores import Side, Stores

ROWS = 2000
SIDE = Side("parquet", "ratings", ("customer_id", "title_id", "stars", "rated_at"), path="/none")
JOB = Job(SIDE, SIDE, Planted(2, 2))


class Script(Contender):
    """Runs Python code that prints its counts."""

    name = "script"
    title = "a script"

    def __init__(self, code: str) -> None:
        self.code = code

    def command(self, job, folder, environments):
        return [sys.executable, "-c", self.code]

    def found(self, output):
        if not output:
            raise Failed("no counts")
        return json.loads(output)


RIGHT = Script("""print('{"lost": 0, "extra": 0, "changed": 0}')""")
CASES = {
    "right": (RIGHT, "right", ""),
    "wrong": (Script("""print('{"lost": 1, "extra": 0, "changed": 0}')"""), "wrong", "planted"),
    "broken": (Script("raise SystemExit('no table')"), "failed", "no table"),
    "slow": (Script("import time; time.sleep(600)"), "timeout", "ended after 1 s"),
}


@pytest.fixture
def no_servers(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "data")


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", may_install=False)


@pytest.fixture
def servers_folder() -> Iterator[Path]:
    """A folder that the servers' own users can reach, as pytest's are not."""
    with TemporaryDirectory(prefix="safeguard-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("case", CASES)
def test_how_a_run_went_is_shown(case, no_servers, environments):
    contender, status, reason = CASES[case]
    run = run_once(cells.Entry("x", contender, JOB), no_servers, environments, timeout=1.0)
    assert run.status == status, run
    assert reason in run.reason
    assert run.wall is not None
    assert run.wall > 0


def test_memory_is_that_of_the_command_not_of_the_harness(no_servers, environments):
    ballast = b"x" * (200 << 20)
    takes = Script(f"x = b'x' * (64 << 20); {RIGHT.code}")
    small, large = (
        run_once(cells.Entry("x", script, JOB), no_servers, environments, 60)
        for script in (RIGHT, takes)
    )
    assert len(ballast) == 200 << 20
    assert small.peak_mib is not None
    assert small.peak_mib < 64
    assert large.peak_mib is not None
    assert large.peak_mib > 64


def test_who_is_missing_is_named_and_others_take_turns(no_servers, environments):
    entries = (cells.Entry("here", RIGHT, JOB), cells.Entry("missing", RELADIFF, JOB))
    cell = cells.Cell("pairs", "some cell", "postgresql-postgresql", "equal", entries)
    runs = measure(cell, no_servers, environments, Patience(2, 60, 60, warm=False))
    assert [run.status for run in runs["here"]] == ["right", "right"]
    assert [run.status for run in runs["missing"]] == ["not installed"]


@pytest.mark.parametrize("shape", ["records", "lists", "giant"])
@pytest.mark.parametrize("state", ["equal", "few", "many"])
def test_what_is_planted_is_what_an_exact_comparison_finds(shape: Shape, state: State):
    content = Content(shape, ROWS)
    (value, _), (time, _) = content.columns[2:]
    moved = f"o.{value} <> n.{value}" if shape != "records" else "FALSE"
    changed = f"o.{time} <> n.{time} OR (o.{value} <> n.{value} AND NOT ({moved}))"
    joined = f"""
        SELECT count(o.title_id), count(n.title_id), count(*) FILTER (n.title_id IS NULL),
               count(*) FILTER (o.title_id IS NULL), count(*) FILTER ({changed}),
               count(*) FILTER ({moved})
        FROM ({content.query("old")}) o FULL JOIN ({content.query(state)}) n USING (customer_id, title_id)
    """
    with duckdb.connect() as connection:
        found = connection.execute(joined).fetchone()
    planted = content.planted(state)
    assert found == tuple(planted.as_dict().values())
    assert any(found[2:]) == (state != "equal")


def test_rows_of_another_version_are_not_measured(tmp_path):
    Stores(tmp_path)
    (tmp_path / "rows-of.txt").write_text("another", encoding="utf-8")
    with pytest.raises(SystemExit, match="rows of another version"):
        Stores(tmp_path)


def test_ratios_are_made_round_by_round_and_leave_out_who_did_not_end():
    walls = {"us": [1.0, 2.0, 9.0], "them": [2.0, 8.0]}
    entries = {
        name: {"runs": [{"status": "right", "wall": wall} for wall in values]}
        for name, values in walls.items()
    }
    entries["late"] = {"runs": [{"status": "timeout", "wall": 900.0}]}
    results = Results({}, {"cell": {"part": "pairs", "entries": entries}})
    assert results.ratio(("cell", "them"), ("cell", "us")) == 3.0
    assert results.ratio(("cell", "late"), ("cell", "us")) is None
    assert not results.is_right("cell", "late")


@pytest.mark.postgres
@pytest.mark.usefixtures("postgresql")
def test_a_quick_run_finds_what_was_planted_and_writes_a_page(tmp_path, servers_folder):
    options = ["--quick", "--rows", str(ROWS), "--contenders", "safeguard", "limit"]
    places = ["--data", str(servers_folder), "--environments", str(tmp_path / "environments")]
    cell_choice = ["--pairs", "postgresql-postgresql", "--states", "equal", "few"]
    main([*options, *places, *cell_choice, "--out", str(tmp_path)])
    results = Results.read(tmp_path / "benchmarks.json")
    assert sorted(results.cells) == [f"postgresql-postgresql {s}" for s in ("equal", "few")]
    for cell in results.cells:
        assert results.is_right(cell, "safeguard"), results.runs(cell, "safeguard")
        assert results.is_right(cell, LIMIT.name), results.runs(cell, LIMIT.name)
        assert results.runs(cell, "safeguard")[0]["statements"] > 0
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "PostgreSQL to PostgreSQL | 300 differences | Safeguard | 2,000 |" in page
    assert "$" not in page
    assert "bench:bench" not in (tmp_path / "benchmarks.json").read_text(encoding="utf-8")


ABOUT = {
    "machine": dict.fromkeys(("cores", "cpu", "memory_gib", "system"), 1),
    "versions": {"python": "3"},
}


def grown(walls: dict[int, float], status: str = "right") -> Results:
    entries = {
        str(size): {
            "title": "Safeguard",
            "rows": size,
            "runs": [{"status": status, "wall": wall, "cpu": 1.0, "peak_mib": 100.0}],
        }
        for size, wall in walls.items()
    }
    head = {
        "part": "growth",
        "pair": "postgresql-postgresql",
        "state": "few",
        "day": "",
        "commit": "",
        "load": 0.0,
    }
    return Results(ABOUT, {"growth few": {**head, "entries": entries}})


def test_growth_is_time_per_row_against_the_size_before(tmp_path):
    results = grown({1_000_000: 2.0, 5_000_000: 10.0, 50_000_000: 125.0})
    figures = [figure for figure in of_safeguard(results) if figure.value is not None]
    assert [(figure.what, figure.value, figure.holds) for figure in figures] == [
        *[("peak memory", 100.0, True)] * 3,
        ("time per row, 50,000,000 against 5,000,000 rows", pytest.approx(1.25), False),
    ]
    write_page(results, tmp_path / "page.md")
    page = " ".join((tmp_path / "page.md").read_text(encoding="utf-8").split())
    assert "420,000,000 entries a side" in page
    assert "take 18 minutes" in page  # 125 s / 50 million * 420 million
    write_chart(results, tmp_path / "chart.svg")
    assert "time per row over that of 5,000,000" in (tmp_path / "chart.svg").read_text(
        encoding="utf-8"
    )


def test_a_target_is_not_reached_by_a_run_that_found_something_else():
    figures = [f for f in of_safeguard(grown({1_000_000: 0.1}, "wrong")) if f.value is not None]
    assert [figure.holds for figure in figures] == [False]


def test_a_page_of_nothing_says_not_measured(tmp_path):
    results = Results(ABOUT, {})
    write_page(results, tmp_path / "page.md")
    write_chart(results, tmp_path / "chart.svg")
    figures = [
        *of_safeguard(results),
        *(figure for row in against_others(results) for figure in row),
    ]
    assert {figure.holds for figure in figures} == {None}
    assert "not measured" in (tmp_path / "page.md").read_text(encoding="utf-8")
