"""What is left of a document beside the values that can't be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from safeguard.contract.yaml_text import Document, Path

_OPTIONAL = {
    "title", "at_least", "as_of", "prefer", "latest", "routing", "crosswalk", "keys",
    "expectations", "coverage", "policy", "waivers",
}  # fmt: skip
"""Top keys without which nothing else becomes wrong."""
_WHOLE = {"as_of", "ignore", "allow", "crosswalk"}
"""Keys whose parts are required: one that can't be read takes the whole with it."""
_SOURCE_PARTS = {
    "covers", "columns", "where", "deleted_when", "timezones", "receives", "at_least", "crosswalk",
}  # fmt: skip


def without(document: Document, paths: Iterable[Path]) -> Document | None:
    """The document without what stands at `paths`, None where the rest would mean something else."""
    value = document.value
    for path in paths:
        cut = _cut(path)
        if cut is None:
            return None
        value = _removed(value, cut)
    return replace(document, value=value)


def _cut(path: Path) -> Path | None:
    """What has to go for `path` to go."""
    for index, part in enumerate(path):
        if part in _WHOLE and path[0] not in ("fields", "systems"):
            return path[: index + 1]
    while path and path[-1].isdigit():
        path = path[:-1]
    if len(path) == 1:
        return path if path[0] in _OPTIONAL else None
    if path[:1] == ("fields",) and len(path) >= 2:
        return path[:3]
    if path[:1] in (("old",), ("new",)):
        inner = [i for i, part in enumerate(path) if i and part in _SOURCE_PARTS]
        return path[: inner[0] + 1] if inner else None
    return path[:2] if path[:1] in (("policy",), ("keys",)) else None


def _removed(value: Any, path: Path) -> Any:
    """A copy without `path`; a field keeps its name."""
    here, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_removed(v, rest) if str(i) == here else v for i, v in enumerate(value)]
    if not isinstance(value, dict) or here not in value:
        return value
    if here == "fields" and len(rest) == 1 and isinstance(value[here], dict):
        return {**value, here: {**value[here], rest[0]: {}}}
    if not rest:
        return {key: inner for key, inner in value.items() if key != here}
    return {**value, here: _removed(value[here], rest)}
