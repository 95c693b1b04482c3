"""Real servers under load: a writer changes both sides while they are checked."""

from __future__ import annotations

import pytest

from safeguard.findings.words import Verdict

QUIET_OWNER = 200
"""The writer leaves this one alone."""
_BOTH_POSTGRESQL = ("postgresql", "postgresql")
_OTHERS = (("postgresql", "mariadb"), ("mariadb", "mariadb"))
RUNS = [
    pytest.param(
        _BOTH_POSTGRESQL, n, id=f"postgresql-{n}", marks=[pytest.mark.slow] if n >= 3 else []
    )
    for n in range(10)
] + [
    pytest.param(
        engines,
        n,
        id=f"{'-'.join(engines)}-{n}",
        marks=[pytest.mark.mariadb, *([pytest.mark.slow] if n else [])],
    )
    for engines in _OTHERS
    for n in range(10)
]


@pytest.mark.postgres
@pytest.mark.parametrize(("engines", "run"), RUNS)
def test_what_is_on_its_way_is_no_finding(service, engines, run: int) -> None:
    with service.writing(run):
        result = service.check()
    (content,) = result.contents
    assert content.conservation.old, content.conservation.detail
    assert content.conservation.new, content.conservation.detail
    assert not {kind: n for kind, n in content.findings.items() if kind != "not_compared" and n}
    assert content.looked is not None
    assert content.looked.settled > 0, "the writer wrote nothing that was on its way"
    assert result.verdict is Verdict.PASS or "chang" in " ".join(result.reasons)


@pytest.mark.postgres
@pytest.mark.parametrize(("engines", "run"), RUNS)
def test_a_planted_loss_is_found_among_it(service, engines, run: int) -> None:
    service.new.execute(f"DELETE FROM queue WHERE owner = {QUIET_OWNER} AND item = {run}")
    with service.writing(100 + run):
        result = service.check()
    assert result.verdict is Verdict.BLOCK
    (content,) = result.contents
    assert content.findings["lost"] == 1
    assert set(content.findings) <= {"lost", "not_compared"}
    assert [(s.owner, s.item) for s in content.samples if s.kind == "lost"] == [
        (str(QUIET_OWNER), str(run))
    ]
