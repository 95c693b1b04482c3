"""Whether a MySQL or MariaDB user sees every table: information_schema hides what it may not touch."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from safeguard.findings.trouble import SystemProblem, UsageProblem

_GRANTS_SQL = "SHOW GRANTS"  # of the roles that are active too, and of PUBLIC
_SETTINGS_SQL = (
    "SHOW VARIABLES WHERE Variable_name IN ('lower_case_table_names', 'partial_revokes')"
)
_NAME = r'`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^\s`".]+'
_DATABASE_WIDE = re.compile(rf"(GRANT|REVOKE|DENY) ([A-Z ,_]+) ON ({_NAME})\.\* (?:TO|FROM) ")
_SHOWS = frozenset({"SELECT", "ALL", "ALL PRIVILEGES"})

Ask = Callable[[str], list[tuple[Any, ...]]]


def blind_spots(name: str, ask: Ask) -> tuple[str, ...]:
    """See `Session.blind_spots`; `ask` runs SQL on the system `name`."""
    try:
        database = str(ask("SELECT DATABASE()")[0][0])
        settings = {str(k).lower(): str(v) for k, v in ask(_SETTINGS_SQL)}
        grants = [str(row[0]) for row in ask(_GRANTS_SQL)]
    except (SystemProblem, UsageProblem) as problem:
        return (f"{name}: whether the user sees every table can't be told: {problem}",)
    any_case = settings.get("lower_case_table_names", "0") != "0"
    wildcards = settings.get("partial_revokes", "OFF") != "ON"
    if sees_every_table(grants, database, wildcards=wildcards, any_case=any_case):
        return ()
    quoted = "`" + database.replace("`", "``") + "`"
    sees = "the user sees only the tables that it may read"
    return (f"{name}: {sees}; grant SELECT on {quoted}.*, or coverage can't be judged",)


def sees_every_table(
    grants: Iterable[str], database: str, *, wildcards: bool = True, any_case: bool = False
) -> bool:
    """Whether these lines of SHOW GRANTS give SELECT on the whole database.

    The server asks only the most exact of the database names that match, whatever the others give.
    So each name that matches must give SELECT.
    """
    given: defaultdict[str, set[str]] = defaultdict(set)
    for line in grants:
        match = _DATABASE_WIDE.match(line)
        if match is None:
            continue
        word, privileges, pattern = match.groups()
        which = {p.strip() for p in privileges.split(",")}
        everywhere = pattern == "*"
        if not everywhere and not _fits(pattern, database, wildcards, any_case):
            continue
        if word != "GRANT":
            if which & _SHOWS:
                return False
            continue
        given[pattern] |= which
    if given.pop("*", set()) & _SHOWS:
        return True
    return bool(given) and all(which & _SHOWS for which in given.values())


def _fits(pattern: str, database: str, wildcards: bool, any_case: bool) -> bool:
    """Whether a database's name in a grant means this database: `%` and `_` unless escaped."""
    if pattern[0] in '`"':
        pattern = pattern[1:-1].replace(pattern[0] * 2, pattern[0])
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."} if wildcards else {}
    expression = "".join(
        wild.get(p) or re.escape(p[1:] if len(p) > 1 and p[1] in "%_\\" else p) for p in parts
    )
    flags = re.DOTALL | (re.IGNORECASE if any_case else 0)
    return re.fullmatch(expression, database, flags) is not None
