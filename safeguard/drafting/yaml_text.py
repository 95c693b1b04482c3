"""YAML written by hand, because every line has a reason beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_/])?")
_SPECIAL = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """A text as a YAML scalar, quoted where it could be read as anything else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL:
        return text
    if '"' in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def flow(names: Iterable[str]) -> str:
    """One name, or several as a list on one line."""
    found = [scalar(name) for name in names]
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def mapping(pairs: Iterable[tuple[str, str]]) -> str:
    """A mapping of texts on one line."""
    return "{" + ", ".join(f"{scalar(k)}: {scalar(v)}" for k, v in pairs) + "}"


def comment(text: str) -> str:
    """A text as a comment that stays on its line, whatever a table is called."""
    return "# " + "".join(c if c.isprintable() else " " for c in text)


def noted(line: str, why: str) -> str:
    """A line with its reason beside it."""
    return f"{line}  {comment(why)}" if why else line
