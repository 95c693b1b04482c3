"""A content of live systems: what differs is looked at again until it settles, or does not.

Both sides are written while they are read, and one follows the other: what differed at first may have
been on its way. So the owners of what differs are read again, whole and in new snapshots of both sides,
and compared by the same machinery. What agrees once is settled; what differs alike in the last two
looks is found; what differs otherwise each time can't be judged.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from safeguard.comparing.buckets import Buckets
from safeguard.comparing.content import ContentComparison
from safeguard.comparing.crosswalks import old_view
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.differing import ENTRY, find_differing, unit
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.journal import NoJournal
from safeguard.comparing.restriction import wanted_owners
from safeguard.comparing.settled import CHANGING, OTHER, SETTLED, put_in, rows_of, take_back
from safeguard.comparing.sql import columns, key_text, same
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.tally import Tally
from safeguard.comparing.workers import LocalWorkers
from safeguard.findings.figures import entries
from safeguard.findings.progress import ProgressListener, SilentProgress
from safeguard.findings.result import Looks

MEMORY_LIMIT = "128MB"
"""Of a look: it stands beside the first one's exchange."""
NAMED = 5
"""So many of the entries that keep changing are named."""


@dataclass(frozen=True)
class Patience:
    """How long a live check waits for what is on its way. Times are seconds."""

    settle: float = 5
    """Before each look."""
    tries: int = 5
    deadline: float = 300
    """For each content: no look begins later."""
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Settling:
    """A `Settler`. `read_book` reads the customers into the exchange of a look; `folder` is for what a
    look needs on disk."""

    def __init__(
        self,
        patience: Patience,
        read_book: Callable[[Exchange], CustomerBook],
        folder: Path,
        progress: ProgressListener,
    ) -> None:
        self.patience, self.read_book = patience, read_book
        self.folder, self.progress = folder, progress

    def settle(self, comparison: ContentComparison) -> Looks:
        """See `Settler.settle`. Raises SystemProblem when a system does not come back."""
        return _Settlement(self, comparison).settle()


