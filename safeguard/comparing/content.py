"""One content compared, from first read to result: read, join, look elsewhere, tell, count.

Reading brings each source once into the buckets of its owners. Joining takes one partition of them
after the other and hands on what is not plainly kept. The rest works on that.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from safeguard.comparing.buckets import Buckets, runs_of_buckets
from safeguard.comparing.crosswalks import load_kin, load_walk, old_view
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.doubt import withdraw_uncertain
from safeguard.comparing.elsewhere import find_misattributed
from safeguard.comparing.entries import definition, new_shape, old_shape
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.gathering import (
    Gathered,
    Gathering,
    Key,
    files_by_source,
    folder_of,
    key_of,
)
from safeguard.comparing.journal import Journal
from safeguard.comparing.judging import Judge, judges_documents
from safeguard.comparing.listing import sample_lists
from safeguard.comparing.owners import Owners
from safeguard.comparing.partition import CARRIED, JoinDone, Partition, SourceFiles, first_bucket_of
from safeguard.comparing.resulting import Compared, build_result
from safeguard.comparing.sql import literal
from safeguard.comparing.statuses import rank_old, tell_new
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import count_tolerated
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import ContentResult
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.opened import Systems

PARTITION_BYTES = 96 << 20
"""Of both sides together: what one join task holds."""

_MADE = {
    "told": "(nid BIGINT, r UTINYINT, status VARCHAR)",
    "swapped": "(pairs BIGINT)",
}


class ContentComparison:
    """Compares one content. Every table it makes is gone when `compare` returns."""

    def __init__(
        self,
        exchange: Exchange,
        store: Buckets,
        plan: ContentPlan,
        systems: Systems,
        book: CustomerBook,
        progress: ProgressListener,
        journal: Journal,
        reveal: bool,
    ) -> None:
        self.exchange, self.store, self.plan, self.systems = exchange, store, plan, systems
        self.book, self.progress, self.journal, self.reveal = book, progress, journal, reveal
        self.tally = Tally()
        self.partition = Partition(exchange, plan, book, reveal)
        self.rules = self.partition.rules
        self.routes = range(len(plan.new))

    def compare(self) -> ContentResult:
        """The result. Raises SystemProblem when a system goes away on the way."""
        began = time.monotonic()
        self._create()
        self._read()
        self._join()
        self._look_elsewhere()
        withdraw_uncertain(self.exchange, self.plan, self.tally)
        rank_old(self.exchange, self.plan)
        teller = Teller(self.exchange, self.plan, self.book)
        teller.tell()
        result = build_result(
            Compared(
                self.exchange, self.plan, self.book, self.owners, teller, self.tally, self.rules
            )
        )
        lists = sample_lists(self.exchange, self.plan, teller, self._load_entry)
        self._drop()
        return replace(result, lists=lists, seconds=time.monotonic() - began)

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
        self.exchange.create("old", definition(old_shape(self.plan)))
        for route in self.routes:
            self.exchange.create(f"new_{route}", definition(new_shape(self.plan, route)))
        for table, body in (CARRIED | _MADE).items():
            if table != "with_content":  # it grows content by content
                self.exchange.create(table, body)

    def _read(self) -> None:
        sources: tuple[SourcePlan, ...] = (*self.plan.old, *self.plan.new)
        for source in sources:
            self.systems.fresh(source.system)
        for source in sources:
            self._read_crosswalks(source)
        self.gathered = self._read_before(sources)
        gathering = Gathering(
            self.exchange,
            self.store,
            self.plan,
            self.systems,
            self.progress,
            load_kin(self.exchange, self.plan),
            next((g.buckets for g in self.gathered.values()), None),
        )
        gathering.gather([s for s in sources if key_of(s) not in self.gathered], self._done)
        for source in sources:
            self._tell_source(source, self.gathered[key_of(source)])

    def _read_before(self, sources: Iterable[SourcePlan]) -> dict[Key, Gathered]:
        """What an earlier try of this run read whole, and is still there."""
        kept = {key_of(s): self.journal.source(self._name, key_of(s)) for s in sources}
        return {
            key: g for key, g in kept.items() if g and self.store.has([f.name for f in g.files])
        }

    def _done(self, source: SourcePlan, gathered: Gathered) -> None:
        self.gathered[key_of(source)] = gathered
        self.journal.keep_source(self._name, key_of(source), gathered)

    def _read_crosswalks(self, source: SourcePlan) -> None:
        side, _ = key_of(source)
        for walk in source.crosswalks:
            batches = self.systems[walk.spec.system].stream(walk.selection)
            report = load_walk(self.exchange, side, source, walk, batches)
            self.tally.reasons += report.reasons(walk)

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
        read[index], counted[index] = gathered.read, gathered.counted
        if side == "new":
            tally.new_deleted[index] = gathered.deleted
        if left_out := gathered.every - gathered.counted:
            tally.left_out += left_out
            tally.notes.append(
                f"{left_out} rows of {name} are left out by `where: {selection.where}`"
            )
        if gathered.read != gathered.counted:
            tally.reasons.append(
                f"{name}: {gathered.read} entries were read, but {gathered.counted} counted"
            )

    # -- joining ----------------------------------------------------------------------------

    def _join(self) -> None:
        self.files = SourceFiles(
            files_by_source(self.gathered, "old"), files_by_source(self.gathered, "new")
        )
        self.parts = runs_of_buckets(self.files.every, PARTITION_BYTES)
        for first, last in self.parts:
            self._take(self._joined(first, last))
        self.olds = {r: old_view(self.exchange, self.plan, r) for r in self.routes}
        self.owners = Owners(self.exchange, self.plan, self.book)
        if judges_documents(self.plan):
            judge = Judge(self.exchange, self.plan, self.reveal)
            for route in self.routes:
                judge.judge(route, self.olds[route], self.rules[route])
            count_tolerated(self.exchange)

    def _joined(self, first: int, last: int) -> JoinDone:
        kept = self.journal.joined(self._name, first, last)
        if kept is not None and self.store.has(list(kept.files.values())):
            return kept
        name = f"{folder_of(self._name)}/join-{first:03}-{last:03}"
        done = self.partition.compare(self.store, self.files, first, last, name)
        self.journal.keep_joined(self._name, first, last, done)
        return done

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
        for route in self.routes:
            tell_new(self.exchange, route, self.owners.ownerless(route), self.owners.stranger())

    def _for_all_old(self, statement: str) -> None:
        """Run a statement with every partition's old entries as `old`, one after the other."""
        for first, last in self.parts:
            self.partition.load(self.store, self.files, first, last)
            with self.exchange.apart():
                self.exchange.run(statement)

    def _load_entry(self, rid: int) -> None:
        """Load the partition of an old entry: its number says where that begins."""
        first = first_bucket_of(rid)
        last = next(last for begin, last in self.parts if begin == first)
        self.partition.load(self.store, self.files, first, last)

    def _drop(self) -> None:
        self.exchange.forget()
        made = [t for t in (*CARRIED, *_MADE, "status") if t != "with_content"]
        self.exchange.drop("old", *made)
        for route in self.routes:
            self.exchange.drop(f"new_{route}", f"old_{route}", f"homeless_{route}")
