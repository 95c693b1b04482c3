"""What a drill found, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

UNREAD = "column in no contract"
"""The kind of what is planted in a column that nobody reads, see unread.py."""


class Fate(StrEnum):
    """What became of a planted fault."""

    CAUGHT = "caught"
    TOLERATED = "tolerated"
    """Not found, and the contract says that it accepts this."""
    SURVIVED = "survived"


@dataclass(frozen=True)
class PlantedFault:
    """One planted fault and what the check made of it."""

    content: str
    kind: str
    system: str
    owner: str | None
    item: str | None
    field: str | None
    fate: Fate
    found: tuple[str, ...] = ()
    """Kinds of its findings."""
    right_kind: bool = False
    right_cause: bool | None = None
    """None where no one cause is the right one."""
    warned: bool = False
    """All that was found of it the policy only warns of, or allows up to a number."""
    reason: str = ""
    """What lets it through."""


@dataclass(frozen=True)
class DrilledContent:
    """The drill of one content. `failed` says why it could not be drilled, "" where it could."""

    content: str
    contract: str
    faults: tuple[PlantedFault, ...]
    notes: tuple[str, ...] = ()
    failed: str = ""
    absent: tuple[str, ...] = ()
    """Faults that apply to the contract and were not planted: no entry has what they need."""
    crowded: tuple[str, ...] = ()
    """Those that were not planted because so many were not asked for."""


@dataclass(frozen=True)
class Score:
    """Numbers of faults. What the contracts tolerate is planted, and not missed."""

    planted: int
    caught: int
    right_kind: int
    causes: int
    """Caught ones of which one cause is the right one."""
    right_cause: int
    tolerated: int
    survived: int
    warned: int
    kinds: int

    @classmethod
    def of(cls, faults: Iterable[PlantedFault]) -> Score:
        """The score of some faults."""
        every = tuple(faults)
        caught = [f for f in every if f.fate is Fate.CAUGHT]
        return cls(
            planted=len(every),
            caught=len(caught),
            right_kind=sum(f.right_kind for f in caught),
            causes=sum(f.right_cause is not None for f in caught),
            right_cause=sum(f.right_cause is True for f in caught),
            tolerated=sum(f.fate is Fate.TOLERATED for f in every),
            survived=sum(f.fate is Fate.SURVIVED for f in every),
            warned=sum(f.warned for f in caught),
            kinds=len({f.kind for f in every}),
        )


@dataclass(frozen=True)
class DrillResult:
    """A whole drill: what drill.json is written from."""

    run: str
    migration: str
    plan: str
    plan_digest: str
    tool_version: str
    started_at: str
    finished_at: str
    seed: int
    wanted: int
    """So many faults were asked for."""
    contents: tuple[DrilledContent, ...]
    reasons: tuple[str, ...] = ()
    """Why it is not the whole answer: each leaves with 3 where nothing survived."""
    strategy: str = "stream"

    @property
    def faults(self) -> tuple[PlantedFault, ...]:
        """All planted faults."""
        return tuple(f for c in self.contents for f in c.faults)

    @property
    def score(self) -> Score:
        """Over all contents."""
        return Score.of(self.faults)

    @property
    def survivors(self) -> tuple[PlantedFault, ...]:
        """Those that no contract declares tolerated."""
        return tuple(f for f in self.faults if f.fate is Fate.SURVIVED)

    @property
    def exit_code(self) -> int:
        """0 all caught; 1 one survived that no contract tolerates; 3 undecided."""
        if self.survivors:
            return 1
        return 3 if self.reasons else 0
