from __future__ import annotations

import result_examples as examples
from safeguard.findings.words import Kind
from safeguard.reports.advice import _STEPS, advice


def test_every_kind_has_its_step_and_only_what_occurs_is_said() -> None:
    assert set(_STEPS) == set(Kind)
    assert advice(examples.passed()) == ()
    said = [piece.what for piece in advice(examples.blocked())]
    assert said[:3] == ["with another customer", "back though deleted", "lost"]
    assert "not covered" in said
