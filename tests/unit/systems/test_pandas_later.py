"""pyarrow does without pandas until somebody wants it, and then knows it as ever."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from safeguard.systems.pandas_later import leave_pandas_out, let_pandas_in
leave_pandas_out()
import pyarrow as pa
pa.array([1, None, 2.5]); pa.table({"x": ["a"]}).to_pylist()
print("pandas" in sys.modules)
let_pandas_in()
import pandas
series = pandas.Series([1.0, None])
print(pa.array(series).null_count, list(pa.table({"x": [1]}).to_pandas().columns))
"""


def test_pandas_comes_when_it_is_wanted() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["False", "1 ['x']"]


def test_where_it_is_loaded_it_stays_known() -> None:
    program = _PROGRAM.replace("import sys\n", "import sys, pandas\n", 1)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["True", "1 ['x']"]
