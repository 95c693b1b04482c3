"""The contract of an assertion: a file, a dict, or a dict that leaves out what goes without saying."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from safeguard.contract.yaml_text import MAX_BYTES, read_document
from safeguard.findings.trouble import Mistake, UsageProblem
from safeguard.surviving.sides import Wanted

FILE = "contract.yaml"
_SIDES = ("old", "new")


@dataclass(frozen=True)
class Terms:
    """A contract as it is written, and where the plan finds it."""

    raw: Mapping[str, Any]
    file: Path

    def systems(self, side: str) -> tuple[str, ...]:
        """The systems of one side, each once, in the contract's order."""
        return tuple(dict.fromkeys(str(s.get("system")) for s in self._sources(side)))

    def wanted(self, side: str, system: str) -> Wanted:
        """What is read of one system."""
        own = [s for s in self._sources(side) if s.get("system") == system]
        tables = tuple(dict.fromkeys(str(s["table"]) for s in own if s.get("table")))
        columns = (c for s in own for c in self._columns(s))
        return Wanted(tables, tuple(dict.fromkeys(columns)))

    def _sources(self, side: str) -> Sequence[Mapping[str, Any]]:
        found = self.raw.get(side)
        every = found if isinstance(found, list) else [found]
        return [each for each in every if isinstance(each, Mapping)]

    def _columns(self, source: Mapping[str, Any]) -> list[str]:
        """Columns that a source surely has: what stands for a name and is no expression."""
        names = [n for key in ("owner", "list", "item", "order") for n in _many(self.raw.get(key))]
        names += [*(self.raw.get("fields") or ()), *_many(self.raw.get("updated_at"))]
        mapped = source.get("columns") or {}
        found = (str(mapped.get(name, name)) for name in names)
        return [column for column in found if column.isidentifier()]


def terms_of(contract: Mapping[str, Any] | str | PathLike[str], folder: Path) -> Terms:
    """The contract's terms; a dict is written below `folder`. Raises UsageProblem."""
    if isinstance(contract, Mapping):
        whole = _completed(contract)
        file = folder / FILE
        file.write_text(_written(whole), encoding="utf-8")
        return Terms(whole, file)
    file = Path(contract).absolute()
    return Terms(_read(Path(contract)), file)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as stream:
            document = read_document(stream.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageProblem(Mistake(f"the contract can't be read: {why}", str(path))) from error
    if document.mistakes:
        raise UsageProblem(*document.mistakes)
    if not isinstance(document.value, dict) or not set(_SIDES) <= set(document.value):
        raise UsageProblem(Mistake("this is no contract: it has no `old` and `new`", str(path)))
    return document.value


def _completed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The dict with its name, shape and sources."""
    whole = {"content": "content", **given}
    if isinstance(whole.get("fields"), list | tuple):
        whole["fields"] = dict.fromkeys(whole["fields"])
    if "shape" not in whole:
        whole["shape"] = _shape(whole)
    for side in _SIDES:
        whole[side] = _source(whole.get(side, {}), side, whole["content"])
    return whole


def _shape(whole: Mapping[str, Any]) -> str:
    """A list has an order, a record has fields; that only the keys matter must be said."""
    if "order" in whole:
        return "list"
    if whole.get("fields"):
        return "record"
    raise UsageProblem(
        "contract: say which `fields` must survive, or `shape: set` where only the keys matter"
    )


def _source(given: Any, side: str, content: Any) -> Any:
    """One source; where several are given, each has to name its system."""
    if isinstance(given, list | tuple):
        return [_source(each, side, content) for each in given]
    if not isinstance(given, Mapping):
        return given
    table = {} if "query" in given else {"table": content}
    return {"system": side, **table, **given}


def _written(whole: Mapping[str, Any]) -> str:
    try:
        return json.dumps(whole, default=_text)
    except (TypeError, ValueError) as error:
        raise UsageProblem(f"contract: {error}") from error


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    raise TypeError(f"{value!r} can't stand in a contract")


def _many(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
