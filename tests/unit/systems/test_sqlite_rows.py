"""Every value of SQLite comes through as it is stored, whatever stands beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from safeguard.contract.model import SystemSpec
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems import sqlite, sqlite_connection
from safeguard.systems.interface import Output, Relation, Selection
from safeguard.systems.sqlite import SqliteSession

DECLARED = (
    "",
    "INTEGER",
    "TEXT",
    "REAL",
    "NUMERIC",
    "BLOB",
    "TIMESTAMP",
    "DECIMAL(5,2)",
    "FLOATING POINT",
)
SPEC = SystemSpec(url="sqlite:///old.db")
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**53 + 1, -(2**63), 5, 0]),
    st.floats(allow_nan=False),
    st.sampled_from([0.1 + 0.2, 5.0, 1e22, 1e-7, float("inf"), -0.0]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["1.000000e+00", "5", "1.50", "Inf", "a\0b", "'", ""]),
    st.binary(max_size=4),
    st.sampled_from([b"", b"5", b"\xff", b"\0"]),
)


@pytest.fixture(scope="module", params=[2, 5])
def small_batches(request: pytest.FixtureRequest) -> Iterator[None]:
    """So that a few rows are many batches."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (sqlite, sqlite_connection):
            patch.setattr(module, "BATCH_ROWS", request.param)
        yield


def written(value: Any) -> str:
    """Of a number or text in a column that has both."""
    if isinstance(value, float):
        return str(pa.array([value]).cast(pa.string())[0].as_py())
    return str(value)


def decoded(cell: Any, kind: pa.DataType, stored: Any) -> Any:
    """The stored value, if the cell is it exactly; else the cell."""
    if cell is None or stored is None:
        return cell
    if pa.types.is_struct(kind):
        (given_as,) = (part for part in cell.items() if part[1] is not None)
        same = given_as == (
            ("bytes", stored) if isinstance(stored, bytes) else ("text", written(stored))
        )
    elif pa.types.is_string(kind):
        same = not isinstance(stored, bytes) and cell == written(stored)
    else:
        same = type(cell) is type(stored) and repr(cell) == repr(stored)
    return stored if same else cell


def rows_of(session: SqliteSession, relation: Relation, stored: Sequence[Sequence[Any]]) -> list:
    outputs = tuple(Output(name, name, is_column=True) for name in "kab")
    selection = session.resolve(Selection(relation, outputs))
    wanted = {row[0]: row for row in stored}
    found = []
    for batch in session.stream(selection):
        batch.validate(full=True)
        kinds = [field.type for field in batch.schema]
        for cells in batch.to_pylist():
            row = zip(cells.values(), kinds, wanted[cells["k"]], strict=True)
            found.append(tuple(decoded(*each) for each in row))
    return sorted(found)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(VALUES, VALUES), max_size=14), st.tuples(*[st.sampled_from(DECLARED)] * 2)
)
@example([(None, 1), (None, 0.5), ("x", b"y")], ("", ""))
@example([(1, 5), (1.5, 2**53 + 1)], ("NUMERIC", "REAL"))
@example([("a", "1"), (0.1, 2), (b"\xff", None)], ("", "TEXT"))
@example([(1, 1), (0.1, 0.1), ("x", 2)], ("INTEGER", "FLOATING POINT"))
def test_every_value_is_exact(
    small_batches: None,
    tmp_path_factory: pytest.TempPathFactory,
    values: list[tuple[Any, Any]],
    declared: tuple[str, str],
) -> None:
    path = tmp_path_factory.mktemp("mixed") / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        columns = f"k INTEGER PRIMARY KEY, a {declared[0]}, b {declared[1]}"
        connection.execute(f"CREATE TABLE t ({columns})")
        connection.execute(f"CREATE TABLE w ({columns}) WITHOUT ROWID")
        for table in "tw":
            rows = [(n, *row) for n, row in enumerate(values, 1)]
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
        connection.execute("CREATE VIEW v AS SELECT * FROM t")
        connection.commit()
        stored = connection.execute("SELECT * FROM t ORDER BY k").fetchall()
    with closing(SqliteSession("old", path, SPEC)) as session:
        for relation in (
            Relation("t"),
            Relation("w"),
            Relation("v"),
            Relation(query="SELECT * FROM t"),
        ):
            found = rows_of(session, relation, stored)
            assert repr(found) == repr(stored)


@pytest.mark.parametrize("rowids", [
    range(50),
    range(-9, 9, 3),
    [-(2**63), -5, 0, 7, 2**40, *range(2**41, 2**41 + 40), 2**63 - 1],
    [3**n for n in range(39)],
    [],
])  # fmt: skip
def test_each_rowid_is_met_once(
    small_batches: None, tmp_path_factory: pytest.TempPathFactory, rowids: Sequence[int]
) -> None:
    path = tmp_path_factory.mktemp("sparse") / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (rowid TEXT, x TEXT)")
        connection.executemany(
            "INSERT INTO t (_rowid_, x) VALUES (?, ?)", [(n, f"{n}") for n in rowids]
        )
        connection.execute("CREATE INDEX by_x ON t (x)")
        connection.commit()
    wanted = sorted(map(str, rowids))
    with closing(SqliteSession("old", path, SPEC)) as session:
        for where in (None, "x <> 'no'", "x IN ('0', '1', '7', '9')"):
            outputs = (Output("x", "x", is_column=True),)
            selection = session.resolve(Selection(Relation("t"), outputs, where))
            kept = [
                x for x in wanted if not where or "IN" not in where or x in {"0", "1", "7", "9"}
            ]
            for most in (1, 3):
                found = [
                    x
                    for part in session.parts(selection, most)
                    for batch in session.stream(selection, part)
                    for x in batch["x"].to_pylist()
                ]
                assert sorted(found) == kept


@pytest.mark.parametrize("sql", ["1) FROM t; SELECT (2", "1; ", "'a' || ';' -- ;\n;"])
def test_a_second_statement_is_no_expression(tmp_path: Path, sql: str) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute('CREATE TABLE t (";" TEXT)')
    with closing(SqliteSession("old", tmp_path / "old.db", SPEC)) as session:
        with pytest.raises(UsageProblem, match="one statement only"):
            session.count(Relation("t"), sql)
        for harmless in ("';' = \";\"", "[;] IS NULL -- ;", "`;` /* ; */ > ''"):
            assert session.count(Relation("t"), harmless) == (0,)


@pytest.mark.parametrize("relation", [Relation("t"), Relation(query="SELECT * FROM t")])
def test_text_that_is_not_utf8_among_others(tmp_path: Path, relation: Relation) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1.5), (CAST(x'736563726574ff' AS TEXT)), (x'ff')")
        connection.commit()
    with closing(SqliteSession("old", tmp_path / "old.db", SPEC)) as session:
        selection = session.resolve(Selection(relation, (Output("x", "x", is_column=True),)))
        with pytest.raises(SystemProblem, match="column `x` holds text not in UTF-8") as caught:
            list(session.stream(selection))
        assert "secret" not in str(caught.value)


def test_utf16_is_read_as_the_same_text(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("PRAGMA encoding = 'UTF-16'")
        connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, a, b TEXT)")
        stored = [(1, 5, "é"), (2, 0.5, "😀"), (3, "x\0é", ""), (4, b"\xff", None)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", stored)
        connection.commit()
    with closing(SqliteSession("old", tmp_path / "old.db", SPEC)) as session:
        for relation in (Relation("t"), Relation(query="SELECT * FROM t")):
            assert rows_of(session, relation, stored) == stored
