"""The drill of one content: read both sides once, then plant and compare, pass after pass, on the
partitions that hold the faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from safeguard.comparing.buckets import folder_of, runs_of_buckets
from safeguard.comparing.content import PARTITION_BYTES, ContentComparison
from safeguard.comparing.intake import Intake
from safeguard.comparing.journal import NoJournal
from safeguard.comparing.partition import Partition, SourceFiles, numbers_from
from safeguard.comparing.surroundings import Surroundings
from safeguard.comparing.tally import Tally
from safeguard.comparing.telling import Teller
from safeguard.contract.model import Policy
from safeguard.drill.faults import FAULTS
from safeguard.drill.ground import Ground
from safeguard.drill.judging import Planted, findings_of, judge
from safeguard.drill.kinds import FaultKind, Target
from safeguard.drill.replay import NewSide, Part, Replay
from safeguard.drill.result import DrilledContent, PlantedFault
from safeguard.drill.sampling import dirty_customers, read_ground
from safeguard.planning.asking import Strategy
from safeguard.planning.layout import ContentPlan

MOST_PARTITIONS = 12
"""What a fault needs is looked for in so many; what is in none of them is rare."""


@dataclass
class Charge:
    """One kind of fault at one target, to be planted again and again."""

    kind: FaultKind
    target: Target
    planted: int = 0
    tried: set[str] = field(default_factory=set)
    """Customers at whom it was planted, or can't be."""
    looked: bool = False
    """Whether every customer was tried in vain."""


def charges_of(plan: ContentPlan) -> list[Charge]:
    """All that can be planted in a content; of each kind the first comes before any second."""
    seen: Counter[str] = Counter()
    found = []
    for kind in FAULTS:
        for target in kind.targets(plan):
            found.append((seen[kind.name], Charge(kind, target)))
            seen[kind.name] += 1
    return [charge for _, charge in sorted(found, key=lambda one: one[0])]


