"""Which rows of a source belong to some owners: as a condition that its server can answer.

The condition may let other owners through (a server's idea of equal is wider than ours), never
leave one of these out; what it lets through is sorted out where entries meet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from safeguard.contract.types import TypeName
from safeguard.planning.layout import ContentPlan, SourcePlan
from safeguard.systems.canonical import CanonicalColumn
from safeguard.systems.interface import Output, Selection

MOST_OWNERS = 5_000
"""A list of more costs a server more than it spares."""
_QUOTES = {"postgresql": '"', "mysql": "`", "mariadb": "`"}
"""Dialects that can be asked, and how they quote a name. Elsewhere a column may hold values of
other types than it declares."""
_LITERAL = frozenset({TypeName.INTEGER, TypeName.TEXT, TypeName.UUID})
_PLAIN = re.compile(r"[^\\\x00-\x1f\x7f]*")
"""Texts that every server reads alike between quotes."""


def narrowed(
    plan: ContentPlan,
    source: SourcePlan,
    owners: Sequence[Sequence[int | str | None]],
    dialect: str,
) -> Selection | None:
    """The source's selection with a condition on the first owner column. `owners` are canonical, one
    value an owner column. None where its server can't be asked exactly: read it whole."""
    slot = plan.owners[0].slot
    if any(walk.slot == slot for walk in source.crosswalks):
        return None
    output = next(o for o in source.selection.outputs if o.name == slot)
    column = next(c for c in source.columns if c.name == slot)
    values = {owner[0] for owner in owners}
    quote = _QUOTES.get(dialect)
    if quote is None or len(values) > MOST_OWNERS or not _is_exact(output, column):
        return None
    written = [_written(value, column.target.name) for value in sorted(values, key=str)]
    if None in written:
        return None
    name = f"{quote}{output.sql.replace(quote, 2 * quote)}{quote}"
    test = f"{name} IN ({', '.join(w for w in written if w is not None)})" if written else "1 = 0"
    return restricted(source.selection, test)


def restricted(selection: Selection, test: str) -> Selection:
    """A selection with one more condition. What a contract wrote stands on lines of its own."""
    given = selection.where
    return replace(selection, where=f"(\n{given}\n) AND {test}" if given else test)


def _is_exact(output: Output, column: CanonicalColumn) -> bool:
    kind = column.source.kind
    return output.is_column and kind in _LITERAL and kind is column.target.name


def _written(value: int | str | None, kind: TypeName) -> str | None:
    if value is None:
        return None
    if kind is TypeName.INTEGER:
        return str(int(value))
    text = str(value)
    return f"'{text.replace(chr(39), 2 * chr(39))}'" if _PLAIN.fullmatch(text) else None


def written_since(source: SourcePlan, moment: dt.datetime, dialect: str) -> Selection:
    """The selection of what was written since, or of more: a day earlier, so that no zone matters, and
    everything where the server can't be asked."""
    assert source.updated is not None
    output = source.updated.output
    quote = _QUOTES.get(dialect)
    if quote is None or not output.is_column or output.type.kind is not TypeName.TIMESTAMP:
        return source.selection
    name = f"{quote}{output.sql.replace(quote, 2 * quote)}{quote}"
    from_ = (moment.astimezone(dt.UTC) - dt.timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    return restricted(source.selection, f"({name} >= TIMESTAMP '{from_}' OR {name} IS NULL)")
