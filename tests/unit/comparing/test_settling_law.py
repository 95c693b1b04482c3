"""A live check against a plain one: where the systems come to rest after the first look, it finds what a
plain check of the state at rest finds, of what differed at first."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from live_play import SCHEMA, Play, Seen, watch

few = settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.generate),  # a failing example is small as it is
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
entries = st.fixed_dictionaries(
    {
        "owner": st.integers(1, 2),
        "item": st.integers(1, 3),
        "value": st.sampled_from(["a", "b", None]),
        "position": st.integers(1, 4),
        "medium": st.sampled_from(["a", "b"]),
    }
)
contents = st.lists(entries, max_size=6)
KEPT = [{"owner": 9, "item": 1, "value": "k", "position": 1, "medium": "a"}]
FIELDS = {"fields": {"value": {"type": "text"}}}
KEY = {"owner": "owner", "item": "item"}
CONTRACTS: dict[str, dict[str, Any]] = {
    "record": {"shape": "record", **KEY, **FIELDS},
    "list": {"shape": "list", "order": "position", **KEY, **FIELDS},
    "split": {
        "shape": "record",
        **KEY,
        **FIELDS,
        "new": [
            {"system": f"new{i}", "table": "t", "receives": f"medium = '{m}'"}
            for i, m in enumerate("ab")
        ],
    },
    "one_of": {"shape": "record", "routing": "one_of", **KEY, **FIELDS},
}
SIDES = {"record": 2, "list": 2, "split": 3, "one_of": 3}


@pytest.mark.slow
@pytest.mark.parametrize("shape", CONTRACTS)
def test_a_live_check_finds_what_stays(compare, shape: str) -> None:
    state = st.tuples(*[contents] * SIDES[shape])

    @few
    @given(state, state)
    def law(first: tuple[Any, ...], then: tuple[Any, ...]) -> None:
        contract = CONTRACTS[shape]
        looks = [[[*KEPT, *side] for side in sides] for sides in (first, then)]
        before, after = (
            compare(*sides, contract=contract, schema=SCHEMA).findings for sides in looks
        )
        assume(not any(f["kind"] == "misattributed" for f in (*before, *after)))
        seen = _live(looks, contract)
        open_units = {_unit(f) for f in before}
        assert _rows(seen.findings) == _rows(f for f in after if _unit(f) in open_units)

    law()


@pytest.mark.slow
def test_whatever_the_looks_show_every_entry_has_one_status() -> None:
    @few
    @given(st.lists(st.tuples(contents, contents, contents), min_size=1, max_size=5))
    def law(script: list[tuple[Any, ...]]) -> None:
        _live([[[*KEPT, *side] for side in sides] for sides in script], CONTRACTS["split"])

    law()


def _live(looks: Any, contract: dict[str, Any]) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        seen = watch(Path(folder), Play(looks), contract, tries=4)
    seen.add_up()
    return seen


def _unit(finding: dict[str, Any]) -> tuple[Any, ...]:
    if finding["kind"] == "moved":
        return finding["owner"], "the order"
    return finding["owner"], finding["item"]


def _rows(findings: Any) -> Counter[tuple[Any, ...]]:
    names = ("kind", "owner", "item", "field", "old_value", "new_value", "system")
    return Counter(tuple(f[n] for n in names) for f in findings)
