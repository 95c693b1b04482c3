"""Sessions on files: parts that hold each row once, tickets to join, and files that do not hold still."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from safeguard.contract.model import SystemSpec
from safeguard.findings.trouble import SystemProblem
from safeguard.systems.files import DuckdbSession, FilesSession
from safeguard.systems.generic import GenericSession
from safeguard.systems.interface import Output, Part, Relation, Selection, Session
from safeguard.systems.sqlite import SqliteSession

N = 250_000
QUEUE = Relation("queue")


@dataclass(frozen=True)
class Store:
    """A system of one table `queue` with a column `n` of 0 to `rows` - 1."""

    fill: Callable[[Path], Path]
    """Gives the file that stands for it."""
    open: Callable[..., Session]
    parts: int
    """That it can be cut into, of 5 asked for."""
    rows: int = N


def _sqlite(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "old.db")) as connection:
        connection.execute("CREATE TABLE queue (n INTEGER)")
        connection.executemany("INSERT INTO queue VALUES (?)", ((n,) for n in range(N)))
        connection.commit()
    return folder / "old.db"


def _duckdb(folder: Path) -> Path:
    with duckdb.connect(str(folder / "old.duckdb")) as connection:
        connection.execute(f"CREATE TABLE queue AS SELECT range n FROM range(-70000, {N})")
        connection.execute("DELETE FROM queue WHERE n < 0")
    return folder / "old.duckdb"


def _parquet(folder: Path) -> Path:
    (folder / "queue").mkdir()
    for number, rows in enumerate((range(100_000), range(0), range(100_000, N))):
        path = folder / "queue" / f"{number}.parquet"
        pq.write_table(pa.table({"n": pa.array(rows, pa.int64())}), path, row_group_size=40_000)
    return path


def _csv(folder: Path) -> Path:
    (folder / "queue").mkdir()
    for number, rows in enumerate((range(100_000), range(0), range(100_000, N))):
        path = folder / "queue" / f"{number}.csv"
        path.write_text("n\n" + "".join(f"{n}\n" for n in rows))
    return path


def _jsonl(folder: Path) -> Path:
    (folder / "queue").mkdir()
    for number, rows in enumerate((range(25_000), range(25_000, 50_000))):
        path = folder / "queue" / f"{number}.jsonl"
        more = ', "late": 1' * number
        path.write_text("".join(f'{{"n": {n}{more}}}\n' for n in rows))
    return path


def _files(path: Path, ticket: str | None = None) -> Session:
    folder = path.parent.parent
    return FilesSession("old", folder, SystemSpec(url="files:."), ticket=ticket)


def _generic(path: Path, ticket: str | None = None) -> Session:
    url = f"sqlite:///{path}"
    return GenericSession("old", url, SystemSpec(url=url), ticket=ticket)


def _open_sqlite(path: Path, ticket: str | None = None) -> Session:
    return SqliteSession("old", path, SystemSpec(url="sqlite:///old.db"), ticket=ticket)


def _open_duckdb(path: Path, ticket: str | None = None) -> Session:
    return DuckdbSession("old", path, SystemSpec(url="duckdb:///old.duckdb"), ticket=ticket)


STORES = {
    "sqlite": Store(_sqlite, _open_sqlite, 3),
    "duckdb": Store(_duckdb, _open_duckdb, 3),
    "parquet": Store(_parquet, _files, 5),
    "csv": Store(_csv, _files, 3),
    "jsonl": Store(_jsonl, _files, 4, rows=50_000),
    "generic": Store(_sqlite, _generic, 1),
}
OF_FILES = [name for name in STORES if name != "generic"]


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    return STORES[request.param]


@pytest.fixture
def path(store: Store, tmp_path: Path) -> Path:
    return store.fill(tmp_path)


@pytest.fixture
def session(store: Store, path: Path) -> Iterator[Session]:
    with closing(store.open(path)) as opened:
        yield opened


def selected(session: Session, where: str | None = None) -> Selection:
    return session.resolve(Selection(QUEUE, (Output("n", "n", is_column=True),), where))


def numbers(session: Session, selection: Selection, part: Part | None = None) -> list[int]:
    found: list[int] = []
    for batch in session.stream(selection, part):
        assert batch.num_rows <= 65_536
        column = batch.column("n")
        if pa.types.is_struct(column.type):
            column = column.field("text")
        found += column.cast(pa.int64()).to_pylist()
    return found


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_parts_hold_each_row_once(store: Store, session: Session) -> None:
    for where in (None, "CAST(n AS INTEGER) % 3 = 1"):
        selection = selected(session, where)
        wanted = [n for n in range(store.rows) if where is None or n % 3 == 1]
        assert sorted(numbers(session, selection)) == wanted
        for most in (1, 2, 5, 1000):
            parts = session.parts(selection, most)
            assert [part.number for part in parts] == list(range(len(parts)))
            assert 1 <= len(parts) <= most
            each = [numbers(session, selection, part) for part in parts]
            assert sorted(n for part in each for n in part) == wanted
            if most == 5:
                assert len(parts) == store.parts
    assert session.count(QUEUE, None) == (store.rows,)


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_streams_side_by_side(store: Store, session: Session) -> None:
    selection = selected(session)
    parts = session.parts(selection, 3)
    found: list[list[int]] = []
    trouble: list[BaseException] = []

    def work(part: Part | None) -> None:
        try:
            if part is None:
                assert session.count(QUEUE, None, "CAST(n AS INTEGER) < 5") == (store.rows, 5)
                assert session.alive()
            else:
                found.append(numbers(session, selection, part))
        except BaseException as error:  # noqa: BLE001 - told to the test's thread
            trouble.append(error)

    threads = [threading.Thread(target=work, args=[part]) for part in (*parts, None, *parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert trouble == []
    assert Counter(n for each in found for n in each) == Counter(
        dict.fromkeys(range(store.rows), 2)
    )


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_two_streams_of_one_thread_and_one_given_up(store: Store, session: Session) -> None:
    selection = selected(session)
    first, second = session.stream(selection), session.stream(selection)
    rows = next(first).num_rows + next(second).num_rows
    second.close()  # type: ignore[attr-defined]
    rows += sum(batch.num_rows for batch in first)
    assert store.rows < rows <= store.rows + 65_536


@pytest.mark.parametrize("store", ["generic"], indirect=True)
def test_a_stream_of_another_thread_waits(store: Store, session: Session) -> None:
    selection = selected(session)
    mine = session.stream(selection)
    next(mine)
    theirs: list[int] = []
    other = threading.Thread(target=lambda: theirs.extend(numbers(session, selection)))
    other.start()
    other.join(timeout=2)  # long enough to read all of it, were it let
    assert other.is_alive()
    assert theirs == []
    for _ in mine:
        pass
    other.join(timeout=60)
    assert len(theirs) == N


@pytest.mark.parametrize("store", OF_FILES, indirect=True)
def test_another_session_joins_by_the_ticket(store: Store, path: Path, session: Session) -> None:
    ticket = session.ticket()
    assert ticket is not None
    parts = session.parts(selected(session), 5)
    with closing(store.open(path, ticket=ticket)) as joined:
        assert joined.ticket() == ticket
        assert joined.parts(selected(joined), 5) == parts
        found = [n for part in parts for n in numbers(joined, selected(joined), part)]
    assert sorted(found) == list(range(store.rows))


def _alter(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b" ")


def _replace(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    stat = path.stat()
    os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    copy.replace(path)


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


ACCIDENTS = (_alter, _replace, _truncate, Path.unlink)


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("store", OF_FILES, indirect=True)
def test_a_file_that_does_not_hold_still_is_noticed(
    store: Store, path: Path, session: Session, accident: Callable[[Path], None]
) -> None:
    selection = selected(session)
    parts = session.parts(selection, 2)
    assert session.alive()
    stream = session.stream(selection, parts[0])
    next(stream)
    accident(path)
    assert not session.alive()
    with pytest.raises(SystemProblem):
        for _ in stream:
            pass
    with pytest.raises(SystemProblem):
        numbers(session, selection, parts[-1])
    with pytest.raises(SystemProblem):
        session.count(QUEUE, None)


@pytest.mark.parametrize("store", OF_FILES, indirect=True)
def test_who_joins_too_late_is_told(store: Store, path: Path, session: Session) -> None:
    ticket = session.ticket()
    session.close()
    os.utime(path, ns=(1, 1))
    with pytest.raises(SystemProblem, match=rf"{path.name} changed since the check began"):
        store.open(path, ticket=ticket)


@pytest.mark.parametrize("store", ["csv"], indirect=True)
def test_a_file_that_came_later_is_told(store: Store, path: Path, session: Session) -> None:
    path.with_name("new.csv").write_text("n\n1\n")
    with pytest.raises(SystemProblem, match=r"queue/new\.csv changed since the check began"):
        store.open(path, ticket=session.ticket())


@pytest.mark.parametrize("store", ["generic"], indirect=True)
def test_nobody_joins_what_has_no_snapshot(store: Store, path: Path, session: Session) -> None:
    assert session.ticket() is None
    with pytest.raises(SystemProblem, match="no snapshot"):
        store.open(path, ticket="{}")


@pytest.mark.parametrize("store", STORES, indirect=True)
def test_a_closed_session_is_not_alive(store: Store, session: Session) -> None:
    assert session.strain() == ""
    assert session.alive()
    session.close()
    assert not session.alive()


@pytest.mark.parametrize("store", ["parquet"], indirect=True)
def test_a_ticket_names_files_within_their_folder(store: Store, session: Session) -> None:
    assert sorted(json.loads(session.ticket() or "")["files"]) == [
        "queue/0.parquet",
        "queue/1.parquet",
        "queue/2.parquet",
    ]


def test_rows_that_cannot_be_numbered_are_read_by_the_file(tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    table = pa.table({"n": [1, 2], "File_Row_Number": [7, 8]})
    pq.write_table(table, tmp_path / "queue" / "1.parquet", row_group_size=1)
    with closing(_files(tmp_path / "queue" / "1.parquet")) as session:
        (part,) = session.parts(selected(session), 4)
        assert sorted(numbers(session, selected(session), part)) == [1, 2]


def test_a_table_without_rows_is_one_part(tmp_path: Path) -> None:
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue" / "1.csv").write_text("n\n")
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), tmp_path / "other.parquet")
    with closing(_files(tmp_path / "queue" / "1.csv")) as session:
        for table in ("queue", "other"):
            asked = Selection(Relation(table), (Output("n", "n", is_column=True),))
            (part,) = session.parts(session.resolve(asked), 4)
            assert numbers(session, session.resolve(asked), part) == []
