"""Whatever a file says, it is read or refused with a place; it never ends in a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from safeguard.contract.load import load_plan
from safeguard.findings.trouble import UsageProblem

PIECES = (
    "", "~", "null", "{}", "[]", "[[]]", "{a: b}", "[a, ~]", "{~: ~}", "-1", "1e400", "true", "x",
    "''", "!!int x", "&a [*a]", "*b", "\n", "\t", ": ", "- ", "0", "9" * 5000, "${A", "\x00", "🎬",
)  # fmt: skip


def told():
    """The mistakes of the plan as it lies there, none if it loads."""
    try:
        load_plan(Path("safeguard.yaml"), {"OLD_URL": "sqlite:///x"})
    except UsageProblem as problem:
        return problem.mistakes
    return ()


@pytest.mark.parametrize("seed", range(40))
def test_spoilt_text_is_refused_with_a_place(load, seed):
    load()
    chosen = random.Random(seed)
    for name in ("safeguard.yaml", "queue.yaml"):
        words = Path(name).read_text(encoding="utf-8").split(" ")
        for _ in range(chosen.randint(1, 3)):
            words[chosen.randrange(len(words))] = chosen.choice(PIECES)
        Path(name).write_text(" ".join(words), encoding="utf-8")
    assert all(m.message and m.file and m.line and m.column for m in told())


@pytest.mark.parametrize("piece", PIECES)
def test_any_value_in_any_place(load, piece):
    """Every value of the good contract, one after the other, is something else."""
    load()
    parts = Path("queue.yaml").read_text(encoding="utf-8").split(": ")
    refused = 0
    for place in range(1, len(parts)):
        rest = parts[place] + "\n"
        end = min(rest.find(c) for c in ",}\n" if c in rest)
        spoilt = [*parts[:place], piece + parts[place][end:], *parts[place + 1 :]]
        Path("queue.yaml").write_text(": ".join(spoilt), encoding="utf-8")
        mistakes = told()
        refused += bool(mistakes)
        assert all(m.message and m.file and m.line and m.column for m in mistakes)
        assert "can't be read" not in str(mistakes)
    assert refused > 5
