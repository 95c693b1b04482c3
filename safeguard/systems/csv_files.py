"""CSV: every value is text, the header is required, and two parsers must agree on what is there."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from safeguard.contract.model import CsvOptions
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.duckdb_engine import literal
from safeguard.systems.file_reading import Prepared, Span, malformed
from safeguard.systems.folder import FileTable

LONGEST_FIELD = 2**31 - 1
LONGEST_LINE = 16 * 2**20


def prepare(table: FileTable, options: CsvOptions, staging: Path) -> Prepared:
    """Check every line with Python's parser, count, and say how DuckDB reads the same."""
    if len(options.delimiter) != 1 or options.delimiter in '"\r\n':
        raise UsageProblem(f"csv: the delimiter is one character, not `{options.delimiter}`")
    files = tuple(
        _as_utf8(path, options.encoding, staging / f"{table.name}-{n}")
        for n, path in enumerate(table.files)
    )
    headers = {path: _header(path, options) for path in files}
    names = headers[files[0]]
    for path, header in headers.items():
        if header != names:
            raise SystemProblem(f"{path.name} has other columns than {files[0].name}")
    counts = [_count(path, options, len(names)) for path in files]
    return Prepared(
        "read_csv",
        files,
        _options(names, options),
        names,
        sum(records for records, _ in counts),
        tuple(Span(file, 0, records) for file, (records, _) in enumerate(counts)),
        untyped=True,
        characters=sum(characters for _, characters in counts),
    )


def _as_utf8(path: Path, encoding: str, own: Path) -> Path:
    """The file itself, or a copy in UTF-8 in a folder of its own: no other file's copy is there."""
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        raise UsageProblem(f"csv: unknown encoding `{encoding}`") from None
    if codec.name in ("utf-8", "utf-8-sig"):
        return path
    own.mkdir()
    copy = own / path.name
    try:
        with (
            path.open(encoding=encoding, newline="") as old,
            copy.open("w", encoding="utf-8", newline="") as new,
        ):
            while text := old.read(2**20):
                new.write(text)
    except UnicodeError as error:
        raise SystemProblem(f"{path.name} is not {encoding}: {error.__class__.__name__}") from error
    return copy


def _records(path: Path, options: CsvOptions) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=options.delimiter, strict=True)
            for record in reader:
                yield reader.line_num, record
    except csv.Error as error:
        raise malformed(path, reader.line_num, f"is not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise SystemProblem(f"{path.name} is not UTF-8; say its `csv: {{encoding}}`") from error


def _header(path: Path, options: CsvOptions) -> tuple[str, ...]:
    _, names = next(_records(path, options), (0, []))
    if not names:
        raise SystemProblem(f"{path.name} has no header")
    lower = [name.lower() for name in names]
    if "" in lower or len(set(lower)) != len(lower):
        raise malformed(path, 1, "the header has a column without a name, or a name twice")
    return tuple(names)


def _count(path: Path, options: CsvOptions, width: int) -> tuple[int, int]:
    records, characters = -1, 0
    for line, record in _records(path, options):
        if len(record) != width:
            raise malformed(path, line, f"has {len(record)} values, the header {width}")
        records += 1
        if records:
            characters += sum(map(len, record))
    return records, characters


def _options(names: tuple[str, ...], options: CsvOptions) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"auto_detect=false, header=true, columns={{{columns}}},"
        f" delim={literal(options.delimiter)}, quote='\"', escape='\"',"
        f" nullstr={literal(options.null)}, allow_quoted_nulls=false, strict_mode=true,"
        f" null_padding=false, ignore_errors=false, hive_partitioning=false,"
        f" max_line_size={LONGEST_LINE}"
    )