class ContentDrill:
    """Drills one content."""

    def __init__(
        self,
        around: Surroundings,
        plan: ContentPlan,
        policy: Policy,
        zone: str | None,
        seed: int,
        wanted: int,
    ) -> None:
        self.around, self.plan, self.policy, self.zone = around, plan, policy, zone
        self.seed = f"{seed}/{plan.contract.content}"
        self.random, self.wanted = Random(self.seed), wanted
        self.charges = charges_of(plan)
        self.faults: list[PlantedFault] = []
        self.notes: list[str] = []

    def drill(self) -> DrilledContent:
        """Plant `wanted` faults, or as many as the content has room for. Raises SystemProblem when a
        system goes away, UsageProblem for SQL that fails on the data."""
        self.read = Tally()
        intake = Intake(self.around, self.plan, NoJournal(), self.read, Strategy.STREAM, None, None)
        intake.read()
        self.files = intake.files
        parts = list(runs_of_buckets(self.files.every, PARTITION_BYTES))
        self.random.shuffle(parts)
        parts = parts[:MOST_PARTITIONS]
        for part in parts:
            if not self._missing() or self._left() <= 0:
                break
            self._drill_part(part, last=part == parts[-1])
        self.around.store.remove(folder_of(self.plan.contract.content))
        return DrilledContent(
            self.plan.contract.content,
            self.plan.path,
            tuple(self.faults),
            self._said(),
            absent=tuple(_named(c, self.plan) for c in self._missing() if c.looked),
            crowded=tuple(_named(c, self.plan) for c in self._missing() if not c.looked),
        )

    # -- passes -----------------------------------------------------------------------------

    def _missing(self) -> list[Charge]:
        return [c for c in self.charges if not c.planted]

    def _left(self) -> int:
        return self.wanted - len(self.faults)

    def _drill_part(self, part: Part, *, last: bool) -> None:
        """Plant in one partition until it, or the wish, is exhausted. Beyond the first of them, only
        what the ones before had no room for."""
        ground, side = self._ground(part)
        charges = self._missing()
        for number in count():
            planted = self._plant(ground, charges, last=last)
            if not planted:
                break
            name = f"{folder_of(self.plan.contract.content)}/drill-{part[0]:04}-{number:03}"
            self._compare(part, side.with_faults([p.plant for p in planted], name), planted)

    def _ground(self, part: Part) -> tuple[Ground, NewSide]:
        """An undisturbed comparison of the partition: who is clean, and what is there."""
        around, plan = self.around, self.plan
        comparison = self._compared(part, self.files)
        dirty = dirty_customers(around.exchange, plan.contract.content)
        comparison.abandon()
        side = NewSide(plan, around.store, self.files, part)
        partition = Partition(around.exchange, plan, around.book, around.reveal)
        partition.load(around.store, self.files, *part)
        teller = Teller(around.exchange, plan, around.book)
        first = numbers_from(part[0])
        ground = read_ground(
            around.exchange, plan, teller, self.zone, self.seed, dirty, side.rows, first
        )
        around.exchange.forget()
        return ground, side

    def _plant(self, ground: Ground, charges: list[Charge], *, last: bool) -> list[Planted]:
        """As many faults as have room beside each other, each at customers of its own: one of each
        charge, then a second, and so on."""
        ground.taken.clear()
        found: list[Planted] = []
        room = self._left()
        while len(found) < room:
            before = len(found)
            for charge in sorted(charges, key=lambda c: c.planted):
                if len(found) < room and (planted := self._plant_one(ground, charge)):
                    found.append(planted)
            if len(found) == before:
                break
            if not last:  # what only a later partition has room for is left a place
                room = self._left() - len(self._missing())
        return found

    def _plant_one(self, ground: Ground, charge: Charge) -> Planted | None:
        for customer in ground.free():
            if customer.id in charge.tried:
                continue
            charge.tried.add(customer.id)
            plant = charge.kind.plant(ground, customer, charge.target, self.random)
            if plant is None:
                continue
            charge.planted += 1
            ground.taken.update(c.id for c in plant.customers)
            return Planted(charge.kind, charge.target, plant)
        charge.looked = all(c.id in charge.tried for c in ground.customers)
        return None

    def _compare(self, part: Part, files: SourceFiles, planted: list[Planted]) -> None:
        comparison = self._compared(part, files)
        exchange, name = self.around.exchange, self.plan.contract.content
        found = findings_of(exchange, name, planted)
        comparison.abandon()
        self.faults += [judge(self.plan, self.policy, p, found) for p in planted]

    def _compared(self, part: Part, files: SourceFiles) -> ContentComparison:
        """The comparison that a check makes, of this partition; its findings stand in the exchange."""

        def taken(tally: Tally) -> Replay:
            return Replay(self.plan, files, part, self.read, tally)

        comparison = ContentComparison(self.around, self.plan, NoJournal(), taken=taken)
        result = comparison.compare()
        if not (result.conservation.old and result.conservation.new):
            self.notes += [f"the sums did not add up: {d}" for d in result.conservation.detail]
        return comparison

    # -- words ------------------------------------------------------------------------------

    def _said(self) -> tuple[str, ...]:
        return (*dict.fromkeys(self.notes), *_behind_expressions(self.plan))


def _behind_expressions(plan: ContentPlan) -> Iterator[str]:
    """A fault is planted in what a system gives: behind the SQL that a contract reads a column by."""
    names = {f.slot: f.name for f in plan.fields}
    for new in plan.new:
        for output in new.selection.outputs:
            if output.name in names and not output.is_column:
                yield (
                    f"`{names[output.name]}` of {new.system} is read through `{output.sql}`: faults were "
                    "planted behind it, and what it hides is not seen"
                )


def _named(charge: Charge, plan: ContentPlan) -> str:
    field = f" `{charge.target.field.name}`" if charge.target.field else ""
    return f"{charge.kind.name}:{field} in {plan.new[charge.target.route].system}"
