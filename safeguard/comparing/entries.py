"""The two tables of entries that comparing works on, and how rows on their way become theirs.

    old      one row an old entry: rid, src, key slots in the space both sides share, x* raw old ids
             where a crosswalk translates the old side, p and po (order), fields, d (deleted),
             r* (due in route), late (after as_of), u (old id without a new one), kb (key can't be
             compared: 1 bad value, 2 ambiguous crosswalk), bad (values that did not parse)
    new_R    one row a new entry of route R: nid, key slots, p, po, fields, late, u (new id without
             an old one), kb, bad, w (its owner's id in the new system)

A row is *stored* when it is read, with its ids translated and without what its plan tells of every
row alike, and *stands* in one of these tables when its partition is compared. Its number is its place
among the partition's rows: what is carried from all partitions together tells them apart by it.
"""

from __future__ import annotations

from safeguard.comparing.sql import COLUMN_TYPE, identity, literal, ordered, shown
from safeguard.contract.types import TypeName
from safeguard.planning.layout import ContentPlan, Cutoff, NewPlan, OldPlan, SourcePlan, Typed
from safeguard.systems.canonical import CanonicalColumn, Storage

LATER_OLD, LATER_NEW = 1 << 61, 1 << 53
"""From here on entries are numbered that a later look took the place of first ones with."""


def key_columns(plan: ContentPlan) -> tuple[str, ...]:
    """All key slots."""
    return tuple(k.slot for k in plan.keys)


def field_columns(plan: ContentPlan) -> tuple[str, ...]:
    """All field slots."""
    return tuple(f.slot for f in plan.fields)


def forward_slots(plan: ContentPlan) -> tuple[str, ...]:
    """Key slots that are translated as the old side is read: their raw ids are kept as x*."""
    return tuple(
        k.slot for k in plan.keys if any(w.slot == k.slot for s in plan.old for w in s.crosswalks)
    )


def walk_table(side: str, source: SourcePlan, slot: str) -> str:
    """The exchange table of one crosswalk, see crosswalks.py."""
    return f"walk_{side}_{source.index}_{slot}"


def kin_table(slot: str) -> str:
    """Old owners who are one in some new system, see crosswalks.py."""
    return f"kin_{slot}"


# -- the tables ------------------------------------------------------------------------------


Shape = tuple[tuple[str, str], ...]
"""Names and DuckDB types of a table's columns."""


def old_shape(plan: ContentPlan) -> Shape:
    """The columns of `old`."""
    wanted = [("rid", "BIGINT"), ("src", "UTINYINT"), *_key_types(plan)]
    wanted += [(f"x{slot}", "VARCHAR") for slot in forward_slots(plan)]
    wanted += _order_types(plan.order[0] if plan.order else None)
    wanted += [(f.slot, COLUMN_TYPE[f.old.storage]) for f in plan.fields]
    wanted += [(f"{f.slot}a", "BIGINT") for f in plan.fields if f.alternate_old]
    wanted += [("d", "BOOLEAN"), *((f"r{r}", "BOOLEAN") for r in range(len(plan.new)))]
    return (*wanted, *_ENDS)


def new_shape(plan: ContentPlan, route: int) -> Shape:
    """The columns of `new_R`; `w` only where a crosswalk translates."""
    wanted = [("nid", "BIGINT"), *_key_types(plan)]
    wanted += _order_types(plan.order[1] if plan.order else None)
    wanted += [(f.slot, COLUMN_TYPE[f.new[route].storage]) for f in plan.fields]
    wanted += [(f"{f.slot}a", "BIGINT") for f in plan.fields if f.alternate_new[route]]
    return (*wanted, *_ENDS, *([("w", "VARCHAR")] if plan.new[route].crosswalks else []))


def definition(shape: Shape) -> str:
    """The columns of a CREATE TABLE."""
    return f"({', '.join(f'{name} {kind}' for name, kind in shape)})"


_ENDS = (("late", "BOOLEAN"), ("u", "BOOLEAN"), ("kb", "UTINYINT"), ("bad", "VARCHAR"))


