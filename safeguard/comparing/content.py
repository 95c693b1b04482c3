"""One content compared, from first read to result: read, join, look elsewhere, tell, count.

Reading brings each source once into the buckets of its owners. Joining takes one partition of them
after the other and hands on what is not plainly kept. The rest works on that.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from typing import Protocol

from safeguard.comparing.buckets import Buckets, runs_of_buckets
from safeguard.comparing.changed import changed_owners, tells_when
from safeguard.comparing.crosswalks import load_kin, load_walk, old_view
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.doubt import withdraw_uncertain
from safeguard.comparing.elsewhere import find_misattributed
from safeguard.comparing.entries import new_columns, old_columns
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
from safeguard.comparing.partition import CARRIED, JoinDone, Partition, SourceFiles
from safeguard.comparing.restriction import Restriction
from safeguard.comparing.resulting import Compared, build_result
from safeguard.comparing.sql import literal
from safeguard.comparing.statuses import BESIDE, rank_old, tell_new
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import count_tolerated
from safeguard.findings.progress import ProgressListener
from safeguard.findings.result import ContentResult, Looks
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.opened import Systems

PARTITION_BYTES = 96 << 20
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
    """Compares one content, or `only` some owners of it. Every table it makes is gone when `compare`
    returns."""

    def __init__(
        self,
        exchange: Exchange,
        buckets: Buckets,
        plan: ContentPlan,
        systems: Systems,
        book: CustomerBook,
        progress: ProgressListener,
        journal: Journal,
        reveal: bool,
        only: Restriction | None = None,
        since: dt.datetime | None = None,
    ) -> None:
        self.exchange, self.buckets, self.plan, self.systems = exchange, buckets, plan, systems
        self.book, self.progress, self.journal, self.reveal = book, progress, journal, reveal
        self.only, self.since = only, since
        self.tally = Tally()
        self.partition = Partition(exchange, plan, book, reveal)
        self.rules = self.partition.rules
        self.routes = range(len(plan.new))

    def compare(self, settler: Settler | None = None) -> ContentResult:
        """The result. Raises SystemProblem when a system goes away on the way."""
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
        lists = sample_lists(self.exchange, self.plan, teller, self._load_bucket, self.kin)
        self._drop()
        return replace(result, lists=lists, seconds=time.monotonic() - began, looked=looked)

    def look(self) -> None:
        """Read both sides and lay them beside each other: what differs stands in the tables then,
        but not yet what became of it."""
        self._create()
        self._read()
        self._join()

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
        self.exchange.create("old", f"({old_columns(self.plan)})")
        for route in self.routes:
            self.exchange.create(f"new_{route}", f"({new_columns(self.plan, route)})")
        for table, body in (CARRIED | _MADE).items():
            if table != "with_content":  # it grows content by content
                self.exchange.create(table, body)

    def _read(self) -> None:
        sources: tuple[SourcePlan, ...] = (*self.plan.old, *self.plan.new)
        walked = {w.spec.system for s in sources for w in s.crosswalks}
        for system in dict.fromkeys([*(s.system for s in sources), *sorted(walked)]):
            self.systems.fresh(system)
        for source in sources:
            self._read_crosswalks(source)
        self.kin = load_kin(self.exchange, self.plan)
        if self.since is not None:
            self.only = self._changed_since(self.since)
        if self.only is not None:
            self.only.install(self.exchange, self.plan, self.kin)
        gathering = Gathering(
            self.exchange, self.buckets, self.plan, self.systems, self.progress, self.kin, self.only
        )
        self.gathered: dict[Key, Gathered] = {}
        for source in sources:
            kept = self.journal.source(self._name, key_of(source))
            if kept is not None and self.buckets.has([f.name for f in kept.files]):
                self.gathered[key_of(source)] = kept
        wanted = [s for s in sources if key_of(s) not in self.gathered]
        gathering.gather(wanted, self._done)
        for source in sources:
            self._tell_source(source, self.gathered[key_of(source)])

    def _changed_since(self, since: dt.datetime) -> Restriction | None:
        """Whose entries changed; None, and a note, where the contract does not say when they did."""
        if not tells_when(self.plan):
            self.tally.notes.append("compared whole: the contract declares no `updated_at`")
            return None
        found = changed_owners(self.exchange, self.plan, self.systems, self.kin, since)
        self.tally.reasons.append(
            f"only customers with an entry that was written since {since.isoformat()} were compared "
            f"({found.owners.num_rows:,}): what was deleted in a new system and is unchanged in the "
            "old is not seen"
        )
        return found

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
        read[index] = gathered.read - gathered.beside
        counted[index] = gathered.counted - gathered.beside
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
        if kept is not None and self.buckets.has(list(kept.files.values())):
            return kept
        name = f"{folder_of(self._name)}/join-{first:03}-{last:03}"
        done = self.partition.compare(self.buckets, self.files, first, last, name)
        self.journal.keep_joined(self._name, first, last, done)
        return done

    def _take(self, done: JoinDone) -> None:
        self.tally.counts.update(done.counts)
        for table, name in done.files.items():
            self.exchange.insert(table, self.buckets.read_table(name))

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
        for first, last in self.parts:
            self.partition.load(self.buckets, self.files, first, last)
            with self.exchange.apart():
                self.exchange.run(statement)

    def _load_bucket(self, bucket: int) -> None:
        """Load the partition that a bucket belongs to."""
        first, last = next(p for p in self.parts if p[0] <= bucket <= p[1])
        self.partition.load(self.buckets, self.files, first, last)

    def _drop(self) -> None:
        self.exchange.forget()
        made = [t for t in (*CARRIED, *_MADE, "status") if t != "with_content"]
        self.exchange.drop("old", "wanted", *made)
        for route in self.routes:
            self.exchange.drop(f"new_{route}", f"old_{route}", f"homeless_{route}")
