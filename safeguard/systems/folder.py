"""A folder of exports: which files make which table.

No file is passed over in silence: what may hold content and cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from safeguard.findings.trouble import UsageProblem


class Format(StrEnum):
    """What a file's ending says of its contents."""

    PARQUET = ".parquet"
    CSV = ".csv"
    JSONL = ".jsonl"


_UNREAD = frozenset(
    {".json", ".ndjson", ".tsv", ".psv", ".avro", ".orc", ".arrow", ".feather", ".xml"}
    | {".xls", ".xlsx", ".ods", ".pq", ".parq"}
)
"""Endings of exports that we do not read: content all the same."""
_PACKED = frozenset(
    {".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4", ".lzo", ".br", ".snappy", ".7z", ".rar"}
    | {".tar", ".tgz"}
)
_CHECKSUMS = frozenset({".crc", ".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig"})
_WORDS = frozenset({"", ".md", ".rst"})
"""Endings of what people write about an export."""


@dataclass(frozen=True)
class FileTable:
    """The files of one table, all of one format."""

    name: str
    format: Format
    files: tuple[Path, ...]


def list_tables(name: str, folder: Path) -> tuple[FileTable, ...]:
    """The tables of a folder: each file, and each folder inside. UsageProblem says what is odd."""
    if not folder.is_dir():
        raise UsageProblem(f"{name}: there is no folder {folder}")
    tables: dict[str, FileTable] = {}
    for entry in sorted(folder.iterdir()):
        table = _table(name, entry)
        if table is None:
            continue
        twin = tables.setdefault(table.name.lower(), table)
        if twin is not table:
            raise UsageProblem(
                f"{name}: {twin.files[0].name} and {entry.name} are both table `{table.name}`"
            )
    _refuse_strays(name, folder, tables)
    if not tables:
        raise UsageProblem(f"{name}: {folder} has no .parquet, .csv or .jsonl file")
    return tuple(tables.values())


def _refuse_strays(name: str, folder: Path, tables: Container[str]) -> None:
    """A part that we cannot read would be missing in silence from the table it belongs to."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() or _format(entry) or _is_mark(entry):
            continue
        endings = [each.lower() for each in entry.suffixes]
        last = endings[-1] if endings else ""
        exported = any(each in _UNREAD or each in set(Format) for each in endings)
        packed = last in _PACKED
        same = entry.name.partition(".")[0].lower() in tables or entry.stem.lower() in tables
        if last not in _CHECKSUMS and (exported or packed or (same and last not in _WORDS)):
            raise _unread(name, entry.name)


def _is_mark(entry: Path) -> bool:
    """What tools leave beside their files: hidden ones, checksums, `_SUCCESS`, `_metadata`."""
    return entry.name.startswith((".", "_")) or entry.suffix.lower() == ".crc"


def _unread(name: str, file: str) -> UsageProblem:
    return UsageProblem(
        f"{name}: {file} is no .parquet, .csv or .jsonl file, and may hold content:"
        " convert it, or take it out of the folder"
    )


def _table(name: str, entry: Path) -> FileTable | None:
    if entry.name.startswith("."):
        return None
    if entry.is_symlink():
        raise UsageProblem(f"{name}: {entry.name} is a symbolic link; give the folder it points to")
    if entry.is_dir():
        return _folder_table(name, entry)
    form = _format(entry)
    return FileTable(entry.stem, form, (entry,)) if form else None


def _folder_table(name: str, folder: Path) -> FileTable:
    inside = [each for each in sorted(folder.iterdir()) if not each.name.startswith(".")]
    odd = next((each for each in inside if each.is_symlink() or not each.is_file()), None)
    if odd is not None:
        raise UsageProblem(f"{name}: {folder.name}/{odd.name} is not a plain file")
    files = [(each, form) for each in inside if (form := _format(each))]
    stray = next((each for each in inside if not _format(each) and not _is_mark(each)), None)
    if files and stray is not None:
        raise _unread(name, f"{folder.name}/{stray.name}")
    forms = {form for _, form in files}
    if len(forms) != 1:
        what = "files of several formats" if forms else "no .parquet, .csv or .jsonl file"
        raise UsageProblem(f"{name}: folder {folder.name} has {what}")
    return FileTable(folder.name, forms.pop(), tuple(each for each, _ in files))


def _format(path: Path) -> Format | None:
    ending = path.suffix.lower()
    return Format(ending) if ending in set(Format) else None
