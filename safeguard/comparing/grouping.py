"""What a run found, in groups that a waiver can name: from its findings.parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from safeguard.comparing.sql import literal
from safeguard.findings.trouble import UsageProblem
from safeguard.findings.words import Kind


@dataclass(frozen=True)
class Group:
    """Findings that are not waived and alike in all of this. `entries` counts them."""

    content: str
    kind: Kind
    cause: str | None
    field: str | None
    system: str | None
    entries: int | None
    """None where nobody counted the entries of an uncovered table."""


def found_groups(path: Path, fields: Mapping[str, Sequence[str]]) -> tuple[Group, ...]:
    """The groups of a findings.parquet, in the order of contents and kinds; of one kind those that say
    most come first, so that each waiver made of them covers its own. `fields` are those of each content:
    all paths in one of them are one group. What was not compared is in none.

    Raises UsageProblem where the file can't be read.
    """
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(_query(path, fields)).fetchall()
    except (duckdb.Error, OSError) as error:
        raise UsageProblem(f"{path} can't be read: {str(error).splitlines()[0]}") from error
    groups = [Group(c, Kind(k), cause, field, system, n) for c, k, cause, field, system, n in rows]
    kinds = list(Kind)
    return tuple(sorted(groups, key=lambda g: (g.content, kinds.index(g.kind))))


def _query(path: Path, fields: Mapping[str, Sequence[str]]) -> str:
    pairs = [(content, name) for content, names in fields.items() for name in names]
    named = ", ".join(f"({literal(c)}, {literal(n)})" for c, n in pairs) or "('', '')"
    return f"""WITH named(content, name) AS (VALUES {named}),
        found AS (SELECT f.*, coalesce((
                SELECT max_by(n.name, length(n.name)) FROM named n WHERE n.content = f.content AND (
                    f.field = n.name OR starts_with(f.field, n.name || '.')
                    OR starts_with(f.field, n.name || '['))), f.field) AS top
            FROM read_parquet({literal(str(path))}) f
            WHERE waived_by IS NULL AND kind <> '{Kind.NOT_COMPARED}')
        SELECT content, kind, cause, top, system, {_ENTRIES} FROM found
        GROUP BY content, kind, cause, top, system
        ORDER BY content, system NULLS LAST, top NULLS LAST, cause NULLS LAST"""


_SIZE = f"TRY_CAST(CASE WHEN kind = '{Kind.UNCOVERED}' THEN old_value END AS HUGEINT)"
_ENTRIES = f"""CAST(CASE WHEN kind = '{Kind.UNCOVERED}' THEN
        CASE WHEN count(*) = count({_SIZE}) THEN sum({_SIZE}) END
    WHEN bool_or(field IS DISTINCT FROM top) THEN count(DISTINCT row(owner, "list", item))
    ELSE count(*) END AS BIGINT)"""
"""A finding of a whole field is one an entry; of an entry, several paths may differ."""
