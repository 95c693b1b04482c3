"""101,169 books on 10,485 real lists: all kept is PASS; of planted faults, exactly these are found.

The faults are drawn at random, each in a list of its own, so that what must be said of one can be
worked out by itself; `Faults` says it and does it to the rows before they are loaded.
"""

from __future__ import annotations

import csv
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scenarios.telling import check_plan
from servers import Database

PLAN = Path(__file__).parent / "goodbooks" / "safeguard.yaml"
STEP = 10
"""New lists are numbered 10, 20, 30: in the same order, with room between."""
EACH = 5
"""How often each kind of fault is planted."""

Lists = dict[int, list[int]]
Finding = tuple[str, int, int]
"""Kind, reader, book."""


@pytest.fixture(scope="module")
def rows(real: Path) -> list[tuple[int, int]]:
    """(reader, book) in the order of the file."""
    with (real / "goodbooks_toread" / "to_read.csv").open(encoding="utf-8", newline="") as file:
        return [(int(row["user_id"]), int(row["book_id"])) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def lists(rows: list[tuple[int, int]]) -> Lists:
    found: Lists = defaultdict(list)
    for reader, book in rows:
        found[reader].append(book)
    return dict(found)


@pytest.fixture(scope="module")
def old_url(rows: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("goodbooks") / "old.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE readers (user_id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE to_read (line INTEGER PRIMARY KEY, "
            "user_id INTEGER NOT NULL REFERENCES readers, book_id INTEGER NOT NULL)"
        )
        readers = sorted({reader for reader, _ in rows})
        connection.executemany("INSERT INTO readers VALUES (?)", [(r,) for r in readers])
        numbered = [(i, *row) for i, row in enumerate(rows, 1)]
        connection.executemany("INSERT INTO to_read VALUES (?, ?, ?)", numbered)
    return f"sqlite:///{path}"


class Faults:
    """What goes wrong with the new lists, and what must be found."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self.random = random.Random(seed)
        self.lists = {reader: list(books) for reader, books in lists.items()}
        self.members = set(lists)
        self.expected: Counter[Finding] = Counter()
        self.new_owner: dict[Finding, int] = {}
        self._untouched = sorted(lists)
        self.random.shuffle(self._untouched)

    def reader(self, at_least: int, at_most: int = 40) -> int:
        """A reader whose list nothing has happened to, and will not again."""
        found = next(r for r in self._untouched if at_least <= len(self.lists[r]) <= at_most)
        self._untouched.remove(found)
        return found

    def one_book_lost(self) -> None:
        reader = self.reader(1)
        books = self.lists[reader]
        self.expect("lost", reader, books.pop(self.random.randrange(len(books))))

    def whole_list_lost(self) -> None:
        reader = self.reader(2)
        for book in self.lists.pop(reader):
            self.expect("lost", reader, book)

    def one_book_more(self) -> None:
        reader = self.reader(1)
        books = self.lists[reader]
        book = self.another_book(books)
        books.insert(self.random.randint(0, len(books)), book)
        self.expect("extra", reader, book)

    def another_book_instead(self) -> None:
        reader = self.reader(1)
        books = self.lists[reader]
        place, book = self.random.randrange(len(books)), self.another_book(books)
        self.expect("lost", reader, books[place])
        self.expect("extra", reader, book)
        books[place] = book

    def a_book_twice(self) -> None:
        reader = self.reader(1)
        books = self.lists[reader]
        book = self.random.choice(books)
        books.append(book)
        self.expect("duplicated", reader, book)

    def a_book_moved(self) -> None:
        """By two places at least: of two neighbours that changed places, either may be the one."""
        reader = self.reader(3)
        books = self.lists[reader]
        far = [(i, j) for i in range(len(books)) for j in range(len(books)) if abs(i - j) > 1]
        place, target = self.random.choice(far)
        book = books.pop(place)
        books.insert(target, book)
        self.expect("moved", reader, book)

    def list_given_to_another(self) -> None:
        """Whose own list has none of these books, and stays."""
        reader = self.reader(2)
        books = self.lists.pop(reader)
        other = self.reader(1)
        while set(self.lists[other]) & set(books):
            other = self.reader(1)
        self.lists[other] += books
        for book in books:
            self.expect("misattributed", reader, book)
            self.new_owner["misattributed", reader, book] = other

    def reader_forgotten(self) -> None:
        """The list is there, its reader is not."""
        reader = self.reader(1)
        self.members.remove(reader)
        for book in self.lists[reader]:
            self.expect("orphaned", reader, book)

    def another_book(self, books: list[int]) -> int:
        return next(b for b in iter(lambda: self.random.randint(1, 10_000), 0) if b not in books)

    def expect(self, kind: str, reader: int, book: int) -> None:
        self.expected[kind, reader, book] += 1

    def plant(self) -> None:
        kinds = (
            self.one_book_lost,
            self.whole_list_lost,
            self.one_book_more,
            self.another_book_instead,
            self.a_book_twice,
            self.a_book_moved,
            self.list_given_to_another,
            self.reader_forgotten,
        )
        for fault in kinds * EACH:
            fault()


def loaded(database: Database, lists: Lists, members: set[int]) -> str:
    """The new system's URL."""
    database.run_script("".join(_script(lists, members)))
    return database.url


def _script(lists: Lists, members: set[int]) -> Iterator[str]:
    yield "CREATE TABLE members (member_id bigint PRIMARY KEY);\n"
    yield "CREATE TABLE shelf (member_id bigint, book_id integer, rank integer);\n"
    yield "COPY members FROM stdin;\n"
    yield from (f"{member}\n" for member in members)
    yield "\\.\nCOPY shelf FROM stdin;\n"
    for reader, books in lists.items():
        yield from (f"{reader}\t{book}\t{i * STEP}\n" for i, book in enumerate(books, 1))
    yield "\\.\n"


def test_equal_lists_pass(
    rows: list[tuple[int, int]],
    lists: Lists,
    old_url: str,
    fresh_database: Callable[[str], Database],
    tmp_path: Path,
) -> None:
    new_url = loaded(fresh_database("postgresql"), lists, set(lists))
    result, findings = check_plan(PLAN, tmp_path, {"OLD_URL": old_url, "NEW_URL": new_url})
    (content,) = result.contents
    assert findings == []
    assert (str(result.verdict), result.exit_code) == ("PASS", 0)
    assert (content.old, content.new, content.kept) == (101_169, 101_169, 101_169)
    assert content.customers.with_content == 10_485
    assert dict(content.tolerated) == {"renumbered": _renumbered(rows)}


@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_the_planted_faults(
    seed: int,
    lists: Lists,
    old_url: str,
    fresh_database: Callable[[str], Database],
    tmp_path: Path,
) -> None:
    faults = Faults(lists, seed)
    faults.plant()
    new_url = loaded(fresh_database("postgresql"), faults.lists, faults.members)
    result, findings = check_plan(PLAN, tmp_path, {"OLD_URL": old_url, "NEW_URL": new_url})
    found = Counter((f["kind"], int(f["owner"]), int(f["item"])) for f in findings)
    assert found - faults.expected == Counter(), "found, but not planted"
    assert faults.expected - found == Counter(), "planted, but not found"
    said = {
        (f["kind"], int(f["owner"]), int(f["item"])): int(f["new_value"])
        for f in findings
        if f["kind"] == "misattributed"
    }
    assert said == faults.new_owner
    (content,) = result.contents
    assert (str(result.verdict), result.exit_code) == ("BLOCK", 1)
    assert sum(content.sums_old.values()) == content.old == 101_169
    assert sum(content.sums_new.values()) == content.new
    assert content.conservation.old
    assert content.conservation.new
    kinds = Counter(kind for kind, _, _ in faults.expected.elements())
    assert {kind: n for kind, n in content.findings.items() if n} == kinds
    surplus = kinds["extra"]
    assert content.kept == 101_169 - (kinds.total() - surplus - kinds["duplicated"])


def _renumbered(rows: list[tuple[int, int]]) -> int:
    """Entries whose number is another one now."""
    place: Counter[int] = Counter()
    other = 0
    for line, (reader, _) in enumerate(rows, 1):
        place[reader] += STEP
        other += place[reader] != line
    return other
