"""What customers made: the same rows on every run, with differences that are known by number.

Rows come in blocks of a hundred that two customers share, so that a customer has about fifty; which
rows are lost, extra, changed or moved is said by their number, so nothing has to be remembered.
Differences are spread evenly, each in a block of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import duckdb

Shape = Literal["records", "lists", "giant"]
State = Literal["old", "equal", "few", "many"]
Column = tuple[str, str]

BLOCK = 100
PLANTED = 100
"""Lost, extra and changed entries in the state `few`, of each; of lists as many are moved."""
MANY = 20
"""In the state `many` one entry in so many is changed."""
GIANT_SHARE = 2.5
"""The giant's list has one entry for so many of all others together: a million for 2,500,000."""
_KINDS = ("lost", "extra", "changed", "moved")


@dataclass(frozen=True)
class Planted:
    """How many entries each side has, and how many of them differ."""

    old: int
    new: int
    lost: int = 0
    extra: int = 0
    changed: int = 0
    moved: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(frozen=True)
class Content:
    """One shape at one size. `rows` is a multiple of `BLOCK`, and at least four times that."""

    shape: Shape
    rows: int

    def __post_init__(self) -> None:
        if self.rows % BLOCK or self.rows < len(_KINDS) * BLOCK:
            least = len(_KINDS) * BLOCK
            raise ValueError(f"rows must be a multiple of {BLOCK} and at least {least}")

    @property
    def table(self) -> str:
        """The table's name, the same on all systems."""
        return "ratings" if self.shape == "records" else "queue"

    @property
    def columns(self) -> tuple[Column, ...]:
        """Name and SQL type of each column; the key are the first two."""
        keys = (("customer_id", "bigint"), ("title_id", "bigint"))
        if self.shape == "records":
            return (*keys, ("stars", "smallint"), ("rated_at", "timestamp(6)"))
        return (*keys, ("position", "integer"), ("added_at", "timestamp(6)"))

    def planted(self, state: State) -> Planted:
        """What an exact comparison of the old rows with `state` finds."""
        rows = self.rows + self._giant
        if state == "few":
            n = self._each
            moved = {"records": 0, "lists": n, "giant": n + 1}[self.shape]
            return Planted(rows, rows, n, n, n, moved)
        return Planted(rows, rows, changed=self.rows // MANY if state == "many" else 0)

    def name(self, state: State) -> str:
        """Names a database or file of these rows."""
        return f"{self.shape}_{self.rows}_{state}"

    def query(self, state: State) -> str:
        """DuckDB's SQL of all rows, in no order that a key has and another one on each side."""
        plain = self._plain(state)
        names = ", ".join(name for name, _ in self.columns)
        shuffle = 2654435761 if state == "old" else 2246822519
        order = f"((customer_id * 131 + title_id) * {shuffle}) % 4294967291"
        return f"SELECT {names} FROM ({plain}{self._giant_rows(state)}) ORDER BY {order}"

    @property
    def _each(self) -> int:
        return min(PLANTED, self.rows // BLOCK // len(_KINDS))

    @property
    def _giant(self) -> int:
        return int(self.rows / GIANT_SHARE) if self.shape == "giant" else 0

    def _plain(self, state: State) -> str:
        base = f"""
            SELECT i, i % {BLOCK} AS place, 2 * (i // {BLOCK}) + 1 AS pair_id,
                   25 + {_mixed(f"i // {BLOCK}", 1)} % 51 AS of_first, place >= of_first AS second,
                   {_mixed("i", 2)} AS value_mix, {_mixed("i", 3)} AS time_mix
            FROM range({self.rows}) AS numbers(i)"""
        value = f"value_mix % 5 + 1 + {self._changes(state, 'value')} AS stars"
        if self.shape != "records":
            at = "CASE WHEN second THEN place - of_first ELSE place END + 1"
            moved = (
                f"CASE WHEN {self._chosen('moved')} THEN 1000 ELSE 0 END" if state == "few" else "0"
            )
            value = f"{at} + {moved} AS position"
        rows = f"""
            SELECT pair_id + second::BIGINT AS customer_id,
                   place * 171 + {_mixed("pair_id", 4)} % 171 + 1 AS title_id, {value},
                   TIMESTAMP '2008-01-01' + to_microseconds(
                       time_mix * 23456 + value_mix % 23456 + {self._changes(state, "time")}
                   ) AS {self.columns[3][0]}
            FROM ({base})"""
        if state != "few":
            return rows
        kept = f"{rows} WHERE NOT ({self._chosen('lost')})"
        extra = f"{rows} WHERE {self._chosen('extra')}"
        return f"{kept} UNION ALL (SELECT * REPLACE (title_id + 20000 AS title_id) FROM ({extra}))"

    def _changes(self, state: State, what: str) -> str:
        """One, where the row's value or time is changed, else zero: half of them each, by a unit."""
        chosen = {"few": self._chosen("changed"), "many": f"i % {MANY} = 7"}.get(state)
        if chosen is None:
            return "0"
        of_value = "FALSE" if self.shape != "records" else f"(i // {MANY}) % 2 = 0"
        if state == "few" and self.shape == "records":
            of_value = f"(i // {self._step}) % 2 = 0"
        half = of_value if what == "value" else f"NOT {of_value}"
        return f"CASE WHEN {chosen} AND {half} THEN 1 ELSE 0 END"

    @property
    def _step(self) -> int:
        return BLOCK * (self.rows // BLOCK // self._each)

    def _chosen(self, kind: str) -> str:
        """Picks the eighth row of a block, which is not a list's last, in each so many blocks."""
        number = _KINDS.index(kind)
        block = number * (self._step // BLOCK // len(_KINDS))
        return f"i % {self._step} = {block * BLOCK + 7} AND i // {self._step} < {self._each}"

    def _giant_rows(self, state: State) -> str:
        if not self._giant:
            return ""
        last = self._giant + 1
        place = f"CASE i WHEN 7 THEN {last} ELSE i + 1 END" if state == "few" else "i + 1"
        return f"""
            UNION ALL SELECT 0, i + 1, {place}, TIMESTAMP '2008-01-01' + to_microseconds(i * 1000003)
            FROM range({self._giant}) AS numbers(i)"""


def all_queries() -> str:
    """What makes the rows, to tell whether rows on disk are these."""
    contents = [Content(shape, 4 * BLOCK) for shape in get_args(Shape)]
    queries = [content.query(state) for content in contents for state in get_args(State)]
    columns = [str(content.columns) for content in contents]
    return "\n".join([*queries, *columns, new_customer("old")])


def write_parquet(content: Content, state: State, path: Path) -> None:
    """Write the rows into one Parquet file."""
    casts = ", ".join(f"{name}::{_duckdb_type(kind)} AS {name}" for name, kind in content.columns)
    rows = f"SELECT {casts} FROM ({content.query(state)})"
    _write(rows, path, "FORMAT parquet, ROW_GROUP_SIZE 122880, COMPRESSION zstd")


def write_csv(content: Content, state: State, path: Path, *, by_key: bool) -> None:
    """Write the rows into one CSV file without a header, times with microseconds."""
    names = [name for name, _ in content.columns]
    time = f"strftime({names[3]}, '%Y-%m-%d %H:%M:%S.%f')"
    rows = f"SELECT {', '.join(names[:3])}, {time} FROM ({content.query(state)})"
    order = " ORDER BY customer_id, title_id" if by_key else ""
    _write(rows + order, path, "FORMAT csv, HEADER FALSE")


def batches(content: Content, state: State) -> Iterator[list[tuple[object, ...]]]:
    """The rows as tuples, the time as text with microseconds, 100,000 at once."""
    *names, time = (name for name, _ in content.columns)
    text = f"strftime({time}, '%Y-%m-%d %H:%M:%S.%f')"
    with duckdb.connect() as connection:
        cursor = connection.execute(
            f"SELECT {', '.join(names)}, {text} FROM ({content.query(state)})"
        )
        while rows := cursor.fetchmany(100_000):
            yield rows


def write_crosswalk(content: Content, path: Path) -> None:
    """Write the pairs of an old and a new customer as CSV without a header."""
    customers = content.rows // BLOCK * 2
    rows = f"SELECT i + 1, {new_customer('i + 1')} FROM range({customers}) AS numbers(i)"
    _write(rows, path, "FORMAT csv, HEADER FALSE")


def new_customer(old: str) -> str:
    """SQL of a customer's new id after a migration that changed ids; one to one."""
    return f"({old}) * 7 + 1000003"


def _write(rows: str, path: Path, form: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "SET memory_limit = '4GB'"
        )  # what is sorted beyond spills beside the file
        connection.execute(f"SET temp_directory = '{path.parent}/spill'")
        connection.execute(f"COPY ({rows}) TO '{path}' ({form})")


def _duckdb_type(kind: str) -> str:
    return "timestamp" if kind.startswith("timestamp") else kind


def _mixed(number: str, salt: int) -> str:
    """SQL of 31 bits that look random, the same in every version of DuckDB."""
    return f"((((({number}) + {salt * 7919}) * 2654435761) % 4294967291) * 40503 % 2147483647)"
