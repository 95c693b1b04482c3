"""Waivers: findings that somebody signed for, up to a number and a day. See docs/guide/waivers.md.

A waiver waives only what it names: every key beside `content` and `kind` narrows it, and none of them
can be left empty.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from safeguard.contract.conditions import Condition, parse_condition
from safeguard.contract.forms import Expiry, OneOrMany, Text, Whole
from safeguard.contract.migration import Model
from safeguard.findings.words import Cause, Kind

PLACEHOLDER = "TODO"
"""What `safeguard waive` writes where a person has to; a value that begins with it is refused."""

Owner = str | tuple[str | None, ...]


class Narrowing:
    """Marks a key that may be left out, but not be written without a value: then it would narrow
    nothing."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_given, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(schema["schema"])
        return {"anyOf": [one for one in found["anyOf"] if one != {"type": "null"}]}


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("must have a value, or be left out: an empty one would waive everything")
    return value


def _plain(value: Any) -> Any:
    """No NUL, and no half of a character: neither can be looked for, nor written into a report."""
    for text in value if isinstance(value, list | tuple) else (value,):
        if isinstance(text, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
            raise ValueError("must not hold NUL or half a character")
    return value


def _owner(value: Any) -> Owner:
    if isinstance(_plain(value), str) and value:
        return str(value)
    if isinstance(value, list | tuple) and value and all(isinstance(v, str | None) for v in value):
        return tuple(value)
    raise ValueError("must be ids as in findings.parquet; of several columns each a list of them")


def _condition(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a condition such as `item IN (7, 8)`")
    return parse_condition(_plain(value))


Word = Annotated[Text, BeforeValidator(_plain)]
_ID: dict[str, Any] = {"type": ["string", "number", "null"]}
OwnerId = Annotated[
    Owner,
    PlainValidator(_owner),
    WithJsonSchema({"anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": _ID}]}),
]
ConditionText = Annotated[
    Condition, PlainValidator(_condition), WithJsonSchema({"type": "string", "minLength": 1})
]


class Waiver(Model):
    """A signed-off acceptance of findings of one content and kind."""

    id: Word = Field(description="Its name, unique in the file; shown with all that it waives.")
    content: Word = Field(
        description="The content of one of the contracts; of kind uncovered the table's name."
    )
    kind: Kind = Field(description="The kind of finding; not_compared can't be waived.")
    cause: Annotated[Cause | None, Narrowing()] = Field(
        default=None, description="Only findings of this cause; of kind changed."
    )
    field: Annotated[Word | None, Narrowing()] = Field(
        default=None,
        description="Only findings of this field; of a document also a path in it, and all below.",
    )
    system: Annotated[Word | None, Narrowing()] = Field(
        default=None,
        description="Only what was due, or is surplus, in this new system; of kind uncovered the "
        "old system that has the table.",
    )
    owners: Annotated[
        Annotated[tuple[OwnerId, ...], Field(min_length=1), OneOrMany()] | None, Narrowing()
    ] = Field(
        default=None,
        description="Only findings of these customers, by their ids as in findings.parquet.",
    )
    condition: Annotated[ConditionText | None, Narrowing()] = Field(
        default=None,
        description="Only findings for which this holds: comparisons of owner, list, item, field, "
        "cause and system with texts and whole numbers, IN, LIKE, BETWEEN, IS NULL, AND, OR, NOT.",
    )
    at_most: Whole = Field(
        description="So many entries; where it is about more, it waives none of them."
    )
    reason: Word = Field(description="Why customers can live with it; shown in every report.")
    approved_by: Annotated[tuple[Word, ...], Field(min_length=1), OneOrMany()] = Field(
        description="Who signed for it: a name, or several."
    )
    expires: Expiry = Field(
        description="A date, whose end in UTC is meant, or a timestamp with a zone. From then on it "
        "waives nothing."
    )


class WaiverFile(Model):
    """`waivers.yaml`: the waivers of one plan, in the order in which they apply."""

    waivers: tuple[Waiver, ...] = Field(
        description="Of several that name one finding, the first that is valid waives it."
    )
