"""Tables of old and new ids that a migration left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safeguard.drafting.survey import Survey
from safeguard.planning.naming import bare, words
from safeguard.systems.interface import Column, Table

_OLD_WORDS = frozenset(
    {"old", "legacy", "former", "previous", "prev", "prior", "orig", "original", "external"}
)
_MAP_WORDS = frozenset({"map", "mapping", "crosswalk", "xref", "translation", "legacy"})


@dataclass(frozen=True)
class Ids:
    """Two columns that seem to say which old id became which new one."""

    survey: Survey
    table: str
    old: str
    new: str

    def translated(self, old_ids: Iterable[str]) -> dict[str, str]:
        """New ids by old ones, of those that are found."""
        wanted = (self.old, old_ids)
        found = self.survey.rows(self.table, (self.old, self.new), limit=20_000, within=wanted)
        return {old: new for old, new in found if old is not None and new is not None}


def find_ids(survey: Survey) -> tuple[Ids, ...]:
    """Crosswalks of a system, by what tables and columns are called."""
    return tuple(
        Ids(survey, table.name, old.name, new.name)
        for table in survey.tables
        if not table.is_view
        for old in table.columns
        if _says_old(table, old)
        for new in _partners(table, old)
    )


def _says_old(table: Table, column: Column) -> bool:
    own = set(words(column.name))
    if own & _OLD_WORDS:
        return True
    named_map = bool(set(words(bare(table.name))) & _MAP_WORDS)
    newer = any(set(words(c.name)) & {"new"} for c in table.columns)
    return named_map and newer and "new" not in own and "id" in own


def _partners(table: Table, old: Column) -> list[Column]:
    others = [c for c in table.columns if c.name != old.name]
    ids = [c for c in others if "id" in words(c.name) or "uuid" in words(c.name)]
    ids = ids or [c for c in others if "new" in words(c.name)]
    keys = [c for c in ids if c.name in table.primary_key]
    return [c for c in (keys or ids) if not set(words(c.name)) & _OLD_WORDS][:2]
