"""YAML 1.2 text as plain values, every one with its line and column.

A scalar stays the text that was written (`no`, `012`, `3.50`, `12:30:45`); only null becomes
None. What a value means is decided by the model's field, never by how the value looks. The arguments
of `expectations` have no field of ours: they are the numbers and booleans that YAML 1.2 makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from safeguard.findings.trouble import Mistake

Path = tuple[str, ...]
Position = tuple[int, int]

MAX_BYTES = 1024 * 1024
MAX_VALUES = 100_000
MAX_DEPTH = 50
NULL_KEY = "~"
NULLS_UNDER = "map"
"""Only under this key is a null key NULL; elsewhere `null` is a name like any other."""
TYPED_UNDER = "expectations"
"""Only under this top key a plain scalar is what YAML 1.2 makes of it."""
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp")}


@dataclass(frozen=True)
class Document:
    """What one file says. `mistakes` are those of the text itself; then `value` is what was
    readable around them, None if nothing was."""

    value: Any
    positions: Mapping[Path, Position] = field(default_factory=dict)
    """Of a scalar where it stands, of a mapping or list where its key stands (or its dash)."""
    keys: Mapping[Path, Position] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def locate(self, *path: str | int, key: bool = False) -> Position:
        """Line and column of what stands at `path`, or of the nearest thing around it.

        A single thing written where a list may stand is its own element 0.
        """
        here: Path = ()
        for part in map(str, path):
            if (*here, part) in self.positions:
                here = (*here, part)
            elif part != "0":
                break
        found = self.keys.get(here) if key else None
        return found or self.positions.get(here, (1, 1))


def read_document(data: bytes, file: str) -> Document:
    """Read one YAML document that is a mapping. Never raises: mistakes are in the document."""
    if len(data) > MAX_BYTES:
        return _unreadable(f"the file is larger than {MAX_BYTES // 1024} KiB", file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        return _unreadable("the file is not UTF-8 here", file, _end_of(before))
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError) as error:
        return _unreadable(*_yaml_mistake(error, file, text))
    except RecursionError:
        return _unreadable("the file is nested too deeply", file)
    if root is None:
        return _unreadable("the file is empty", file)
    if not isinstance(root, MappingNode):
        found = "a list" if isinstance(root, SequenceNode) else "a single value"
        message = f"the file must be a mapping of keys to values; it is {found}"
        return _unreadable(message, file, _start(root))
    return _Walk(file).document(root)


def _unreadable(message: str, file: str, position: Position = (1, 1)) -> Document:
    return Document(None, mistakes=(Mistake(message, file, *position),))


def _end_of(text: str) -> Position:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _yaml_mistake(error: Exception, file: str, text: str) -> tuple[str, str, Position]:
    if isinstance(error, ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        at = text.find(chr(code))
        return f"the character U+{code:04X} can't stand in YAML", file, _end_of(text[: max(at, 0)])
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return _in_words(error), file, (mark.line + 1, mark.column + 1)
    return f"this is not YAML: {str(error).splitlines()[0]}", file, (1, 1)


def _in_words(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        return "a tab can't indent YAML; use spaces"
    if "mapping values are not allowed" in problem:
        return "a `:` can't stand here; is a quote or a line break missing?"
    if "undefined alias" in problem:
        return f"{problem.replace('found ', '').replace(chr(39), '`')}: nothing has that anchor"
    if "another document" in problem:
        return "a second document starts here; a file holds one"
    return f"this is not YAML: {problem}"


def _typed(node: ScalarNode, written: str | None) -> Any:
    """A number or boolean where the plain scalar is one; dates and all else stay text."""
    kind = str(node.tag).removeprefix(_TAG)
    try:
        if written is not None and kind == "int":
            digits = written.lower().replace("_", "")
            return int(digits, 0 if digits.lstrip("+-")[:2] in ("0x", "0o", "0b") else 10)
        if written is not None and kind == "float":
            return float(
                written.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan")
            )
    except ValueError:
        return written
    return written == "true" or written == "True" if kind == "bool" else written


def _start(node: Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Walk:
    """Builds values from composed nodes; aliases count as often as they are used."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._positions: dict[Path, Position] = {}
        self._keys: dict[Path, Position] = {}
        self._mistakes: list[Mistake] = []
        self._open: set[int] = set()
        self._count = 0

    def document(self, root: MappingNode) -> Document:
        self._positions[()] = _start(root)
        value = self._build(root, ())
        if self._count > MAX_VALUES:
            message = f"the file holds more than {MAX_VALUES:,} values, aliases counted"
            return _unreadable(message, self._file)
        return Document(value, self._positions, self._keys, tuple(self._mistakes))

    def _build(self, node: Node, path: Path) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            return None
        if isinstance(node, ScalarNode):
            written = self._scalar(node)
            return _typed(node, written) if path[:1] == (TYPED_UNDER,) else written
        if id(node) in self._open:
            return self._refuse("an alias can't stand inside what it names", node)
        if len(path) > MAX_DEPTH:
            return self._refuse("this is nested too deeply", node)
        self._open.add(id(node))
        value = self._collection(node, path)
        self._open.discard(id(node))
        return value

    def _scalar(self, node: ScalarNode) -> str | None:
        tag = str(node.tag)
        if tag not in _SCALAR_TAGS and tag != _TAG + "value":
            self._refuse(f"the tag `{tag.replace(_TAG, '!!')}` is not read; write plain YAML", node)
        return None if tag == _TAG + "null" else str(node.value)

    def _collection(self, node: Node, path: Path) -> Any:
        if str(node.tag) not in (_TAG + "map", _TAG + "seq"):
            name = str(node.tag).replace(_TAG, "!!")
            return self._refuse(f"the tag `{name}` is not read; write plain YAML", node)
        return (
            self._mapping(node, path)
            if isinstance(node, MappingNode)
            else [
                self._element(child, (*path, str(index))) for index, child in enumerate(node.value)
            ]
        )

    def _element(self, node: Node, path: Path) -> Any:
        self._positions[path] = _start(node)
        return self._build(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str | None, Any]:
        built: dict[str | None, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is _NO_KEY:
                continue
            here = (*path, NULL_KEY if key is None else str(key))
            if key in built:
                line = self._keys[here][0]
                self._refuse(f"`{here[-1]}` is written twice; first in line {line}", key_node)
                continue
            self._keys[here] = _start(key_node)
            scalar = isinstance(value_node, ScalarNode) and value_node.value != ""
            self._positions[here] = _start(value_node) if scalar else self._keys[here]
            built[key] = self._build(value_node, here)
        return built

    def _key(self, node: Node, path: Path) -> Any:
        if not isinstance(node, ScalarNode):
            self._refuse("a key must be a single value", node)
            return _NO_KEY
        if str(node.tag) == _TAG + "merge":
            self._refuse("`<<` is not part of YAML 1.2; write the keys out", node)
            return _NO_KEY
        written = self._scalar(node)
        return str(node.value) if written is None and path[-1:] != (NULLS_UNDER,) else written

    def _refuse(self, message: str, node: Node) -> None:
        self._mistakes.append(Mistake(message, self._file, *_start(node)))


_NO_KEY = object()
