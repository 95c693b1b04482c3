"""What a check found, as frozen values: the only thing that gate and reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from safeguard.findings.words import Kind, Verdict, WaiverState, Weight

Counts = Mapping[str, int]


@dataclass(frozen=True)
class SegmentCount:
    """Distinct customers of one segment."""

    with_content: int
    affected: int


@dataclass(frozen=True)
class Impact:
    """Distinct customers: with live old content, and with a finding that affects them.

    `total` is the number of old customers, None where no customers table is declared.
    """

    with_content: int
    affected: int
    segments: Mapping[str, SegmentCount] = field(default_factory=dict)
    total: int | None = None


@dataclass(frozen=True)
class Conservation:
    """Whether the statuses of each side add up to its independent count."""

    old: bool
    new: bool
    detail: tuple[str, ...] = ()
    """One sentence a source: the sum, the independent count, and the gap if there is one."""


@dataclass(frozen=True)
class RouteResult:
    """One new system (or `*` under one_of / any_of) beside the old entries due there."""

    system: str
    due: int
    statuses: Counts
    """Due entries by OldStatus."""
    new: int
    """New entries that were read there."""
    new_statuses: Counts
    """New entries by NewStatus."""
    findings: Counts = field(default_factory=dict)
    """Entries by Kind, of this route alone."""
    waived: Counts = field(default_factory=dict)
    """Those of them that are waived."""

    @property
    def kept(self) -> int:
        """Due entries that survived whole."""
        return self.statuses.get("kept", 0)

    @property
    def unwaived(self) -> Counts:
        """Entries by Kind that no waiver covers."""
        return _without(self.findings, self.waived)


def _without(findings: Counts, waived: Counts) -> Counts:
    return {kind: left for kind, n in findings.items() if (left := n - waived.get(kind, 0))}


@dataclass(frozen=True)
class Sample:
    """One finding, as a row of findings.parquet (same names, same masking)."""

    content: str
    kind: Kind
    cause: str | None
    owner: str | None
    list: str | None
    item: str | None
    field: str | None
    old_value: str | None
    new_value: str | None
    system: str | None
    segment: str | None
    waived_by: str | None = None


@dataclass(frozen=True)
class ListLine:
    """One entry of a sampled list. `status` is an OldStatus on the old side, a NewStatus
    (or `moved`) on the new side; `position` is the order column's value as text."""

    position: str | None
    item: str
    status: str


@dataclass(frozen=True)
class ListSample:
    """One customer's list as the customer would see it, each side in its own order."""

    content: str
    system: str
    owner: str
    list: str | None
    old: tuple[ListLine, ...]
    new: tuple[ListLine, ...]
    cut: int = 0
    """Entries left out of the sample because the list is long."""


@dataclass(frozen=True)
class Pattern:
    """What a whole column tells of its changes that one pair of values does not."""

    field: str
    cause: str
    count: int
    """Changed fields that it is true of; `text` begins with it."""
    text: str
    """A sentence without its full stop: "3,946 of rental_date are one hour early"."""


@dataclass(frozen=True)
class Looks:
    """What became of the entries of one content that differed at first, in a live check."""

    looks: int
    """So often they were looked at again."""
    settled: int
    changing: int
    """Still another difference at the last look: undecided."""
    open: int
    """Still the same difference at the last look: found."""
    lag: float
    """Seconds after the first reading at which the last of the settled ones was seen to agree."""


@dataclass(frozen=True)
class Explanation:
    """What findings of one kind have in common that kept entries do not."""

    kind: Kind
    text: str
    """The whole sentence, with both figures."""
    found: int
    """Entries of the kind that it is true of."""
    total: int
    """Entries of the kind."""
    kept_share: float
    """Of the kept entries, the part that it is true of: 0 to 1."""


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation of a contract, on the old side and in one new system, asked of the databases
    outside of the snapshots. `old` and `new` are True where it held, None where nobody knows."""

    expectation: str
    """In words: `expect_column_values_to_be_between(column=position, min_value=1)`."""
    columns: tuple[str, ...]
    """The contract's columns that it names."""
    system: str
    """The new system."""
    old: bool | None
    new: bool | None
    observed_old: str = ""
    observed: str = ""
    """What was found in the new system, in words, masked: "3 of 40 values"."""
    trouble: str = ""
    """Why nobody knows."""

    @property
    def known(self) -> bool:
        """Whether it was decided on both sides."""
        return self.old is not None and self.new is not None

    @property
    def broke(self) -> bool:
        """Whether it held on the old side and fails on the new: a finding."""
        return self.old is True and self.new is False


