"""DuckDB files: exact types, keys, and that we only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.duckdb_types import source_type
from safeguard.systems.files import DuckdbSession
from safeguard.systems.interface import ForeignKey, Output, Relation, Selection

QUEUE = Relation("queue")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[DuckdbSession]:
    file = tmp_path / "old.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR UNIQUE)")
        connection.execute("CREATE TABLE queue (owner INTEGER REFERENCES customers, h HUGEINT)")
        connection.execute("CREATE VIEW v AS SELECT owner FROM queue")
        connection.execute("INSERT INTO customers VALUES (1, 'a')")
        connection.execute("INSERT INTO queue VALUES (1, 170141183460469231731687303715884105727)")
    opened = DuckdbSession("old", file, SystemSpec(url="duckdb:///old.duckdb"))
    yield opened
    opened.close()


def test_tables_come_with_their_keys(session: DuckdbSession) -> None:
    customers, queue, view = session.tables()
    assert (customers.primary_key, customers.unique_keys) == (("id",), (("name",),))
    assert queue.foreign_keys == (ForeignKey(("owner",), "customers", ("id",)),)
    assert view.is_view


def test_streams_exactly_and_counts(session: DuckdbSession) -> None:
    outputs = (Output("h", "h", True), Output("due", "h > 5 AND NULL", False, condition=True))
    selection = session.resolve(Selection(QUEUE, outputs))
    assert selection.outputs[0].type.wide
    (batch,) = session.stream(selection)
    assert batch.to_pydict() == {"h": [str(2**127 - 1)], "due": [False]}
    assert session.count(QUEUE, None, "h > 5", "NULL") == (1, 1, 0)


def test_nothing_can_be_written(session: DuckdbSession) -> None:
    with pytest.raises((SystemProblem, UsageProblem), match="read-only"):
        session._engine.execute("DELETE FROM queue")


def test_a_comment_hides_nothing_of_ours(session: DuckdbSession) -> None:
    comment = "-- live"
    outputs = (
        Output("x", f"owner {comment}", False),
        Output("due", f"owner IS NULL {comment}", False, condition=True),
    )
    relation = Relation(query=f"SELECT * FROM queue {comment}")
    selection = session.resolve(Selection(relation, outputs, f"1 = 1 {comment}"))
    every = session.count(relation, None)
    assert session.count(relation, f"1 = 1 {comment}") == every
    assert sum(batch.num_rows for batch in session.stream(selection)) == every[0]


def test_mistakes(session: DuckdbSession, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="`g > 1`"):
        session.resolve(Selection(QUEUE, (Output("x", "g > 1", False),)))
    with pytest.raises(UsageProblem, match="there is no DuckDB file"):
        DuckdbSession("old", tmp_path / "none", SystemSpec(url="duckdb:///none"))


@pytest.mark.parametrize(
    ("declared", "exact"),
    [
        ("INTEGER[]", True),
        ('STRUCT("a b, c" VARCHAR, d MAP(VARCHAR, BIGINT[3]))', True),
        ("STRUCT(a DECIMAL(5,2))", False),
        ("MAP(INTEGER, VARCHAR)", False),
        ("BLOB[]", False),
        ("INTERVAL", False),
        ("BIT", False),
    ],
)
def test_what_has_no_exact_form_is_unsupported(declared: str, exact: bool) -> None:
    assert (source_type(declared).unsupported == "") is exact


def test_nested_types_are_json() -> None:
    assert source_type("INTEGER[]").kind is TypeName.JSON