# -- from a system to the store ----------------------------------------------------------------


def hashes_integers(plan: ContentPlan) -> bool:
    """Whether every owner column is kept as an integer, and its bucket needs no SQL (buckets.py)."""
    return all(k.storage is Storage.INT64 for k in plan.owners)


def stored(plan: ContentPlan, source: SourcePlan, kin: frozenset[str], buckets: int) -> str | None:
    """SELECT over `incoming` b, canonical rows: what is stored of them, and the `bucket` of their
    owner, one of so many; None where they are stored as they are. Deleted rows of the new side are
    left out. `kin` are the owner slots that have a `kin_table`. Integers have no bucket yet, see
    `buckets.owner_buckets`."""
    drops = isinstance(source, NewPlan) and source.deleted_when
    if hashes_integers(plan) and not source.crosswalks and not drops:
        return None
    side = "new" if isinstance(source, NewPlan) else "old"
    walked = {w.slot for w in source.crosswalks}
    names = [c for column in source.columns for c in _with_alternate(column)]
    values = [_translated(side, n) if n in walked else f'b."{n}"' for n in names]
    chosen = [f'{v} AS "{n}"' for v, n in zip(values, names, strict=True)]
    chosen += ["b.bad", *_of_crosswalks(plan, source, side)]
    joins = [
        f"LEFT JOIN {walk_table(side, source, s)} w{s} ON w{s}.here = b.{s}" for s in sorted(walked)
    ]
    gone = " WHERE NOT coalesce(b.d, FALSE)" if side == "new" and source.deleted_when else ""
    rows = f"SELECT {', '.join(chosen)} FROM incoming b {' '.join(joins)}{gone}"
    if hashes_integers(plan):
        return rows
    bucket = _bucket_of(plan, "s", kin, buckets)
    return f"SELECT s.*, {bucket} AS bucket FROM ({rows}) s {kin_joins(plan, 's', kin)}"


def _bucket_of(plan: ContentPlan, alias: str, kin: frozenset[str], buckets: int) -> str:
    """The bucket of an entry's owner, as SQL; where ids are merged, over `kin_joins`."""
    if buckets == 1:
        return "0::USMALLINT"
    owners = [k.slot for k in plan.owners]
    whose = [f"coalesce(q{s}.head, {alias}.{s})" if s in kin else f"{alias}.{s}" for s in owners]
    return f"(hash({', '.join(whose)}) % {buckets})::USMALLINT"


def kin_joins(plan: ContentPlan, alias: str, kin: frozenset[str]) -> str:
    """Joins of the kin tables that an entry's owner is looked up in."""
    owners = [k.slot for k in plan.owners if k.slot in kin]
    return " ".join(f"LEFT JOIN {kin_table(s)} q{s} ON q{s}.id = {alias}.{s}" for s in owners)


def _with_alternate(column: CanonicalColumn) -> list[str]:
    return [column.name, *([f"{column.name}__alt"] if column.alternate else [])]


def _translated(side: str, slot: str) -> str:
    if side == "old":
        return f"w{slot}.there"
    return (
        f"CASE WHEN b.{slot} IS NOT NULL AND w{slot}.here IS NULL THEN {unknown(f'b.{slot}')} "
        f"ELSE w{slot}.there END"
    )


def unknown(here: str) -> str:
    """What a new id is called in the space of old ids while no crosswalk knows it."""
    return f"'new:' || {here}"


def _of_crosswalks(plan: ContentPlan, source: SourcePlan, side: str) -> list[str]:
    """What is known of a row only while its own ids are: u, ambiguous, x* and w."""
    if not source.crosswalks:
        return []
    slots = [w.slot for w in source.crosswalks]
    unknown = " OR ".join(f"(b.{s} IS NOT NULL AND w{s}.here IS NULL)" for s in slots)
    ambiguous = " OR ".join(f"coalesce(w{s}.ambiguous, FALSE)" for s in slots)
    found = [f"({unknown}) AS u", f"({ambiguous}) AS ambiguous"]
    if side == "old":
        return [*found, *(f"{shown(f'b.{s}', _kind(source, s))} AS x{s}" for s in slots)]
    owner = identity([shown(f"b.{k.slot}", _kind(source, k.slot)) for k in plan.owners])
    return [*found, f"{owner} AS w"]


