"""A folder of exports: which files make which table, and that they hold still while we read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from safeguard.findings.trouble import SystemProblem, UsageProblem


class Format(StrEnum):
    """What a file's ending says of its contents."""

    PARQUET = ".parquet"
    CSV = ".csv"
    JSONL = ".jsonl"


@dataclass(frozen=True)
class FileTable:
    """The files of one table, all of one format."""

    name: str
    format: Format
    files: tuple[Path, ...]


Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Path, size, time of change and inode of every file."""


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
    if not tables:
        raise UsageProblem(f"{name}: {folder} has no .parquet, .csv or .jsonl file")
    return tuple(tables.values())


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
    forms = {form for _, form in files}
    if len(forms) != 1:
        what = "files of several formats" if forms else "no .parquet, .csv or .jsonl file"
        raise UsageProblem(f"{name}: folder {folder.name} has {what}")
    return FileTable(folder.name, forms.pop(), tuple(each for each, _ in files))


def _format(path: Path) -> Format | None:
    ending = path.suffix.lower()
    return Format(ending) if ending in set(Format) else None


def fingerprint(table: FileTable) -> Fingerprint:
    """What would change if a file of the table changed."""
    found = []
    for path in table.files:
        try:
            stat = path.stat()
        except OSError as error:
            raise SystemProblem(f"{path.name} is gone: {error.strerror}") from error
        found.append((str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(found)
