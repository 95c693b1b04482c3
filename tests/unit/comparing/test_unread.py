"""Values that do not parse: counted, and the type doubted where most of them do not."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("broken", "asked"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_type_is_doubted_when_most_values_do_not_fit_it(compare, broken, asked):
    rows = [{"owner": i, "item": 1, "value": "{" if i <= broken else str(i)} for i in range(1, 5)]
    contract = {
        "content": "things",
        "shape": "record",
        "owner": "owner",
        "item": "item",
        "fields": {"value": {"type": "json"}},
    }
    told = compare(rows, rows, contract=contract).result.reasons
    words = f"{broken} values of `value`: each can't be read as json"
    assert words + ("; is the type right?" if asked else "") in told
