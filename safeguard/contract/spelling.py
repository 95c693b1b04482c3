"""The nearest right spelling of a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` was probably meant to be, else None."""
    by_folded = {name.casefold(): name for name in sorted(names, reverse=True)}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean `x`?`, to be added to a sentence, or nothing."""
    guess = nearest(word, names)
    return f" Did you mean `{guess}`?" if guess else ""


def listed(names: Iterable[str]) -> str:
    """`a`, `b`, `c`: at most twelve of them, in the order given."""
    every = [f"`{name}`" for name in names]
    more = f" and {len(every) - 12} more" if len(every) > 12 else ""
    return ", ".join(every[:12]) + more
