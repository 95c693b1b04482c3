"""Read a plan and its contracts; every mistake of all files is told at once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeguard.contract.digest import digest_of
from safeguard.contract.migration import Plan
from safeguard.contract.model import Contract, LoadedContract, LoadedPlan
from safeguard.contract.problems import build
from safeguard.contract.spelling import did_you_mean
from safeguard.contract.vet import vet_contract, vet_plan, vet_together
from safeguard.contract.vet_waivers import vet_waivers
from safeguard.contract.waivers import Waiver, WaiverFile
from safeguard.contract.yaml_text import MAX_BYTES, Document, read_document
from safeguard.findings.trouble import Mistake, UsageProblem

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class _File:
    """One file as it was read: `name` is how the plan names it, `shown` how people see it."""

    name: str
    shown: str
    data: bytes
    document: Document


def load_plan(path: Path, environ: Mapping[str, str]) -> LoadedPlan:
    """The plan at `path` with its contracts and waivers, ${NAMES} in its URLs filled in from `environ`.

    Raises one UsageProblem with every mistake of all files, each with file, line and column.
    """
    file = _read(path, path.name)
    if isinstance(file, str):
        raise UsageProblem(Mistake(file, str(path)))
    mistakes = list(file.document.mistakes)
    plan, document = None, file.document
    if _is_contract(document.value):
        message = "this is a contract; give the plan that names it (safeguard.yaml)"
        raise UsageProblem(Mistake(message, str(path)))
    if document.value is not None:
        document = _fill_urls(document, environ, str(path), mistakes)
        plan, document, refused = build(Plan, document, str(path))
        mistakes += refused
    systems = _names(document.value, "systems")
    files, loaded = _contracts(path, document, systems, mistakes)
    signed = _waivers_file(path, document, mistakes)
    waivers: tuple[Waiver, ...] = ()
    if plan is not None:
        mistakes += vet_plan(plan, document, str(path))
        known = _contents(files)
        mistakes += vet_together(plan, document, str(path), loaded, known, len(files))
        waivers = _waivers(signed, plan, loaded, known, mistakes)
    if mistakes or plan is None:
        shown = [str(path), *(f.shown for f in files), *([signed.shown] if signed else [])]
        raise UsageProblem(*_in_order(mistakes, shown))
    every = [file, *files, *([signed] if signed else [])]
    digests = {f.name: hashlib.sha256(f.data).hexdigest() for f in every}
    return LoadedPlan(
        plan=plan,
        contracts=tuple(loaded),
        path=str(path),
        folder=str(path.parent),
        digest=digest_of(part for f in (file, *files) for part in (os.fsencode(f.name), f.data)),
        digests=digests,
        lines=_lines(document),
        urls={name: spec["url"] for name, spec in file.document.value["systems"].items()},
        waivers=waivers,
        waivers_digest=digests[signed.name] if signed else "",
    )


def load_contract(path: Path) -> LoadedContract:
    """The contract at `path`, by itself: whether its systems exist is not known.

    Raises one UsageProblem with every mistake of it, each with file, line and column.
    """
    file = _read(path, path.name)
    if isinstance(file, str):
        raise UsageProblem(Mistake(file, str(path)))
    if isinstance(file.document.value, dict) and "systems" in file.document.value:
        raise UsageProblem(Mistake("this is a plan; give one of its contracts", str(path)))
    mistakes: list[Mistake] = []
    loaded = _contract(file, None, mistakes)
    if mistakes or not loaded:
        raise UsageProblem(*_in_order(mistakes, [str(path)]))
    return loaded[0]


def _is_contract(value: Any) -> bool:
    return isinstance(value, dict) and {"content", "shape"} <= set(value) and "systems" not in value


def _read(path: Path, name: str) -> _File | str:
    """The file, or why it can't be read. Never reads more than a file may hold."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return f"`{name}` does not exist.{_like_it(path)}"
    except OSError as error:
        return f"`{name}` can't be read: {(error.strerror or str(error)).lower()}"
    return _File(name, str(path), data, read_document(data, str(path)))


def _like_it(path: Path) -> str:
    try:
        return did_you_mean(path.name, (p.name for p in path.parent.iterdir() if p.is_file()))
    except OSError:
        return ""


