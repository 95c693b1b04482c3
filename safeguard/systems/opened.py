"""The systems of a run, open: each in one snapshot, which is replaced only when it is gone."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from safeguard.contract.model import LoadedPlan
from safeguard.findings.result import SystemInfo
from safeguard.findings.trouble import ConnectionLost, Mistake, SystemProblem, UsageProblem
from safeguard.systems.interface import Limits, Session
from safeguard.systems.open import open_system
from safeguard.systems.pace import Pace

Opener = Callable[[str], Session]
Told = Callable[[str], None]
TRIES = 4
"""So often one thing is asked or read when its connections are lost again and again."""
PATIENCE = 30.0
"""Seconds; a system that is silent for so long, or for `retry_for`, is asked whether it is there."""
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_LEAST_PATIENCE = 1.0
_T = TypeVar("_T")


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
    """Name -> session. `mend` gives a system that was lost a new session and snapshot."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        opener: Opener | None = None,
        kindness: Kindness | None = None,
        told: Told = lambda _: None,
        taken_at: Mapping[str, str] | None = None,
    ) -> None:
        """`taken_at` is of each system the moment just before its first snapshot."""
        self.kindness = kindness or Kindness()
        self.stopped = threading.Event()
        """Set when the run is to end: nothing waits any longer."""
        self._sessions, self._opener, self._told = dict(sessions), opener, told
        self._taken_at = dict(taken_at or {})
        now = time.monotonic()
        self._opened_at = dict.fromkeys(self._sessions, now)
        self._heard_at = dict.fromkeys(self._sessions, now)
        self._awaited: Counter[str] = Counter()
        self._expired: set[str] = set()
        self._gone: set[str] = set()
        """Waited for in vain: the next content asks once, and does not wait again."""
        self._before: dict[str, list[str]] = {}
        self._resting: set[str] = set()
        """Expired because nobody needed them for a while, not because they were too old."""
        self._later: Counter[str] = Counter()
        self._paces = {n: self._pace(n) for n in self._sessions}
        self._lock = threading.RLock()
        if opener is not None:
            threading.Thread(target=self._look, name="watch", daemon=True).start()

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
        """Every system, with all the snapshots that it was read in, and the moment of the oldest: where
        one was replaced, what was read before may count still."""
        return tuple(self._info(name) for name in self._sessions)

    def snapshots(self, names: Iterable[str]) -> tuple[int, ...]:
        """Of each system how often its snapshot was replaced: equal numbers are one state."""
        return tuple(len(self._before.get(name, ())) + self._later[name] for name in sorted(names))

    def heard(self, name: str) -> None:
        """The system has just given something."""
        self._heard_at[name] = time.monotonic()

    @contextmanager
    def awaited(self, *names: str) -> Iterator[None]:
        """Inside, these systems are waited for: one that is silent for long, and on being asked too,
        loses its session, so that whoever waits gets a ConnectionLost instead of waiting for ever."""
        for name in names:
            self.heard(name)
        self._awaited.update(names)
        try:
            yield
        finally:
            self._awaited.subtract(names)

    def steadily(self, ask: Callable[[], _T]) -> _T:
        """What `ask` returns. Where a connection is lost on the way all of it is asked again, of a new
        snapshot where the old one is gone.

        Raises SystemProblem when a system does not come back.
        """
        tries = 0
        while True:
            try:
                with self.awaited(*self):
                    return ask()
            except ConnectionLost as problem:
                tries += 1
                if tries >= TRIES:
                    raise
                for name in self:
                    self.mend(name, problem, tries)

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

    def mend(self, name: str, problem: ConnectionLost, tries: int = 1) -> bool:
        """After a connection was lost, so often in a row: True if the snapshot is gone and there is a
        new one, so that what was read in it must be read again; False if it still stands.

        Raises SystemProblem when the system does not come back, or when we let the snapshot go.
        """
        if name in self._expired:
            age = self.kindness.max_snapshot_age
            raise SystemProblem(
                f"{name}: the snapshot was held for {age:g} s, the most that --max-snapshot-age "
                "allows, and let go before everything was read"
            ) from problem
        if self._sessions[name].alive():
            self.stopped.wait(_FIRST_WAIT * 2**tries)
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
        patience = 0.0 if name in self._gone else self.kindness.retry_for
        deadline = time.monotonic() + patience
        wait = _FIRST_WAIT
        words = str(problem)
        if name not in self._resting:
            self._told(f"{name} was lost; waiting up to {patience:g} s for it")
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
        self._gone.add(name)
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
            self._opened_at[name] = self._heard_at[name] = time.monotonic()
            self._expired.discard(name)
            self._gone.discard(name)

    def _info(self, name: str) -> SystemInfo:
        info = self._sessions[name].info
        words = info.snapshot
        if later := self._later.get(name):
            words += f", the last of {later + 1}"
        if before := self._before.get(name):
            words += f"; before its connection was lost: {'; '.join(before)}"
        return replace(info, snapshot=words, taken_at=self._taken_at.get(name, ""))

    def _look(self) -> None:
        """Whatever the run is doing: let snapshots go when they are too old, and give up systems
        that are waited for and say nothing."""
        age = self.kindness.max_snapshot_age
        patience = max(_LEAST_PATIENCE, min(PATIENCE, self.kindness.retry_for))
        while not self.stopped.wait(min(1.0, patience / 4, age / 4 if age else 1.0)):
            for name in list(self._sessions):
                now = time.monotonic()
                if age and now - self._opened_at[name] > age:
                    self._let_go(name, age)
                elif self._awaited[name] > 0 and now - self._heard_at[name] > patience:
                    self._ask_silent(name)

    def _let_go(self, name: str, age: float) -> None:
        with self._lock:
            if name not in self._expired and time.monotonic() - self._opened_at[name] > age:
                self._expired.add(name)
                self._sessions[name].close()

    def _ask_silent(self, name: str) -> None:
        """A statement may be long, a network that swallows everything looks the same."""
        session = self._sessions[name]
        if session.alive():
            self.heard(name)
            return
        with self._lock:
            if self._sessions[name] is session:
                self.heard(name)
                session.close()


@contextmanager
def open_systems(
    loaded: LoadedPlan, kindness: Kindness | None = None, told: Told = lambda _: None
) -> Iterator[Systems]:
    """Every system of the plan, open and in its snapshot; closed whatever happens.

    Raises UsageProblem with every system that a person must mend, at its `url` in the plan, and
    SystemProblem for one that can't be reached.
    """
    kindness = kindness or Kindness()
    most = max(_LEAST_PATIENCE, kindness.retry_for)
    limits = replace(kindness.limits, connect_timeout=min(kindness.limits.connect_timeout, most))

    def opened(name: str) -> Session:
        spec = loaded.plan.systems[name]
        return open_system(name, spec, Path(loaded.folder), limits=limits)

    sessions: dict[str, Session] = {}
    taken_at: dict[str, str] = {}
    mistakes: list[Mistake] = []
    try:
        for name in loaded.plan.systems:
            try:
                taken_at[name] = dt.datetime.now(dt.UTC).isoformat()
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
    systems = Systems(sessions, opened, kindness, told, taken_at)
    try:
        yield systems
    finally:
        systems.close()
