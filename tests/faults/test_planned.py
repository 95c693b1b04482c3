"""`safeguard plan` on real servers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from safeguard.cli.plan import plan

pytestmark = pytest.mark.postgres


def test_the_plan_says_how_much_there_is_and_how_it_is_compared(fresh_database, tmp_path):
    systems = {}
    for name in ("old", "new"):
        database = fresh_database("postgresql")
        database.execute(
            "CREATE TABLE queue (owner int, item int, place int, note text)",
            "INSERT INTO queue SELECT n % 50, n, n, 'note' FROM generate_series(1, 5000) n",
            "ANALYZE queue",
        )
        systems[name] = {"url": database.url}
    for content, shape in (
        ("queue", {"shape": "list", "order": "place"}),
        ("notes", {"shape": "set"}),
    ):
        sides = {side: {"system": side, "table": "queue"} for side in ("old", "new")}
        contract = {"content": content, "owner": "owner", "item": "item", "fields": {"note": {}}}
        text = json.dumps({**contract, **shape, **sides})
        (tmp_path / f"{content}.yaml").write_text(text)
    whole = {"migration": "m", "kind": "move", "systems": systems}
    whole["contracts"] = ["queue.yaml", "notes.yaml"]
    place = tmp_path / "safeguard.yaml"
    place.write_text(json.dumps(whole))
    done = CliRunner().invoke(plan, [str(place), "--format", "json"], standalone_mode=False)
    assert done.return_value == 0, done.output
    queue, notes = json.loads(done.output)["contents"]
    assert (queue["strategy"], notes["strategy"]) == ("stream", "sums")
    assert "list" in queue["reason"]
    assert [s["rows"] for s in notes["sources"]] == [5000, 5000]
    assert all(s["bytes"] > 5000 and s["rows_per_second"] > 0 for s in notes["sources"])
    told = CliRunner().invoke(plan, [str(place)], standalone_mode=False).output
    assert "queue: stream" in told
    assert "~5,000 rows" in told
