"""What the model refuses, in our words, with the nearest right spelling and where it stands."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from safeguard.contract.remains import without
from safeguard.contract.spelling import did_you_mean, listed, nearest
from safeguard.contract.yaml_text import NULL_KEY, Document, Path
from safeguard.findings.trouble import Mistake

M = TypeVar("M", bound=BaseModel)

_SHAPES = {
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be text",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must be a single character",
    "greater_than_equal": "must be 0 or more",
}


def build(
    model: type[M], document: Document, file: str
) -> tuple[M | None, Document, list[Mistake]]:
    """The model of what a document says, as far as it can be read, and every mistake in it.

    So that one mistake hides no other, a misspelt key is read as the key it was meant to be, and
    an optional value that can't be read is left out. The document that comes back is the one that
    the model was read from; with mistakes, the model is only good for finding more of them.
    """
    mistakes: list[Mistake] = []
    while True:
        try:
            return model.model_validate(document.value), document, mistakes
        except ValidationError as error:
            details = error.errors(include_url=False)
        unknown = [d for d in details if d["type"] == "extra_forbidden"]
        for detail in unknown:
            message, document = _unknown_key(model, detail, document, file)
            mistakes.append(message)
        if unknown:
            continue
        details = [d for d in details if not (d["type"] == "too_short" and d["input"])]
        mistakes += dict.fromkeys(_tell(model, detail, document, file) for detail in details)
        rest = without(document, [_written(d["loc"], document) for d in details])
        try:
            return (model.model_validate(rest.value) if rest else None), document, mistakes
        except ValidationError:
            return None, document, mistakes


def _unknown_key(
    model: type[BaseModel], detail: ErrorDetails, document: Document, file: str
) -> tuple[Mistake, Document]:
    path = _written(detail["loc"], document)
    known = keys_at(model, detail["loc"][:-1])
    present = _at(document.value, path[:-1])
    meant = nearest(path[-1], [key for key in known if key not in present])
    hint = f" Did you mean `{meant}`?" if meant else f" There are {listed(known)}."
    mistake = Mistake(f"unknown key `{path[-1]}`.{hint}", file, *document.locate(*path, key=True))
    return mistake, _renamed(document, path, meant)


def _renamed(document: Document, path: Path, meant: str | None) -> Document:
    def moved(places: Mapping[Path, tuple[int, int]]) -> dict[Path, tuple[int, int]]:
        if meant is None:
            return dict(places)
        size = len(path)
        return {
            (*path[:-1], meant, *place[size:]) if place[:size] == path else place: position
            for place, position in places.items()
        }

    value = _rebuilt(document.value, path, meant)
    return replace(
        document, value=value, positions=moved(document.positions), keys=moved(document.keys)
    )


def _rebuilt(value: Any, path: Path, meant: str | None) -> Any:
    if isinstance(value, list):
        index = int(path[0])
        return [_rebuilt(v, path[1:], meant) if i == index else v for i, v in enumerate(value)]
    if len(path) > 1:
        return {k: _rebuilt(v, path[1:], meant) if k == path[0] else v for k, v in value.items()}
    renamed = {meant if k == path[0] else k: v for k, v in value.items()}
    return renamed if meant else {k: v for k, v in value.items() if k != path[0]}


def _tell(model: type[BaseModel], detail: ErrorDetails, document: Document, file: str) -> Mistake:
    path = _written(detail["loc"], document)
    place = document.locate(*path)
    name = next((part for part in reversed(path) if not part.isdigit()), "")
    if detail["type"] == "missing":
        key = str(detail["loc"][-1])
        return Mistake(f"`{key}` is missing{_within(path)}.{_choices(model, detail)}", file, *place)
    if detail["loc"] and detail["loc"][-1] == "[key]":
        return Mistake(f"a key of `{name}` must be a name", file, *place)
    return Mistake(_sentence(name, detail), file, *place)


def _within(path: Path) -> str:
    named = [part for part in path if not part.isdigit()]
    return f" in `{'.'.join(named)}`" if named else ""


def _choices(model: type[BaseModel], detail: ErrorDetails) -> str:
    owner = model_at(model, detail["loc"][:-1])
    annotation: Any = owner.model_fields[str(detail["loc"][-1])].annotation if owner else None
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return f" It is one of {listed(annotation)}."
    return ""


def _sentence(name: str, detail: ErrorDetails) -> str:
    given, kind = detail["input"], detail["type"]
    if kind == "value_error":
        message = str(detail["ctx"]["error"])
        return f"`{name}` {message}" if message.startswith("must ") else message
    if kind == "enum":
        return _not_one_of(name, given, str(detail["ctx"]["expected"]))
    if given is None:
        return f"`{name}` has no value"
    shape = _SHAPES.get(kind)
    return f"`{name}` {shape}{_not(given, kind)}" if shape else f"`{name}` can't be read"


def _not_one_of(name: str, given: Any, expected: str) -> str:
    options = [part.strip("' ") for part in expected.replace(" or ", ", ").split(",")]
    if not isinstance(given, str):
        return f"`{name}` must be one of {listed(options)}"
    hint = did_you_mean(given, options) or f" It is one of {listed(options)}."
    return f"`{name}` can't be `{given}`.{hint}"


def _not(given: Any, kind: str) -> str:
    if not kind.endswith("_type"):
        return ""
    words = (("a mapping", dict), ("a list", list), ("a single value", str))
    found = next((word for word, of in words if isinstance(given, of)), "")
    return f", not {found}" if found else ""


def _written(loc: tuple[int | str, ...], document: Document) -> Path:
    """The path in the file of a place in the model: a single thing may stand for a list of one."""
    here: Path = ()
    value = document.value
    for part in loc:
        if isinstance(part, int):
            if not isinstance(value, list):
                continue
            value = value[part]
        elif isinstance(value, dict) and (part in value or part == "None"):
            here = (*here, part if part in value else NULL_KEY)
            value = value.get(part, value.get(None))
            continue
        else:
            break
        here = (*here, str(part))
    return here


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys that may stand at a place of the model."""
    found = model_at(model, loc)
    return tuple(found.model_fields) if found else ()


def model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that describes a place, None where it is no mapping of fixed keys."""
    here: Any = model
    for part in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(part))
            here = _no_optional(field.annotation) if field else None
        elif typing.get_origin(here) in (tuple, dict):
            arguments = typing.get_args(here)
            here = _no_optional(arguments[1 if typing.get_origin(here) is dict else 0])
        else:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _no_optional(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        some = [one for one in typing.get_args(annotation) if one is not types.NoneType]
        return some[0]
    return annotation
