"""What can be asked of an entry: its keys, fields, segments and routes, as SQL over one row of it.

The row is `e`. Where a trait needs them, `c` is its owner among the customers and `l` its list
(`lo` and `hi`, the first and last position in it, and `n`, its entries).

Free text is never told: only whether it is there, how long it is and what kind of characters it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.entries import forward_slots
from safeguard.comparing.explaining.borders import Form
from safeguard.contract.types import TypeName
from safeguard.planning.layout import ContentPlan, FieldSlot, KeySlot, Role, Typed
from safeguard.systems.canonical import INFINITY, Storage

CUSTOMER, PLACE = "customer", "place"
_FARTHEST = INFINITY - 10
"""Infinite and zero dates are beyond it."""
_FEATURES = (
    ("with characters beyond ASCII", "strlen({0}) <> length({0})"),
    (
        "with emoji or other characters beyond U+FFFF",
        r"regexp_matches({0}, '[\x{{10000}}-\x{{10FFFF}}]')",
    ),
    ("with a line break", "(contains({0}, chr(10)) OR contains({0}, chr(13)))"),
    ("that begins or ends with a blank", r"regexp_matches({0}, '^\s|\s$')"),
    ("with a quotation mark", "contains({0}, '\"')"),
    ("with a backslash", "contains({0}, '\\')"),
)


@dataclass(frozen=True)
class Trait:
    """One question. `name` is the contract's word, or for a flag all that is said of who has it."""

    name: str
    form: Form
    sql: str
    verb: str = "have"
    unit: str = ""
    """Of a length: characters, bytes, entries."""
    lacking: str = ""
    """Of a flag: what is said of who does not have it; "" where that says nothing."""
    presence: str = ""
    """Of a flag: the field of which it says that there is no value."""
    needs: str = ""
    """CUSTOMER or PLACE, where it asks them."""
    ranges: bool = True
    values: bool = True
    """Whether single values of it may be told."""
    owner: bool = False
    zone: str = ""


def old_traits(
    plan: ContentPlan, book: CustomerBook, *, reveal: bool, places: bool
) -> tuple[Trait, ...]:
    """What can be asked of an old entry; with `places`, also where it stands in its list."""
    found = [*_segments(book), *_routes(plan)]
    forward = set(forward_slots(plan))
    for key in plan.keys:
        found += _key(key, f"e.x{key.slot}" if key.slot in forward else f"e.{key.slot}", forward)
    found += _order(plan, 0, places)
    for field in plan.fields:
        found += _field(field, field.old, reveal)
    return tuple(found)


def new_traits(
    plan: ContentPlan, book: CustomerBook, route: int, *, reveal: bool, places: bool
) -> tuple[Trait, ...]:
    """The same of a new entry of one route."""
    found = _segments(book)
    for key in plan.keys:
        found += _key(key, f"e.{key.slot}", set())
    found += _order(plan, 1, places)
    for field in plan.fields:
        found += _field(field, field.new[route], reveal)
    return tuple(found)


def _segments(book: CustomerBook) -> list[Trait]:
    return [
        Trait(
            f"{name} customers", Form.FLAG, f"coalesce(c.s{i}, FALSE)", verb="belong to",
            lacking=f"customers who are not {name}", needs=CUSTOMER,
        )
        for i, name in enumerate(book.segments)
    ]  # fmt: skip


def _routes(plan: ContentPlan) -> Iterator[Trait]:
    """Where an old entry comes from and is due."""
    if len(plan.new) > 1:
        for new in plan.new:
            words = f"due in {new.system}"
            yield Trait(words, Form.FLAG, f"e.r{new.index}", verb="are", lacking=f"not {words}")
    if len(plan.old) > 1:
        for old in plan.old:
            place = f"{old.system}.{old.selection.relation}"
            yield Trait(place, Form.FLAG, f"e.src = {old.index}", verb="come from")


