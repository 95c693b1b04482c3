"""A contract's expectations, run by Great Expectations on real databases of both sides."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Verdict
from scenarios.stores import store_csv, store_server, store_sqlite, typed_table
from servers import Database

BLOCK, PASS, UNDECIDED = Verdict.BLOCK, Verdict.PASS, Verdict.UNDECIDED
ENGINES = ("postgresql", "mariadb", "sqlite")
OLD = (("1", "10", "1", "one"), ("1", "11", "2", "two: a"), ("2", "10", "1", None))
ZERO = (("1", "10", "0", "one"), ("1", "11", "2", "two: a"), ("2", "10", "1", None))
"""The same order, but the first position is 0: nothing that a list's compare minds."""
FROM_ONE = {"expect_column_values_to_be_between": {"column": "position", "min_value": 1}}
NOTES = {"expect_column_values_to_be_in_set": {"column": "note", "value_set": ["one"]}}

CONTRACT: dict[str, Any] = {
    "content": "queue",
    "shape": "list",
    "owner": "customer",
    "item": "title",
    "order": "position",
    "fields": {"note": {"type": "text"}},
    "old": {"system": "old", "table": "queue"},
    "new": {"system": "new", "table": "Watch List", "columns": {"note": "lower(note)"}},
}
PLAN = {
    "migration": "expecting",
    "kind": "move",
    "systems": {"old": {"url": "${OLD_URL}"}, "new": {"url": "${NEW_URL}"}},
    "contracts": ["queue.yaml"],
}
Rows = tuple[tuple[str | None, ...], ...]


