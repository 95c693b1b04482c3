"""The plan and the contracts as frozen models. Keys and meanings are fixed; see docs/reference.

Loading with positions is in `load.py`; these models know no files. The plan's are in `migration.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from safeguard.contract.forms import (
    AcceptText,
    Conditions,
    Flag,
    Moment,
    Names,
    OneOrMany,
    SomeNames,
    Text,
    TypeText,
    Whole,
    Written,
)
from safeguard.contract.migration import (
    DEFAULT_BLOCK,
    DEFAULT_WARN,
    Allowance,
    CoverageRules,
    CsvOptions,
    Customers,
    CustomerTable,
    Ignore,
    MigrationKind,
    Model,
    Plan,
    Policy,
    SystemSpec,
)
from safeguard.contract.waivers import Waiver
from safeguard.findings.trouble import Mistake

__all__ = [
    "DEFAULT_BLOCK",
    "DEFAULT_WARN",
    "Allowance",
    "AsOf",
    "Contract",
    "CoverageRules",
    "Crosswalk",
    "CsvOptions",
    "CustomerTable",
    "Customers",
    "FieldSpec",
    "Ignore",
    "LoadedContract",
    "LoadedPlan",
    "MigrationKind",
    "Model",
    "NewSource",
    "OldSource",
    "Overlap",
    "Plan",
    "Policy",
    "Routing",
    "Shape",
    "Source",
    "SystemSpec",
]


class Shape(StrEnum):
    LIST = "list"
    SET = "set"
    RECORD = "record"
    DOCUMENT = "document"


class Routing(StrEnum):
    BY_RECEIVES = "by_receives"
    ONE_OF = "one_of"
    ANY_OF = "any_of"


class Overlap(StrEnum):
    EVERY = "every"
    ONE = "one"


class FieldSpec(Model):
    """A field that must survive. Keys of `map` are old values as text."""

    type: TypeText | None = Field(
        default=None,
        description="How values are compared: integer, decimal(scale), float(tolerance), text, "
        "enum, boolean, timestamp, date, time, uuid, bytes, json. Left out, what both systems "
        "declare.",
    )
    accept: tuple[AcceptText, ...] = Field(
        default=(),
        description="Differences that are tolerated and counted: null_empty, case, whitespace, "
        "line_endings, unicode_form, escaped, time_truncated(unit), rounded(scale), "
        "truncated(bytes).",
    )
    map: dict[str | None, Written | None] | None = Field(
        default=None,
        description="Old value: new value. NULL stays NULL unless it is a key; a value that is no "
        "key is not_compared.",
    )
    unordered: tuple[Text, ...] = Field(
        default=(), description="json only: paths of arrays whose order means nothing."
    )


class Crosswalk(Model):
    """A table of old and new ids of one contract column. With `merges`, old ids may share a new one."""

    system: Text = Field(description="The system that has the table.")
    table: Text = Field(description="The table of old and new ids.")
    old: Text = Field(description="Its column of old ids.")
    new: Text = Field(description="Its column of new ids.")
    merges: Flag = Field(default=False, description="Whether old ids may share a new one.")


_COLUMNS = "Contract name: column or SQL expression of that system. Left out, the names are equal."
_CROSSWALK = "Ids that changed, by contract name: the table that translates old ids to new."


class Source(Model):
    """Where one system keeps the entries: a table or a query of it."""

    system: Text = Field(description="A system of the plan.")
    table: Text | None = Field(default=None, description="The table that holds the entries.")
    query: Text | None = Field(
        default=None, description="SQL that gives the entries, in place of `table`."
    )
    covers: Names = Field(
        default=(), description="The tables that a query or view stands for, for coverage."
    )
    columns: dict[str, Text] = Field(default={}, description=_COLUMNS)
    where: Text | None = Field(
        default=None, description="SQL: which rows are meant. What it leaves out is counted."
    )
    deleted_when: Text | None = Field(
        default=None, description="SQL: which rows their customer has deleted."
    )
    timezones: dict[str, Text] = Field(
        default={},
        description="Contract name: IANA zone of its timestamps; goes before the system's.",
    )
    crosswalk: dict[str, Crosswalk] = Field(default={}, description=_CROSSWALK)


class OldSource(Source):
    """Where an old system keeps the entries."""


class NewSource(Source):
    """Where a new system should have them."""

    receives: Conditions = Field(
        default=None,
        description="SQL over the old side: which entries must land here. With several old "
        "systems a mapping {old system: SQL}. Left out, every entry.",
    )
    at_least: Whole | None = Field(
        default=None, description="Fewer entries due here than this is UNDECIDED."
    )


class AsOf(Model):
    """The moment up to which entries are due."""

    field: Text = Field(description="A timestamp, date or integer field.")
    value: Moment = Field(description="Entries later than this are not due yet: counted, not lost.")


def _bare_fields(value: Any) -> Any:
    """A field that is only named has nothing declared."""
    if not isinstance(value, dict):
        return value
    return {name: {} if spec is None else spec for name, spec in value.items()}


class Contract(Model):
    """One content: what it is and how it must survive."""

    content: Text = Field(description="The name of this content, such as queue.")
    title: str = Field(default="", description="What it is, in a customer's words.")
    shape: Shape = Field(
        description="list (order matters), set (membership), record (fields per key) or document "
        "(nested JSON)."
    )
    owner: SomeNames = Field(description="Whose it is: one column or a list of columns.")
    item: Names = Field(
        default=(),
        description="Which thing it is: one column or a list of columns. Left out for a record or "
        "document of which an owner has one.",
    )
    order: Text | None = Field(default=None, description="Lists only: the column that orders it.")
    list: Text | None = Field(
        default=None, description="Lists only: the column that tells lists of one owner apart."
    )
    keys: dict[str, TypeText] = Field(
        default={},
        description="Types of owner, item, list and order columns. Left out, what both declare.",
    )
    fields: Annotated[dict[str, FieldSpec], BeforeValidator(_bare_fields)] = Field(
        default={}, description="The fields that must survive, by contract name."
    )
    old: Annotated[tuple[OldSource, ...], Field(min_length=1), OneOrMany()] = Field(
        description="Where the old systems keep it."
    )
    new: Annotated[tuple[NewSource, ...], Field(min_length=1), OneOrMany()] = Field(
        description="Where the new systems should have it."
    )
    crosswalk: dict[str, Crosswalk] = Field(default={}, description=_CROSSWALK)
    routing: Routing = Field(
        default=Routing.BY_RECEIVES,
        description="by_receives, or one_of / any_of: in exactly / at least one of the new "
        "systems, wherever.",
    )
    overlap: Overlap = Field(
        default=Overlap.EVERY,
        description="Merges: of old entries that meet on one key, every one needs a partner, or "
        "one.",
    )
    prefer: tuple[Text, ...] = Field(
        default=(), description="With `overlap: one`: old systems, the one that wins first."
    )
    latest: Text | None = Field(
        default=None, description="With `overlap: one`: the field whose latest entry wins."
    )
    as_of: AsOf | None = Field(default=None, description="The moment up to which entries are due.")
    updated_at: Text | None = Field(
        default=None,
        description="When an entry was last written, on either side: a timestamp, for "
        "`check --since`. It need not agree.",
    )
    expectations: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="Great Expectations, run on both sides by the databases themselves: "
        "{expectation: {argument: value}}, columns by their names here.",
    )
    at_least: Whole = Field(
        default=1,
        description="Fewer due entries than this is UNDECIDED, not PASS. 0 allows none.",
    )

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Contract names that together identify an entry: owner, list, item."""
        return (*self.owner, *((self.list,) if self.list else ()), *self.item)

    @property
    def names(self) -> tuple[str, ...]:
        """Every contract name: owner, list, item, order, fields, updated_at."""
        others = [name for name in (self.order, *self.fields, self.updated_at) if name]
        return tuple(dict.fromkeys((*self.key_columns, *others)))