def _kind(source: SourcePlan, slot: str) -> TypeName:
    return next(c.target.name for c in source.columns if c.name == slot)


# -- from the store to the tables ----------------------------------------------------------------


def standing_old(plan: ContentPlan, source: OldPlan, incoming: str) -> str:
    """SELECT of rows of `old`, from a table of stored rows of an old source with their number rid."""
    walked = {w.slot for w in source.crosswalks}
    alternates = {c.name for c in source.columns if c.alternate}
    wanted = [
        "b.rid",
        str(source.index),
        *(f"b.{k.slot}" for k in plan.keys),
        *(
            f"b.x{s}" if s in walked else shown(f"b.{s}", _kind(source, s))
            for s in forward_slots(plan)
        ),
        *_order(plan.order[0] if plan.order else None),
        *(f"b.{f.slot}" for f in plan.fields),
        *(
            f'b."{f.slot}__alt"' if f.slot in alternates else "NULL"
            for f in plan.fields
            if f.alternate_old
        ),
        "coalesce(b.d, FALSE)" if source.deleted_when else "FALSE",
        *("TRUE" if slot is None else f"coalesce(b.{slot}, FALSE)" for slot in source.receives),
        *_ends(plan, source),
    ]
    return _typed(old_shape(plan), wanted, incoming)


def standing_new(plan: ContentPlan, source: NewPlan, incoming: str) -> str:
    """SELECT of rows of `new_R`, from a table of stored rows of a route with their number rid."""
    wanted = [
        "b.rid",
        *(f"b.{k.slot}" for k in plan.keys),
        *_order(plan.order[1] if plan.order else None),
        *(f"b.{f.slot}" for f in plan.fields),
        *(f'b."{f.slot}__alt"' for f in plan.fields if f.alternate_new[source.index]),
        *_ends(plan, source),
        *(["b.w"] if source.crosswalks else []),
    ]
    return _typed(new_shape(plan, source.index), wanted, incoming)


def _typed(shape: Shape, wanted: list[str], incoming: str) -> str:
    columns = zip(shape, wanted, strict=True)
    chosen = ", ".join(f"CAST({sql} AS {kind}) AS {name}" for (name, kind), sql in columns)
    return f"SELECT {chosen} FROM {incoming} b"


def _ends(plan: ContentPlan, source: SourcePlan) -> list[str]:
    """late, u, kb and bad."""
    ambiguous = "b.ambiguous" if source.crosswalks else "FALSE"
    return [
        _late(plan.cutoff),
        "b.u" if source.crosswalks else "FALSE",
        f"CASE WHEN {_bad_key(plan)} THEN 1 WHEN {ambiguous} THEN 2 ELSE 0 END",
        "b.bad",
    ]


def _key_types(plan: ContentPlan) -> list[tuple[str, str]]:
    return [(k.slot, COLUMN_TYPE[k.storage]) for k in plan.keys]


def _order_types(typed: Typed | None) -> list[tuple[str, str]]:
    return [] if typed is None else [(name, COLUMN_TYPE[typed.storage]) for name in ("p", "po")]


def _order(typed: Typed | None) -> list[str]:
    return [] if typed is None else ["b.p", ordered("b.p", typed)]


def _late(cutoff: Cutoff | None) -> str:
    if cutoff is None:
        return "FALSE"
    slot = f"b.{cutoff.slot}"
    if isinstance(cutoff.value, int) and cutoff.storage is Storage.TEXT:
        slot = f"TRY_CAST({slot} AS HUGEINT)"
    return f"coalesce({slot} > {literal(cutoff.value)}, FALSE)"


def _bad_key(plan: ContentPlan) -> str:
    bad = "CAST(b.bad AS VARCHAR)"
    found = " OR ".join(f"json_extract_string({bad}, '$.{k.slot}') IS NOT NULL" for k in plan.keys)
    return f"(b.bad IS NOT NULL AND ({found}))"
