"""Which names an SQL text speaks of: enough to say which columns a contract reads."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      (?P<skip> '(?:[^']|'')*' | --[^\n]* | /\*.*?\*/ )
    | "(?P<double>(?:[^"]|"")*)"
    | `(?P<back>(?:[^`]|``)*)`
    | \[(?P<bracket>[^\]]*)\]
    | (?P<plain>[^\W\d][\w$]*)
    """,
    re.VERBOSE | re.DOTALL,
)


def identifiers(sql: str) -> frozenset[str]:
    """Every identifier (and keyword) outside strings and comments, in lower case."""
    found = set()
    for match in _TOKEN.finditer(sql):
        name = next(
            (match[g] for g in ("double", "back", "bracket", "plain") if match[g] is not None),
            None,
        )
        if name:
            found.add(name.lower())
    return frozenset(found)
