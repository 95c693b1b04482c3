"""One content compared, from first read to result: read, join, look elsewhere, tell, count.

Reading brings each source once into the buckets of its owners. Joining takes one partition of them
after the other and hands on what is not plainly kept. The rest works on that.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

from safeguard.comparing.buckets import Buckets, folder_of, runs_of_buckets
from safeguard.comparing.changed import changed_owners, tells_when
from safeguard.comparing.crosswalks import (
    crosswalk_tables,
    digest,
    load_kin,
    load_walk,
    old_view,
)
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.doubt import withdraw_uncertain
from safeguard.comparing.elsewhere import find_misattributed
from safeguard.comparing.entries import definition, new_shape, old_shape
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.gathering import (
    Gathered,
    Gathering,
    Key,
    SnapshotGone,
    files_by_source,
    key_of,
)
from safeguard.comparing.journal import Journal, NoJournal
from safeguard.comparing.judging import Judge, judges_documents
from safeguard.comparing.listing import sample_lists
from safeguard.comparing.owners import Owners
from safeguard.comparing.partition import CARRIED, JoinDone, Partition, SourceFiles, first_bucket_of
from safeguard.comparing.restriction import Restriction
from safeguard.comparing.resulting import Compared, build_result
from safeguard.comparing.sql import literal
from safeguard.comparing.statuses import BESIDE, rank_old, tell_new
from safeguard.comparing.summing import Asked, NotAsked, Summing
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import count_tolerated
from safeguard.comparing.workers import JoinOrder, Workers, book_tables
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import ContentResult, Looks
from safeguard.findings.trouble import SystemProblem
from safeguard.planning.asking import Strategy
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.interface import Selection
from safeguard.systems.opened import TRIES, Systems

PARTITION_BYTES = 48 << 20
"""Of both sides together: what one join task holds."""

_MADE = {
    "told": "(nid BIGINT, r UTINYINT, status VARCHAR)",
    "swapped": "(pairs BIGINT)",
    "beside": BESIDE,
}


class Settler(Protocol):
    """Waits for what was still on its way when a content of a live system was read."""

    def settle(self, comparison: ContentComparison) -> Looks:
        """Look again at what differs; take back from the comparison's tables what agreed since."""