def _key(key: KeySlot, value: str, forward: set[str]) -> Iterator[Trait]:
    storage = Storage.TEXT if key.slot in forward else key.storage
    yield from _valued(
        key.name, value, Typed(key.type, storage), owner=key.role is Role.OWNER, told=True
    )


def _order(plan: ContentPlan, side: int, places: bool) -> Iterator[Trait]:
    if plan.order is None or plan.contract.order is None:
        return
    yield from _valued(plan.contract.order, "e.p", plan.order[side], told=True)
    if places:
        for name, edge in (("first", "l.lo"), ("last", "l.hi")):
            yield Trait(
                f"the {name} of their list", Form.FLAG, f"e.po = {edge}", verb="are", needs=PLACE
            )
        yield Trait("a list", Form.LENGTH, "l.n", verb="are in", unit="entries", needs=PLACE)


def _field(field: FieldSlot, typed: Typed, reveal: bool) -> Iterator[Trait]:
    value, name = f"e.{field.slot}", field.name
    told = reveal or typed.type.name is not TypeName.TEXT
    yield from _valued(name, value, typed, told=told, field=True, zone=field.zone or "")
    yield Trait(
        f"no {name}", Form.FLAG, f"{value} IS NULL", lacking=f"a {name}", presence=field.name
    )
    if typed.type.name in (TypeName.TEXT, TypeName.ENUM):
        yield Trait(f"an empty {name}", Form.FLAG, f"{value} = ''")
    if typed.type.name in (TypeName.TEXT, TypeName.JSON):
        yield _length(name, f"length({value})", "characters")
        yield _length(name, f"strlen({value})", "bytes")
    if typed.type.name is TypeName.BYTES:
        yield _length(name, f"octet_length({value})", "bytes")
    if typed.type.name is TypeName.TEXT:
        for words, test in _FEATURES:
            yield Trait(f"a {name} {words}", Form.FLAG, test.format(value))


def _length(name: str, sql: str, unit: str) -> Trait:
    return Trait(f"a {name}", Form.LENGTH, sql, unit=unit)


def _valued(
    name: str,
    value: str,
    typed: Typed,
    *,
    told: bool,
    owner: bool = False,
    field: bool = False,
    zone: str = "",
) -> Iterator[Trait]:
    """The value itself, where it can be told."""
    kind, is_whole = typed.type.name, typed.storage is Storage.INT64
    if kind is TypeName.INTEGER:
        sql = value if is_whole else f"TRY_CAST({value} AS BIGINT)"
        yield Trait(name, Form.WHOLE, sql, owner=owner)
    elif kind in (TypeName.DECIMAL, TypeName.FLOAT):
        yield Trait(name, Form.REAL, _finite(f"TRY_CAST({value} AS DOUBLE)"), owner=owner)
    elif kind is TypeName.TIMESTAMP and is_whole:
        instant = f"CASE WHEN abs({value}) < {_FARTHEST} THEN {value} END"
        sql = f"({instant}) // 1000" if typed.nanoseconds else instant
        yield Trait(name, Form.MOMENT, sql, owner=owner, zone="UTC" if zone else "")
    elif kind is TypeName.DATE and typed.storage is Storage.TEXT:
        sql = f"epoch_us(CAST(TRY_CAST({value} AS DATE) AS TIMESTAMP)) // 86400000000"
        yield Trait(name, Form.DAY, f"CASE WHEN {_usual(value)} THEN {sql} END", owner=owner)
    elif kind in (TypeName.TEXT, TypeName.ENUM, TypeName.UUID, TypeName.BOOLEAN) and told:
        ranges = not field and kind is TypeName.TEXT
        yield Trait(name, Form.WORD, f"CAST({value} AS VARCHAR)", owner=owner, ranges=ranges)


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _usual(value: str) -> str:
    return rf"regexp_full_match({value}, '\d{{4}}-\d\d-\d\d')"