def _contracts(
    path: Path, document: Document, systems: frozenset[str] | None, mistakes: list[Mistake]
) -> tuple[list[_File], list[LoadedContract]]:
    """Every contract that can be read, and of those the ones that fit the model."""
    files: list[_File] = []
    loaded: list[LoadedContract] = []
    named = document.value.get("contracts") if isinstance(document.value, dict) else None
    for index, name in enumerate(named if isinstance(named, list) else []):
        if not isinstance(name, str) or not name.strip():
            continue
        place = document.locate("contracts", index)
        if any(name == file.name for file in files):
            mistakes.append(Mistake(f"`{name}` is listed twice", str(path), *place))
            continue
        file = _read(path.parent / name, name)
        if isinstance(file, str):
            mistakes.append(Mistake(file, str(path), *place))
            continue
        files.append(file)
        loaded += _contract(file, systems, mistakes)
    return files, loaded


def _contract(
    file: _File, systems: frozenset[str] | None, mistakes: list[Mistake]
) -> list[LoadedContract]:
    mistakes += file.document.mistakes
    if file.document.value is None:
        return []
    contract, document, refused = build(Contract, file.document, file.shown)
    mistakes += refused
    if contract is None:
        return []
    mistakes += vet_contract(contract, document, file.shown, systems)
    lines = _lines(document)
    return [LoadedContract(contract=contract, path=file.name, lines=lines, file=file.shown)]


def _waivers_file(path: Path, document: Document, mistakes: list[Mistake]) -> _File | None:
    """The file of waivers that the plan names, if it can be read."""
    name = document.value.get("waivers") if isinstance(document.value, dict) else None
    if not isinstance(name, str) or not name.strip():
        return None
    file = _read(path.parent / name, name)
    if isinstance(file, str):
        mistakes.append(Mistake(file, str(path), *document.locate("waivers")))
        return None
    mistakes += file.document.mistakes
    return file


def _waivers(
    file: _File | None,
    plan: Plan,
    loaded: Iterable[LoadedContract],
    contents: Iterable[str],
    mistakes: list[Mistake],
) -> tuple[Waiver, ...]:
    if file is None or file.document.value is None:
        return ()
    found, document, refused = build(WaiverFile, file.document, file.shown)
    mistakes += refused
    contracts = dict.fromkeys(contents) | {c.contract.content: c.contract for c in loaded}
    mistakes += vet_waivers(document, file.shown, plan, contracts)
    return found.waivers if found else ()


def _names(value: Any, key: str) -> frozenset[str] | None:
    """The names under a key of the plan, None where it can't tell."""
    inner = value.get(key) if isinstance(value, dict) else None
    return frozenset(str(name) for name in inner) if isinstance(inner, dict) else None


def _contents(files: Iterable[_File]) -> frozenset[str]:
    values = (file.document.value for file in files)
    return frozenset(str(v["content"]) for v in values if isinstance(v, dict) and v.get("content"))


def _lines(document: Document) -> dict[str, tuple[int, int]]:
    return {".".join(path): position for path, position in document.positions.items()}


def _in_order(mistakes: Iterable[Mistake], files: list[str]) -> list[Mistake]:
    """By file as the plan names them, then by place; each once."""
    place = {file: index for index, file in enumerate(reversed(files))}
    return sorted(
        dict.fromkeys(mistakes),
        key=lambda m: (-place.get(m.file, 0), m.line or 0, m.column or 0),
    )


def _fill_urls(
    document: Document, environ: Mapping[str, str], file: str, mistakes: list[Mistake]
) -> Document:
    systems = document.value.get("systems")
    if not isinstance(systems, dict):
        return document
    filled = dict(systems)
    for name, spec in systems.items():
        if isinstance(spec, dict) and isinstance(spec.get("url"), str):
            url, troubles = fill(spec["url"], environ)
            place = document.locate("systems", str(name), "url")
            mistakes += [Mistake(trouble, file, *place) for trouble in troubles]
            filled[name] = {**spec, "url": url}
    return replace(document, value={**document.value, "systems": filled})


def fill(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """`text` with every ${NAME} filled in, and why some could not be. `$${` is a plain `${`."""
    troubles: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        if not _NAME.fullmatch(name) or not match[0].endswith("}"):
            troubles.append("`${` begins the name of an environment variable, as in ${OLD_URL}")
        elif name not in environ:
            troubles.append(f"{name} is not set in the environment.")
        elif not environ[name]:
            troubles.append(f"{name} is empty in the environment.")
        else:
            return environ[name]
        return match[0]

    return _PLACEHOLDER.sub(value, text), troubles
