"""The way to Great Expectations: it is loaded only when it is asked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from safeguard.systems.doors import Door
from safeguard.systems.outcomes import Run, Wanted
from safeguard.systems.pandas_later import let_pandas_in


def run(door: Door, wanted: Sequence[Wanted]) -> Run:
    """One outcome for each expectation, in their order.

    Raises SafeguardError where the system can't be reached. Whatever Great Expectations raises is
    an outcome that nobody knows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its modules, as they are imported
        let_pandas_in()
        from safeguard.systems.great import run_quietly

    return run_quietly(door, wanted)
