"""Each kind of fault is planted, and found as what it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from safeguard.drill.faults import FAULTS
from safeguard.drill.result import DrillResult, Fate
from unit.drill.conftest import CONTRACT, build, drill_plan

ANY_CAUSE = {
    "number off by one in its last digit",
    "whole number above 2^53 through a float",
    "boolean flipped",
    "value of another customer",
    "JSON array reordered",
}
"""Values of which no one cause is the right one."""
VALUES = "value nulled"
"""The first kind of value; those before it are of whole entries and lists, and have no cause."""
NAMES = [kind.name for kind in FAULTS]


@pytest.mark.parametrize("kind", NAMES)
def test_it_is_planted_and_found_as_what_it_is(whole: DrillResult, kind: str) -> None:
    planted = [f for f in whole.faults if f.kind == kind]
    assert planted, "nothing of the shop has what it needs"
    for fault in planted:
        assert fault.fate is Fate.CAUGHT, fault
        assert fault.right_kind, fault
        wanted = None if NAMES.index(kind) < NAMES.index(VALUES) or kind in ANY_CAUSE else True
        assert fault.right_cause is wanted, fault


def test_each_is_planted_in_every_system_and_field(whole: DrillResult) -> None:
    """Nothing that applies is left out, where there is room."""
    (content,) = whole.contents
    assert content.crowded == ()
    nulled = {(f.system, f.field) for f in whole.faults if f.kind == VALUES}
    fields = ["note", "remark", "big", "price", "score", "seen", "added", "stars", "doc"]
    assert nulled == {(s, f) for s in ("stream", "disc") for f in fields}


def test_no_kind_is_planted_much_more_often_than_it_has_places(whole: DrillResult) -> None:
    """Those that many entries have room for are planted equally often at each place."""
    places = Counter((f.kind, f.system, f.field) for f in whole.faults)
    dropped = [n for (kind, *_), n in places.items() if kind in ("entry dropped", VALUES)]
    assert max(dropped) - min(dropped) <= 1


def test_the_names_of_kinds_are_different() -> None:
    assert len(set(NAMES)) == len(NAMES)


PLAIN_NEW = "new:\n  - {{system: stream, table: queue}}\n  - {{system: disc, table: queue}}\n"
"""Without `receives`."""


def _changed(*changes: tuple[str, str]) -> str:
    text = CONTRACT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


VARIANTS = {
    "any_of": CONTRACT[: CONTRACT.index("new:")] + PLAIN_NEW + "routing: any_of\n",
    "composite owner": _changed(
        ("owner: customer_id", "owner: [customer_id, medium]"),
        ("customer_id: int", "medium: text, customer_id: int"),
    ),
    "several lists": _changed(
        ("order: position", "order: position\nlist: medium"),
        ("title: text", "medium: text, title: text"),
    ),
    "record": _changed(
        ("shape: list", "shape: record"), ("order: position\n", ""), (", position: integer", "")
    ),
    "a moment": _changed(
        ("new:\n", "as_of: {{field: added, value: 2024-07-10T00:00:00Z}}\nnew:\n")
    ),
    "only live rows": _changed(("gone = 1", "gone = 1, where: position > 0")),
}


UNREAD_IN = {"any_of": {"medium"}, "record": {"position"}}
"""What no `receives` and no order reads is what survives there."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_survives_whatever_the_contract_is(tmp_path: Path, variant: str) -> None:
    result = drill_plan(build(tmp_path, contract=VARIANTS[variant]), faults=120)
    assert {f.field for f in result.survivors} == UNREAD_IN.get(variant, set())
    assert result.score.planted >= 100
    assert [f for f in result.faults if f.found and not f.right_kind] == []