Lines = dict[str, tuple[int, int]]


def _locate(lines: Lines, path: str) -> tuple[int, int]:
    """Where `path` stands, or the nearest thing around it."""
    here: tuple[str, ...] = ()
    for part in path.split("."):
        if ".".join((*here, part)) in lines:
            here = (*here, part)
        elif part != "0":
            break
    return lines.get(".".join(here), (1, 1))


class LoadedContract(Model):
    """A contract and where it was read from (`path` relative to the plan); `lines` maps a
    dotted path such as `new.0.columns.position` to its (line, column)."""

    contract: Contract
    path: str
    lines: Lines = Field(default={})
    file: str = ""
    """The path as people are shown it: from where the command was given."""

    def mistake(self, message: str, path: str = "") -> Mistake:
        """A mistake at `path`, or at the nearest thing around it that is written."""
        return Mistake(message, self.file or self.path, *_locate(self.lines, path))


class LoadedPlan(Model):
    """A plan with its contracts and waivers, as they lie in `folder`. `digest` is the SHA-256 of the
    plan and all contracts: what a run reads and compares; the waivers' file has its own, of its
    bytes, since they are applied to what was found. Without such a file, that is empty."""

    plan: Plan
    contracts: tuple[LoadedContract, ...]
    path: str
    folder: str
    digest: str
    lines: Lines = Field(default={})
    urls: dict[str, str] = Field(default={})
    """The URL of each system as it is written, with the names of environment variables in it."""
    digests: dict[str, str] = Field(default={})
    """SHA-256 of each file as it was read, by its name: the plan first, then what it names."""
    waivers: tuple[Waiver, ...] = Field(default=())
    waivers_digest: str = ""

    def mistake(self, message: str, path: str = "") -> Mistake:
        """A mistake of the plan at `path`, or at the nearest thing around it that is written."""
        return Mistake(message, self.path, *_locate(self.lines, path))
