from __future__ import annotations

from dataclasses import replace

import pytest

import result_examples as examples
from safeguard.findings.result import Coverage, Impact, SegmentCount, SystemInfo
from safeguard.findings.words import Cause, Kind, NewStatus, OldStatus, Verdict
from safeguard.reports import vocabulary, wording


def test_block_says_people_first_and_names_undecided_parts() -> None:
    assert wording.headline(examples.blocked()) == (
        "Do not roll out. 3,214 of 120,000 customers (211 paying, 17 annual) would lose something "
        "or find it damaged; 31,400 entries in playlists are covered by no contract. "
        "Not checked whole: reviews."
    )


def test_block_of_one_customer_is_singular() -> None:
    one = Impact(1, 1, {"paying": SegmentCount(1, 1)}, 1)
    lost = examples.content(findings={"lost": 1}, verdict=Verdict.BLOCK)
    covered = examples.passed().coverage
    result = replace(examples.blocked(), customers=one, contents=(lost,), coverage=covered)
    assert wording.headline(result) == (
        "Do not roll out. 1 of 1 customer (1 paying) would lose something they made."
    )


def test_block_of_changes_alone_does_not_say_lost() -> None:
    changed = examples.content(findings={"changed": 3}, verdict=Verdict.BLOCK)
    result = replace(examples.blocked(), contents=(changed,))
    assert "would find something they made damaged" in wording.headline(result)


def test_block_without_a_customers_table_counts_those_with_content() -> None:
    result = replace(examples.blocked(), customers=Impact(98, 3), contents=(examples.queue(),))
    assert "3 of 98 customers with content would" in wording.headline(result)


def test_block_by_uncovered_tables_names_them() -> None:
    result = replace(examples.blocked(), customers=Impact(98, 0, {}, 98), contents=())
    assert "old.playlists has no contract" in wording.headline(result)


def test_shutdown_has_its_own_words() -> None:
    result = replace(examples.blocked(), kind="shutdown")
    assert wording.headline(result).startswith("Do not shut down.")
    assert vocabulary.destination("shutdown") == "the archive"
    assert {vocabulary.destination(k) for k in ("move", "split", "merge")} == {
        "the new system",
        "the new systems",
        "the merged system",
    }


def test_pass_says_everything_survived() -> None:
    assert wording.headline(examples.passed()) == (
        "Everything that the contracts cover of what 120,000 customers made has survived: "
        "805,102 entries in 2 contents, compared whole, at one moment on each side. "
        "1 table is ignored, with a reason."
    )


def test_pass_says_how_much_was_left_aside() -> None:
    coverage = examples.blocked().coverage
    some = replace(coverage, uncovered=(), ignored=coverage.ignored * 2)
    said = wording.headline(replace(examples.passed(), coverage=some))
    assert said.endswith(" 2 tables are ignored, with reasons; 2 columns are unchecked.")
    whole = wording.headline(replace(examples.passed(), coverage=Coverage(2, 2, (), (), ())))
    assert whole.endswith("on each side.")


@pytest.mark.parametrize("snapshot", ["none: no snapshot", "a snapshot; not in it: t (MyISAM)"])
def test_pass_claims_one_moment_only_where_every_system_held_still(snapshot: str) -> None:
    loose = SystemInfo("exports", "files", "", snapshot, whole_snapshot=False)
    systems = (*examples.passed().systems, loose)
    result = replace(examples.passed(), systems=systems)
    assert "at one moment" not in wording.headline(result)
    assert "at one moment" not in wording.headline(replace(result, systems=()))


@pytest.mark.parametrize("status", [s.value for s in wording.DAMAGED])
def test_pass_by_permission_never_says_everything_survived(status: str) -> None:
    allowed = examples.content(kept=402_550, sums_old={"kept": 402_550, status: 1})
    result = replace(examples.passed(), contents=(allowed,))
    assert "Everything" not in wording.headline(result)
    assert "402,550 of 402,551 entries in 1 content are kept" in wording.headline(result)


def test_pass_with_an_uncovered_table_never_says_everything_survived() -> None:
    uncovered = examples.blocked().coverage.uncovered
    result = replace(examples.passed(), coverage=Coverage(2, 1, (), uncovered, ()))
    assert "Everything" not in wording.headline(result)


@pytest.mark.parametrize("kind", [s.value for s in wording.DAMAGED])
def test_pass_with_a_finding_never_says_everything_survived(kind: str) -> None:
    result = replace(examples.passed(), contents=(examples.content(findings={kind: 1}),))
    assert "Everything" not in wording.headline(result)
    assert "Everything" not in wording.headline(replace(result, contents=()))


def test_pass_with_later_entries_says_that_they_were_not_due() -> None:
    result = replace(examples.passed(), contents=(examples.content(not_due=4),))
    assert "made and that was due has survived" in wording.headline(result)


