from __future__ import annotations

import pytest

import result_examples as examples
from safeguard.reports.bar_view import WIDTH, bar_of


@pytest.mark.parametrize(
    ("kept", "lost", "changed"),
    [(10**9, 1, 0), (1, 10**9, 0), (0, 5, 5), (3, 3, 3), (1, 0, 10**9), (7, 0, 0)],
)
def test_parts_fill_the_bar_and_the_smallest_loss_is_seen(
    kept: int, lost: int, changed: int
) -> None:
    sums = {"kept": kept, "lost": lost, "changed": changed}
    bar = bar_of(examples.content(kept=kept, due=0, sums_old=sums))
    assert {p.tone for p in bar.parts} == {
        tone for tone, n in (("kept", kept), ("gone", lost), ("changed", changed)) if n
    }
    assert bar.parts[0].x == 0
    assert bar.parts[-1].x + bar.parts[-1].width >= WIDTH
    assert all(p.width >= 7 for p in bar.parts)


def test_nothing_to_compare_is_an_empty_bar_in_words_too() -> None:
    bar = bar_of(examples.content(kept=0, due=0, sums_old={}))
    assert (bar.parts, bar.label) == ((), "nothing to compare")


def test_the_label_never_rounds_a_loss_away() -> None:
    bar = bar_of(examples.content(kept=10**9, due=10**9 + 1, sums_old={"kept": 10**9, "lost": 1}))
    assert bar.label == "1,000,000,000 kept (> 99.9 %), 1 lost (< 0.1 %)"


def test_what_was_due_and_has_no_status_is_not_drawn_as_kept() -> None:
    bar = bar_of(examples.content(kept=61, due=100, sums_old={"kept": 61}))
    assert [p.tone for p in bar.parts] == ["kept", "unknown"]
    assert bar.label == "61 kept (61.0 %), 39 not compared (39.0 %)"
