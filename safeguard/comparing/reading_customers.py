"""Read the customers tables: ids as the contents write them, and who is in which segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from safeguard.comparing.crosswalks import load_walk
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.entries import walk_table
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import identity, shown
from safeguard.contract.model import Customers, CustomerTable, LoadedPlan
from safeguard.contract.spelling import did_you_mean
from safeguard.contract.types import Type, TypeName
from safeguard.findings.trouble import Mistake, SystemProblem, UsageProblem
from safeguard.planning.kinds import typed
from safeguard.planning.layout import ContentPlan, CrosswalkPlan, OldPlan, SourcePlan
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import Output, Relation, Selection, Session, SourceType

Sessions = Mapping[str, Session]
Selected = list[tuple[CustomerTable, Selection]]


def read_customers(
    exchange: Exchange,
    loaded: LoadedPlan,
    plans: Sequence[ContentPlan],
    sessions: Sessions,
) -> CustomerBook:
    """The customers of a run. Owner ids are compared as text of the owner columns' own types.

    Raises UsageProblem for a missing table, column or broken segment, all of them in one go.
    """
    customers = loaded.plan.customers
    segments = customers.segments if customers else {}
    book = CustomerBook(exchange, tuple(segments), declared=customers is not None)
    if customers is None:
        return book
    old, new = _selections(loaded, customers, sessions)
    for table, selection in old:
        kinds = _key_types(table, plans, selection, old=True)
        walk = _load_old_walk(exchange, table, plans, sessions)
        rows = _ids(selection, kinds, len(segments), sessions[table.system])
        book.add_old(rows, _who(kinds), walk)
    book.settle()
    for table, selection in new:
        kinds = _key_types(table, plans, selection, old=False)
        rows = _ids(selection, kinds, 0, sessions[table.system])
        book.add_new(table.system, rows, _who(kinds))
    return book


def _selections(
    loaded: LoadedPlan, customers: Customers, sessions: Sessions
) -> tuple[Selected, Selected]:
    """What is read of every customers table, old and new; each mistake where the plan makes it."""
    found: dict[str, Selected] = {"old": [], "new": []}
    mistakes: list[Mistake] = []
    for side, tables, segments in (
        ("old", customers.old, customers.segments),
        ("new", customers.new, {}),
    ):
        for i, table in enumerate(tables):
            try:
                found[side].append((table, _select(table, segments, sessions)))
            except UsageProblem as problem:
                for mistake in problem.mistakes:
                    place = _place(mistake, f"customers.{side}.{i}", table, segments)
                    mistakes.append(loaded.mistake(mistake.message, place))
    if mistakes:
        raise UsageProblem(*dict.fromkeys(mistakes))
    return found["old"], found["new"]


def _place(mistake: Mistake, where: str, table: CustomerTable, segments: Mapping[str, str]) -> str:
    """Where the plan makes a mistake: at the segment or key that it quotes, else at the table."""
    for name, sql in segments.items():
        if f"`{sql}`" in mistake.message:
            return f"customers.segments.{name}"
    for i, column in enumerate(table.key):
        if f" has no column `{column}`" in mistake.message:
            return f"{where}.key.{i}"
    return f"{where}.table"


def _select(table: CustomerTable, segments: Mapping[str, str], sessions: Sessions) -> Selection:
    session = sessions[table.system]
    relation = Relation(table=table.table)
    names = [c.name for c in session.columns(relation)]
    missing = [k for k in table.key if k not in names]
    if missing:
        raise UsageProblem(
            *(
                f"customers: {table.system}.{table.table} has no column `{k}`. "
                f"It has: {', '.join(names)}.{did_you_mean(k, names)}"
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


_ALIKE = {TypeName.DECIMAL: TypeName.INTEGER, TypeName.ENUM: TypeName.TEXT}
"""Types whose ids are written alike."""


def _owner_types(
    system: str, plans: Sequence[ContentPlan], *, old: bool
) -> tuple[Type, ...] | None:
    """The types by which the contents read this system's owners; None where none reads it.

    Raises UsageProblem where two contents read them differently: one of them would not know its
    customers.
    """
    found: dict[tuple[TypeName, ...], tuple[str, tuple[Type, ...]]] = {}
    for plan in plans:
        for source in plan.old if old else plan.new:
            if source.system == system:
                types = {c.name: c.target for c in source.columns}
                owners = tuple(types[k.slot] for k in plan.owners)
                if _is_untyped(plan, source):
                    continue  # read as text for want of a type: the same digits, whatever they are
                alike = tuple(_ALIKE.get(t.name, t.name) for t in owners)
                found.setdefault(alike, (plan.contract.content, owners))
    if len(found) > 1:
        said = "; ".join(
            f"{content} as {', '.join(map(str, owners))}" for content, owners in found.values()
        )
        raise UsageProblem(
            f"customers: the contracts read the owners of {system} differently ({said}); declare "
            "one type for all under `keys:`"
        )
    return next(iter(found.values()))[1] if found else None


def _is_untyped(plan: ContentPlan, source: SourcePlan) -> bool:
    """Neither a system nor the contract gave the owner a type."""
    columns = {c.name: c for c in source.columns}
    return any(
        columns[k.slot].source.kind is None
        and columns[k.slot].target.name is TypeName.TEXT
        and k.name not in plan.contract.keys
        for k in plan.owners
    )


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
    """Batches of the key's columns k0, k1, ... in canonical form and the segment flags s0, s1, ..."""
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
        yield rows


def _who(keys: tuple[CanonicalColumn, ...]) -> str:
    """SQL over b for a customer's id: written by the same expressions as the contents' owners are."""
    return identity([shown(f"b.{k.name}", k.target.name) for k in keys])
