"""Arrow tables, frames and rows of one content are one content."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from safeguard import DidNotSurvive, UsageProblem, assert_survives
from safeguard.surviving.tables import table_of

NOON = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
ROWS: list[dict[str, Any]] = [
    {"id": 2**53 + n, "stars": n, "note": "é" * n or None, "price": Decimal("1.10"), "at": NOON}
    for n in range(5)
]
CONTRACT = {"owner": "id", "fields": ["stars", "note", "price", "at"]}
ARROW = pa.Table.from_pylist(ROWS)
FORMS: dict[str, Any] = {
    "rows": ROWS,
    "a tuple of rows": tuple(ROWS),
    "arrow": ARROW,
    "a batch": ARROW.to_batches()[0],
    "pandas": pd.DataFrame(ROWS),
    "pandas of arrow types": ARROW.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas indexed by the owner": pd.DataFrame(ROWS).set_index("id"),
    "pandas, filtered": pd.DataFrame([*ROWS, *ROWS]).iloc[5:],
    "polars": pl.DataFrame(ROWS),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_holds_the_same_content(form: str) -> None:
    assert_survives(old=FORMS[form], new=ROWS, contract=CONTRACT)
    broken = [*ROWS[:-1], {**ROWS[-1], "id": 2**53 + 5}]
    with pytest.raises(DidNotSurvive):
        assert_survives(old=broken, new=FORMS[form], contract=CONTRACT)


def test_whatever_speaks_arrow_is_read() -> None:
    found = duckdb.sql("SELECT 9007199254740993 AS id, 4 AS stars")
    contract = {"owner": "id", "fields": ["stars"]}
    assert_survives(old=found, new=[{"id": 2**53 + 1, "stars": 4}], contract=contract)


def test_a_frame_with_the_columns_of_an_engine_is_a_frame() -> None:
    frame = pd.DataFrame([{"url": "a", "raw_connection": "b", "sync_engine": "c"}])
    contract = {"owner": "url", "fields": ["raw_connection", "sync_engine"]}
    assert_survives(old=frame, new=frame.to_dict("records"), contract=contract)


def test_several_tables_are_a_mapping() -> None:
    contract = {
        **CONTRACT,
        "old": {"query": "SELECT a.* FROM entries a JOIN owners USING (id)"},
        "new": {"table": "kept"},
    }
    old = {"entries": ROWS, "owners": pa.table({"id": ARROW["id"]})}
    assert_survives(old=old, new={"kept": pl.DataFrame(ROWS)}, contract=contract)
    with pytest.raises(
        UsageProblem, match=r"old: the contract reads a query of it: give a mapping"
    ):
        assert_survives(old=ROWS, new={"kept": ROWS}, contract=contract)


def test_pandas_marks_of_what_is_missing_are_null() -> None:
    frame = pd.DataFrame(
        {"id": [1, 2, 3, 4], "note": ["a", None, float("nan"), pd.NA]}, dtype=object
    )
    rows = [{"id": n, "note": "a" if n == 1 else None} for n in range(1, 5)]
    assert_survives(old=frame, new=rows, contract={"owner": "id", "fields": ["note"]})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([{"a": 1}, {"b": 1}], "it: rows 0 and 1 have different keys: only one has `a`"),
        ([{"a": 1}, {"a": 1, "b": None}], "only one has `b`; a value that is not there is None"),
        ([{"a": 1}, {"a": "x"}], "it: column `a` mixes int (row 0) and str (row 1)"),
        ([{1: 1}], "it: a column is called 1: names are texts"),
        ([{"a": 1, "A": 1}], "it: two columns are called `A`, in some upper or lower case"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "it: two columns are called `a`"),
        (pd.DataFrame({"a": [1, "x"]}), "it: column `a` mixes int (row 0) and str (row 1)"),
        (pd.DataFrame({"a": [1 + 2j]}), "it: column `a`: "),
        (pd.Series([1]), "it: a Series is no table: give a DataFrame"),
        (pl.DataFrame({"a": [object()]}), "it: column `a` holds objects of Python"),
        (pa.table([[1], [2]], names=["a", "a"]), "it: two columns are called `a`"),
    ],
)
def test_what_is_no_table_is_refused(data: Any, said: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        table_of(data, "it", ())
    assert str(caught.value).startswith("it: ")
    assert said in str(caught.value)


def test_no_rows_have_the_columns_that_the_contract_reads() -> None:
    assert table_of([], "it", ("id", "stars")).schema == pa.schema(
        [("id", pa.null()), ("stars", pa.null())]
    )
