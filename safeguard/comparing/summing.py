"""Ask both sides for sums of row hashes, so that only the buckets of owners that differ are read.

A bucket is equal when in every route the due old entries and the live new ones are equally many and
their hashes have equal sums, no live old entry of it is received nowhere, and nothing else can be
wrong with it: each of its owners is a customer wherever one can be looked up. What the partitions
would have counted of equal buckets is counted from the sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange, OutOfRoom
from safeguard.comparing.gathering import Key, key_of
from safeguard.comparing.owners import known_in
from safeguard.comparing.reading import canonical
from safeguard.comparing.sql import COLUMN_TYPE, columns, key_text, literal
from safeguard.findings.trouble import ConnectionLost, SystemProblem, UsageProblem
from safeguard.planning.asking import likely_unequal, question_of, why_read
from safeguard.planning.layout import ContentPlan, OldPlan, SourcePlan
from safeguard.systems.interface import Selection
from safeguard.systems.opened import TRIES, Systems
from safeguard.systems.sizes import size_of
from safeguard.systems.sums import BUCKETS, BucketSum, CanSum, Question, Scheme, Sums

MOST_UNEQUAL = 0.6
"""Of all entries, in unequal buckets: to read more than this takes as long as to read all of them,
see docs/decisions/0016."""

FIRST_OWNERS = 256
"""So many are looked at before all are asked about."""

Bucket = TypeVar("Bucket", int, str)
Answers = Mapping[Key, Mapping[int, BucketSum]]


@dataclass(frozen=True)
class Asked:
    """What the sums told: everything of the equal buckets, and what is to be read of the others."""

    rows: Mapping[Key, int]
    """Entries of equal buckets, which are not read."""
    deleted: Mapping[Key, int]
    """Deleted ones among them."""
    unequal: Mapping[Key, Selection | None]
    """What is left to read; None where nothing is."""
    equal: Mapping[Key, Selection | None]
    """What is not read."""
    counts: Counter[str]
    """See `Tally.counts`."""
    words: str


@dataclass(frozen=True)
class NotAsked:
    """Everything is to be read, and why."""

    words: str


class Summing:
    """Asks for the sums of one content."""

    def __init__(
        self, exchange: Exchange, plan: ContentPlan, systems: Systems, book: CustomerBook
    ) -> None:
        self.exchange, self.plan, self.systems, self.book = exchange, plan, systems, book
        self.sources: dict[Key, SourcePlan] = {key_of(s): s for s in (*plan.old, *plan.new)}

    def ask(self) -> Asked | NotAsked:
        """The sums of all sources, or why they were not asked or told too little.

        Leaves in `with_content` the owners of the equal buckets. Raises SystemProblem when a system
        does not come back, OutOfRoom.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._asked()
            except OutOfRoom:
                raise
            except ConnectionLost as problem:
                if not left:
                    raise
                self._mend(problem)
            except (SystemProblem, UsageProblem) as problem:  # reading tells whose fault it is
                return NotAsked(f"a system did not answer: {problem}")
            finally:
                self.exchange.drop("asked_owner")
        raise AssertionError("unreachable")

    # -- asking -----------------------------------------------------------------------------

    def _asked(self) -> Asked | NotAsked:
        if why := why_not_asked(self.plan, self.systems):
            return NotAsked(why)
        questions = {key: question_of(self.plan, s) for key, s in self.sources.items()}
        if why := self._looked_at(questions):
            return NotAsked(why)
        answers = self._answers(questions)
        unequal = unequal_buckets(answers, len(self.plan.new)) | self._unknown_owners()
        return self._decided(questions, answers, unequal)

    def _looked_at(self, questions: Mapping[Key, Question]) -> str:
        """Why asking would be in vain, by a few owners that are looked up on both sides; "" where
        nothing speaks against it. Nothing but speed hangs on this."""
        owners = [self._sums(key).first_owners(q, FIRST_OWNERS) for key, q in questions.items()]
        if not all(owners):
            return ""
        seen = owners[0]
        answers = {key: self._sums(key).owner_sums(q, seen) for key, q in questions.items()}
        differing = len(unequal_buckets(answers, len(self.plan.new)))
        looked_at = sum(b.rows for found in answers.values() for b in found.values())
        sizes = [
            size_of(self.systems[self.sources[k].system], q.selection) for k, q in questions.items()
        ]
        every = len(seen) * sum(size.rows for size in sizes) // max(1, looked_at)
        if likely_unequal(len(seen), differing, every, BUCKETS) <= MOST_UNEQUAL:
            return ""
        return f"{differing} of {len(seen)} owners that were looked at first differ, too many to pick out"

    def _answers(self, questions: Mapping[Key, Question]) -> Answers:
        """The sums of all sources at once, and beside them the owners of the old ones."""
        with ThreadPoolExecutor(len(questions), "sums") as pool:
            try:
                begun = {
                    key: pool.submit(self._sums(key).bucket_sums, q) for key, q in questions.items()
                }
                self._fetch_owners(questions)
                return {key: future.result() for key, future in begun.items()}
            except BaseException as error:
                if not isinstance(error, Exception):  # Ctrl-C: who waits for a server must end
                    self.systems.close()
                raise

    def _sums(self, key: Key) -> Sums:
        session = self.systems[self.sources[key].system]
        assert isinstance(session, CanSum)
        return session.sums

    def _mend(self, problem: ConnectionLost) -> None:
        for name in {source.system for source in self.sources.values()}:
            if not self.systems[name].alive():
                self.systems.mend(name, problem)

    # -- owners -----------------------------------------------------------------------------

    def _fetch_owners(self, questions: Mapping[Key, Question]) -> None:
        """`asked_owner`: the owners of live old entries, with their bucket."""
        types = [f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in self.plan.owners]
        self.exchange.create("asked_owner", f"({', '.join([*types, 'bucket INTEGER'])})")
        slots = [k.slot for k in self.plan.owners]
        for key, question in questions.items():
            source = self.sources[key]
            if not isinstance(source, OldPlan):
                continue
            wanted = tuple(c for slot in slots for c in source.columns if c.name == slot)
            for batch in self._sums(key).live_owners(question):
                rows = pa.Table.from_batches([canonical(batch.select(slots), wanted)])
                found = rows.select(slots).append_column("bucket", batch.column("bucket"))
                self.exchange.insert("asked_owner", found)

    def _unknown_owners(self) -> set[int]:
        """Buckets with an owner whom some customers table that is asked does not know."""
        known = [known_in(self.plan, self.book, new.index) for new in self.plan.new]
        if self.book.declared:
            known.append("SELECT id FROM customer")
        owner, found = key_text(self.plan.owners, "a"), set()
        for ids in {k for k in known if k is not None}:
            rows = self.exchange.rows(
                f"SELECT DISTINCT a.bucket FROM asked_owner a ANTI JOIN ({ids}) k ON k.id = {owner}"
            )
            found |= {int(bucket) for (bucket,) in rows}
        return found

    def _keep_owners(self, unequal: set[int]) -> None:
        name, owner = literal(self.plan.contract.content), key_text(self.plan.owners, "a")
        listed = ", ".join(map(str, sorted(unequal))) or "NULL"
        slots = columns(k.slot for k in self.plan.owners)
        self.exchange.run(
            f"""INSERT INTO with_content SELECT {name}, {owner} FROM (
                SELECT DISTINCT {slots} FROM asked_owner
                WHERE coalesce(bucket NOT IN ({listed}), TRUE)) a
            WHERE {owner} IS NOT NULL"""
        )

    # -- deciding ---------------------------------------------------------------------------

    def _decided(
        self, questions: Mapping[Key, Question], answers: Answers, unequal: set[int]
    ) -> Asked | NotAsked:
        total = sum(b.rows for found in answers.values() for b in found.values())
        apart = sum(b.rows for found in answers.values() for n, b in found.items() if n in unequal)
        if apart > MOST_UNEQUAL * total:
            return NotAsked(
                f"by their sums {apart} of {total} entries stand among entries that differ, "
                "too many to pick out"
            )
        same = {
            key: {n: b for n, b in found.items() if n not in unequal}
            for key, found in answers.items()
        }
        self._keep_owners(unequal)
        return Asked(
            rows={key: sum(b.rows for b in found.values()) for key, found in same.items()},
            deleted={key: sum(b.deleted for b in found.values()) for key, found in same.items()},
            unequal=self._narrowed(questions, unequal),
            equal=self._narrowed(questions, {n for found in same.values() for n in found}),
            counts=_counts(same),
            words=(
                f"{total - apart} of {total} entries were found equal by count and sum of their "
                "hashes inside the servers"
            ),
        )

    def _narrowed(
        self, questions: Mapping[Key, Question], buckets: set[int]
    ) -> dict[Key, Selection | None]:
        wanted = tuple(sorted(buckets))
        return {
            key: self._sums(key).only_buckets(q, wanted) if wanted else None
            for key, q in questions.items()
        }


