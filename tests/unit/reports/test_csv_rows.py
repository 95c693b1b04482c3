from __future__ import annotations

import csv
import io

import pytest

from result_examples import HOSTILE, sample
from safeguard.findings.words import Kind
from safeguard.reports.csv_rows import COLUMNS, render_csv


def _written(**values: str | None) -> str:
    out = io.StringIO(newline="")
    render_csv([sample(Kind.CHANGED, **values)], out)
    return out.getvalue()


def test_columns_are_those_of_findings_parquet() -> None:
    names = "content,kind,cause,owner,list,item,field,old_value,new_value,system,segment,waived_by"
    assert ",".join(COLUMNS) == names
    assert _written().splitlines()[0] == names


def test_null_and_empty_text_differ() -> None:
    row = _written(old_value=None, new_value="").splitlines()[1]
    assert row == '"queue","changed",,"1184",,"70143836",,,"","streaming","paying",'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_formulas_are_disarmed(start: str) -> None:
    text = f'{start}HYPERLINK("http://evil.example")'
    (row,) = csv.DictReader(io.StringIO(_written(old_value=text), newline=""))
    assert row["old_value"] == "'" + text


def test_hostile_text_stays_in_its_cell() -> None:
    written = _written(old_value=HOSTILE, item='a,"b"\r\nc')
    (row,) = csv.DictReader(io.StringIO(written, newline=""))
    assert row["item"] == 'a,"b"\r\nc'
    assert row["old_value"] == HOSTILE.replace("\ud800", "\\ud800")
    written.encode("utf-8")


def test_no_findings_leave_the_header() -> None:
    out = io.StringIO(newline="")
    render_csv([], out)
    assert out.getvalue().count("\r\n") == 1
