"""How old what a run read is said to be, and what is left of an older signed verdict: nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from safeguard.findings.result import SystemInfo
from safeguard.runs import create_run, resume_run, undecided
from safeguard.runs.signed import dated

STARTED = dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
START = "2026-03-01T12:30:00+00:00"
TAKEN = "2026-03-01T12:31:00+00:00"
SYSTEMS = (
    SystemInfo("old", "x", "1", "one", taken_at=TAKEN),
    SystemInfo("new", "x", "1", "one"),
)


@pytest.mark.parametrize(("resumed", "expected"), [(False, [TAKEN, START]), (True, [START, START])])
def test_what_nobody_knows_or_was_kept_is_as_old_as_the_run(resumed, expected, tmp_path):
    plan = tmp_path / "safeguard.yaml"
    folder = create_run(plan, tmp_path / "out", STARTED)
    if resumed:
        folder.work.mkdir()
        folder.close()
        folder = resume_run(plan, str(tmp_path / "out"))
    assert folder.resumed is resumed
    assert [info.taken_at for info in dated(SYSTEMS, folder)] == expected
    folder.close()


def test_no_older_signed_verdict_stands_beside_a_new_run(tmp_path: Path):
    signed = tmp_path / "verdict.dsse.json"
    signed.write_text("{}")
    create_run(tmp_path / "safeguard.yaml", tmp_path, STARTED).close()
    assert not signed.exists()


def test_a_run_that_is_interrupted_after_it_signed_leaves_no_signed_verdict(tmp_path: Path):
    folder = create_run(tmp_path / "safeguard.yaml", tmp_path, STARTED)
    folder.write_text("verdict.dsse.json", "{}")
    undecided(folder, STARTED, "the check was interrupted", 130)
    folder.close()
    assert not (tmp_path / "verdict.dsse.json").exists()
