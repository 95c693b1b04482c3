"""That files hold still while they are read, by us and by those who join us."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from safeguard.findings.trouble import SystemProblem


@dataclass(frozen=True)
class Fingerprint:
    """What changes when a file is altered or replaced: its size in bytes, the time it was last
    written (ns since 1970), its inode."""

    size: int
    written: int
    inode: int


Fingerprints = dict[str, Fingerprint]
"""By path, relative to the folder that the files are in: another machine may mount it elsewhere."""


def fingerprints(folder: Path, files: Iterable[Path]) -> Fingerprints:
    """As the files are now. SystemProblem where one is gone."""
    found = {}
    for path in files:
        try:
            stat = path.stat()
        except OSError as error:
            raise SystemProblem(f"{path.name} is gone: {error.strerror}") from error
        key = path.relative_to(folder).as_posix()
        found[key] = Fingerprint(stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return found


def ticket_of(found: Fingerprints) -> str:
    """What another process compares its files with."""
    files = {path: [each.size, each.written, each.inode] for path, each in sorted(found.items())}
    return json.dumps({"files": files})


def verify_ticket(name: str, ticket: str, found: Fingerprints) -> None:
    """SystemProblem that names the files that are not as they were for whoever gave the ticket."""
    files = json.loads(ticket)["files"]
    before = {path: Fingerprint(*parts) for path, parts in files.items()}
    paths = sorted(before.keys() | found.keys())
    if changed := [path for path in paths if before.get(path) != found.get(path)]:
        raise SystemProblem(f"{name}: {', '.join(changed)} changed since the check began")
