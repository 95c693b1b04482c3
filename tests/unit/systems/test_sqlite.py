"""SQLite: what it declares, what it holds whatever it declares, and that we only read."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import Type, TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import ForeignKey, Output, Relation, Selection, SourceType
from safeguard.systems.missing import MissingRelation
from safeguard.systems.sqlite import SqliteSession
from safeguard.systems.sqlite_catalog import source_type

SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE);
CREATE TABLE queue (
    Owner INTEGER REFERENCES customers, item TEXT, stars INTEGER, price DECIMAL(5,2),
    PRIMARY KEY (Owner, item));
CREATE VIEW starred AS SELECT item FROM queue WHERE stars > 3;
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO queue VALUES (1, 'a', 5, 1.5);
INSERT INTO queue VALUES (1, 'b', 'many', 2), (2, 'a', NULL, '2.50'), (2, 'b', 1, 0.1);
"""
QUEUE = Relation("queue")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "old shop?.db"
    connection = sqlite3.connect(file)
    connection.executescript(SCHEMA)
    connection.close()
    return file


@pytest.fixture
def session(path: Path):
    opened = SqliteSession("old", path, SystemSpec(url="sqlite:///old.db"))
    yield opened
    opened.close()


def read(session: SqliteSession, selection: Selection) -> dict[str, list[object]]:
    (batch,) = session.stream(session.resolve(selection))
    return batch.to_pydict()


def test_a_comment_hides_nothing_of_ours(session: SqliteSession) -> None:
    comment = "-- live"
    outputs = (
        Output("x", f"item {comment}", False),
        Output("due", f"item IS NULL {comment}", False, condition=True),
    )
    relation = Relation(query=f"SELECT * FROM queue {comment}")
    selection = session.resolve(Selection(relation, outputs, f"1 = 1 {comment}"))
    every = session.count(relation, None)
    assert session.count(relation, f"1 = 1 {comment}") == every
    assert sum(batch.num_rows for batch in session.stream(selection)) == every[0]


@pytest.mark.parametrize(
    ("kind", "storage", "wanted", "bad"),
    [
        (TypeName.TEXT, Storage.TEXT, ["1", "\\x31", None, None, "5"], 2),
        (TypeName.BYTES, Storage.BINARY, [b"1", b"1", b"\xff", None, None], 4),
        (TypeName.INTEGER, Storage.INT64, [1, None, None, None, 5], 2),
    ],
)
def test_bytes_among_texts_are_read_as_bytes_alone_are(
    tmp_path: Path, kind: TypeName, storage: Storage, wanted: list[object], bad: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "mixed.db")) as connection:
        connection.execute("CREATE TABLE queue (x)")
        values = [(b"1",), ("\\x31",), (b"\xff",), (None,), (5,)]
        connection.executemany("INSERT INTO queue VALUES (?)", values)
        connection.commit()
    with closing(
        SqliteSession("old", tmp_path / "mixed.db", SystemSpec(url="sqlite:///mixed.db"))
    ) as session:
        selection = session.resolve(Selection(QUEUE, (Output("x", "x", is_column=True),)))
        (batch,) = session.stream(selection)
    column = CanonicalColumn("x", SourceType(None), Type(kind), storage)
    found = canonical_batch(batch, (column,)).to_pydict()
    assert found["x"] == wanted
    assert [place for place, why in enumerate(found["bad"]) if why][-1] == bad


def test_tables_come_with_their_keys(session: SqliteSession) -> None:
    customers, queue, starred = session.tables()
    assert customers.primary_key == ("id",)
    assert customers.unique_keys == (("name",),)
    assert queue.primary_key == ("Owner", "item")
    assert queue.foreign_keys == (ForeignKey(("Owner",), "customers", ("id",)),)
    assert [column.nullable for column in customers.columns] == [False, False]
    assert starred.is_view


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INTEGER", TypeName.INTEGER),
        ("bigint unsigned", TypeName.INTEGER),
        ("POINT", None),
        ("", None),
        ("ANY", None),
        ("NUMERIC(10,2)", TypeName.DECIMAL),
        ("DOUBLE PRECISION", TypeName.FLOAT),
        ("NVARCHAR(160)", TypeName.TEXT),
        ("BLOB", TypeName.BYTES),
        ("BOOLEAN", TypeName.BOOLEAN),
        ("DATETIME", TypeName.TIMESTAMP),
        ("DATE", TypeName.DATE),
        ("TIME", TypeName.TIME),
        ("JSON", TypeName.JSON),
        ("UUID", TypeName.UUID),
    ],
)
def test_declared_words(declared: str, kind: TypeName | None) -> None:
    assert source_type(declared).kind is kind


