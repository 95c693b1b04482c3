"""JSON lines: each line read by Python's parser into exact text, staged as Parquet for SQL.

DuckDB's own JSON reader would turn large numbers into floats, drop repeated keys and refuse what
JSON allows (lone surrogates), so it never sees a line.

A string and what is written like it (`"5"` and `5`) are one text, and two values as JSON: beside each
column lies a flag that says which values were strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from safeguard.findings.trouble import SystemProblem
from safeguard.systems.file_reading import Prepared, Span, malformed
from safeguard.systems.folder import FileTable

STAGE_ROWS = 20_000
FLAG = "\x02"
"""Begins the name of the column that says which values of another are strings."""


class _Token(str):
    """A number, or a mark between values, as it is written."""


class _Written(str):
    """What was no string: a number, a truth value, an array or an object, as it is written."""


class _Members(list[tuple[str, Any]]):
    """An object with all its members, repeated keys too."""


def prepare(table: FileTable, staging: Path) -> Prepared:
    """Read every line; the records are counted by their line ends, not by the JSON parser.

    Keys keep the case they are written in: `names` knows them by their lower case only to refuse a
    file that writes one key in two ways.
    """
    names: dict[str, str] = {}
    staged: list[Path] = []
    spans: list[Span] = []
    for path in table.files:
        for rows in _chunks(path, names):
            spans.append(Span(len(staged), 0, len(rows)))
            staged.append(staging / f"{table.name}-{len(staged)}.parquet")
            pq.write_table(_columns(rows, names.values()), staged[-1])
    if not names:
        raise SystemProblem(f"{table.files[0].name} has no record: nothing tells its columns")
    header = staging / f"{table.name}-columns.parquet"
    pq.write_table(_columns([], names.values()), header)
    return Prepared(
        "read_parquet",
        tuple(staged),
        "union_by_name=true, hive_partitioning=false",
        tuple(names.values()),
        sum(map(_lines, table.files)),
        tuple(spans),
        untyped=True,
        flags=FLAG,
        header=(header,),
    )


def _columns(rows: list[dict[str, str | None]], names: Iterable[str]) -> pa.Table:
    found = {}
    for name in names:
        values = [row.get(name) for row in rows]
        found[name] = pa.array(values, pa.string())
        found[FLAG + name] = pa.array([not isinstance(v, _Written) for v in values], pa.bool_())
    return pa.table(found)


def _lines(path: Path) -> int:
    ends, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(2**20):
            ends += block.count(b"\n")
            last = block[-1:]
    return ends + (last != b"\n")


def _chunks(path: Path, names: dict[str, str]) -> Iterator[list[dict[str, str | None]]]:
    rows: list[dict[str, str | None]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            rows.append(_row(path, number, line, names))
            if len(rows) == STAGE_ROWS:
                yield rows
                rows = []
    if rows:
        yield rows


def _row(path: Path, number: int, line: bytes, names: dict[str, str]) -> dict[str, str | None]:
    row: dict[str, str | None] = {}
    for key, value in _members(path, number, line):
        if key in row:
            raise malformed(path, number, f"has the key `{key}` twice")
        if key.startswith(("\x01", FLAG)):
            raise malformed(path, number, "has a key that begins with a control character")
        if names.setdefault(key.lower(), key) != key:
            raise malformed(path, number, f"writes the key `{key}` in another case than before")
        row[key] = _text(path, number, key, value)
    return row


def _members(path: Path, number: int, line: bytes) -> _Members:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        found = json.loads(
            text,
            parse_int=_Token,
            parse_float=_Token,
            parse_constant=_refuse,
            object_pairs_hook=_Members,
        )
    except UnicodeDecodeError as error:
        raise malformed(path, number, "is not UTF-8") from error
    except ValueError as error:
        raise malformed(path, number, "is not JSON") from error
    except RecursionError as error:
        raise malformed(path, number, "is nested too deeply to be read") from error
    if not isinstance(found, _Members):
        raise malformed(path, number, "is not a JSON object")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _text(path: Path, number: int, key: str, value: Any) -> str | None:
    if value is None:
        return None
    text = value if type(value) is str else _Written(_written(value))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise malformed(path, number, f"`{key}` holds half of a character") from error
    return text


def _written(value: Any) -> str:
    """Nested values as JSON again: numbers as written, repeated keys and lone surrogates kept.

    Without recursion: what the parser could read is never too deep to write.
    """
    found: list[str] = []
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, _Token):
            found.append(one)
        elif isinstance(one, _Members):
            ahead += reversed(_object_parts(one))
        elif isinstance(one, list):
            ahead += reversed(_array_parts(one))
        else:
            found.append(json.dumps(one))
    return "".join(found)


def _object_parts(members: _Members) -> list[Any]:
    parts: list[Any] = [_Token("{")]
    for place, (key, value) in enumerate(members):
        parts += [_Token("," if place else ""), key, _Token(":"), value]
    return [*parts, _Token("}")]


def _array_parts(items: list[Any]) -> list[Any]:
    parts: list[Any] = [_Token("[")]
    for place, item in enumerate(items):
        parts += [_Token("," if place else ""), item]
    return [*parts, _Token("]")]
