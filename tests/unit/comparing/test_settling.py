"""A live check, look by look: what agrees once is settled, what stays is found, what keeps changing
is undecided. Nothing here waits: the script says what each look finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from live_play import Play, Seen, watch
from safeguard.findings.words import Verdict

RECORD: dict[str, Any] = {
    "shape": "record",
    "owner": "owner",
    "item": "item",
    "fields": {"value": {"type": "text"}},
}
LIST: dict[str, Any] = {"shape": "list", "owner": "owner", "item": "item", "order": "position"}
SPLIT: dict[str, Any] = RECORD | {
    "new": [
        {"system": "new0", "table": "t", "receives": "medium = 'a'"},
        {"system": "new1", "table": "t", "receives": "medium = 'b'"},
    ]
}


def e(owner: int, item: int, value: str | None = "v", position: int = 0, medium: str = "a"):
    return {
        "owner": owner,
        "item": item,
        "value": value,
        "position": position or item,
        "medium": medium,
    }


SAME = [e(8, 1), e(9, 1), e(9, 2)]
"""What nobody writes to."""


@pytest.fixture
def live(tmp_path: Path):
    def run(*script: Any, contract: Any = RECORD, dialect: str = "arrow", **patience: Any) -> Seen:
        looks = [[[*SAME, *side] for side in look] for look in script]
        play = Play(looks, dialect)
        seen = watch(tmp_path, play, contract, **patience)
        seen.add_up()
        assert set(play.held) <= {0}  # nobody holds a snapshot while he waits
        return seen

    return run


A, B = [e(1, 1)], [e(1, 1, "w")]
SETTLES = {
    "an insert that follows": ([A, []], [A, A]),
    "an update that follows": ([B, A], [B, B]),
    "a delete that follows": ([[], A], [[], []]),
    "a delete on both sides": ([A, []], [[], []]),
    "written first where it is new": ([[], A], [A, A]),
    "at the last look only": ([A, []], [A, []], [A, []], [A, A]),
    "once, and then not again": ([A, []], [A, A], [A, []], [A, []]),
    "NULL on its way": ([[e(1, 1, None)], A], [A, A]),
    "entries that repeat": ([[*A, *A], A], [[*A, *A], [*A, *A]]),
}


@pytest.mark.parametrize("script", SETTLES.values(), ids=SETTLES)
def test_what_agrees_once_is_settled(live, script):
    seen = live(*script, tries=3)
    assert seen.kinds == []
    assert seen.result.verdict is Verdict.PASS
    assert seen.result.looked.settled == 1
    assert any("agreed when looked at again" in note for note in seen.result.notes)


def test_what_settled_counts_as_kept_and_as_a_partner(live):
    seen = live([A, []], [A, A])
    assert seen.result.kept == 4
    seen = live([[], A], [[], []])
    assert seen.result.sums_new["partner"] == 4


STAYS = {
    "lost": ([A, []], [("lost", "1", "1")]),
    "extra": ([[], A], [("extra", "1", "1")]),
    "changed": ([A, B], [("changed", "1", "1")]),
    "duplicated": ([A, [*A, *A]], [("duplicated", "1", "1")]),
    "misattributed": (
        [[e(1, 1, "x"), e(1, 2, "y")], [e(2, 1, "x"), e(2, 2, "y")]],
        [("misattributed", "1", "1"), ("misattributed", "1", "2")],
    ),
}


@pytest.mark.parametrize("dialect", ["arrow", "postgresql"])
@pytest.mark.parametrize(("look", "kinds"), STAYS.values(), ids=STAYS)
def test_what_stays_is_found(live, look, kinds, dialect):
    seen = live(look, dialect=dialect)
    assert seen.kinds == kinds
    assert seen.result.looked.looks == 5
    assert seen.result.looked.open > 0
    blocks = kinds[0][0] != "extra"
    assert seen.result.verdict is (Verdict.BLOCK if blocks else Verdict.PASS)


def test_a_loss_among_others_that_settle(live):
    many = [e(n, 1) for n in range(10, 60)]
    seen = live([[*many, *A], []], [[*many, *A], many[:30]], [[*many, *A], many])
    assert seen.kinds == [("lost", "1", "1")]
    assert seen.result.looked.settled == 50


CHANGING = {
    "another value each time": [[[e(1, 1, str(n))], [e(1, 1, str(n - 1))]] for n in range(6)],
    "now lost, now changed": [[A, []], [A, B], [A, []], [A, B], [A, []], [A, B]],
    "lost, with another value each time": [[[e(1, 1, str(n))], []] for n in range(6)],
}


@pytest.mark.parametrize("script", CHANGING.values(), ids=CHANGING)
def test_what_keeps_changing_is_undecided_and_named(live, script):
    seen = live(*script)
    assert {kind for kind, _, _ in seen.kinds} == {"not_compared"}
    assert seen.result.verdict is Verdict.UNDECIDED
    assert "1 entry keeps changing: 1 1" in seen.result.reasons


def test_a_new_entry_that_keeps_changing_is_undecided(live):
    seen = live(*[[[], [e(1, 1, str(n))]] for n in range(6)])
    assert seen.kinds == [("not_compared", "1", "1")]
    assert seen.result.sums_new["not_compared"] == 1


OTHERWISE = {
    "lost, then changed": ([[A, []], [A, B]], [("changed", "1", "1")]),
    "changed, then lost": ([[A, B], [A, []]], [("lost", "1", "1")]),
    "extra, then changed": ([[[], B], [A, B]], [("changed", "1", "1")]),
    "changed, then extra": ([[A, B], [[], B]], [("extra", "1", "1")]),
    "lost, then duplicated": ([[A, []], [A, [*A, *A]]], [("duplicated", "1", "1")]),
}


@pytest.mark.parametrize(("script", "kinds"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_comes_to_differ_otherwise_and_stays_so(live, script, kinds):
    assert live(*script).kinds == kinds


def test_the_evidence_is_the_last_one(live):
    old = [[e(1, 1, "old")]]
    seen = live([*old, A], [*old, B], [*old, B])
    assert [(f["old_value"], f["new_value"]) for f in seen.findings] == [("old", "w")]


def test_a_change_that_stays_while_another_field_is_written(tmp_path):
    contract = RECORD | {"fields": {"value": {"type": "text"}, "medium": {"type": "text"}}}
    looks = [[[e(1, 1, "a", 0, str(n))], [e(1, 1, "b", 0, str(n))]] for n in range(6)]
    seen = watch(tmp_path, Play(looks), contract)
    assert seen.kinds == [("changed", "1", "1")]


def test_one_look_is_enough_when_only_one_is_asked_for(live):
    assert live([A, []], tries=1).kinds == [("lost", "1", "1")]


def test_without_time_for_a_look_nothing_is_certain(live):
    seen = live([A, []], deadline=4)
    assert seen.kinds == [("not_compared", "1", "1")]
    assert seen.result.verdict is Verdict.UNDECIDED
    assert any("no time to look again" in reason for reason in seen.result.reasons)


def test_no_look_begins_after_the_deadline(live):
    assert live([A, []], deadline=12, tries=9).result.looked.looks == 2


def test_nobody_looks_again_where_nothing_differs(live):
    assert live([A, A]).result.looked.looks == 0


# Lists


def seated(*items: int, owner: int = 1):
    return [e(owner, item, None, n) for n, item in enumerate(items, 1)]


def test_a_list_that_is_being_reordered_settles(live):
    seen = live([seated(1, 2, 3), seated(3, 1, 2)], [seated(1, 2, 3)] * 2, contract=LIST)
    assert seen.kinds == []
    assert seen.result.verdict is Verdict.PASS


def test_a_move_stays_found_though_another_entry_is_called_the_moved_one(live):
    """1 and 2 changed places for good. That 3 comes late makes another of them the moved one."""
    first = [seated(1, 2), seated(2, 1)]
    then = [seated(1, 2, 3, 4), seated(2, 3, 4, 1)]
    seen = live(first, then, then, then, contract=LIST)
    assert {kind for kind, _, _ in seen.kinds} == {"moved"}
    assert seen.result.verdict is Verdict.BLOCK


def test_a_list_is_read_whole_though_one_entry_of_it_differs(live):
    look = [seated(1, 2, 3), seated(1, 2)]
    seen = live(look, [seated(1, 2, 3), seated(1, 2, 3)], contract=LIST, dialect="postgresql")
    assert seen.kinds == []


# Routes


def test_a_misrouted_entry_stays_and_one_on_its_way_does_not(live):
    here, there = [e(1, 1)], [e(2, 2, "v", 0, "b")]
    first = [[*here, *there], there, here]
    seen = live(first, [[*here, *there], here, here], contract=SPLIT)
    assert ("misrouted", "2", "2") not in seen.kinds
    assert ("lost", "2", "2") in seen.kinds


# What is asked for


def test_only_the_owners_of_what_differs_are_asked_for(tmp_path):
    play = Play([[[*SAME, *A], SAME]], "postgresql")
    watch(tmp_path, play, RECORD, tries=2)
    assert [s.where for s in play.asked] == [None] * 2 + ['"owner" IN (1)'] * 4


def test_a_system_that_does_not_know_its_types_is_read_whole(tmp_path):
    play = Play([[[*SAME, *A], SAME]])
    seen = watch(tmp_path, play, RECORD, tries=2)
    assert [s.where for s in play.asked] == [None] * 6
    assert seen.kinds == [("lost", "1", "1")]


def test_an_owner_without_a_name_is_looked_for_too(live):
    nobody = [e(1, 1) | {"owner": None}]
    seen = live([nobody, []], [nobody, nobody], dialect="postgresql")
    assert seen.kinds == []


# Ids that are translated later


def known(**ids: int):
    """Rows of the crosswalk, which stands in a third system: old id in `owner`, new one in `item`."""
    return [e(int(name[1:]), new) for name, new in ids.items()]


WALKED: dict[str, Any] = RECORD | {
    "new": [{"system": "new0", "table": "t"}],
    "crosswalk": {"owner": {"system": "new1", "table": "t", "old": "owner", "new": "item"}},
}
NOBODY, ONE, ALL = known(_5=105), known(_5=105, _1=101), known(_5=105, _1=101, _2=102)


def walked(tmp_path: Path, *script: Any) -> Seen:
    seen = watch(tmp_path, Play(script), WALKED)
    seen.add_up()
    return seen


def test_an_id_that_is_known_later_settles_with_its_entry(tmp_path):
    look = [e(5, 1), e(1, 1)], [e(105, 1), e(101, 1)]
    seen = walked(tmp_path, [*look, NOBODY], [*look, ONE])
    assert seen.kinds == []
    assert seen.result.verdict is Verdict.PASS


def test_what_is_wrong_under_an_id_that_is_known_later_is_found(tmp_path):
    """At first nobody knows whose 101 is; later it is an entry that was kept by another one already."""
    look = [e(5, 1)], [e(105, 1), e(101, 1)]
    again = known(_5=105, _1=101)
    old = [e(5, 1), e(1, 1, "other")]
    seen = walked(tmp_path, [*look, NOBODY], [old, look[1], again])
    assert seen.kinds == [("changed", "1", "1")]


def test_an_old_id_that_is_translated_later_has_not_agreed(tmp_path):
    walk = {"owner": {"system": "new1", "table": "t", "old": "owner", "new": "item"}}
    contract = RECORD | {
        "old": {"system": "old", "table": "t", "crosswalk": walk},
        "new": [{"system": "new0", "table": "t"}],
    }
    sides = [e(5, 1), e(1, 1)], [e(105, 1)]
    seen = watch(tmp_path, Play([[*sides, NOBODY], [*sides, ONE]]), contract)
    assert seen.kinds == [("not_compared", "1", "1")]
    assert seen.result.verdict is Verdict.UNDECIDED
