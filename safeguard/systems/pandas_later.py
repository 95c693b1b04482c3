"""pandas is not loaded before somebody wants it.

Where pandas is installed (Great Expectations brings it), pyarrow loads it with the first list that it
makes an array of, to see whether that is a Series: 0.2 s and 50 MB for a process that never has one.
Told that there is none, it does not ask again before a DataFrame is wanted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_NAME = "pandas"


class _Hidden(MetaPathFinder):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname == _NAME:
            raise ModuleNotFoundError(f"{_NAME} is loaded later", name=_NAME)
        return None


def leave_pandas_out() -> None:
    """Have pyarrow believe that there is no pandas. For a process of our own alone: until
    `let_pandas_in`, a Series would be read like any list."""
    if _NAME in sys.modules:
        return
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(hidden)


def let_pandas_in() -> None:
    """Have pyarrow know pandas, where it is installed."""
    import pyarrow as pa

    pa.table({"x": [0]}).to_pandas()