@dataclass(frozen=True)
class ContentResult:
    """Everything that is said of one content. Counts are of entries unless named otherwise."""

    content: str
    title: str
    shape: str
    verdict: Verdict
    old: int
    new: int
    kept: int
    sums_old: Counts
    sums_new: Counts
    left_out: int
    """Old and new rows that a `where` leaves out."""
    not_due: int
    tolerated: Counts
    """By accepted form, `renumbered`, `mapped`, `within_tolerance`, `time_fold`."""
    findings: Counts
    """Entries by Kind, waived or not."""
    waived: Counts
    """Entries by Kind all of whose findings of the kind are waived."""
    causes: Counts
    """Changed fields by Cause."""
    customers: Impact
    routes: tuple[RouteResult, ...]
    conservation: Conservation
    reasons: tuple[str, ...] = ()
    """Plain sentences: why it could not be compared whole, why it blocks."""
    notes: tuple[str, ...] = ()
    """What a PASS must name too: lossy maps, owners unknown on both sides, swapped lists, ..."""
    finding_segments: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """kind -> segment -> entries not waived, for ceilings per segment (an entry counts in each of its
    segments)."""
    certain: frozenset[str] = frozenset()
    """Kinds of `findings` of which at least one is certain although something was not compared."""
    samples: tuple[Sample, ...] = ()
    lists: tuple[ListSample, ...] = ()
    due: int = 0
    """Old entries that are due."""
    contract: str = ""
    """Path of the contract, relative to the plan."""
    lines: Counts = field(default_factory=dict)
    """Where the contract says what: `content`, `order`, `fields.stars`, ... -> its line, from 1."""
    weighed: Mapping[str, Weight] = field(default_factory=dict)
    """How the policy weighs each kind that was found and is not waived."""
    field_causes: Mapping[str, Counts] = field(default_factory=dict)
    """Field -> cause -> changed fields; a document's field is named without its path."""
    seconds: float = 0.0
    strategy: str = "stream"
    """How it was compared: "stream", every entry was read; "sums", only where sums of hashes, taken
    inside the servers, did not say that both sides are equal."""
    strategy_reason: str = ""
    """Why so, in words."""
    failed: bool = False
    """A system, or the room here, did not let it be compared to its end; a later try may."""
    looked: Looks | None = None
    """Of a live check."""
    patterns: tuple[Pattern, ...] = ()
    """Field by field, the most frequent first."""
    explanations: tuple[Explanation, ...] = ()
    """At most three of each kind; none where nothing explains what was found."""
    expectations: tuple[ExpectationResult, ...] = ()
    """One for each expectation of the contract and each new system."""

    @property
    def unwaived(self) -> Counts:
        """Entries by Kind that no waiver covers: what the policy judges."""
        return _without(self.findings, self.waived)


@dataclass(frozen=True)
class UncoveredTable:
    """User content of an old system that no contract speaks of."""

    system: str
    table: str
    entries: int | None
    customers: int | None
    reason: str
    """How it hangs on the customers: "foreign key customer_id -> customers", ..."""
    waived_by: str = ""
    """The id of a waiver."""


@dataclass(frozen=True)
class IgnoredTable:
    """A table that the plan leaves out on purpose."""

    system: str
    table: str
    reason: str


@dataclass(frozen=True)
class Coverage:
    """Which tables of the old systems hang on the customers, and who speaks of them."""

    tables: int
    covered: int
    ignored: tuple[IgnoredTable, ...]
    uncovered: tuple[UncoveredTable, ...]
    unchecked_columns: tuple[str, ...]
    """`system.table.column` of covered tables, named by no contract."""
    notes: tuple[str, ...] = ()

    @property
    def unwaived(self) -> tuple[UncoveredTable, ...]:
        """The uncovered tables that no waiver covers."""
        return tuple(table for table in self.uncovered if not table.waived_by)


@dataclass(frozen=True)
class WaiverUse:
    """What became of one waiver of the plan in this run."""

    id: str
    content: str
    kind: Kind
    entries: int
    """So many it is about that no waiver before it waived; waived by it only where it is used."""
    state: WaiverState
    reason: str
    approved_by: tuple[str, ...]
    expires: str
    """The first instant at which it is not valid any more, ISO 8601 in UTC."""
    text: str
    """A plain sentence: what it waives, or why it does not."""
    at_most: int = 0


@dataclass(frozen=True)
class SystemInfo:
    """One opened system. `snapshot` says in words what holds its state still."""

    name: str
    dialect: str
    version: str
    snapshot: str
    url: str = ""
    """Masked."""
    whole_snapshot: bool = True
    """Whether all that was read was held still; where not, `snapshot` says what was not."""
    taken_at: str = ""
    """In ISO form, UTC: nothing that was read of it is older than this. "" where nobody knows."""


@dataclass(frozen=True)
class DrillSummary:
    """The last fire drill of a plan: faults planted into its new side, and what a check caught."""

    run: str
    at: str
    planted: int
    caught: int
    kinds: int
    """Kinds of the planted faults."""
    survivors: tuple[str, ...]
    """One sentence a fault that was not caught and that no contract tolerates."""
    strategy: str
    """The way that was drilled."""
    tolerated: int = 0
    """Not found, because a contract accepts them."""
    undecided: tuple[str, ...] = ()
    """Why it was not the whole drill."""
    outdated: bool = False
    """Whether plan or contracts have changed since."""
    warned: int = 0
    """Of the caught: found as what the policy only warns of, or allows up to a number."""


@dataclass(frozen=True)
class CheckResult:
    """A whole run: what verdict.json is written from, and every report."""

    run: str
    migration: str
    kind: str
    verdict: Verdict
    reasons: tuple[str, ...]
    started_at: str
    finished_at: str
    tool_version: str
    plan_digest: str
    customers: Impact
    contents: tuple[ContentResult, ...]
    coverage: Coverage
    systems: tuple[SystemInfo, ...]
    plan: str = ""
    """Path of the plan as it was given."""
    place: str = ""
    """Path of the plan from the root of its repository, for what shows findings beside the files."""
    lines: Counts = field(default_factory=dict)
    """Where the plan says what: `migration`, `coverage`, ... -> its line, from 1."""
    notes: tuple[str, ...] = ()
    """What was warned of, allowed, not due, left out, unchecked: named even by a PASS."""
    exit_code: int = 3
    seconds: float = 0.0
    revealed: bool = False
    resume: str = ""
    """The command that goes on with this run; "" where it came to its end."""
    waivers: tuple[WaiverUse, ...] = ()
    """Every waiver of the plan, in the order of its file."""
    waivers_digest: str = ""
    """SHA-256 of the file of waivers; "" where the plan names none."""
    drill: DrillSummary | None = None
    """The last drill of the plan; None where there was none."""
