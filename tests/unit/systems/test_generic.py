"""The plain path for any dialect, run on SQLite through SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from safeguard.contract.model import SystemSpec
from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.generic import GenericSession
from safeguard.systems.interface import ForeignKey, Output, Relation, Selection
from safeguard.systems.missing import MissingRelation

QUEUE = Relation("queue")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[GenericSession]:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.executescript("""
            CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(20), UNIQUE (name));
            CREATE TABLE queue (owner INTEGER NOT NULL REFERENCES customers (id), stars INTEGER,
                price DECIMAL(5,2), at TIMESTAMP);
            INSERT INTO queue VALUES (1, 5, 1.5, '2020-01-01 10:00:00'), (1, 'many', 2, NULL);
        """)
    connection.close()
    url = f"sqlite:///{file}"
    opened = GenericSession("old", url, SystemSpec(url=url))
    yield opened
    opened.close()


def test_tables_and_types(session: GenericSession) -> None:
    customers, queue = session.tables()
    assert customers.primary_key == ("id",)
    assert customers.unique_keys == (("name",),)
    assert queue.foreign_keys == (ForeignKey(("owner",), "customers", ("id",)),)
    kinds = [column.type.kind for column in queue.columns]
    assert kinds == [TypeName.INTEGER, TypeName.INTEGER, TypeName.DECIMAL, TypeName.TIMESTAMP]
    assert "without one snapshot" in session.info.snapshot


def test_streams_exactly_and_counts(session: GenericSession) -> None:
    outputs = (
        Output("s", "stars", True),
        Output("p", "price", True),
        Output("at", "at", True),
        Output("due", "price > 1.5", False, condition=True),
        Output("x", "':a%s'", False),
    )
    selection = session.resolve(Selection(QUEUE, outputs, "owner = 1"))
    (batch,) = session.stream(selection)
    assert batch.to_pydict() == {
        "s": ["5", "many"],
        "p": ["1.5", "2"],
        "at": ["2020-01-01 10:00:00", None],
        "due": [False, True],
        "x": [":a%s", ":a%s"],
    }
    assert session.count(QUEUE, None, "at IS NULL", "1 = 0") == (2, 1, 0)
    assert session.count(Relation(query="SELECT 1 AS x"), None) == (1,)
    assert [c.name for c in session.columns(Relation(query="SELECT 1 AS x"))] == ["x"]


def test_a_comment_hides_nothing_of_ours(session: GenericSession) -> None:
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


def test_mistakes(session: GenericSession, tmp_path: Path) -> None:
    with pytest.raises(MissingRelation, match="Did you mean `queue`"):
        session.columns(Relation("queu"))
    with pytest.raises(UsageProblem, match="`strs > 1`"):
        session.resolve(Selection(QUEUE, (Output("x", "strs > 1", False),)))
    url = f"sqlite:///{tmp_path / 'none' / 'x.db'}"
    with pytest.raises(SystemProblem):
        GenericSession("old", url, SystemSpec(url=url))


def test_another_dialect_may_hide_tables(
    session: GenericSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not session.info.whole_snapshot
    assert session.blind_spots() == ()
    monkeypatch.setattr(session._engine.dialect, "name", "oracle")
    (spot,) = session.blind_spots()
    assert "oracle may hide tables" in spot