class _Settlement:
    """One content's looks. `open(unit, first, before, latest, new_u)` holds the evidence of what is
    open. A new entry whose id nobody knew may be told by another key at a later look; then what that
    look shows for the first time is open too, without a `first`."""

    def __init__(self, settling: Settling, first: ContentComparison) -> None:
        self.settling, self.patience = settling, settling.patience
        self.first, self.exchange, self.plan = first, first.exchange, first.plan
        self.units = columns(unit(first.plan))
        self.rows: dict[str, pa.Table] = {}
        self.looks, self.lag = 0, 0.0

    def settle(self) -> Looks:
        _tell(self.first)
        self.exchange.create(
            "open",
            f"""AS SELECT {self.units}, evidence AS first, NULL::UBIGINT AS before,
                evidence AS latest, new_u FROM differs""",
        )
        began = self.patience.clock()
        self.first.systems.rest()
        while self._goes_on(began):
            self._announce()
            self.patience.wait(self.patience.settle)
            before = self._open()
            self._look()
            if self._open() < before:
                self.lag = self.patience.clock() - began
        found = self._conclude()
        self.exchange.drop("open", "differs", "ill", "fates")
        return found

    # -- looking ----------------------------------------------------------------------------

    def _goes_on(self, began: float) -> bool:
        patience = self.patience
        in_time = patience.clock() - began + patience.settle <= patience.deadline
        return self._open() > 0 and self.looks < patience.tries and in_time

    def _open(self) -> int:
        return self.exchange.number("SELECT count(*) FROM open")

    def _announce(self) -> None:
        patience, name = self.patience, self.plan.contract.content
        self.settling.progress.note(
            f"{name}: {self._open():,} differences; looking again in {patience.settle:g} s "
            f"({self.looks + 1} of {patience.tries})"
        )

    def _look(self) -> None:
        """One more look. One that was not whole says nothing, and breaks what looked the same."""
        self.looks += 1
        with self._looked() as look:
            if self._is_whole(look.tally):
                _tell(look)
                self._compare(look)
            else:
                self.exchange.run("UPDATE open SET before = NULL, latest = NULL")
                self.rows = {}
        self.first.systems.rest()

    @contextmanager
    def _looked(self) -> Iterator[ContentComparison]:
        first, folder = self.first, self.settling.folder
        only = wanted_owners(self.exchange, self.plan, "SELECT * FROM open")
        for system in first.systems:
            first.systems.fresh(system)
        try:
            with closing(Exchange(folder, MEMORY_LIMIT)) as exchange:
                book = first.systems.steadily(lambda: self.settling.read_book(exchange))
                store, session = Buckets(folder), first.systems.__getitem__
                workers = LocalWorkers(exchange, store, session, os.cpu_count() or 1)
                around = Surroundings(
                    exchange, store, first.systems, workers, book, SilentProgress(), first.reveal
                )
                look = ContentComparison(around, self.plan, NoJournal(), only=only)
                look.look()
                yield look
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _is_whole(self, tally: Tally) -> bool:
        """As much was read as was counted, and no more of it than at first can't be keyed: that
        could hide what was looked for."""
        sides = ("old", *(f"new_{n.index}" for n in self.plan.new))
        names = [f"kb_{kb}_{side}" for kb in (1, 2) for side in sides]
        keyed = all(tally.counts[n] <= self.first.tally.counts[n] for n in names)
        return keyed and tally.old_agrees and all(tally.new_agrees(n.index) for n in self.plan.new)

    def _compare(self, look: ContentComparison) -> None:
        """What the look does not show any more is settled; of the rest, the evidence is kept."""
        self.exchange.create("shown", "AS SELECT * FROM differs LIMIT 0")
        for batch in look.exchange.batches("SELECT * FROM differs"):
            self.exchange.insert("shown", batch)
        mine, match = columns(unit(self.plan), "s"), same(unit(self.plan), "o", "s")
        gone = f"SELECT 1 FROM open o WHERE o.new_u AND NOT EXISTS (SELECT 1 FROM shown s WHERE {match})"
        self.exchange.create(
            "open",
            f"""AS SELECT {mine}, o.first, o.latest AS before, s.evidence AS latest, s.new_u
            FROM shown s LEFT JOIN open o ON {match} WHERE o.tag IS NOT NULL OR EXISTS ({gone})""",
        )
        self.exchange.drop("shown")
        others = self.exchange.table(
            f"SELECT {self.units} FROM open WHERE {_HELD} AND {_OTHERWISE}"
        )
        self.rows = rows_of(look.exchange, self.plan, others, look.owners)

    # -- concluding -------------------------------------------------------------------------

    def _conclude(self) -> Looks:
        first, plan, exchange = self.first, self.plan, self.exchange
        self._decide()
        units = self._count_units()
        changing = self._changing()
        first.tally.counts.update(take_back(exchange, plan))
        first.tally.counts.update(put_in(exchange, plan, self.rows))
        first.olds = {r: old_view(exchange, plan, r) for r in first.routes}
        exchange.run("DELETE FROM told")
        if changing:
            first.tally.reasons.append(changing)
        found = Looks(self.looks, units[SETTLED], units[CHANGING], self._open(), self.lag)
        if found.settled:
            first.tally.notes.append(
                f"{entries(found.settled)} differed at first and agreed when looked at again, "
                f"the last after {found.lag:.0f} s"
            )
        return found

    def _decide(self) -> None:
        """What becomes of each unit. An old entry whose id was not translated and is now can't be
        found again by its key: it did not agree, it is somewhere else."""
        mine = ", ".join(f"coalesce(d.{c}, o.{c}) AS {c}" for c in unit(self.plan))
        self.exchange.create(
            "fates",
            f"""AS SELECT * FROM (SELECT {mine}, CASE
                WHEN o.tag IS NULL THEN CASE WHEN d.old_u THEN '{CHANGING}' ELSE '{SETTLED}' END
                WHEN NOT ({_HELD}) THEN '{CHANGING}' WHEN {_OTHERWISE} THEN '{OTHER}' END AS fate
            FROM differs d FULL JOIN open o ON {same(unit(self.plan), "o", "d")})
            WHERE fate IS NOT NULL""",
        )

    def _count_units(self) -> dict[str, int]:
        rows = self.exchange.rows("SELECT fate, count(*) FROM fates GROUP BY fate")
        return {SETTLED: 0, CHANGING: 0} | dict(rows)

    def _changing(self) -> str:
        """Why what keeps changing is undecided, with some of it named; "" where nothing does."""
        plan, shown = self.plan, self.exchange.rows
        parts = [key_text(k, "t") for k in (plan.owners, plan.lists, plan.items) if k]
        named = f"concat_ws(' ', {', '.join(parts)})"
        where = f"FROM fates t WHERE t.fate = '{CHANGING}'"
        count = self.exchange.number(f"SELECT count(*) {where}")
        if not count:
            return ""
        found = shown(f"SELECT {named}, t.tag {where} ORDER BY ALL LIMIT {NAMED}")
        texts = [f"{name}" if tag == ENTRY else f"the order of {name}" for name, tag in found]
        more = ", ..." if count > NAMED else ""
        why = "keeps changing" if count == 1 else "keep changing"
        if not self.looks:
            why = "differed, and the deadline left no time to look again"
        return f"{entries(count)} {why}: {', '.join(texts)}{more}"


_HELD = "coalesce(latest = before, FALSE)"
_OTHERWISE = "latest IS DISTINCT FROM first"


def _tell(comparison: ContentComparison) -> None:
    comparison.tell_surplus()
    find_differing(comparison.exchange, comparison.plan)
