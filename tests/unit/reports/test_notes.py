from __future__ import annotations

from dataclasses import replace

import result_examples as examples
from safeguard.reports.notes import all_notes, run_notes


def test_notes_that_stand_elsewhere_are_not_said_again() -> None:
    content = examples.content(tolerated={"mapped": 3_521}, not_due=4, notes=("lossy",))
    said = (
        "queue: lossy",
        "queue: 3,521 tolerated (mapped)",
        "queue: 4 entries not due yet (as_of)",
        "old.web_sessions is ignored: expires by itself in 30 minutes",
        "queue: 7 entries extra (warned of)",
    )
    result = replace(examples.passed(), contents=(content,), notes=said)
    assert run_notes(result) == ("queue: 7 entries extra (warned of)",)
    assert all_notes(result).count("queue: lossy") == 1
