"""The changes of one column, as patterns.py sees them: causes by the pair, then by the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from safeguard.comparing.changed_column import Column, as_sides
from safeguard.comparing.correcting import correct
from safeguard.comparing.describing import describe
from safeguard.comparing.doubting import doubt
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import rule_for
from safeguard.comparing.garbling import compatible, garbled, unescaped
from safeguard.comparing.sql import COLUMN_TYPE
from safeguard.contract.model import FieldSpec
from safeguard.contract.types import Type
from safeguard.planning.kinds import typed
from safeguard.planning.layout import FieldSlot, Typed
from safeguard.systems.canonical import canonical_value


@dataclass(frozen=True)
class Changes:
    """What is told of a column."""

    causes: Counter[str]
    patterns: list[str]


def changes_of(
    exchange: Exchange,
    kind: str,
    pairs: Sequence[tuple[Any, Any]],
    *,
    whole: bool = True,
    reveal: bool = False,
    mapping: dict[str, Any] | None = None,
    new: str | None = None,
    due: int = 10**9,
    **more: Any,
) -> Changes:
    """Causes and patterns of a column with these changes; without `whole`, as if each stood alone."""
    old, made = (typed(Type.parse(k), []) for k in (kind, new or kind))
    slot = FieldSlot("f0", "value", FieldSpec(map=mapping), old, (made,), **more)
    rule = rule_for(slot, 0)
    columns = [_column([a for a, _ in pairs], old), _column([b for _, b in pairs], made)]
    exchange.fill(
        "given", pa.table({"i": list(range(len(pairs))), "o": columns[0], "n": columns[1]})
    )
    types = [COLUMN_TYPE[t.storage] for t in (old, made)]
    exchange.create(
        "changes",
        f"""AS SELECT i AS rid, i AS nid, {rule.cause()} AS cause, o.f0 AS o, n.f0 AS n FROM (
            SELECT i, {as_sides(rule, f"o::{types[0]}", f"n::{types[1]}")} FROM given)""",
    )
    if kind in ("text", "enum") and mapping is None:
        _look_closer(exchange)
    if whole:
        doubt(exchange, rule)
        correct(exchange, rule)
    causes = Counter(dict(exchange.rows("SELECT cause, count(*) FROM changes GROUP BY cause")))
    patterns = [p.text for p in describe(Column(exchange, rule, None, due, reveal))]
    exchange.drop("changes")
    return Changes(causes, patterns)


def _column(values: Sequence[Any], kind: Typed) -> list[Any]:
    return [None if v is None else canonical_value(v, kind.type, kind.storage) for v in values]


def _look_closer(exchange: Exchange) -> None:
    """As judging.py does by the batch."""
    rows = exchange.table("SELECT rid, o, n FROM changes WHERE cause = 'other' AND o IS NOT NULL")
    for cause, tell in (("garbled", garbled), ("unicode_form", compatible), ("escaped", unescaped)):
        mask = pa.array(tell(rows["o"].combine_chunks(), rows["n"].combine_chunks()), pa.bool_())
        exchange.fill("closer", rows.select(["rid"]).filter(mask))
        exchange.run(
            f"UPDATE changes SET cause = '{cause}' FROM closer WHERE changes.rid = closer.rid "
            "AND cause = 'other'"
        )
        exchange.drop("closer")
