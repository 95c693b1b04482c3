"""How the plan's and contracts' values may be written: the field types of the models.

The loader hands scalars on as the text that was written, so each form reads text; each carries
what the JSON Schema says of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from safeguard.contract.types import TIME_UNITS, Accept, AcceptForm, Type, TypeName


class OneOrMany:
    """Marks a tuple of which one element may be written without the list around it."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_one_or_many, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema["schema"])
        return {"anyOf": [many["items"], many]}


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise ValueError(f"must be a whole number, not `{value}`")
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        known = {"true": True, "false": False}
        if value.lower() not in known:
            raise ValueError(f"must be true or false, not `{value}`")
        return known[value.lower()]
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _reads(kind: type[Type] | type[Accept], example: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, str):
            return kind.parse(value)
        if isinstance(value, kind):
            return value
        raise ValueError(f"must be text such as `{example}`")

    return read


_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]+(\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)\s*([Zz]|[+-]\d\d(?::?\d\d)?)?"
)


def _moment(value: Any) -> Any:
    if isinstance(value, dt.date | int) and not isinstance(value, bool):
        return value
    read = _read_moment(value) if isinstance(value, str) else None
    if read is None:
        shown = f", not `{value}`" if isinstance(value, str) else ""
        raise ValueError(
            f"must be a timestamp (2026-03-01T00:00:00Z), a date or a whole number{shown}"
        )
    return read


def _read_moment(text: str) -> dt.datetime | dt.date | int | None:
    try:
        if re.fullmatch(r"[+-]?[0-9]{1,100}", text):
            return int(text)
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
        if parts := _INSTANT.fullmatch(text):
            return dt.datetime.fromisoformat(f"{parts[1]}T{parts[2]}{(parts[3] or '').upper()}")
    except ValueError:
        return None
    return None


def _expiry(value: Any) -> dt.datetime:
    """The first instant that is too late, in UTC: of a date, the midnight after it."""
    read = _read_moment(value) if isinstance(value, str) else value
    try:
        if isinstance(read, dt.datetime) and read.tzinfo is not None:
            return read.astimezone(dt.UTC)
        if isinstance(read, dt.date) and not isinstance(read, dt.datetime):
            midnight = dt.datetime.combine(read, dt.time(), dt.UTC)
            return midnight + dt.timedelta(days=1)
    except OverflowError:
        pass
    shown = f", not `{value}`" if isinstance(value, str) else ""
    raise ValueError(
        "must be a date (2026-12-31, to its end in UTC) or a timestamp with its zone "
        f"(2026-12-31T18:00:00Z){shown}"
    )


def _conditions(value: Any) -> Any:
    fits = isinstance(value, str) and bool(value.strip())
    if isinstance(value, dict):
        fits = bool(value) and all(isinstance(v, str) and v.strip() for v in value.values())
    if value is not None and not fits:
        raise ValueError("must be an SQL condition, or a mapping {old system: SQL condition}")
    return value


_TYPE_PATTERN = (
    rf"^\s*({'|'.join(n for n in TypeName if n not in (TypeName.DECIMAL, TypeName.FLOAT))}"
    r"|decimal(\s*\(\s*[0-9]+\s*\))?|float(\s*\(\s*[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?\s*\))?)\s*$"
)
_PLAIN_FORMS = [
    form
    for form in AcceptForm
    if form not in (AcceptForm.TIME_TRUNCATED, AcceptForm.ROUNDED, AcceptForm.TRUNCATED)
]
_ACCEPT_PATTERN = (
    rf"^\s*({'|'.join(_PLAIN_FORMS)}|time_truncated\s*\(\s*({'|'.join(TIME_UNITS)})\s*\)"
    r"|(rounded|truncated)\s*\(\s*[0-9]+\s*\))\s*$"
)
_WRITTEN = {"type": ["string", "number", "boolean"]}

Text = Annotated[str, BeforeValidator(lambda v: _not_blank(v) if isinstance(v, str) else v)]
Names = Annotated[tuple[Text, ...], OneOrMany()]
SomeNames = Annotated[tuple[Text, ...], Field(min_length=1), OneOrMany()]
Whole = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Conditions = Annotated[str | dict[str, str] | None, BeforeValidator(_conditions)]
Moment = Annotated[
    dt.datetime | dt.date | int,
    PlainValidator(_moment),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Expiry = Annotated[dt.datetime, PlainValidator(_expiry), WithJsonSchema({"type": "string"})]
TypeText = Annotated[
    Type,
    PlainValidator(_reads(Type, "integer")),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": _TYPE_PATTERN}),
]
AcceptText = Annotated[
    Accept,
    PlainValidator(_reads(Accept, "case")),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": _ACCEPT_PATTERN}),
]
Written = Annotated[str, WithJsonSchema(_WRITTEN)]
"""Text as it was written, whatever it looks like: `true` is the text true."""
