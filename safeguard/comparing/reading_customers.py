"""Read the customers tables: ids as the contents write them, and who is in which segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from safeguard.comparing.crosswalks import load_walk
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange, walk_table
from safeguard.contract.model import Customers, CustomerTable
from safeguard.contract.types import Type, TypeName
from safeguard.findings.trouble import SystemProblem, UsageProblem
from safeguard.planning.kinds import typed
from safeguard.planning.layout import ContentPlan, CrosswalkPlan, OldPlan
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import Output, Relation, Selection, Session, SourceType

Sessions = Mapping[str, Session]


def read_customers(
    exchange: Exchange,
    customers: Customers | None,
    plans: Sequence[ContentPlan],
    sessions: Sessions,
) -> CustomerBook:
    """The customers of a run. Owner ids are compared as text of the owner columns' own types.

    Raises UsageProblem for a missing table, column or broken segment, all of them in one go.
    """
    segments = customers.segments if customers else {}
    book = CustomerBook(exchange, tuple(segments), declared=customers is not None)
    if customers is None:
        return book
    old = [(t, _select(t, segments, sessions)) for t in customers.old]
    new = [(t, _select(t, {}, sessions)) for t in customers.new]
    for table, selection in old:
        kinds = _key_types(table, plans, selection, old=True)
        walk = _load_old_walk(exchange, table, plans, sessions)
        rows = _ids(selection, kinds, len(segments), sessions[table.system])
        book.add_old(rows, walk)
    book.settle()
    for table, selection in new:
        kinds = _key_types(table, plans, selection, old=False)
        book.add_new(table.system, _ids(selection, kinds, 0, sessions[table.system]))
    return book


def _select(table: CustomerTable, segments: Mapping[str, str], sessions: Sessions) -> Selection:
    session = sessions[table.system]
    relation = Relation(table=table.table)
    names = {c.name for c in session.columns(relation)}
    missing = [k for k in table.key if k not in names]
    if missing:
        raise UsageProblem(
            *(
                f"customers: {table.system}.{table.table} has no column `{k}`. "
                f"It has: {', '.join(sorted(names))}."
                for k in missing
            )
        )
    keys = [Output(f"k{i}", name, is_column=True) for i, name in enumerate(table.key)]
    flags = [
        Output(f"s{i}", sql, is_column=False, condition=True)
        for i, sql in enumerate(segments.values())
    ]
    return session.resolve(Selection(relation, (*keys, *flags)))


def _key_types(
    table: CustomerTable, plans: Sequence[ContentPlan], selection: Selection, *, old: bool
) -> tuple[CanonicalColumn, ...]:
    """The key's columns, typed as the contents' owner columns of the same system are."""
    declared = [o.type for o in selection.outputs if not o.condition]
    kinds = _owner_types(table.system, plans, old=old)
    if kinds is None or len(kinds) != len(declared):
        kinds = tuple(Type(d.kind or TypeName.TEXT) for d in declared)
    return tuple(
        CanonicalColumn(f"k{i}", source, kind, typed(kind, [source], as_text=True).storage)
        for i, (source, kind) in enumerate(zip(declared, kinds, strict=True))
    )


def _owner_types(
    system: str, plans: Sequence[ContentPlan], *, old: bool
) -> tuple[Type, ...] | None:
    for plan in plans:
        for source in plan.old if old else plan.new:
            if source.system == system:
                types = {c.name: c.target for c in source.columns}
                return tuple(types[k.slot] for k in plan.owners)
    return None


def _load_old_walk(
    exchange: Exchange, table: CustomerTable, plans: Sequence[ContentPlan], sessions: Sessions
) -> str | None:
    """The crosswalk by which contents translate this old system's owners, read once for customers."""
    for plan in plans:
        owners = {k.slot for k in plan.owners}
        for source in plan.old:
            walks = [w for w in source.crosswalks if w.slot in owners]
            if source.system == table.system and len(owners) == 1 and walks:
                return _read_walk(exchange, source, walks[0], sessions)
    return None


def _read_walk(exchange: Exchange, source: OldPlan, walk: CrosswalkPlan, sessions: Sessions) -> str:
    load_walk(exchange, "old", source, walk, sessions[walk.spec.system].stream(walk.selection))
    table = f"customer_walk_{source.index}"
    exchange.create(table, f"AS SELECT * FROM {walk_table('old', source, walk.slot)}")
    return table


def _ids(
    selection: Selection, keys: tuple[CanonicalColumn, ...], segments: int, session: Session
) -> Iterator[pa.RecordBatch]:
    """Batches of id (text; a JSON array of a composite key) and the segment flags."""
    wanted = (
        *keys,
        *(
            CanonicalColumn(
                f"s{i}", SourceType(TypeName.BOOLEAN), Type(TypeName.BOOLEAN), Storage.BOOL
            )
            for i in range(segments)
        ),
    )
    for batch in session.stream(selection):
        rows = canonical_batch(batch, wanted)
        if rows.column("bad").null_count != rows.num_rows:
            raise SystemProblem(f"customers: {selection.relation} holds a key that can't be read")
        columns = [rows.column(k.name) for k in keys]
        ids = columns[0] if len(keys) == 1 else _composite(columns)
        flags = {f"s{i}": rows.column(f"s{i}") for i in range(segments)}
        yield pa.RecordBatch.from_pydict({"id": _text(ids), **flags})


def _text(ids: pa.Array) -> pa.Array:
    return ids if pa.types.is_string(ids.type) else ids.cast(pa.string())


def _composite(columns: Sequence[pa.Array]) -> pa.Array:
    """A JSON array, written as the exchange writes it."""
    import json

    rows = zip(*(c.to_pylist() for c in columns), strict=True)
    return pa.array(
        [
            json.dumps(
                [None if v is None else str(v) for v in row],
                separators=(",", ":"),
                ensure_ascii=False,
            )
            for row in rows
        ],
        pa.string(),
    )
