"""The exchange: where both sides' entries meet, in DuckDB within a memory limit; what does not fit
spills into the run's folder.

Tables a content has while it is compared (every name is ours):

    old      one row an old entry: rid, src, key slots in the space both sides share, x* raw old ids
             where a crosswalk translates the old side, p and po (order), fields, d (deleted),
             r* (due in route), late (after as_of), u (old id without a new one), kb (key can't be
             compared: 1 bad value, 2 ambiguous crosswalk), bad (values that did not parse)
    new_R    one row a new entry of route R: nid, key slots, p, po, fields, late, u (new id without
             an old one), kb, bad, w (its owner's id in the new system)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from safeguard.comparing.sql import COLUMN_TYPE, identity, literal, ordered, shown
from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SafeguardError, SystemProblem
from safeguard.planning.layout import ContentPlan, Cutoff, NewPlan, OldPlan, SourcePlan, Typed
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch, canonical_schema

MEMORY_LIMIT = "384MB"
ROWS_PER_PARTITION = 1_500_000


class Exchange:
    """One DuckDB of a run, for all its contents one after the other.

    Its tables live in memory up to `memory_limit`, beyond that in `folder`/spill: nothing is logged
    and nothing is left, for a run that ended half-way reads again.
    """

    def __init__(self, folder: Path, memory_limit: str = MEMORY_LIMIT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "threads": 2,
                "preserve_insertion_order": False,
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )

    def run(self, sql: str) -> None:
        """Execute one statement."""
        with _room():
            self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with _room():
            return self._connection.execute(sql).fetchall()

    def number(self, sql: str) -> int:
        """The one integer that a query answers."""
        rows = self.rows(sql)
        return int(rows[0][0] or 0) if rows else 0

    def batches(self, sql: str, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """A large result, batch by batch."""
        with _room(), self._connection.cursor() as cursor:
            reader: pa.RecordBatchReader = cursor.sql(sql).to_arrow_reader(size)
            yield from reader

    def insert(
        self,
        table: str,
        rows: pa.Table | pa.RecordBatch,
        sql: str = "SELECT * FROM incoming",
    ) -> None:
        """Insert Arrow rows, through a query over `incoming`."""
        self._connection.register("incoming", rows)
        try:
            self.run(f"INSERT INTO {table} {sql}")
        finally:
            self._connection.unregister("incoming")

    def create(self, table: str, body: str) -> None:
        """Create a table, instead of what it was for an earlier content."""
        self.run(f"CREATE OR REPLACE TABLE {table} {body}")

    def drop(self, *tables: str) -> None:
        """Give the room of these tables back."""
        for table in tables:
            self._connection.execute(f"DROP TABLE IF EXISTS {table}")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _room() -> Iterator[None]:
    """A disk that is full, or too little memory, is no bug of ours, and no verdict."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        words = str(error).splitlines()[0]
        raise SystemProblem(f"the check ran out of room for what it compares: {words}") from error


def key_columns(plan: ContentPlan) -> tuple[str, ...]:
    """All key slots."""
    return tuple(k.slot for k in plan.keys)


def field_columns(plan: ContentPlan) -> tuple[str, ...]:
    """All field slots."""
    return tuple(f.slot for f in plan.fields)


def create_old(exchange: Exchange, plan: ContentPlan) -> None:
    """An empty `old`."""
    wanted = ["rid BIGINT", "src UTINYINT", *_key_types(plan), *_raw_types(plan)]
    if plan.order:
        wanted += _order_types(plan.order[0])
    wanted += [f"{f.slot} {COLUMN_TYPE[f.old.storage]}" for f in plan.fields]
    wanted += [f"{f.slot}a BIGINT" for f in plan.fields if f.alternate_old]
    wanted += ["d BOOLEAN", *(f"r{r} BOOLEAN" for r in range(len(plan.new)))]
    wanted += ["late BOOLEAN", "u BOOLEAN", "kb UTINYINT", "bad VARCHAR"]
    exchange.create("old", f"({', '.join(wanted)})")


def create_new(exchange: Exchange, plan: ContentPlan, route: int) -> None:
    """An empty `new_R`."""
    wanted = ["nid BIGINT", *_key_types(plan)]
    if plan.order:
        wanted += _order_types(plan.order[1])
    wanted += [f"{f.slot} {COLUMN_TYPE[f.new[route].storage]}" for f in plan.fields]
    wanted += [f"{f.slot}a BIGINT" for f in plan.fields if f.alternate_new[route]]
    wanted += ["late BOOLEAN", "u BOOLEAN", "kb UTINYINT", "bad VARCHAR", "w VARCHAR"]
    exchange.create(f"new_{route}", f"({', '.join(wanted)})")


def load_old(
    exchange: Exchange,
    plan: ContentPlan,
    source: OldPlan,
    batches: Iterable[pa.RecordBatch],
    first: int,
) -> Iterator[int]:
    """Put one old source's entries into `old`; yields the number of rows of each batch."""
    for batch in batches:
        exchange.insert(
            "old", numbered(batch, source.columns, "rid", first), _old_query(plan, source)
        )
        first += batch.num_rows
        yield batch.num_rows


def load_new(
    exchange: Exchange, plan: ContentPlan, source: NewPlan, batches: Iterable[pa.RecordBatch]
) -> Iterator[tuple[int, int]]:
    """Put one route's entries into its table, those deleted there left out.

    Yields (rows, of which deleted) of each batch.
    """
    first = 0
    query = _new_query(plan, source)
    for batch in batches:
        rows = numbered(batch, source.columns, "nid", first)
        first += batch.num_rows
        deleted = 0
        if source.deleted_when:
            deleted = int(pa.compute.sum(rows.column("d")).as_py() or 0)
        exchange.insert(f"new_{source.index}", rows, query)
        yield batch.num_rows, deleted


