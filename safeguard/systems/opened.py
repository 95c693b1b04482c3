"""The systems of a run, open: each in one snapshot, which is replaced only when it is gone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from safeguard.contract.model import LoadedPlan
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import ConnectionLost, Mistake, SystemProblem, UsageProblem
from safeguard.systems.interface import Limits, Session
from safeguard.systems.open import open_system
from safeguard.systems.pace import Pace

Opener = Callable[[str], Session]
Told = Callable[[str], None]
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0


@dataclass(frozen=True)
class Kindness:
    """What a run may ask of its systems. Times are seconds, 0 is no limit."""

    max_rate: float = 0
    """Rows a second and system."""
    max_snapshot_age: float = 0
    retry_for: float = 120
    """So long a system that went away is waited for."""
    limits: Limits = Limits()


class Systems(Mapping[str, Session]):
    """Name -> session. `reopened` gives a system that was lost a new session and snapshot."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        opener: Opener | None = None,
        kindness: Kindness | None = None,
        told: Told = lambda _: None,
    ) -> None:
        self.kindness = kindness or Kindness()
        self.stopped = threading.Event()
        """Set when the run is to end: nothing waits any longer."""
        self._sessions, self._opener, self._told = dict(sessions), opener, told
        now = time.monotonic()
        self._opened_at = dict.fromkeys(self._sessions, now)
        self._expired: set[str] = set()
        self._before: dict[str, list[str]] = {}
        self._resting: set[str] = set()
        """Expired because nobody needed them for a while, not because they were too old."""
        self._later: Counter[str] = Counter()
        self._paces = {n: self._pace(n) for n in self._sessions}
        self._lock = threading.RLock()
        self._watch()

    def __getitem__(self, name: str) -> Session:
        return self._sessions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    def pace(self, name: str) -> Pace:
        """The pace at which this system may be read."""
        return self._paces[name]

    def infos(self) -> tuple[SystemInfo, ...]:
        """Every system, with all the snapshots that it was read in."""
        return tuple(self._info(name) for name in self._sessions)

    def fresh(self, name: str) -> None:
        """Before a content is read: a snapshot that had to be let go is replaced.

        Raises SystemProblem when the system does not come back."""
        if name in self._expired:
            self._reopen(name, SystemProblem(f"{name}: its snapshot was let go"))

    def rest(self) -> None:
        """Let every snapshot go until its system is read again, which `fresh` prepares: a live check
        holds none while it waits."""
        with self._lock:
            for name, session in self._sessions.items():
                self._resting.add(name)
                self._expired.add(name)
                session.close()

    def mend(self, name: str, problem: ConnectionLost) -> bool:
        """After a connection was lost: True if the snapshot is gone and there is a new one, so that
        what was read in it must be read again; False if it still stands.

        Raises SystemProblem when the system does not come back, or when we let the snapshot go.
        """
        if name in self._expired:
            age = self.kindness.max_snapshot_age
            raise SystemProblem(
                f"{name}: the snapshot was held for {age:g} s, the most that --max-snapshot-age "
                "allows, and let go before everything was read"
            ) from problem
        if self._sessions[name].alive():
            return False
        self._reopen(name, problem)
        return True

    def close(self) -> None:
        """Close every session. Never raises."""
        self.stopped.set()
        for session in self._sessions.values():
            session.close()

    # -- private ----------------------------------------------------------------------------

    def _pace(self, name: str) -> Pace:
        return Pace(lambda: self._sessions[name], self.kindness.max_rate, self._told, self.stopped)

    def _reopen(self, name: str, problem: SystemProblem) -> None:
        """Wait for the system and open it anew. Raises the last problem when time is up."""
        deadline = time.monotonic() + self.kindness.retry_for
        wait = _FIRST_WAIT
        words = str(problem)
        if name not in self._resting:
            self._told(f"{name} was lost; waiting up to {self.kindness.retry_for:g} s for it")
        while self._opener is not None and not self.stopped.is_set():
            try:
                session = self._opener(name)
            except SystemProblem as error:
                words = str(error)
                if time.monotonic() + wait > deadline:
                    break
                self.stopped.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
                continue
            self._replace(name, session)
            return
        raise SystemProblem(f"{words}; it did not come back within {self.kindness.retry_for:g} s")

    def _replace(self, name: str, session: Session) -> None:
        with self._lock:
            if name in self._resting:
                self._later[name] += 1
            else:
                self._before.setdefault(name, []).append(self._sessions[name].info.snapshot)
            self._resting.discard(name)
            self._sessions[name].close()
            self._sessions[name] = session
            self._opened_at[name] = time.monotonic()
            self._expired.discard(name)

    def _info(self, name: str) -> SystemInfo:
        info = self._sessions[name].info
        words = info.snapshot
        if later := self._later.get(name):
            words += f", the last of {later + 1}"
        if before := self._before.get(name):
            words += f"; before its connection was lost: {'; '.join(before)}"
        return replace(info, snapshot=words)

    def _watch(self) -> None:
        """Let snapshots go when they are too old, whatever the run is doing then."""
        if self.kindness.max_snapshot_age:
            threading.Thread(target=self._let_go, name="snapshot-age", daemon=True).start()

    def _let_go(self) -> None:
        age = self.kindness.max_snapshot_age
        while not self.stopped.wait(min(1.0, age / 4)):
            for name in list(self._sessions):
                with self._lock:
                    old = time.monotonic() - self._opened_at[name] > age
                    if not old or name in self._expired:
                        continue
                    self._expired.add(name)
                    self._sessions[name].close()


@contextmanager
def open_systems(
    loaded: LoadedPlan, kindness: Kindness | None = None, told: Told = lambda _: None
) -> Iterator[Systems]:
    """Every system of the plan, open and in its snapshot; closed whatever happens.

    Raises UsageProblem with every system that a person must mend, at its `url` in the plan, and
    SystemProblem for one that can't be reached.
    """
    kindness = kindness or Kindness()

    def opened(name: str) -> Session:
        spec = loaded.plan.systems[name]
        return open_system(name, spec, Path(loaded.folder), limits=kindness.limits)

    sessions: dict[str, Session] = {}
    mistakes: list[Mistake] = []
    try:
        for name in loaded.plan.systems:
            try:
                sessions[name] = opened(name)
            except UsageProblem as problem:
                place = f"systems.{name}.url"
                mistakes += [loaded.mistake(m.message, place) for m in problem.mistakes]
        if mistakes:
            raise UsageProblem(*mistakes)
    except BaseException:
        for session in sessions.values():
            session.close()
        raise
    systems = Systems(sessions, opened, kindness, told)
    try:
        yield systems
    finally:
        systems.close()
