"""All that one content needs of its systems: its crosswalks, sums where they tell enough, and the
entries of its sources in buckets; each of one state, or of several that can't be mistaken for one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from safeguard.comparing.buckets import folder_of, runs_of_buckets
from safeguard.comparing.changed import changed_owners, tells_when
from safeguard.comparing.crosswalks import crosswalk_tables, digest, load_kin, load_walk
from safeguard.comparing.gathering import (
    Gathered,
    Gathering,
    Key,
    SnapshotGone,
    files_by_source,
    key_of,
)
from safeguard.comparing.journal import Journal, NoJournal
from safeguard.comparing.partition import SourceFiles
from safeguard.comparing.restriction import Restriction
from safeguard.comparing.sql import literal
from safeguard.comparing.summing import Asked, NotAsked, Summing
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.tally import Tally
from safeguard.comparing.workers import book_tables
from safeguard.findings.trouble import SystemProblem
from safeguard.planning.asking import Strategy
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.interface import Selection
from safeguard.systems.opened import TRIES


class Taken(Protocol):
    """The entries of both sides of one content in buckets, wherever they come from."""

    asked: Asked | NotAsked
    kept: Journal

    def read(self) -> None:
        """Make them ready, and write into a tally what was read and what was counted."""

    @property
    def files(self) -> SourceFiles:
        """Every entry that may be needed."""

    @property
    def partial(self) -> bool:
        """Only some owners are taken, so that their number says nothing."""

    def parts(self, budget: int) -> tuple[tuple[int, int], ...]:
        """The partitions (first bucket, last) that are to be joined, of about so many bytes."""

    def rest(self) -> SourceFiles:
        """The old entries of which only sums were asked."""


class Intake:
    """Reads one content, and writes into `tally` what was read and what was counted.

    `only` restricts it to some owners, `since` to those with an entry that was written since.
    """

    def __init__(
        self,
        around: Surroundings,
        plan: ContentPlan,
        journal: Journal,
        tally: Tally,
        strategy: Strategy,
        only: Restriction | None,
        since: dt.datetime | None,
    ) -> None:
        self.exchange, self.store, self.systems = around.exchange, around.store, around.systems
        self.workers, self.book, self.progress = around.workers, around.book, around.progress
        self.plan, self.tally, self.strategy = plan, tally, strategy
        self.only, self.since, self.kept = only, since, journal
        self.asked: Asked | NotAsked = NotAsked("--strategy stream reads everything")
        self.sources: tuple[SourcePlan, ...] = (*plan.old, *plan.new)
        self.gathered: dict[Key, Gathered] = {}
        self._rest: SourceFiles | None = None

    @property
    def _name(self) -> str:
        return self.plan.contract.content

    def read(self) -> None:
        """Read every source whole. Raises SystemProblem when a system does not come back,
        SnapshotGone where only a snapshot that was lost would do, UsageProblem for SQL that fails on
        the data, OutOfRoom."""
        walked = {w.spec.system for s in self.sources for w in s.crosswalks}
        every = {s.system for s in self.sources} | walked
        for name in every:
            self.systems.fresh(name)
        for _ in range(TRIES):
            reasons = self.systems.steadily(self._read_crosswalks)
            before = {
                names: self.systems.snapshots(names) for names in map(frozenset, (walked, every))
            }
            self._gather()
            # Ids, or what sums told, of one state beside what was read of another are mixed.
            held = frozenset(every if isinstance(self.asked, Asked) else walked)
            if before[held] == self.systems.snapshots(held):
                break
            self._forget_sums()
        else:
            raise SystemProblem(f"{self._name}: a snapshot was lost again and again")
        self.tally.reasons += reasons
        if self.since is not None:
            self._tell_since(self.since)
        for source in self.sources:
            self._tell_source(source, self.gathered[key_of(source)])

    @property
    def files(self) -> SourceFiles:
        """What is to be joined."""
        return SourceFiles(
            files_by_source(self.gathered, "old"), files_by_source(self.gathered, "new")
        )

    @property
    def partial(self) -> bool:
        """See `Taken.partial`."""
        return self.only is not None

    def parts(self, budget: int) -> tuple[tuple[int, int], ...]:
        """See `Taken.parts`. All that hold rows."""
        return runs_of_buckets(self.files.every, budget)

    def _gather(self) -> None:
        self.kin = load_kin(self.exchange, self.plan)
        tables = crosswalk_tables(self.plan, self.kin)
        if self.since is not None:
            self.only = self._changed_since(self.since)
        if self.only is not None:
            self.only.install(self.exchange, self.plan, self.kin)
            tables = (*tables, "wanted")
        self.ids = digest(self.exchange, tables)
        self.gathered = self._read_before()
        self.workers.prepare(self.plan, (*tables, *book_tables(self.book)))
        if self.strategy is Strategy.AUTO:
            self._ask()
        unequal = self.asked.unequal if isinstance(self.asked, Asked) else None
        wanted = [s for s in self.sources if key_of(s) not in self.gathered]
        self._gathering(unequal).gather(wanted, self._begun, self._done)

    def _changed_since(self, since: dt.datetime) -> Restriction | None:
        """Whose entries changed; None where the contract does not say when they did."""
        if not tells_when(self.plan):
            return None
        return self.systems.steadily(
            lambda: changed_owners(self.exchange, self.plan, self.systems, self.kin, since)
        )

    def _tell_since(self, since: dt.datetime) -> None:
        if self.only is None:
            self.tally.notes.append("compared whole: the contract declares no `updated_at`")
            return
        self.tally.reasons.append(
            f"only customers with an entry that was written since {since.isoformat()} were compared "
            f"({self.only.owners.num_rows:,}): what was deleted in a new system and is unchanged in "
            "the old is not seen"
        )

    def _ask(self) -> None:
        """Ask for sums where that may spare the reading. What they leave to read is worth nothing
        without them, so that a run that is resumed asks again."""
        if self.gathered:
            self.asked = NotAsked("an earlier try of this run has read it in part")
            return
        with self.systems.awaited(*{s.system for s in self.sources}):
            self.asked = Summing(self.exchange, self.plan, self.systems, self.book).ask()
        if isinstance(self.asked, Asked):
            self.kept = NoJournal()
            self.tally.counts.update(self.asked.counts)

    def _forget_sums(self) -> None:
        self.tally.counts.clear()
        self.exchange.run(f"DELETE FROM with_content WHERE content = {literal(self._name)}")

    def _gathering(
        self, only: Mapping[Key, Selection | None] | None, folder: str = ""
    ) -> Gathering:
        buckets = next((g.buckets for g in self.gathered.values()), None)
        return Gathering(
            self.plan,
            self.systems,
            self.workers,
            self.progress,
            self.kin,
            buckets,
            only,
            folder,
            self.only,
        )

    def _begun(self, keys: Iterable[Key]) -> None:
        self.kept.forget_sources(self._name, keys)

    def _read_before(self) -> dict[Key, Gathered]:
        """What an earlier try read whole, and is still there. Of one system all sources or none: two
        states of it beside each other would show what went from one to the other twice, or never."""
        found: dict[Key, Gathered] = {}
        for source in self.sources:
            kept = self.kept.source(self._name, key_of(source))
            if kept is None or kept.ids != self.ids:
                continue
            if self.store.has([f.name for f in kept.files]):
                found[key_of(source)] = kept
        half = {s.system for s in self.sources if key_of(s) not in found}
        return {key_of(s): found[key_of(s)] for s in self.sources if s.system not in half}

    def _done(self, source: SourcePlan, gathered: Gathered) -> None:
        self.gathered[key_of(source)] = replace(gathered, ids=self.ids)
        self.kept.keep_source(self._name, key_of(source), self.gathered[key_of(source)])

    def _read_crosswalks(self) -> list[str]:
        """Every crosswalk of the content; what it says against itself."""
        reasons: list[str] = []
        for source in self.sources:
            side, _ = key_of(source)
            for walk in source.crosswalks:
                batches = self.systems[walk.spec.system].stream(walk.selection)
                reasons += load_walk(self.exchange, side, source, walk, batches).reasons(walk)
        return reasons

    def _tell_source(self, source: SourcePlan, gathered: Gathered) -> None:
        """Rows by the server's own count in the same snapshot; what `where` leaves out is noted."""
        side, index = key_of(source)
        tally, selection = self.tally, source.selection
        name = f"{source.system}.{selection.relation}"
        read, counted = (
            (tally.old_read, tally.old_counted)
            if side == "old"
            else (tally.new_read, tally.new_counted)
        )
        summed = deleted = 0
        if isinstance(self.asked, Asked):
            summed, deleted = self.asked.rows[side, index], self.asked.deleted[side, index]
        read[index] = gathered.read + summed - gathered.beside
        counted[index] = gathered.counted - gathered.beside
        if side == "new":
            tally.new_deleted[index] = gathered.deleted + deleted
        if left_out := gathered.every - gathered.counted:
            tally.left_out += left_out
            tally.notes.append(
                f"{left_out} rows of {name} are left out by `where: {selection.where}`"
            )
        tally.reasons += self._mixed_keys(name, gathered)
        if read[index] != counted[index]:
            tally.reasons.append(
                f"{name}: {read[index]} entries were read, but {counted[index]} counted"
            )

    def _mixed_keys(self, name: str, gathered: Gathered) -> Iterator[str]:
        """Keys of several kinds: two things, or two customers, may have become one."""
        for key in self.plan.keys:
            kinds = gathered.kinds.get(key.slot, ())
            if len(kinds) > 1:
                yield (
                    f"{name}: `{key.name}` holds ids of several kinds ({', '.join(kinds)}): two that "
                    "are written alike would be one; say it as an expression that makes them one kind"
                )

    def rest(self) -> SourceFiles:
        """The old entries of which only sums were asked; read when something hangs on them."""
        if not isinstance(self.asked, Asked):
            return SourceFiles({}, {})
        if self._rest is None:
            found: dict[Key, Gathered] = {}
            gathering = self._gathering(self.asked.equal, f"{folder_of(self._name)}/rest")
            gathering.gather(
                self.plan.old, lambda _: None, lambda s, done: found.update({key_of(s): done})
            )
            for key, done in found.items():
                if done.read != self.asked.rows[key]:
                    raise SnapshotGone(f"{self.asked.rows[key]} entries became {done.read}")
            self._rest = SourceFiles(files_by_source(found, "old"), {})
        return self._rest
