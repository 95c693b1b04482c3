"""`safeguard_check` and `assert_survives` in the tests of a migration."""

from __future__ import annotations

import pytest

from small_plans import Run, make_plan

TESTS = """
    from safeguard import Verdict

    CONTRACT = {"owner": "id", "item": "title", "fields": ["stars"]}
    OLD = [{"id": 1, "title": "a", "stars": 5}, {"id": 1, "title": "b", "stars": 4}]

    def test_survives(assert_survives):
        assert_survives(old=OLD, new=list(OLD), contract=CONTRACT)

    def test_does_not(assert_survives):
        assert_survives(old=OLD, new=OLD[:1], contract=CONTRACT)

    def test_has_a_mistake(assert_survives):
        assert_survives(old=OLD, new=OLD, contract={**CONTRACT, "itm": "title"})

    def test_the_plan(safeguard_check):
        result = safeguard_check("safeguard.yaml")
        assert result.verdict is Verdict.BLOCK
        assert [f.owner for f in result.findings()] == ["3"]

    def test_demands(safeguard_check):
        assert safeguard_check("safeguard.yaml")
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_fixtures(workers: tuple[str, ...], pytester: pytest.Pytester, run: Run) -> None:
    make_plan(pytester.path, spoil=("DELETE FROM queue WHERE customer_id = 3",))
    pytester.makepyfile(TESTS)
    done = run(*workers)
    done.assert_outcomes(passed=2, failed=3)
    done.stdout.fnmatch_lines(
        [
            "E*DidNotSurvive: BLOCK  Do not roll out. 1 of 1 customer with content would lose*",
            "E*content: 1 entry is lost in new; 1 customer",
            "E*kind  owner  item  system",
            "E*lost  1      b     new",
            "E*report  */report.html",
        ],
    )
    done.stdout.fnmatch_lines(
        ["E*assert <Result BLOCK: Do not roll out. 1 of 9 customers with content would lose*"]
    )
    done.stdout.fnmatch_lines(["E*UsageProblem: contract  unknown key `itm`. There are *"])
    assert "survive.py" not in done.stdout.str()
    assert "contextlib.py" not in done.stdout.str()
    assert not (pytester.path / ".safeguard").exists()