class ContentComparison:
    """Compares one content: whole, `only` some owners of it, or those with an entry that was written
    `since`. Every table it makes is gone when `compare` returns."""

    def __init__(
        self,
        exchange: Exchange,
        store: Buckets,
        plan: ContentPlan,
        systems: Systems,
        workers: Workers,
        book: CustomerBook,
        progress: ProgressListener,
        journal: Journal,
        reveal: bool,
        strategy: Strategy = Strategy.AUTO,
        *,
        only: Restriction | None = None,
        since: dt.datetime | None = None,
    ) -> None:
        self.workers, self.strategy, self.kept = workers, strategy, journal
        self.asked: Asked | NotAsked = NotAsked("--strategy stream reads everything")
        self.only, self.since = only, since
        if only is not None or since is not None:
            self._stream("only some owners are compared")
        self.exchange, self.store, self.plan, self.systems = exchange, store, plan, systems
        self.book, self.progress, self.journal, self.reveal = book, progress, journal, reveal
        self.tally = Tally()
        self.partition = Partition(exchange, plan, book, reveal)
        self.rules = self.partition.rules
        self.routes = range(len(plan.new))

    def compare(self, settler: Settler | None = None) -> ContentResult:
        """The result. Raises SystemProblem when a system goes away on the way."""
        if settler is not None:
            self._stream("a live check does not hold the snapshots in which sums were asked")
        try:
            return self._compare(settler)
        except SnapshotGone as gone:
            self.abandon()
            self._stream(str(gone))
            self.tally, self.kept = Tally(), self.journal
            return self._compare(settler)

    def look(self) -> None:
        """Read both sides and lay them beside each other: what differs stands in the tables then,
        but not yet what became of it."""
        self._create()
        self._read()
        self._join()

    def _stream(self, why: str) -> None:
        self.strategy, self.asked = Strategy.STREAM, NotAsked(why)

    def _compare(self, settler: Settler | None) -> ContentResult:
        began = time.monotonic()
        self.look()
        looked = settler.settle(self) if settler else None
        self._look_elsewhere()
        withdraw_uncertain(self.exchange, self.plan, self.tally)
        rank_old(self.exchange, self.plan)
        teller = Teller(self.exchange, self.plan, self.book)
        teller.tell()
        result = build_result(
            Compared(
                self.exchange,
                self.plan,
                self.book,
                self.owners,
                teller,
                self.tally,
                self.rules,
                partial=self.only is not None,
            )
        )
        lists = sample_lists(self.exchange, self.plan, teller, self._load_entry)
        self._drop()
        return replace(
            result,
            lists=lists,
            seconds=time.monotonic() - began,
            strategy="sums" if isinstance(self.asked, Asked) else "stream",
            strategy_reason=self.asked.words,
            looked=looked,
        )

    def abandon(self) -> None:
        """Take back what a comparison that did not end has left."""
        name = literal(self._name)
        for table in ("finding", "affected", "with_content"):
            self.exchange.run(f"DELETE FROM {table} WHERE content = {name}")
        self._drop()

    @property
    def _name(self) -> str:
        return self.plan.contract.content

    # -- reading ----------------------------------------------------------------------------

    def _create(self) -> None:
        self.rest: SourceFiles | None = None
        self.exchange.create("old", definition(old_shape(self.plan)))
        for route in self.routes:
            self.exchange.create(f"new_{route}", definition(new_shape(self.plan, route)))
        for table, body in (CARRIED | _MADE).items():
            if table != "with_content":  # it grows content by content
                self.exchange.create(table, body)

    def _read(self) -> None:
        self.sources: tuple[SourcePlan, ...] = (*self.plan.old, *self.plan.new)
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
        if read[index] != counted[index]:
            tally.reasons.append(
                f"{name}: {read[index]} entries were read, but {counted[index]} counted"
            )

    # -- joining ----------------------------------------------------------------------------

    def _join(self) -> None:
        self.files = SourceFiles(
            files_by_source(self.gathered, "old"), files_by_source(self.gathered, "new")
        )
        self.parts = runs_of_buckets(self.files.every, PARTITION_BYTES)
        for (first, last), done in zip(self.parts, self._joins(), strict=True):
            self.kept.keep_joined(self._name, first, last, done)
            self._take(done)
        self.olds = {r: old_view(self.exchange, self.plan, r) for r in self.routes}
        self.owners = Owners(self.exchange, self.plan, self.book)
        if judges_documents(self.plan):
            judge = Judge(self.exchange, self.plan, self.reveal)
            for route in self.routes:
                judge.judge(route, self.olds[route], self.rules[route])
            count_tolerated(self.exchange)

    def _joins(self) -> Iterator[JoinDone]:
        """Each partition joined, in their order; several at once where the workers can."""
        kept = [self._joined_before(first, last) for first, last in self.parts]
        orders = [
            JoinOrder(self.plan, self.files, *part, self._join_name(part), self.reveal)
            for part in self.parts
        ]
        if self.workers.joins_at_once == 1:
            for before, order in zip(kept, orders, strict=True):
                yield before or self.workers.join(order, self.partition)
            return
        with ThreadPoolExecutor(self.workers.joins_at_once, "join") as pool:
            try:
                wanted = [o for before, o in zip(kept, orders, strict=True) if not before]
                found = pool.map(lambda order: self.workers.join(order, self.partition), wanted)
                for before in kept:
                    yield before or next(found)
            except BaseException:
                self.workers.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def _join_name(self, part: tuple[int, int]) -> str:
        return f"{folder_of(self._name)}/join-{part[0]:04}-{part[1]:04}"

    def _joined_before(self, first: int, last: int) -> JoinDone | None:
        """What an earlier try of this run made of a partition, if it is still there."""
        kept = self.kept.joined(self._name, first, last)
        return kept if kept and self.store.has(list(kept.files.values())) else None

    def _take(self, done: JoinDone) -> None:
        self.tally.counts.update(done.counts)
        for table, name in done.files.items():
            self.exchange.insert(table, self.store.read_table(name))

    def _look_elsewhere(self) -> None:
        for route in self.routes:
            find_misattributed(
                self.exchange,
                self.plan,
                route,
                self.olds[route],
                self.rules[route],
                self.owners.ownerless(route),
                self._for_all_old,
            )
        self.tell_surplus()

    def tell_surplus(self) -> None:
        """What each new entry without a partner is, in `told`."""
        for route in self.routes:
            tell_new(self.exchange, route, self.owners.ownerless(route), self.owners.stranger())

    def _for_all_old(self, statement: str) -> None:
        """Run a statement with every partition's old entries as `old`, one after the other."""
        for files in (self.files, self._rest()):
            for first, last in runs_of_buckets(files.every, PARTITION_BYTES):
                self.partition.load(self.store, files, first, last)
                with self.exchange.apart():
                    self.exchange.run(statement)

    def _rest(self) -> SourceFiles:
        """The old entries of which only sums were asked; read when something hangs on them."""
        if not isinstance(self.asked, Asked):
            return SourceFiles({}, {})
        if self.rest is None:
            found: dict[Key, Gathered] = {}
            gathering = self._gathering(self.asked.equal, f"{folder_of(self._name)}/rest")
            gathering.gather(
                self.plan.old, lambda _: None, lambda s, done: found.update({key_of(s): done})
            )
            for key, done in found.items():
                if done.read != self.asked.rows[key]:
                    raise SnapshotGone(f"{self.asked.rows[key]} entries became {done.read}")
            self.rest = SourceFiles(files_by_source(found, "old"), {})
        return self.rest

    def _load_entry(self, rid: int) -> None:
        """Load the partition of an old entry: its number says where that begins."""
        first = first_bucket_of(rid)
        last = next(last for begin, last in self.parts if begin == first)
        self.partition.load(self.store, self.files, first, last)

    def _drop(self) -> None:
        self.exchange.forget()
        made = [t for t in (*CARRIED, *_MADE, "status") if t != "with_content"]
        self.exchange.drop("old", "wanted", *made)
        for route in self.routes:
            self.exchange.drop(f"new_{route}", f"old_{route}", f"homeless_{route}")