def test_a_mixed_column_is_handed_on_as_exact_text(session: SqliteSession) -> None:
    found = read(
        session, Selection(QUEUE, (Output("s", "stars", True), Output("p", "price", True)))
    )
    assert found == {"s": ["5", "many", None, "1"], "p": ["1.5", "2", "2.5", "0.1"]}


def test_names_are_found_in_any_case_and_told_as_declared(session: SqliteSession) -> None:
    assert session.columns(Relation("QUEUE"))[0].name == "Owner"
    assert read(session, Selection(Relation("Queue"), (Output("o", "owner", True),))) == {
        "o": [1, 1, 2, 2]
    }


def test_conditions_count_only_what_is_true(session: SqliteSession) -> None:
    assert session.count(QUEUE, None, "stars > 3", "stars IS NULL", "1 = 0") == (4, 2, 1, 0)
    outputs = (Output("due", "stars > 3", False, condition=True),)
    assert read(session, Selection(QUEUE, outputs, "owner = 2")) == {"due": [False, False]}
    assert session.count(Relation(query="SELECT 1 AS x UNION ALL SELECT 2"), None) == (2,)


@pytest.mark.parametrize("expression", ["totl > 3", "stars >", "nonsense(stars)"])
def test_an_sql_mistake_quotes_the_expression(session: SqliteSession, expression: str) -> None:
    selection = Selection(QUEUE, (Output("x", expression, False),))
    with pytest.raises(UsageProblem, match="old does not understand `"):
        session.resolve(selection)


def test_a_quoted_name_that_is_none_is_no_string(session: SqliteSession) -> None:
    assert session.count(QUEUE, '"stars" = 5 AND item <> \'a "b" c\'') == (1,)
    with pytest.raises(UsageProblem, match='no column "strs"'):
        session.count(QUEUE, '"strs" > 3')
    with pytest.raises(UsageProblem, match='no column "strs"'):
        session.resolve(Selection(QUEUE, (), '"strs" > 3'))


def test_a_missing_table_names_the_nearest(session: SqliteSession) -> None:
    with pytest.raises(MissingRelation, match="Did you mean `customers`"):
        session.columns(Relation("custmers"))


def test_nothing_can_be_written(session: SqliteSession) -> None:
    with pytest.raises(SystemProblem, match=r"readonly|read-only"):
        session._connection.ask("DELETE FROM queue")


WRITER = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], timeout=0)
for statement in sys.argv[2:]:
    writer.execute(statement)
writer.commit()
"""


def write(path: Path, *statements: str) -> str:
    """By another process: SQLite's locks hold between processes. What went wrong there, or ""."""
    command = [sys.executable, "-c", WRITER, str(path), *statements]
    return subprocess.run(command, capture_output=True, text=True).stderr


@pytest.mark.parametrize(("journal", "refusal"), [("delete", "is locked"), ("wal", "")])
def test_one_snapshot_as_long_as_it_is_open(path: Path, journal: str, refusal: str) -> None:
    assert write(path, f"PRAGMA journal_mode = {journal}") == ""
    selection = Selection(QUEUE, (Output("item", "item", True),))
    with closing(SqliteSession("old", path, SystemSpec(url="sqlite:///old.db"))) as session:
        said = write(path, "DELETE FROM queue", "PRAGMA wal_checkpoint(TRUNCATE)")
        assert refusal in said
        assert session.alive()
        assert session.count(QUEUE, None) == (4,)
        assert read(session, selection) == {"item": ["a", "b", "a", "b"]}


def test_text_that_is_not_utf8_is_named_and_not_shown(path: Path) -> None:
    writer = sqlite3.connect(path)
    writer.execute("UPDATE queue SET item = CAST(x'736563726574ff' AS TEXT) WHERE price = 1.5")
    writer.commit()
    writer.close()
    session = SqliteSession("old", path, SystemSpec(url="sqlite:///old.db"))
    with pytest.raises(SystemProblem, match=r"old\.queue: column `item`") as caught:
        read(session, Selection(QUEUE, (Output("item", "item", True),)))
    assert "secret" not in str(caught.value)
    session.close()


def test_a_file_that_is_no_database_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="there is no SQLite file"):
        SqliteSession("old", tmp_path / "none.db", SystemSpec(url="sqlite:///none.db"))
    (tmp_path / "text.db").write_text("not a database, " * 100)
    with pytest.raises(SystemProblem, match="could not be opened"):
        SqliteSession("old", tmp_path / "text.db", SystemSpec(url="sqlite:///text.db"))