def why_not_asked(plan: ContentPlan, systems: Systems) -> str:
    """Why a content must be read, as far as can be told without a scan; "" where it need not be.
    Raises SystemProblem, and UsageProblem for SQL that a server does not know."""
    sources = {key_of(source): source for source in (*plan.old, *plan.new)}
    names = sorted({source.system for source in sources.values()})
    if why := why_read(plan, {name: systems[name].info.dialect for name in names}):
        return why
    schemes = {}
    for key, source in sources.items():
        session = systems[source.system]
        if not isinstance(session, CanSum):
            return f"{session.info.dialect} is not asked for sums: reading it is as fast"
        schemes[key] = session.sums.scheme(question_of(plan, source))
    return _why_apart(schemes, sources)


def unequal_buckets(answers: Mapping[Key, Mapping[Bucket, BucketSum]], routes: int) -> set[Bucket]:
    """The buckets of owners of which the sums do not say that everything arrived."""
    olds = [found for (side, _), found in answers.items() if side == "old"]
    found: set[Bucket] = set()
    for bucket in {n for each in answers.values() for n in each}:
        old = [each[bucket] for each in olds if bucket in each]
        same = all(
            _arrived(old, route, answers["new", route].get(bucket)) for route in range(routes)
        )
        if not same or any(b.unreceived for b in old):
            found.add(bucket)
    return found


