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


@pytest.mark.parametrize("seed", range(40))
def test_spoilt_text_is_refused_with_a_place(load, seed):
    load()
    chosen = random.Random(seed)
    for name in ("safeguard.yaml", "queue.yaml"):
        text = Path(name).read_text(encoding="utf-8")
        words = text.split(" ")
        for _ in range(chosen.randint(1, 3)):
            words[chosen.randrange(len(words))] = chosen.choice(PIECES)
        Path(name).write_text(" ".join(words), encoding="utf-8")
    try:
        load_plan(Path("safeguard.yaml"), {"OLD_URL": "sqlite:///x"})
    except UsageProblem as problem:
        assert all(m.message and m.file and m.line and m.column for m in problem.mistakes)


@pytest.mark.parametrize("piece", PIECES)
def test_any_value_in_any_place(load, piece):
    """Every value of the good contract, one after the other, is something else."""
    load()
    good = Path("queue.yaml").read_text(encoding="utf-8")
    places = [i for i, text in enumerate(good.split(": ")) if i and text]
    for place in places:
        parts = good.split(": ")
        end = min((parts[place] + "\n").find(c) for c in ",}\n" if c in parts[place] + "\n")
        parts[place] = piece + parts[place][end:]
        Path("queue.yaml").write_text(": ".join(parts), encoding="utf-8")
        try:
            load_plan(Path("safeguard.yaml"), {"OLD_URL": "sqlite:///x"})
        except UsageProblem as problem:
            assert all(m.message and m.file and m.line and m.column for m in problem.mistakes)
            assert "can't be read" not in str(problem)