@dataclass
class Pair:
    """Two databases of one engine, and a plan of them."""

    folder: Path
    engine: str
    make: Callable[[str, str, Rows], str]

    def check(
        self,
        *expectations: Any,
        new: Rows = OLD,
        old: Rows = OLD,
        reveal: bool = False,
        plan: dict[str, Any] | None = None,
        contract: dict[str, Any] | None = None,
    ) -> CheckResult:
        return self.checked(
            self.environ(old, new), *expectations, reveal=reveal, plan=plan, contract=contract
        )

    def checked(
        self,
        environ: dict[str, str],
        *expectations: Any,
        reveal: bool = False,
        plan: dict[str, Any] | None = None,
        contract: dict[str, Any] | None = None,
    ) -> CheckResult:
        self.write(*expectations, plan=plan, contract=contract)
        result, self.run = run_check(
            self.folder / "safeguard.yaml",
            out=self.folder / "run",
            request=Request(reveal=reveal),
            progress=SilentProgress(),
            environ=environ,
        )
        return result

    def command(
        self, environ: dict[str, str], *more: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`safeguard check` as a process, which tells at its end whether it loaded the library."""
        plan, out = str(self.folder / "safeguard.yaml"), str(self.folder / "run")
        return subprocess.run(
            [sys.executable, "-c", _TELL, "check", plan, "--out", out, *more],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=cwd,
            env=os.environ | environ,
        )

    def environ(self, old: Rows = OLD, new: Rows = OLD) -> dict[str, str]:
        return {
            "OLD_URL": self.make("old", "queue", old),
            "NEW_URL": self.make("new", "Watch List", new),
        }

    def write(self, *expectations: Any, plan: Any = None, contract: Any = None) -> None:
        whole = CONTRACT | {"expectations": list(expectations)} | (contract or {})
        (self.folder / "queue.yaml").write_text(json.dumps(whole))
        (self.folder / "safeguard.yaml").write_text(json.dumps(PLAN | (plan or {})))

    def findings(self) -> list[dict[str, Any]]:
        return pq.read_table(self.run / "findings.parquet").to_pylist()

    def verdict(self) -> Any:
        return json.loads((self.run / "verdict.json").read_text())


def pair_of(engine: str, folder: Path, fresh_database: Callable[[str], Database]) -> Pair:
    def make(system: str, name: str, rows: Rows) -> str:
        table = typed_table(
            name,
            ("customer", "title", "position", "note"),
            rows,
            {"customer": "integer", "title": "integer", "position": "integer", "note": "text"},
        )
        if engine in ("postgresql", "mariadb"):
            return store_server(engine, fresh_database(engine), [table])
        place = folder / system
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        return {"sqlite": store_sqlite, "csv": store_csv}[engine](place, [table])

    return Pair(folder, engine, make)


@pytest.fixture(params=ENGINES)
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_database: Callable[[str], Database]
) -> Pair:
    return pair_of(request.param, tmp_path, fresh_database)


@pytest.fixture
def sqlite(tmp_path: Path, fresh_database: Callable[[str], Database]) -> Pair:
    return pair_of("sqlite", tmp_path, fresh_database)


def states(result: CheckResult) -> list[tuple[bool | None, bool | None]]:
    return [(e.old, e.new) for e in result.contents[0].expectations]


def said(result: CheckResult) -> str:
    return " ".join((*result.reasons, *result.notes))


# -- what comes of it ---------------------------------------------------------------------------


def test_what_holds_on_both_sides_passes(pair: Pair) -> None:
    result = pair.check(FROM_ONE, {"expect_table_row_count_to_equal": {"value": 3}})
    assert (result.verdict, states(result)) == (PASS, [(True, True)] * 2), said(result)
    assert "outside of the snapshots" in said(result)
    assert pair.findings() == []


def test_what_held_and_is_broken_blocks(pair: Pair) -> None:
    result = pair.check(FROM_ONE, new=ZERO)
    content = result.contents[0]
    assert (result.verdict, result.exit_code) == (BLOCK, 1), said(result)
    assert content.findings == {"expectation": 1}
    assert content.kept == 3
    assert content.conservation.old
    assert content.conservation.new
    assert "1 of 3 values, such as 0" in said(result)
    (row,) = pair.findings()
    assert {k: v for k, v in row.items() if v is not None} == {
        "content": "queue",
        "kind": "expectation",
        "field": "position",
        "old_value": "expect_column_values_to_be_between(column=position, min_value=1)",
        "new_value": "1 of 3 values, such as 0",
        "system": "new",
    }


def test_what_was_broken_before_warns(pair: Pair) -> None:
    result = pair.check(FROM_ONE, old=ZERO, new=ZERO)
    assert (result.verdict, states(result)) == (PASS, [(False, False)])
    assert "failed on the old side already (1 of 3 values, such as 0): warned of" in said(result)
    assert pair.findings() == []


def test_what_was_mended_is_noted(pair: Pair) -> None:
    result = pair.check(FROM_ONE, old=ZERO)
    assert (result.verdict, states(result)) == (PASS, [(False, True)])
    assert "failed on the old side (1 of 3 values, such as 0), holds in new" in said(result)


def test_an_unknown_expectation_is_undecided(pair: Pair) -> None:
    wrong = {"expect_column_values_to_be_betwen": {"column": "position", "min_value": 1}}
    result = pair.check(FROM_ONE, wrong)
    assert (result.verdict, result.exit_code) == (UNDECIDED, 3)
    assert states(result) == [(True, True), (None, None)]
    assert "Did you mean `expect_column_values_to_be_between`?" in said(result)
    assert [row["kind"] for row in pair.findings()] == ["not_compared"]


def test_an_argument_that_does_not_exist_is_undecided(pair: Pair) -> None:
    wrong = {"expect_column_values_to_be_between": {"column": "position", "minimum": 1}}
    result = pair.check(wrong)
    assert (result.verdict, states(result)) == (UNDECIDED, [(None, None)])
    assert "minimum: extra fields not permitted" in said(result)


def test_an_exception_spoils_no_other_and_is_no_broken_expectation(pair: Pair) -> None:
    """Great Expectations gives what it raised as a result that failed."""
    raising = {"expect_column_values_to_match_regex": {"column": "position", "regex": "("}}
    result = pair.check(raising, FROM_ONE)
    assert (result.verdict, states(result)) == (UNDECIDED, [(None, None), (True, True)])
    assert "expectation" not in result.contents[0].findings


def test_nothing_to_look_at_is_undecided(pair: Pair) -> None:
    result = pair.check(FROM_ONE, old=(), new=())
    assert (result.verdict, states(result)) == (UNDECIDED, [(None, True)])
    assert "there was no entry to look at" in said(result)


def test_a_column_that_has_become_empty_shows_nothing(pair: Pair) -> None:
    """Whatever is expected of its values holds of none."""
    empty = tuple((*row[:3], None) for row in OLD)
    warned = {"policy": {"warn": ["changed"]}}
    texts = {"expect_column_value_lengths_to_be_between": {"column": "note", "min_value": 3}}
    result = pair.check(NOTES, texts, new=empty, plan=warned)
    assert result.verdict is UNDECIDED
    assert [(e.old, e.new) for e in result.contents[0].expectations] == [
        (False, True),
        (True, None),
    ]
    assert "new: there was no value to look at" in result.reasons[0]
    nothing = {"expect_column_values_to_be_null": {"column": "note"}}
    assert pair.check(nothing, new=empty, plan=warned).verdict is PASS
    assert pair.check(texts, new=empty, old=empty, plan=warned).verdict is PASS


def test_a_misspelt_column_is_a_mistake_of_the_contract(pair: Pair) -> None:
    with pytest.raises(UsageProblem, match=r"`positon`\. Did you mean `position`\?"):
        pair.check({"expect_column_values_to_be_between": {"column": "positon", "min_value": 1}})


# -- what is read -------------------------------------------------------------------------------


def test_what_is_left_out_and_deleted_is_not_looked_at(pair: Pair) -> None:
    rows = (*OLD, ("3", "10", "0", "a"), ("3", "11", "99", "gone: x"))
    gone = {
        "where": "position > 0 AND coalesce(note, '') NOT LIKE '%:zz%' -- all",
        "deleted_when": "note = 'gone: x'",
    }
    sides = {"old": CONTRACT["old"] | gone, "new": CONTRACT["new"] | gone}
    few = {
        "expect_column_values_to_be_between": {"column": "position", "min_value": 1, "max_value": 2}
    }
    result = pair.check(
        few, {"expect_table_row_count_to_equal": {"value": 3}}, old=rows, new=rows, contract=sides
    )
    assert states(result) == [(True, True)] * 2, said(result)


def test_colons_of_a_contract_are_no_parameters(
    tmp_path: Path, fresh_database: Callable[[str], Database]
) -> None:
    pair = pair_of("postgresql", tmp_path, fresh_database)
    columns = {"columns": {"note": "(note::text || ':a' || '\\:b')::varchar"}}
    sides = {side: CONTRACT[side] | columns for side in ("old", "new")}
    ending = {"expect_column_values_to_match_regex": {"column": "note", "regex": r":a\\:b$"}}
    result = pair.check(ending, contract=sides)
    assert states(result) == [(True, True)], said(result)


def test_mostly_is_handed_on(pair: Pair) -> None:
    half = {
        "expect_column_values_to_be_in_set": {"column": "note", "value_set": ["one"], "mostly": 0.5}
    }
    result = pair.check(half, NOTES)
    assert states(result) == [(True, True), (False, False)]


def test_text_of_customers_is_masked_unless_revealed(pair: Pair) -> None:
    new = (*OLD[:2], ("2", "10", "1", "a secret"))
    two = {"expect_column_values_to_be_in_set": {"column": "note", "value_set": ["one", "two: a"]}}
    masked = pair.check(two, new=new, old=OLD)
    files = b"".join(p.read_bytes() for p in pair.run.rglob("*") if p.is_file())
    assert "1 of 3 values, such as [8 characters, masked]" in said(masked)
    assert b"a secret" not in files
    assert "such as a secret" in said(pair.check(two, new=new, old=OLD, reveal=True))


def test_the_policy_decides_whether_it_blocks(sqlite: Pair) -> None:
    warn = {"policy": {"warn": ["expectation", "extra"]}}
    assert sqlite.check(FROM_ONE, new=ZERO, plan=warn).verdict is PASS
    allow = {"policy": {"allow": [{"content": "queue", "kind": "expectation", "at_most": 1}]}}
    assert sqlite.check(FROM_ONE, new=ZERO, plan=allow).verdict is PASS
    unique = {"expect_column_values_to_be_unique": {"column": "position"}}
    two = {"expect_column_min_to_be_between": {"column": "position", "min_value": 1}}
    assert (
        states(sqlite.check(FROM_ONE, two, unique, new=ZERO, plan=allow))[:2] == [(True, False)] * 2
    )
    assert sqlite.check(FROM_ONE, two, new=ZERO, plan=allow).verdict is BLOCK


def test_in_a_split_each_new_system_is_asked(sqlite: Pair) -> None:
    environ = sqlite.environ(OLD, OLD) | {"DVD_URL": sqlite.make("dvd", "queue", ZERO)}
    systems = PLAN["systems"] | {"dvd": {"url": "${DVD_URL}"}}
    plan = {"kind": "split", "systems": systems}
    new = [CONTRACT["new"], {"system": "dvd", "table": "queue"}]
    result = sqlite.checked(environ, FROM_ONE, plan=plan, contract={"new": new})
    found = [(e.system, e.old, e.new) for e in result.contents[0].expectations]
    assert (result.verdict, found) == (BLOCK, [("new", True, True), ("dvd", True, False)])
    by_system = {r.system: r.findings for r in result.contents[0].routes}
    assert by_system == {"new": {}, "dvd": {"expectation": 1}}


def test_a_new_system_that_is_due_nothing_may_be_empty(sqlite: Pair) -> None:
    environ = sqlite.environ(OLD, OLD) | {"DVD_URL": sqlite.make("dvd", "queue", ())}
    systems = PLAN["systems"] | {"dvd": {"url": "${DVD_URL}"}}
    new = [CONTRACT["new"], {"system": "dvd", "table": "queue", "receives": "title > 99"}]
    plan = {"kind": "split", "systems": systems}
    assert sqlite.checked(environ, FROM_ONE, plan=plan, contract={"new": new}).verdict is PASS
    elsewhere = [CONTRACT["new"], {"system": "dvd", "table": "queue"}]
    lost = sqlite.checked(environ, FROM_ONE, plan=plan, contract={"new": elsewhere})
    assert lost.verdict is BLOCK
    assert "dvd: there was no entry to look at" in said(lost)


def test_in_a_merge_what_one_old_side_broke_is_no_news(sqlite: Pair) -> None:
    more = (("7", "1", "0", "x"),)
    urls = {
        "EU_URL": sqlite.make("eu", "queue", OLD),
        "US_URL": sqlite.make("us", "queue", more),
        "NEW_URL": sqlite.make("new", "Watch List", OLD + more),
    }
    systems = {name: {"url": f"${{{name.upper()}_URL}}"} for name in ("eu", "us", "new")}
    old = [{"system": name, "table": "queue"} for name in ("eu", "us")]
    plan = {"kind": "merge", "systems": systems}
    result = sqlite.checked(urls, FROM_ONE, plan=plan, contract={"old": old})
    assert (result.verdict, states(result)) == (PASS, [(False, False)])


def test_a_waived_one_is_waived_in_its_route_too(sqlite: Pair) -> None:
    """Whoever shows each route by itself must not show it as broken."""
    waiver = {"id": "W-1", "content": "queue", "kind": "expectation", "at_most": 1}
    signed = {"reason": "counts from 0", "approved_by": "Ada", "expires": "2999-12-31"}
    (sqlite.folder / "waivers.yaml").write_text(json.dumps({"waivers": [waiver | signed]}))
    result = sqlite.check(FROM_ONE, new=ZERO, plan={"waivers": "waivers.yaml"})
    (content,) = result.contents
    (route,) = content.routes
    assert result.verdict is PASS
    assert dict(content.waived) == dict(route.waived) == {"expectation": 1}


def test_files_are_not_asked_and_so_undecided(tmp_path: Path, fresh_database: Any) -> None:
    csv = pair_of("csv", tmp_path, fresh_database)
    csv.write(FROM_ONE, contract={"keys": {"position": "integer"}})
    environ = csv.environ(OLD, OLD)
    done = csv.command(environ)
    assert (done.returncode, loaded(done)) == (3, False), done.stderr
    content = json.loads((csv.folder / "run" / "verdict.json").read_text())["contents"][0]
    assert content["findings"] == {"not_compared": 1}
    assert "expectations can't be run on files yet, only on databases" in content["reasons"][0]


# -- how it is run ------------------------------------------------------------------------------

_TELL = """
import atexit, sys
def tell():
    heavy = {"great_expectations", "pandas"} & set(sys.modules)
    print("LOADED" if heavy else "FREE", file=sys.__stderr__)
atexit.register(tell)
from safeguard.cli import main
main()
"""


def loaded(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.stderr.endswith(("LOADED\n", "FREE\n"))
    return done.stderr.endswith("LOADED\n")


def test_it_is_loaded_only_where_a_contract_has_expectations(sqlite: Pair) -> None:
    environ = sqlite.environ()
    sqlite.write()
    done = sqlite.command(environ)
    assert (done.returncode, loaded(done)) == (0, False), done.stderr
    helped = subprocess.run(
        [sys.executable, "-c", _TELL, "--help"], capture_output=True, text=True, timeout=60
    )
    assert (helped.returncode, loaded(helped)) == (0, False)


def test_it_says_nothing_and_leaves_nothing(pair: Pair) -> None:
    """A program of its own, as a pipeline runs it: no noise, no file beside the run's, no password."""
    home = pair.folder / "home"
    for folder in ("home", "home/here", "home/tmp"):
        (pair.folder / folder).mkdir()
    pair.write(FROM_ONE, NOTES, {"expect_nothing": {}})
    environ = pair.environ() | {"HOME": str(home), "TMPDIR": str(home / "tmp")}
    environ |= {"GX_CLOUD_ACCESS_TOKEN": "no-such-token", "GX_CLOUD_ORGANIZATION_ID": "nobody"}
    done = pair.command(environ, cwd=home / "here")
    assert (done.returncode, loaded(done)) == (3, True), done.stderr
    assert done.stderr == "LOADED\n"
    assert [p.name for p in home.rglob("*")] in (["here", "tmp"], ["tmp", "here"])


def test_it_can_write_nowhere(pair: Pair) -> None:
    """What a contract asks is SQL too, and its connections are as read only as ours."""
    environ = pair.environ()
    statement = "DELETE FROM queue WHERE EXISTS (SELECT 1 FROM {batch} b)"
    statement += " RETURNING *" if pair.engine == "postgresql" else ""
    writing = {"unexpected_rows_expectation": {"unexpected_rows_query": statement}}
    result = pair.checked(environ, writing)
    assert (result.verdict, states(result)) == (UNDECIDED, [(None, None)])
    assert pair.checked(environ).contents[0].old == 3


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_password_is_never_shown(
    engine: str, tmp_path: Path, fresh_database: Callable[[str], Database]
) -> None:
    pair = pair_of(engine, tmp_path, fresh_database)
    environ = pair.environ()
    secret = "s3cr3t-0f-ours"
    for name in environ:
        scheme, _, rest = environ[name].partition("://")
        environ[name] = f"{scheme}://{rest.replace('@', f':{secret}@', 1)}"
    assert secret in environ["OLD_URL"]
    pair.write(FROM_ONE, {"expect_nothing": {}})
    done = pair.command(environ)
    told = done.stdout + done.stderr
    files = b"".join(p.read_bytes() for p in (pair.folder / "run").rglob("*") if p.is_file())
    assert secret not in told
    assert secret.encode() not in files


def test_a_statement_that_takes_too_long_is_undecided(
    tmp_path: Path, fresh_database: Callable[[str], Database]
) -> None:
    pair = pair_of("postgresql", tmp_path, fresh_database)
    slow = {
        "unexpected_rows_expectation": {"unexpected_rows_query": "SELECT pg_sleep(60) FROM {batch}"}
    }
    pair.write(slow, FROM_ONE)
    done = pair.command(pair.environ(), "--statement-timeout", "0.5")
    assert done.returncode == 3
    verdict = json.loads((pair.folder / "run" / "verdict.json").read_text())
    assert [e["new"] for e in verdict["contents"][0]["expectations"]] == [None, True]
    assert "statement timeout" in verdict["contents"][0]["reasons"][0]


def test_the_context_of_a_user_stays_his(sqlite: Pair) -> None:
    sqlite.check(FROM_ONE)  # loads it, quietly
    import great_expectations as gx
    from great_expectations.data_context.data_context.context_factory import project_manager

    theirs = gx.get_context(mode="ephemeral")
    sqlite.check(FROM_ONE)
    assert project_manager.get_current_project() is theirs


def test_a_run_that_goes_on_asks_again(sqlite: Pair) -> None:
    """What was compared is kept; what was asked outside of the snapshots is not."""
    sqlite.write(FROM_ONE)
    environ = os.environ | sqlite.environ(OLD, ZERO)
    kill = "safeguard.checking.ask_expectations = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    killed = (
        f"import os, signal, safeguard.checking\n{kill}\nfrom safeguard.cli import main\nmain()"
    )
    command = [sys.executable, "-c", killed, "check", "safeguard.yaml"]
    first = subprocess.run(command, cwd=sqlite.folder, env=environ, timeout=120)
    assert first.returncode < 0
    again = [sys.executable, "-m", "safeguard", "check", "safeguard.yaml", "--resume", "last"]
    second = subprocess.run(
        again, cwd=sqlite.folder, env=environ, timeout=120, capture_output=True, text=True
    )
    assert second.returncode == 1, second.stderr
    (run,) = (sqlite.folder / ".safeguard" / "runs").iterdir()
    found = pq.read_table(run / "findings.parquet").to_pylist()
    assert [row["kind"] for row in found] == ["expectation"]


def test_under_a_ceiling_of_a_segment_it_counts_for_everybody(sqlite: Pair) -> None:
    environ = sqlite.environ(OLD, ZERO)
    allowance = {"content": "queue", "kind": "expectation", "segment_at_most": {"few": 0}}
    customers = {
        "old": {"system": "old", "table": "customers", "key": "customer"},
        "segments": {"few": "customer = 2"},
    }
    query = "SELECT DISTINCT customer FROM queue"
    connection = sqlite3.connect(sqlite.folder / "old" / "content.db")
    connection.execute(f"CREATE TABLE customers AS {query}")
    connection.commit()
    connection.close()
    plan = {"customers": customers, "policy": {"allow": [allowance]}}
    result = sqlite.checked(environ, FROM_ONE, plan=plan)
    assert result.verdict is BLOCK, said(result)
    assert "more than the 0 that the policy allows" in said(result)
