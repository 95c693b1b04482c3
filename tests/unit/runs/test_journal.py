"""What a run remembers, whom it tells, and what makes it forget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import result_examples as examples
from safeguard.comparing.buckets import BucketFile
from safeguard.comparing.gathering import Gathered
from safeguard.comparing.partition import JoinDone
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.runs import journal as kept
from safeguard.runs.journal import JOURNAL, RunJournal, Terms

TERMS = Terms("digest", "safeguard 1, DuckDB 2", False, {"old": "postgresql://h/a", "new": "x"})
READ = Gathered(10, 1, 9, 10, (BucketFile("f", ((0, 4), (7, 5)), 99),), "walks 3")
JOINED = JoinDone({"kept": 5}, {"absent": "f"})
OLD, NEW = ("old", 0), ("new", 0)


@pytest.fixture
def journal(tmp_path: Path) -> RunJournal:
    made = RunJournal(tmp_path)
    made.begin(TERMS)
    made.keep_source("queue", OLD, READ)
    made.keep_source("queue", NEW, READ)
    made.keep_joined("queue", 0, 255, JOINED)
    return made


def again(journal: RunJournal, folder: Path, terms: Terms = TERMS) -> RunJournal:
    journal.close()
    opened = RunJournal(folder)
    opened.begin(terms)
    return opened


def test_the_next_try_knows_it_all(journal, tmp_path):
    opened = again(journal, tmp_path)
    assert opened.source("queue", OLD) == READ
    assert opened.joined("queue", 0, 255) == JOINED
    assert opened.joined("queue", 0, 100) is None
    assert opened.source("ratings", OLD) is None


def test_a_source_that_is_read_again_is_forgotten_before(journal):
    """And what was joined of it; a kill in the middle of the reading must not find it whole."""
    journal.keep_joined("ratings", 0, 255, JOINED)
    journal.forget_sources("queue", [OLD])
    assert journal.source("queue", OLD) is None
    assert journal.source("queue", NEW) == READ
    assert journal.joined("queue", 0, 255) is None
    assert journal.joined("ratings", 0, 255) == JOINED


def test_a_content_that_is_done_needs_nothing_else(journal, tmp_path):
    result = examples.blocked().contents[0]
    journal.keep_result("queue", result, {"finding": "f"})
    opened = again(journal, tmp_path)
    assert opened.result("queue") == (result, {"finding": "f"})
    assert opened.source("queue", OLD) is None
    assert opened.done() == "queue (compared)"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (replace(TERMS, plan_digest="another"), "the plan or a contract changed"),
        (replace(TERMS, program="safeguard 2, DuckDB 2"), "it is safeguard 2, DuckDB 2"),
        (replace(TERMS, reveal=True), "--reveal changed"),
        (replace(TERMS, systems=TERMS.systems | {"new": "y"}), "the url of new changed"),
        (replace(TERMS, systems={"old": "postgresql://h/a"}), "the url of new changed"),
    ],
)
def test_what_changed_is_named_with_what_is_read_again(terms, said, journal, tmp_path):
    with pytest.raises(UsageProblem) as refused:
        again(journal, tmp_path, terms)
    assert said in str(refused.value)
    assert "queue (new 0 read), queue (old 0 read)" in str(refused.value)


def test_after_a_restart_of_the_machine_only_what_was_synced_is_believed(
    journal, tmp_path, monkeypatch
):
    journal.keep_result("ratings", examples.blocked().contents[1], {})
    monkeypatch.setattr(kept, "_boot", lambda: "another start")
    opened = again(journal, tmp_path)
    assert opened.source("queue", OLD) is None
    assert opened.joined("queue", 0, 255) is None
    assert opened.result("ratings") is not None


def test_a_damaged_journal_is_refused(journal, tmp_path):
    journal.close()
    for path in tmp_path.glob(f"{JOURNAL}*"):
        path.write_bytes(b"no such thing" * 1000)
    with pytest.raises(UsageProblem, match="its journal is damaged"):
        RunJournal(tmp_path)


def test_a_journal_that_cannot_be_written_is_no_bug(tmp_path):
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(SystemProblem, match="journal can't be kept"):
        RunJournal(tmp_path)
