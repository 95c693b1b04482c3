"""Databases as sides: URLs, engines, what is only in memory; and no password anywhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import StaticPool, create_engine, text
from sqlalchemy.engine import Engine, make_url

from safeguard import DidNotSurvive, UsageProblem, assert_survives
from safeguard.surviving.sides import Wanted, side_of
from servers import Server

ROWS = [{"customer_id": n, "title_id": 7, "note": "é"} for n in range(3)]
CONTRACT = {"content": "queue", "owner": "customer_id", "item": "title_id", "fields": ["note"]}
TABLE = "CREATE TABLE queue (customer_id int, title_id int, note varchar(9))"


def fill(engine: Engine, rows: int = 3) -> None:
    with engine.begin() as connection:
        connection.execute(text(TABLE))
        for row in ROWS[:rows]:
            said = "INSERT INTO queue VALUES (:customer_id, :title_id, :note)"
            connection.execute(text(said), row)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as made:
        made.execute(TABLE)
        made.executemany("INSERT INTO queue VALUES (:customer_id, :title_id, :note)", ROWS)
        made.commit()
    return path


def test_a_url_is_read_from_where_the_test_runs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    assert_survives(old="sqlite:///shop.sqlite", new=ROWS, contract=CONTRACT)
    monkeypatch.setenv("SHOP", "sqlite:///shop.sqlite")
    assert_survives(old="${SHOP}", new=ROWS, contract=CONTRACT)
    with pytest.raises(DidNotSurvive, match="held against itself"):
        assert_survives(old="${SHOP}", new=f"sqlite:///{file}", contract=CONTRACT)
    with pytest.raises(UsageProblem, match=r"old: NOT_THERE is not set in the environment"):
        assert_survives(old="${NOT_THERE}", new=ROWS, contract=CONTRACT)


def test_a_folder_of_exports_is_a_path(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "queue.parquet")
    assert_survives(old=tmp_path, new=ROWS, contract=CONTRACT)
    with pytest.raises(UsageProblem, match="is no folder; a database is named by its URL"):
        assert_survives(old=tmp_path / "queue.parquet", new=ROWS, contract=CONTRACT)


def test_other_tables_of_a_database_are_not_what_is_asserted(file: Path) -> None:
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE other (customer_id int)")
        made.execute("INSERT INTO other VALUES (1)")
        made.commit()
    assert_survives(old=f"sqlite:///{file}", new=ROWS, contract=CONTRACT)


def test_an_engine_is_its_database(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    assert_survives(old=engine, new=ROWS, contract=CONTRACT)
    engine.dispose()


@pytest.mark.parametrize("options", [{"poolclass": StaticPool}, {}], ids=["static", "default"])
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_copied(url: str, options: dict[str, Any]) -> None:
    engine = create_engine(url, **options)
    fill(engine)
    assert_survives(old=ROWS, new=engine, contract=CONTRACT)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM queue WHERE customer_id = 1"))
    with pytest.raises(DidNotSurvive, match="1 entry is lost in new"):
        assert_survives(old=ROWS, new=engine, contract=CONTRACT)
    engine.dispose()


def test_open_changes_in_memory_are_refused() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    fill(engine, rows=2)
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM queue"))
        with pytest.raises(UsageProblem, match="new: the database in memory has open changes"):
            assert_survives(old=ROWS, new=engine, contract=CONTRACT)
    engine.dispose()


def test_a_connection_is_refused_because_others_do_not_see_its_changes() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(UsageProblem) as caught:
        assert_survives(old=connection, new=ROWS, contract=CONTRACT)
    assert "old: a Connection can't be read beside what else it does: give its engine" in str(
        caught.value
    )
    engine.dispose()


@pytest.mark.parametrize("data", [None, 5, [1], {1, 2}, {}, {"": ROWS}, {"a/b": ROWS}, {"t": 5}])
def test_what_is_no_side_is_refused(data: Any) -> None:
    with pytest.raises(UsageProblem, match=r"^new"):
        assert_survives(old=ROWS, new=data, contract=CONTRACT)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgresql+psycopg://u:p%40ss@h/d", "postgresql://u:p%40ss@h/d"),
        ("postgresql+psycopg2://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql+asyncpg://u@h/d", "postgresql://u@h/d"),
        ("postgresql+asyncpg://u@h/d?ssl=require", "postgresql+asyncpg://u@h/d?ssl=require"),
        ("mysql+pymysql://u:p@h:3307/d", "mysql://u:p@h:3307/d"),
        ("mysql+pymysql://u@h/d?charset=latin1", "mysql+pymysql://u@h/d?charset=latin1"),
        ("oracle+oracledb://u@h/d", "oracle+oracledb://u@h/d"),
    ],
)
def test_an_engines_driver_gives_way_where_its_url_means_the_same_without(
    url: str, read: str, tmp_path: Path
) -> None:
    class AnEngine:
        def __init__(self) -> None:
            self.url = make_url(url)

        def raw_connection(self) -> None:
            raise AssertionError("nobody connects before the check does")

    assert side_of(AnEngine(), "old", Wanted((), ()), tmp_path, {}).url == read


def all_bytes(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_engine_of_a_server_and_its_password(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(kind)
    name = "of_an_engine"
    server.create_database(name)
    driver = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}[kind]
    url = make_url(server.url(name)).set(drivername=driver)
    engine, wrong = create_engine(url), create_engine(url.set(password="s3cr3t-p4ss"))
    fill(engine)
    assert_survives(old=ROWS, new=engine, contract=CONTRACT)
    with engine.begin() as connection:
        connection.execute(text("UPDATE queue SET note = 'e' WHERE customer_id = 2"))
    with pytest.raises(DidNotSurvive, match=r"queue\.note") as caught:
        assert_survives(old=ROWS, new=engine, contract=CONTRACT, out=tmp_path / "run")
    with pytest.raises(DidNotSurvive, match="UNDECIDED") as refused:
        assert_survives(old=ROWS, new=wrong, contract=CONTRACT, out=tmp_path / "refused")
    told = f"{caught.value}{refused.value}{all_texts(tmp_path)}"
    assert str(url.password) not in told
    assert "s3cr3t" not in told
    for each in (engine, wrong):
        each.dispose()


def all_texts(folder: Path) -> str:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return "".join(path.read_bytes().decode("latin-1") for path in files)
