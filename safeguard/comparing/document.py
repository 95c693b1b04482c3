"""Documents: which paths of two unequal JSON documents differ.

Both texts are canonical (keys sorted, numbers exact), so equality is equality of text; deepdiff only
names the paths of those that are unequal, at milliseconds each, hence the bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
MOST_DOCUMENTS = 10_000
"""Paths are worked out for at most so many documents a content."""
MOST_PATHS = 20
"""Findings of one document; the rest is counted in the last one."""


class _Number(Decimal):
    """Python calls True and 1 equal; JSON does not."""

    def __eq__(self, other: object) -> bool:
        return not isinstance(other, bool) and super().__eq__(other)

    __hash__ = Decimal.__hash__


@dataclass(frozen=True)
class PathChange:
    """One path that differs: `dropped`, `added` or `other`; values as JSON text, None if absent."""

    path: str
    cause: str
    old: str | None
    new: str | None


def parse(text: str) -> Any:
    """A canonical document as Python values, numbers as exact decimals."""
    return json.loads(text, parse_float=_Number, parse_int=_Number)


def equal_unordered(old: str, new: str, unordered: Iterable[str]) -> bool:
    """True when the documents are equal but for the order of the arrays at these paths.

    RecursionError where they are nested too deeply to tell.
    """
    return bool(_settled(old, unordered) == _settled(new, unordered))


def _settled(text: str, unordered: Iterable[str]) -> Any:
    """The document with its unordered arrays sorted: inner ones first, for outer ones sort by them."""
    value = parse(text)
    for steps in sorted(map(_steps, unordered), key=len, reverse=True):
        value = _sorted_at(value, steps)
    return value


def changed_paths(old: str, new: str, unordered: Iterable[str] = ()) -> list[PathChange]:
    """The paths in which two unequal documents differ; never empty.

    deepdiff finding nothing in unequal documents, or not reaching their bottom, is no proof of
    anything: it is still `changed`.
    """
    try:
        changes = [_encodable(change) for change in _found_changes(old, new, unordered)]
    except RecursionError:
        changes = []
    if not changes:
        return [PathChange("", "other", old, new)]
    rest = len(changes) - MOST_PATHS
    if rest > 0:
        changes = [
            *changes[: MOST_PATHS - 1],
            PathChange("", "other", None, f"and {rest + 1} more paths"),
        ]
    return changes


def _found_changes(old: str, new: str, unordered: Iterable[str]) -> Iterator[PathChange]:
    from deepdiff import DeepDiff

    one, other = _settled(old, unordered), _settled(new, unordered)
    found = DeepDiff(
        one,
        other,
        view="tree",
        threshold_to_diff_deeper=0,
        verbose_level=2,
        ignore_order=False,
        ignore_private_variables=False,
    )
    return _changes(found)


def _encodable(change: PathChange) -> PathChange:
    """JSON may hold half of a character, which no file of ours can: it is shown as `\\ud800`."""
    return PathChange(
        _escaped(change.path),
        change.cause,
        None if change.old is None else _escaped(change.old),
        None if change.new is None else _escaped(change.new),
    )


def _escaped(text: str) -> str:
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _changes(found: Any) -> Iterator[PathChange]:
    causes = {
        "dictionary_item_removed": "dropped",
        "iterable_item_removed": "dropped",
        "dictionary_item_added": "added",
        "iterable_item_added": "added",
    }
    for kind, levels in found.items():
        cause = causes.get(kind, "other")
        for level in levels:
            yield PathChange(
                _path(level.path(output_format="list")),
                _null_cause(cause, level),
                None if cause == "added" else _text(level.t1),
                None if cause == "dropped" else _text(level.t2),
            )


def _null_cause(cause: str, level: Any) -> str:
    if cause != "other":
        return cause
    return "nulled" if level.t2 is None and level.t1 is not None else "other"


def _path(steps: Iterable[Any]) -> str:
    """`.items[2].title`; keys that are no plain words are quoted."""
    written = ""
    for step in steps:
        if isinstance(step, int):
            written += f"[{step}]"
        elif str(step).isidentifier():
            written += f".{step}"
        else:
            written += f"[{json.dumps(str(step), ensure_ascii=False)}]"
    return written


def _text(value: Any) -> str:
    """A value as JSON text, its numbers exact and unquoted."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        members = (
            f"{json.dumps(k, ensure_ascii=False)}: {_text(v)}" for k, v in sorted(value.items())
        )
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _steps(path: str) -> tuple[str, ...]:
    """`items[].tags` or `$.items[*].tags` -> ("items", "*", "tags")."""
    plain = path.removeprefix("$").replace("[]", "[*]").replace("[*]", ".*")
    return tuple(step for step in plain.split(".") if step)


def _sorted_at(value: Any, steps: tuple[str, ...]) -> Any:
    """The document with the array at `steps` in a canonical order."""
    if not steps:
        return sorted(value, key=_text) if isinstance(value, list) else value
    step, rest = steps[0], steps[1:]
    if step == "*" and isinstance(value, list):
        return [_sorted_at(one, rest) for one in value]
    if isinstance(value, dict) and step in value:
        return {**value, step: _sorted_at(value[step], rest)}
    return value
