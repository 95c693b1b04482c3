"""The plan's model: `safeguard.yaml`. Its keys are fixed; see docs/reference/plan.md."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from safeguard.contract.forms import Names, OneOrMany, SomeNames, Text, Whole
from safeguard.findings.words import Kind


class Model(BaseModel):
    """Frozen, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class MigrationKind(StrEnum):
    MOVE = "move"
    SPLIT = "split"
    MERGE = "merge"
    SHUTDOWN = "shutdown"


class CsvOptions(Model):
    """How the CSV files of a `files:` system are written."""

    null: str = Field(default="\\N", description="What stands for NULL.")
    delimiter: str = Field(
        default=",", min_length=1, max_length=1, description="What stands between two values."
    )
    encoding: Text = Field(default="utf-8", description="The encoding of the files.")


class SystemSpec(Model):
    """A place that holds content. `url` has its ${NAMES} filled in when loaded."""

    url: Text = Field(
        repr=False,
        description="A database URL (SQLAlchemy's), `duckdb:///FILE`, or `files:FOLDER` for a folder "
        "of .parquet, .csv and .jsonl. Paths are relative to the plan. ${NAME} comes from the "
        "environment; $${ is a plain ${.",
    )
    timezone: Text | None = Field(
        default=None,
        description="IANA name of the zone of this system's timestamps without a time zone.",
    )
    csv: CsvOptions = Field(
        default=CsvOptions(), description="How CSV files are written; only of a `files:` system."
    )


class CustomerTable(Model):
    """The table of a system that has one row for each customer."""

    system: Text = Field(description="A system of this plan.")
    table: Text = Field(description="The table that has one row for each customer.")
    key: SomeNames = Field(description="The column, or columns, that an entry's owner names.")


class Customers(Model):
    """Who the owners are: gives segments and catches orphans."""

    old: Annotated[tuple[CustomerTable, ...], Field(min_length=1), OneOrMany()] = Field(
        description="The old customers; a list in a merge."
    )
    new: Annotated[tuple[CustomerTable, ...], OneOrMany()] = Field(
        default=(), description="The customers of the new systems; catches orphaned entries."
    )
    segments: dict[str, Text] = Field(
        default={},
        description="Groups of customers: a name and an SQL condition over the old customers. "
        "Segments may overlap.",
    )


class Ignore(Model):
    """A table, or some of its columns, that is meant to go, and why."""

    system: Text = Field(description="A system of this plan.")
    table: Text = Field(description="The table that no contract needs to speak of.")
    columns: Names = Field(
        default=(),
        description="Only these of its columns. Left out, the whole table.",
    )
    reason: Text = Field(description="Why its content need not survive; shown in every report.")


class CoverageRules(Model):
    """What the search for content without a contract leaves out."""

    ignore: tuple[Ignore, ...] = Field(
        default=(), description="Tables that need no contract, each with a reason."
    )


class Allowance(Model):
    """A ceiling: up to `at_most` entries of this kind do not block."""

    content: Text = Field(description="The content of one of the contracts.")
    kind: Kind = Field(description="The kind of finding; not_compared can't be allowed.")
    at_most: Whole | None = Field(default=None, description="So many entries do not block.")
    segment_at_most: dict[str, Whole] = Field(
        default={}, description="Of each named segment, so many entries do not block."
    )


DEFAULT_BLOCK = (
    Kind.LOST,
    Kind.CHANGED,
    Kind.MOVED,
    Kind.DUPLICATED,
    Kind.MISATTRIBUTED,
    Kind.MISROUTED,
    Kind.RESURRECTED,
    Kind.ORPHANED,
    Kind.UNCOVERED,
    Kind.EXPECTATION,
)
DEFAULT_WARN = (Kind.EXTRA,)


class Policy(Model):
    """How findings are judged. A kind that is in neither list blocks."""

    block: tuple[Kind, ...] = Field(
        default=DEFAULT_BLOCK, description="Kinds of finding that block the rollout."
    )
    warn: tuple[Kind, ...] = Field(
        default=DEFAULT_WARN, description="Kinds of finding that are told but do not block."
    )
    allow: tuple[Allowance, ...] = Field(
        default=(), description="Ceilings; without one, the first finding blocks."
    )
    approvers: dict[str, Whole] = Field(
        default={},
        description="Of each named segment: a waiver that is about its customers needs so many "
        "approvers.",
    )

    @model_validator(mode="before")
    @classmethod
    def _written_wins(cls, data: Any) -> Any:
        """A kind that a written list names leaves the default of the other list."""
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        for name, other, default in (
            ("warn", "block", DEFAULT_WARN),
            ("block", "warn", DEFAULT_BLOCK),
        ):
            named = data.get(other)
            if name not in data and isinstance(named, list | tuple):
                filled[name] = [kind for kind in default if kind not in named]
        return filled


class Plan(Model):
    """`safeguard.yaml`: systems, contracts, customers and policy of one migration."""

    migration: Text = Field(description="The name of the migration, for reports and history.")
    kind: MigrationKind = Field(
        description="move, split, merge or shutdown: checks the number of systems and chooses "
        "words; changes no rule."
    )
    systems: dict[str, SystemSpec] = Field(
        min_length=1, description="The places that hold content, old and new, by name."
    )
    contracts: tuple[Text, ...] = Field(
        min_length=1, description="The contracts' files, relative to the plan."
    )
    customers: Customers | None = Field(
        default=None,
        description="Who the owners are. Without it: no segments, no orphans, and coverage only "
        "from the covered tables and their owner columns.",
    )
    coverage: CoverageRules = Field(
        default=CoverageRules(), description="Which old tables need no contract."
    )
    policy: Policy = Field(default=Policy(), description="What blocks the rollout.")
    waivers: Text | None = Field(
        default=None,
        description="The file of waivers, relative to the plan: findings that somebody signed for.",
    )