def _arrived(old: list[BucketSum], route: int, new: BucketSum | None) -> bool:
    due = sum(b.routes[route].due for b in old)
    total = sum(b.routes[route].total for b in old)
    there = new.routes[0] if new else None
    return (due, total) == ((there.due, there.total) if there else (0, 0))


def _why_apart(schemes: Mapping[Key, Scheme], sources: Mapping[Key, SourcePlan]) -> str:
    """Why sums of these sources can't be compared; "" where they can."""
    for key, scheme in schemes.items():
        if scheme.refused:
            return f"{sources[key].system} can't hash it exactly: {scheme.refused}"
    if len({scheme.text for scheme in schemes.values()}) > 1:
        return (
            f"the servers hash differently: {'; '.join(sorted({s.text for s in schemes.values()}))}"
        )
    if len({scheme.probes for scheme in schemes.values()}) > 1:
        return "the servers hash the same values differently"
    return ""


def _counts(same: Answers) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (side, _), found in same.items():
        for bucket in found.values() if side == "old" else ():
            counts["live"] += bucket.rows - bucket.deleted
            counts["deleted"] += bucket.deleted
            for route, due in enumerate(bucket.routes):
                for name in ("due", "paired", "paired_due"):
                    counts[f"{name}_{route}"] += due.due
    return counts