def numbered(
    batch: pa.RecordBatch, wanted: tuple[CanonicalColumn, ...], name: str, first: int
) -> pa.RecordBatch:
    """A raw batch in canonical form, with a running number. The number of rows never changes."""
    rows = canonical_batch(batch, wanted)
    if rows.num_rows != batch.num_rows:
        raise SafeguardError(f"{batch.num_rows - rows.num_rows} rows were dropped on the way")
    if rows.schema.names != canonical_schema(wanted).names:
        raise SafeguardError(f"unexpected columns {rows.schema.names}")
    numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
    return rows.append_column(name, numbers)


# -- private -------------------------------------------------------------------------------------


def _key_types(plan: ContentPlan) -> list[str]:
    return [f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in plan.keys]


def forward_slots(plan: ContentPlan) -> tuple[str, ...]:
    """Key slots that are translated as the old side is read: their raw ids are kept as x*."""
    return tuple(
        k.slot for k in plan.keys if any(w.slot == k.slot for s in plan.old for w in s.crosswalks)
    )


def _raw_types(plan: ContentPlan) -> list[str]:
    return [f"x{slot} VARCHAR" for slot in forward_slots(plan)]


def _order_types(typed: Typed) -> list[str]:
    kind = COLUMN_TYPE[typed.storage]
    return [f"p {kind}", f"po {kind}"]


def _late(cutoff: Cutoff | None) -> str:
    if cutoff is None:
        return "FALSE"
    slot = f"b.{cutoff.slot}"
    if isinstance(cutoff.value, int) and cutoff.storage is Storage.TEXT:
        slot = f"TRY_CAST({slot} AS HUGEINT)"
    return f"coalesce({slot} > {literal(cutoff.value)}, FALSE)"


def _bad_key(plan: ContentPlan) -> str:
    found = " OR ".join(f"json_extract_string(b.bad, '$.{k.slot}') IS NOT NULL" for k in plan.keys)
    return f"(b.bad IS NOT NULL AND ({found}))"


def walk_table(side: str, source: SourcePlan, slot: str) -> str:
    """The exchange table of one crosswalk, see crosswalks.py."""
    return f"walk_{side}_{source.index}_{slot}"


def _joins(side: str, source: SourcePlan) -> str:
    return " ".join(
        f"LEFT JOIN {walk_table(side, source, w.slot)} w{w.slot} ON w{w.slot}.here = b.{w.slot}"
        for w in source.crosswalks
    )


def _unknown(source: SourcePlan) -> str:
    found = [f"(b.{w.slot} IS NOT NULL AND w{w.slot}.here IS NULL)" for w in source.crosswalks]
    return " OR ".join(found) or "FALSE"


def _uncomparable(plan: ContentPlan, source: SourcePlan) -> str:
    ambiguous = " OR ".join(f"coalesce(w{w.slot}.ambiguous, FALSE)" for w in source.crosswalks)
    return f"CASE WHEN {_bad_key(plan)} THEN 1 WHEN {ambiguous or 'FALSE'} THEN 2 ELSE 0 END"


def _old_query(plan: ContentPlan, source: OldPlan) -> str:
    walked = {w.slot for w in source.crosswalks}
    keys = [f"w{k.slot}.there" if k.slot in walked else f"b.{k.slot}" for k in plan.keys]
    raw = [shown(f"b.{slot}", _source_kind(source, slot)) for slot in forward_slots(plan)]
    order = ["b.p", ordered("b.p", plan.order[0])] if plan.order else []
    alternates = {c.name for c in source.columns if c.alternate}
    extra = [
        f'b."{f.slot}__alt"' if f.slot in alternates else "NULL"
        for f in plan.fields
        if f.alternate_old
    ]
    due = ["TRUE" if slot is None else f"coalesce(b.{slot}, FALSE)" for slot in source.receives]
    wanted = [
        "b.rid",
        str(source.index),
        *keys,
        *raw,
        *order,
        *(f"b.{f.slot}" for f in plan.fields),
        *extra,
        "coalesce(b.d, FALSE)" if source.deleted_when else "FALSE",
        *due,
        _late(plan.cutoff),
        _unknown(source),
        _uncomparable(plan, source),
        "b.bad",
    ]
    return f"SELECT {', '.join(wanted)} FROM incoming b {_joins('old', source)}"


def _source_kind(source: SourcePlan, slot: str) -> TypeName:
    return next(c.target.name for c in source.columns if c.name == slot)


def _new_query(plan: ContentPlan, source: NewPlan) -> str:
    walked = {w.slot for w in source.crosswalks}
    keys = [
        f"CASE WHEN b.{k.slot} IS NOT NULL AND w{k.slot}.here IS NULL THEN 'new:' || b.{k.slot} "
        f"ELSE w{k.slot}.there END"
        if k.slot in walked
        else f"b.{k.slot}"
        for k in plan.keys
    ]
    order = ["b.p", ordered("b.p", plan.order[1])] if plan.order else []
    owner = identity([shown(f"b.{k.slot}", _source_kind(source, k.slot)) for k in plan.owners])
    wanted = [
        "b.nid",
        *keys,
        *order,
        *(f"b.{f.slot}" for f in plan.fields),
        *(f'b."{f.slot}__alt"' for f in plan.fields if f.alternate_new[source.index]),
        _late(plan.cutoff),
        _unknown(source),
        _uncomparable(plan, source),
        "b.bad",
        owner,
    ]
    where = "WHERE NOT coalesce(b.d, FALSE)" if source.deleted_when else ""
    return f"SELECT {', '.join(wanted)} FROM incoming b {_joins('new', source)} {where}"
