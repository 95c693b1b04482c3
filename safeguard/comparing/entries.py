"""The two tables of entries that comparing works on, and how rows on their way become theirs.

    old      one row an old entry: rid, src, key slots in the space both sides share, x* raw old ids
             where a crosswalk translates the old side, p and po (order), fields, d (deleted),
             r* (due in route), late (after as_of), u (old id without a new one), kb (key can't be
             compared: 1 bad value, 2 ambiguous crosswalk), bad (values that did not parse)
    new_R    one row a new entry of route R: nid, key slots, p, po, fields, late, u (new id without
             an old one), kb, bad, w (its owner's id in the new system)

A row is *stored* when it is read, with its ids translated and without what its plan tells of every
row alike, and *stands* in one of these tables when its partition is compared.
"""

from __future__ import annotations

from safeguard.comparing.sql import COLUMN_TYPE, identity, literal, ordered, shown
from safeguard.contract.types import TypeName
from safeguard.planning.layout import ContentPlan, Cutoff, NewPlan, OldPlan, SourcePlan, Typed
from safeguard.systems.canonical import CanonicalColumn, Storage

BUCKETS = 256
"""Into so many parts the owners are hashed as they are read; a partition is a run of buckets."""
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


def old_columns(plan: ContentPlan) -> str:
    """The columns of `old`, as a table's definition."""
    wanted = ["rid BIGINT", "src UTINYINT", *_key_types(plan)]
    wanted += [f"x{slot} VARCHAR" for slot in forward_slots(plan)]
    if plan.order:
        wanted += _order_types(plan.order[0])
    wanted += [f"{f.slot} {COLUMN_TYPE[f.old.storage]}" for f in plan.fields]
    wanted += [f"{f.slot}a BIGINT" for f in plan.fields if f.alternate_old]
    wanted += ["d BOOLEAN", *(f"r{r} BOOLEAN" for r in range(len(plan.new)))]
    return ", ".join([*wanted, "late BOOLEAN", "u BOOLEAN", "kb UTINYINT", "bad VARCHAR"])


def new_columns(plan: ContentPlan, route: int) -> str:
    """The columns of `new_R`, as a table's definition."""
    wanted = ["nid BIGINT", *_key_types(plan)]
    if plan.order:
        wanted += _order_types(plan.order[1])
    wanted += [f"{f.slot} {COLUMN_TYPE[f.new[route].storage]}" for f in plan.fields]
    wanted += [f"{f.slot}a BIGINT" for f in plan.fields if f.alternate_new[route]]
    wanted += ["late BOOLEAN", "u BOOLEAN", "kb UTINYINT", "bad VARCHAR"]
    return ", ".join([*wanted, "w VARCHAR"])


# -- from a system to the store ----------------------------------------------------------------


def stored(plan: ContentPlan, source: SourcePlan, kin: frozenset[str]) -> str:
    """SELECT over `incoming` b, canonical rows with their number `rid`: what is stored of them, and
    the `bucket` of their owner. Deleted rows of the new side are left out. `kin` are the owner slots
    that have a `kin_table`."""
    side = "new" if isinstance(source, NewPlan) else "old"
    walked = {w.slot for w in source.crosswalks}
    names = [c for column in source.columns for c in _with_alternate(column)]
    values = [_translated(side, n) if n in walked else f'b."{n}"' for n in names]
    chosen = ["b.rid", *(f'{v} AS "{n}"' for v, n in zip(values, names, strict=True))]
    chosen += ["b.bad", *_of_crosswalks(plan, source, side)]
    joins = [
        f"LEFT JOIN {walk_table(side, source, s)} w{s} ON w{s}.here = b.{s}" for s in sorted(walked)
    ]
    gone = " WHERE NOT coalesce(b.d, FALSE)" if side == "new" and source.deleted_when else ""
    return (
        f"SELECT s.*, {bucket_of(plan, 's', kin)} AS bucket FROM (SELECT {', '.join(chosen)} "
        f"FROM incoming b {' '.join(joins)}{gone}) s {kin_joins(plan, 's', kin)}"
    )


def bucket_of(plan: ContentPlan, alias: str, kin: frozenset[str]) -> str:
    """The bucket of an entry's owner, as SQL; where ids are merged, over `kin_joins`."""
    owners = [k.slot for k in plan.owners]
    whose = [f"coalesce(q{s}.head, {alias}.{s})" if s in kin else f"{alias}.{s}" for s in owners]
    return f"(hash({', '.join(whose)}) % {BUCKETS})::USMALLINT"


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


def standing_old(plan: ContentPlan, source: OldPlan) -> str:
    """SELECT over `incoming` b, stored rows of an old source: rows of `old`."""
    walked = {w.slot for w in source.crosswalks}
    raw = [
        f"b.x{s}" if s in walked else shown(f"b.{s}", _kind(source, s)) for s in forward_slots(plan)
    ]
    alternates = {c.name for c in source.columns if c.alternate}
    extra = [
        f'b."{f.slot}__alt"' if f.slot in alternates else "NULL"
        for f in plan.fields
        if f.alternate_old
    ]
    wanted = [
        "b.rid",
        str(source.index),
        *(f"b.{k.slot}" for k in plan.keys),
        *raw,
        *_order(plan.order[0] if plan.order else None),
        *(f"b.{f.slot}" for f in plan.fields),
        *extra,
        "coalesce(b.d, FALSE)" if source.deleted_when else "FALSE",
        *("TRUE" if slot is None else f"coalesce(b.{slot}, FALSE)" for slot in source.receives),
        *_ends(plan, source),
    ]
    return f"SELECT {', '.join(wanted)} FROM incoming b"


def standing_new(plan: ContentPlan, source: NewPlan) -> str:
    """SELECT over `incoming` b, stored rows of a route: rows of `new_R`."""
    owner = identity([shown(f"b.{k.slot}", _kind(source, k.slot)) for k in plan.owners])
    wanted = [
        "b.rid",
        *(f"b.{k.slot}" for k in plan.keys),
        *_order(plan.order[1] if plan.order else None),
        *(f"b.{f.slot}" for f in plan.fields),
        *(f'b."{f.slot}__alt"' for f in plan.fields if f.alternate_new[source.index]),
        *_ends(plan, source),
        "b.w" if source.crosswalks else owner,
    ]
    return f"SELECT {', '.join(wanted)} FROM incoming b"


def _ends(plan: ContentPlan, source: SourcePlan) -> list[str]:
    """late, u, kb and bad."""
    ambiguous = "b.ambiguous" if source.crosswalks else "FALSE"
    return [
        _late(plan.cutoff),
        "b.u" if source.crosswalks else "FALSE",
        f"CASE WHEN {_bad_key(plan)} THEN 1 WHEN {ambiguous} THEN 2 ELSE 0 END",
        "CAST(b.bad AS VARCHAR)",
    ]


def _key_types(plan: ContentPlan) -> list[str]:
    return [f"{k.slot} {COLUMN_TYPE[k.storage]}" for k in plan.keys]


def _order_types(typed: Typed) -> list[str]:
    kind = COLUMN_TYPE[typed.storage]
    return [f"p {kind}", f"po {kind}"]


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
