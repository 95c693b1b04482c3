"""One content compared, from first read to result: read, join, look elsewhere, tell, count.

Reading brings each source once into the buckets of its owners. Joining takes one partition of them
after the other and hands on what is not plainly kept. The rest works on that.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

from safeguard.comparing.buckets import folder_of, runs_of_buckets
from safeguard.comparing.crosswalks import digest, old_view
from safeguard.comparing.doubt import withdraw_uncertain
from safeguard.comparing.elsewhere import find_misattributed
from safeguard.comparing.entries import definition, new_shape, old_shape
from safeguard.comparing.explaining.explain import Told, explain
from safeguard.comparing.gathering import SnapshotGone
from safeguard.comparing.intake import Intake, Taken
from safeguard.comparing.journal import Journal
from safeguard.comparing.judging import Judge, judges_documents
from safeguard.comparing.listing import sample_lists
from safeguard.comparing.owners import Owners
from safeguard.comparing.partition import CARRIED, JoinDone, Partition, first_bucket_of
from safeguard.comparing.patterns import find_patterns
from safeguard.comparing.restriction import Restriction
from safeguard.comparing.resulting import Compared, build_result
from safeguard.comparing.sql import literal
from safeguard.comparing.statuses import BESIDE, rank_old, tell_new
from safeguard.comparing.summing import Asked
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.comparing.tolerance import count_tolerated
from safeguard.comparing.workers import JoinOrder, book_tables
from safeguard.findings.result import ContentResult, Explanation, Looks, Pattern
from safeguard.findings.trouble import SystemProblem
from safeguard.planning.asking import Strategy
from safeguard.planning.layout import ContentPlan

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
    `since`; or what `taken` gives in place of its systems. Every table it makes is gone when
    `compare` returns."""

    def __init__(
        self,
        around: Surroundings,
        plan: ContentPlan,
        journal: Journal,
        strategy: Strategy = Strategy.AUTO,
        *,
        only: Restriction | None = None,
        since: dt.datetime | None = None,
        taken: Callable[[Tally], Taken] | None = None,
    ) -> None:
        self.around, self.plan, self.journal = around, plan, journal
        self.exchange, self.store, self.systems = around.exchange, around.store, around.systems
        self.workers, self.book, self.reveal = around.workers, around.book, around.reveal
        self.strategy, self.why_stream = strategy, "--strategy stream reads everything"
        self.only, self.since = only, since
        self._taken = taken or self._from_systems
        if only is not None or since is not None:
            self._stream("only some owners are compared")
        self.partition = Partition(self.exchange, plan, self.book, self.reveal)
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
            return self._compare(settler)

    def look(self) -> None:
        """Read both sides and lay them beside each other: what differs stands in the tables then,
        but not yet what became of it."""
        self._create()
        self.tally = Tally()
        self.intake = self._taken(self.tally)
        self._read()
        self._join()

    def _from_systems(self, tally: Tally) -> Intake:
        return Intake(
            self.around,
            self.plan,
            self.journal,
            tally,
            self.strategy,
            self.only,
            self.since,
        )

    def _stream(self, why: str) -> None:
        self.strategy, self.why_stream = Strategy.STREAM, why

    def _compare(self, settler: Settler | None) -> ContentResult:
        began = time.monotonic()
        self.look()
        looked = settler.settle(self) if settler else None
        self._look_elsewhere()
        withdraw_uncertain(self.exchange, self.plan, self.tally)
        rank_old(self.exchange, self.plan)
        patterns = self._find_patterns()
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
                partial=self.intake.partial,
            )
        )
        lists = sample_lists(self.exchange, self.plan, teller, self._load_entry)
        explanations, notes = self._explain(result)
        self._drop()
        asked = self.intake.asked
        return replace(
            result,
            lists=lists,
            explanations=explanations,
            notes=(*result.notes, *notes),
            seconds=time.monotonic() - began,
            strategy="sums" if isinstance(asked, Asked) else "stream",
            strategy_reason=asked.words if self.strategy is Strategy.AUTO else self.why_stream,
            looked=looked,
            patterns=patterns,
        )

    def _find_patterns(self) -> tuple[Pattern, ...]:
        due = {r: self.tally.counts[f"paired_due_{r}"] for r in self.routes}
        return find_patterns(self.exchange, self.plan, self.rules, due, self.reveal)

    def abandon(self) -> None:
        """Take back what a comparison that did not end has left."""
        name = literal(self._name)
        for table in ("finding", "affected", "with_content"):
            self.exchange.run(f"DELETE FROM {table} WHERE content = {name}")
        self._drop()

    @property
    def _name(self) -> str:
        return self.plan.contract.content

    # -- looking ----------------------------------------------------------------------------

    def _create(self) -> None:
        self.exchange.create("old", definition(old_shape(self.plan)))
        for route in self.routes:
            self.exchange.create(f"new_{route}", definition(new_shape(self.plan, route)))
        for table, body in (CARRIED | _MADE).items():
            if table != "with_content":  # it grows content by content
                self.exchange.create(table, body)

    def _read(self) -> None:
        self.intake.read()

    # -- joining ----------------------------------------------------------------------------

    def _join(self) -> None:
        self.files = self.intake.files
        self.parts = self.intake.parts(PARTITION_BYTES)
        self.customers = digest(self.exchange, book_tables(self.book))
        for (first, last), done in zip(self.parts, self._joins(), strict=True):
            kept = replace(done, customers=self.customers)
            self.intake.kept.keep_joined(self._name, first, last, kept)
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
        """What an earlier try of this run made of a partition, if it is still there, and the customers
        are those of then."""
        kept = self.intake.kept.joined(self._name, first, last)
        if kept is None or kept.customers != self.customers:
            return None
        return kept if self.store.has(list(kept.files.values())) else None

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
        for files in (self.files, self.intake.rest()):
            for first, last in runs_of_buckets(files.every, PARTITION_BYTES):
                self.partition.load(self.store, files, first, last)
                with self.exchange.apart():
                    self.exchange.run(statement)

    def _load_entry(self, rid: int) -> None:
        """Load the partition of an old entry: its number says where that begins."""
        first = first_bucket_of(rid)
        last = next(last for begin, last in self.parts if begin == first)
        self.partition.load(self.store, self.files, first, last)

    def _explain(self, result: ContentResult) -> tuple[tuple[Explanation, ...], tuple[str, ...]]:
        """What the findings have in common, and why that was not looked for. It is no part of the
        verdict, and whatever goes wrong with it is told and changes none. Of some owners alone it
        would say what they were chosen by."""
        if self.intake.partial:
            return (), ()
        partly = isinstance(self.intake.asked, Asked) and any(self.intake.asked.rows.values())
        told = Told(self.partition, self.store, self.files, self.parts, partly)
        try:
            return explain(told, result.findings), ()
        except SystemProblem as problem:
            return (), (f"what was found is not explained: {problem}",)
        except Exception as bug:  # noqa: BLE001  named in every report, and by the tests' contents
            why = f"{type(bug).__name__}: {bug}".splitlines()[0]
            return (), (
                f"what was found is not explained, by a mistake of ours, please tell us: {why}",
            )

    def _drop(self) -> None:
        self.exchange.forget()
        made = [t for t in (*CARRIED, *_MADE, "status") if t != "with_content"]
        self.exchange.drop("old", "wanted", *made)
        for route in self.routes:
            self.exchange.drop(f"new_{route}", f"old_{route}", f"homeless_{route}")