def test_undecided_gives_the_first_reason() -> None:
    assert wording.headline(examples.undecided()).startswith(
        "This can't be called safe. The connection to dvd was lost after 61 % of ratings"
    )
    assert "left no reason" in wording.headline(examples.empty())
    only = replace(examples.undecided(), reasons=())
    assert "ratings: The connection" in wording.headline(only)


def test_sums_say_when_they_do_not_agree() -> None:
    assert wording.sums_sentence(examples.queue()) == (
        "queue 6,245,118 = 6,195,344 kept + 2,774 lost + 6,000 moved + 41,000 deleted by customers, "
        "counted twice; agree"
    )
    gap = replace(examples.queue().conservation, new=False)
    assert "DO NOT AGREE" in wording.sums_sentence(replace(examples.queue(), conservation=gap))


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0 %"),
        (10, 10, "100 %"),
        (1, 10_000_000, "< 0.1 %"),
        (9_999_999, 10_000_000, "> 99.9 %"),
        (1, 3, "33.3 %"),
        (1, 0, "n/a"),
    ],
)
def test_percent_never_rounds_a_loss_away(part: int, whole: int, said: str) -> None:
    assert vocabulary.percent(part, whole) == said


def test_every_word_of_the_findings_has_words_for_people() -> None:
    assert set(vocabulary.KIND_WORDS) == set(Kind) == set(vocabulary.KIND_MEANINGS)
    assert set(vocabulary.CAUSE_WORDS) >= set(Cause)
    assert set(vocabulary.STATUS_WORDS) >= {*OldStatus, *NewStatus}


def test_listed_cuts_and_says_how_many() -> None:
    assert vocabulary.listed(["a"]) == "a"
    assert vocabulary.listed("ab") == "a and b"
    assert vocabulary.listed("abcdefg", most=2) == "a, b and 5 more"


def test_moment_is_a_date_that_people_read() -> None:
    assert vocabulary.moment("2026-11-02T03:14:07Z") == "2 November 2026, 03:14 UTC"
    assert vocabulary.moment("2026-11-22T03:14:07+02:00") == "22 November 2026, 01:14 UTC"
    assert vocabulary.moment("2026-11-22T03:14:07") == "2026-11-22T03:14:07"
    assert vocabulary.moment("") == ""


def test_known_says_how_far_the_number_can_be_trusted() -> None:
    assert wording.known(examples.blocked()) == (
        "who lose something or find it damaged, as far as known"
    )
    assert wording.known(examples.passed()) == "who lose something"
    changed = examples.content(findings={"changed": 1}, verdict=Verdict.BLOCK)
    one = replace(examples.blocked(), customers=Impact(9, 1), contents=(changed,))
    assert wording.known(one) == "who finds things damaged"


def test_the_next_step_names_the_folder_as_a_shell_takes_it() -> None:
    assert wording.next_step(examples.blocked()).startswith("safeguard report 2026-11-22T03-14-07Z")
    result = replace(examples.blocked(), plan="my plans/safeguard.yaml")
    said = wording.next_step(result, "my reports")
    assert said.startswith("safeguard report 'my reports' --format csv · ")
    assert said.endswith(" · safeguard check 'my plans/safeguard.yaml'")


def test_the_content_line_accounts_for_every_old_entry() -> None:
    sums = {"kept": 552, "deleted": 49, "not_due": 3, "overlapped": 1, "lost": 0}
    content = examples.content(old=605, kept=552, sums_old=sums, findings={"extra": 2})
    assert wording.content_facts(content) == (
        "605 entries",
        "552 kept",
        "49 deleted by customers",
        "3 not due yet",
        "1 overlapped",
    )


@pytest.mark.parametrize(
    ("bare", "said"),
    [
        ("old.t: 12345 entries read, 12346 counted", "old.t: 12,345 entries read, 12,346 counted"),
        (
            "entries add up to 1234567, not to 1234568",
            "entries add up to 1,234,567, not to 1,234,568",
        ),
        (
            "old.t2011: added after 2011-09-18, 2011 of them",
            "old.t2011: added after 2011-09-18, 2011 of them",
        ),
    ],
)
def test_counts_in_sentences_are_grouped_and_years_are_not(bare: str, said: str) -> None:
    assert vocabulary.grouped(bare) == said


def test_the_next_step_of_a_run_that_can_be_gone_on_with_is_to_go_on() -> None:
    command = "safeguard check safeguard.yaml --resume 2026-11-22T03-14-07Z"
    assert wording.next_step(replace(examples.undecided(), resume=command)).endswith(
        f"Resume with: {command}"
    )
    assert "--resume" not in wording.next_step(examples.undecided())
