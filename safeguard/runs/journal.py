"""What a run has done so far, on disk: a SQLite file in its folder, one row a finished task.

A row is written when the files that it speaks of are complete. The operating system may still hold
them, which a killed process does no harm; after a restart of the machine only those that were synced
are believed, so the journal knows of which start of the machine it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from safeguard import __version__
from safeguard.comparing.buckets import BucketFile
from safeguard.comparing.gathering import Gathered, Key
from safeguard.comparing.partition import JoinDone
from safeguard.contract.model import LoadedPlan
from safeguard.findings.result import ContentResult
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.systems.urls import mask

JOURNAL = "journal.sqlite"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SOURCE, _JOINED, _RESULT, _TERMS = "source", "joined", "result", "terms"
_TABLE = """CREATE TABLE IF NOT EXISTS done (
    task TEXT, content TEXT, part TEXT, left TEXT NOT NULL, PRIMARY KEY (task, content, part))"""


@dataclass(frozen=True)
class Terms:
    """What a journal holds for; where one differs, what was done is of no use."""

    plan_digest: str
    program: str
    reveal: bool
    systems: Mapping[str, str]

    @classmethod
    def of(cls, loaded: LoadedPlan, reveal: bool) -> Terms:
        """Of a plan as it is now. Buckets are cut by DuckDB's hash, so its version counts too."""
        program = f"safeguard {__version__}, DuckDB {duckdb.__version__}"
        urls = {name: mask(spec.url) for name, spec in loaded.plan.systems.items()}
        return cls(loaded.digest, program, reveal, urls)

    def differences(self, other: Terms) -> list[str]:
        """What changed from `other`, in words."""
        found = []
        if self.plan_digest != other.plan_digest:
            found.append("the plan or a contract")
        if self.program != other.program:
            found.append(f"the program (it was {other.program}, it is {self.program})")
        if self.reveal != other.reveal:
            found.append("--reveal")
        names = sorted({*self.systems, *other.systems})
        found += [
            f"the url of {name}"
            for name in names
            if self.systems.get(name) != other.systems.get(name)
        ]
        return found


class RunJournal:
    """See `safeguard.comparing.journal.Journal`; and the results of contents that are done."""

    def __init__(self, folder: Path) -> None:
        with _disk():
            self._connection = sqlite3.connect(folder / JOURNAL, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(_TABLE)

    def close(self) -> None:
        """Close the file; nothing is lost where that is never called."""
        self._connection.close()

    def begin(self, terms: Terms) -> None:
        """Write down what the run is about. Raises UsageProblem where an earlier try was about
        something else: what it did can't be used."""
        before = self._recall(_TERMS, "", "")
        now = {**asdict(terms), "boot": _boot()}
        if before is not None:
            boot = before.pop("boot")
            if changed := terms.differences(Terms(**before)):
                done = self.done()
                raise UsageProblem(
                    f"this run can't be resumed: {', '.join(changed)} changed since. A new check "
                    f"reads everything again{f', {done} too' if done else ''}"
                )
            if not boot or boot != now["boot"]:
                self._forget(_SOURCE, _JOINED)
        self._keep(_TERMS, "", "", now)

    def done(self) -> str:
        """What was done, in words: contents compared, sources read whole."""
        rows = self._connection.execute(
            "SELECT task, content, part FROM done WHERE task IN (?, ?) ORDER BY task, content, part",
            (_RESULT, _SOURCE),
        ).fetchall()
        compared = {content for task, content, _ in rows if task == _RESULT}
        said = [f"{content} (compared)" for content in sorted(compared)]
        said += [f"{content} ({part} read)" for _, content, part in rows if content not in compared]
        return ", ".join(said)

    def source(self, content: str, key: Key) -> Gathered | None:
        """See `Journal.source`."""
        left = self._recall(_SOURCE, content, _part(key))
        if left is None:
            return None
        files = tuple(
            BucketFile(f["name"], tuple((b, n) for b, n in f["buckets"]), f["size"])
            for f in left.pop("files")
        )
        return Gathered(**left, files=files)

    def forget_sources(self, content: str, keys: Iterable[Key]) -> None:
        """See `Journal.forget_sources`."""
        gone = [(_JOINED, content, "%"), *((_SOURCE, content, _part(key)) for key in keys)]
        with self._whole():
            self._connection.executemany(
                "DELETE FROM done WHERE task = ? AND content = ? AND part LIKE ?", gone
            )

    def keep_source(self, content: str, key: Key, gathered: Gathered) -> None:
        """See `Journal.keep_source`."""
        self._keep(_SOURCE, content, _part(key), asdict(gathered))

    def joined(self, content: str, first: int, last: int) -> JoinDone | None:
        """See `Journal.joined`."""
        left = self._recall(_JOINED, content, f"{first}-{last}")
        return None if left is None else JoinDone(**left)

    def keep_joined(self, content: str, first: int, last: int, done: JoinDone) -> None:
        """See `Journal.keep_joined`."""
        self._keep(_JOINED, content, f"{first}-{last}", asdict(done))

    def result(self, content: str) -> tuple[ContentResult, dict[str, str]] | None:
        """The result of a content that is done, and the file of each table that it left."""
        left = self._recall(_RESULT, content, "")
        if left is None:
            return None
        return _form().validate_python(left["result"]), left["files"]

    def keep_result(self, content: str, result: ContentResult, files: Mapping[str, str]) -> None:
        """A content is done; what it was made of is of no use any more. `files` are synced."""
        with self._whole():
            self._connection.execute(
                "DELETE FROM done WHERE content = ? AND task IN (?, ?)", (content, _SOURCE, _JOINED)
            )
            written = _form().dump_python(result, mode="json")
            self._keep(_RESULT, content, "", {"result": written, "files": dict(files)})

    # -- private ----------------------------------------------------------------------------

    def _recall(self, task: str, content: str, part: str) -> dict[str, Any] | None:
        with _disk():
            row = self._connection.execute(
                "SELECT left FROM done WHERE task = ? AND content = ? AND part = ?",
                (task, content, part),
            ).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def _keep(self, task: str, content: str, part: str, left: Mapping[str, Any]) -> None:
        with _disk():
            self._connection.execute(
                "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?)",
                (task, content, part, json.dumps(left)),
            )

    def _forget(self, *tasks: str) -> None:
        marks = ", ".join("?" for _ in tasks)
        with _disk():
            self._connection.execute(f"DELETE FROM done WHERE task IN ({marks})", tasks)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All of it, or nothing."""
        with _disk():
            self._connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):  # a disk that is full has rolled back by itself
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _part(key: Key) -> str:
    return f"{key[0]} {key[1]}"


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise SystemProblem(f"the run's journal can't be kept: {error}") from error
    except sqlite3.DatabaseError as error:  # what is written there is no journal any more
        raise UsageProblem(
            f"this run can't be resumed: its journal is damaged ({error}). Start a new check"
        ) from error


def _form() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(ContentResult)
