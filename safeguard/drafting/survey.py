"""One system as drafting sees it: its tables, its quoting, and small reads of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SafeguardError
from safeguard.planning.dependants import Hang, joined_relation, quoting
from safeguard.systems.interface import Output, Relation, Selection, Session, Table

Row = tuple[str | None, ...]

SAMPLE = 400
"""Rows of an old table that are looked for in the new systems."""
LOOKED_AT = 20_000
"""Rows of a new table that are read at most for one question."""


@dataclass(frozen=True)
class Survey:
    """A system that was opened, and the tables it has."""

    name: str
    session: Session
    tables: tuple[Table, ...]

    def quote(self, name: str) -> str:
        """One identifier in this system's quotes."""
        return quoting(self.session.info.dialect)(name)

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        *,
        limit: int = SAMPLE,
        within: tuple[str, Iterable[str]] | None = None,
        hang: Hang | None = None,
    ) -> tuple[Row, ...]:
        """Some rows as text. With `hang` the last column is the owner's, at the end of its way.
        `within` keeps those whose column (the last of that name) has one of the values. Nothing
        where the system refuses."""
        start, joins, last = joined_relation(table, hang or Hang(""), self.quote)
        cells = [f"t0.{self.quote(c)}" for c in columns]
        if hang:
            cells[-1] = f"{last}.{self.quote(columns[-1])}"
        names = [f"c{i}" for i in range(len(columns))]
        chosen = ", ".join(f"{c} AS {n}" for c, n in zip(cells, names, strict=True))
        where = ""
        if within:
            holder = hang.path[-1].parent if hang and hang.path else table
            kind = self._kind(holder, within[0])
            literals = ", ".join(f"'{v}'" for v in within[1] if can_be(v, kind))
            if not literals:
                return ()
            place = len(columns) - 1 - list(reversed(columns)).index(within[0])
            where = f" WHERE {cells[place]} IN ({literals})"
        return self.read(f"SELECT {chosen} FROM {start}{joins}{where} LIMIT {limit}", names)

    def rows_of_owners(
        self, table: Table, hang: Hang, columns: Sequence[str], owners: Iterable[str], limit: int
    ) -> tuple[Row, ...]:
        """Rows of these owners; the owner comes last."""
        owner = hang.owner[0]
        names = (*columns, owner)
        return self.rows(table.name, names, limit=limit, within=(owner, owners), hang=hang)

    def _kind(self, table: str, column: str) -> TypeName | None:
        found = next((c for t in self.tables if t.name == table if (c := t.column(column))), None)
        return found.type.kind if found else None

    def read(self, query: str, names: Sequence[str]) -> tuple[Row, ...]:
        """A small query's rows as text; a guess that the system refuses to answer has no rows."""
        outputs = tuple(Output(n, n, is_column=True) for n in names)
        found: list[Row] = []
        try:
            chosen = self.session.resolve(Selection(Relation(query=query), outputs))
            for batch in self.session.stream(chosen):
                cells = [[_text(v) for v in batch.column(n)] for n in names]
                found += zip(*cells, strict=True)
        except SafeguardError:
            return ()
        return tuple(found)

    def count(self, table: str) -> int | None:
        """Entries of a table; None where the system refuses."""
        try:
            return self.session.count(Relation(table=table), None)[0]
        except SafeguardError:
            return None

    def denied(self, table: str) -> str | None:
        """The system's words, where this user may not read a table."""
        start, _, _ = joined_relation(table, Hang(""), self.quote)
        try:
            self.session.count(Relation(query=f"SELECT 1 AS one FROM {start} WHERE 1 = 0"), None)
        except SafeguardError as error:
            words = str(error).rpartition("): ")[2]
            return words if "denied" in words.lower() else None
        return None

    def is_unique(self, table: str, hang: Hang, columns: Sequence[str]) -> bool | None:
        """Whether no two entries share these values (the owner's columns come first); None where
        the system refuses to say."""
        start, joins, last = joined_relation(table, hang, self.quote)
        cells = [f"{last}.{self.quote(c)}" for c in hang.owner]
        cells += [f"t0.{self.quote(c)}" for c in columns]
        names = ", ".join(f"{c} AS c{i}" for i, c in enumerate(cells))
        keys = f"SELECT DISTINCT {names} FROM {start}{joins}"
        try:
            (distinct,) = self.session.count(Relation(query=keys), None)
        except SafeguardError:
            return None
        return distinct == self.count(table)

    def joined_query(self, table: Table, hang: Hang, names: Sequence[str]) -> str:
        """SQL for entries whose owner is found along `hang`; `names` are the owner's outputs."""
        start, joins, last = joined_relation(table.name, hang, self.quote)
        own = [f"t0.{self.quote(c.name)}" for c in table.columns if c.name not in names]
        pairs = zip(hang.owner, names, strict=True)
        owner = [f"{last}.{self.quote(c)} AS {self.quote(n)}" for c, n in pairs]
        return f"SELECT {', '.join([*owner, *own])} FROM {start}{joins}"


def can_be(value: str, kind: TypeName | None) -> bool:
    """Whether a value can be asked for in a column of this kind, in the SQL of any engine. A
    question that a server refuses may cost the snapshot, so it is not asked."""
    if "'" in value or "\\" in value or not value.isprintable():
        return False
    if kind in (TypeName.INTEGER, TypeName.DECIMAL):
        return value.isascii() and value.lstrip("-").isdigit() and len(value) < 19
    if kind is TypeName.UUID:
        return (
            re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", value) is not None
        )
    return kind in (TypeName.TEXT, TypeName.ENUM, None)


def _text(cell: pa.Scalar[Any]) -> str | None:
    try:
        return as_text(cell.as_py())
    except (OverflowError, ValueError):  # infinity and far years, which Python has no dates for
        return str(cell.cast(pa.int64() if pa.types.is_timestamp(cell.type) else pa.int32()))


def as_text(value: object) -> str | None:
    """A key's value so that two systems' values can be looked up in each other: for guesses only."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
