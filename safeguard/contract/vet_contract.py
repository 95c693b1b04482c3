"""What one contract says that cannot be meant: each check of it in the table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from safeguard.contract.expectations import check_expectations
from safeguard.contract.model import Contract, NewSource, Overlap, Routing, Shape, Source
from safeguard.contract.page import Page
from safeguard.contract.spelling import nearest
from safeguard.contract.types import TypeName
from safeguard.contract.zones import unknown_zone
from safeguard.findings.trouble import Mistake

Mistakes = Iterator[Mistake]


def sources(contract: Contract) -> Iterator[tuple[str, int, Source]]:
    """Every source with its place: `old` or `new`, and which of them."""
    for index, old in enumerate(contract.old):
        yield "old", index, old
    for index, new in enumerate(contract.new):
        yield "new", index, new


def _shape(contract: Contract, page: Page) -> Mistakes:
    shape = contract.shape
    if shape is Shape.LIST and contract.order is None:
        yield page.mistake("`order` is missing: a list needs the column that orders it", "shape")
    if shape in (Shape.LIST, Shape.SET) and not contract.item:
        yield page.mistake(f"`item` is missing: a {shape} needs the column that names it", "shape")
    for key in ("order", "list"):
        if getattr(contract, key) is not None and shape is not Shape.LIST:
            yield page.mistake(f"`{key}` is of lists only; this is a {shape}", key, key=True)


def _document_fields(contract: Contract, page: Page) -> Mistakes:
    if contract.shape is not Shape.DOCUMENT:
        return
    for name, spec in contract.fields.items():
        if spec.type is not None and spec.type.name is not TypeName.JSON:
            message = f"`{name}` must be json: the fields of a document are, not {spec.type}"
            yield page.mistake(message, "fields", name, "type")


def _names_once(contract: Contract, page: Page) -> Mistakes:
    places = _key_places(contract)
    places += ((name, ("fields", name)) for name in contract.fields)
    first: dict[str, str] = {}
    for name, path in places:
        if name in first:
            message = (
                f"`{name}` is named twice, in `{first[name]}` and `{path[0]}`; give one another "
                "name and say in `columns` which column it is"
            )
            yield page.mistake(message, *path, key=path[0] == "fields")
        first.setdefault(name, str(path[0]))


def _keys(contract: Contract, page: Page) -> Mistakes:
    order = (contract.order,) if contract.order else ()
    allowed = (*contract.key_columns, *order)
    for name in contract.keys:
        if name in contract.fields:
            message = f"`{name}` is a field: its type stands in `fields`"
            yield page.mistake(message, "keys", name, key=True)
        elif name not in allowed:
            yield page.unknown(
                "owner, item, list and order name no", name, allowed, "keys", name, key=True
            )


def _field_forms(contract: Contract, page: Page) -> Mistakes:
    for name, spec in contract.fields.items():
        declared = spec.type.name if spec.type else None
        if contract.shape is Shape.DOCUMENT:
            declared = TypeName.JSON
        for index, accept in enumerate(spec.accept):
            # Under a map the type is that of the keys; the results have the new column's.
            if declared is not None and spec.map is None and declared not in accept.fits:
                fitting = " and ".join(sorted(accept.fits))
                message = f"`{accept.form}` can be accepted of {fitting}, not of {declared}"
                yield page.mistake(message, "fields", name, "accept", index)
        if len({accept.form for accept in spec.accept}) < len(spec.accept):
            yield page.mistake("a form is accepted twice", "fields", name, "accept")
        if spec.unordered and declared is not TypeName.JSON:
            message = "`unordered` is of json only; write `type: json`"
            yield page.mistake(message, "fields", name, "unordered", key=True)


def _contract_names(contract: Contract, page: Page) -> Mistakes:
    told = _explained(contract)
    for side, index, source in sources(contract):
        for name in source.columns:
            if name not in contract.names and name not in told:
                place = (side, index, "columns", name)
                yield page.unknown("this contract has no", name, contract.names, *place, key=True)
        for name in source.timezones:
            if name not in told:
                yield from _timezone(contract, page, name, (side, index, "timezones", name))
        for name in source.crosswalk:
            if name not in told:
                yield from _crosswalk(contract, page, name, (side, index, "crosswalk", name))
    for name in contract.crosswalk:
        if name not in told:
            yield from _crosswalk(contract, page, name, ("crosswalk", name))
    yield from _both_sides(contract, page)


def _misspelt(contract: Contract, page: Page) -> Mistakes:
    """A key column that no source speaks of, where several speak of one that is spelt alike."""
    for meant, (name, path) in _misspelt_names(contract).items():
        message = f"the systems' columns speak of `{meant}`, not of `{name}`."
        yield page.mistake(f"{message} Did you mean `{meant}`?", *path)


def _explained(contract: Contract) -> frozenset[str]:
    """Names that sources speak of and the contract has not, because of another mistake of it."""
    missing = contract.shape is Shape.LIST and contract.order is None
    missing |= contract.shape in (Shape.LIST, Shape.SET) and not contract.item
    unknown = [name for name in _uses(contract) if name not in contract.names]
    may_be_it = {n for n in unknown if missing and nearest(n, contract.names) is None}
    return frozenset(may_be_it | set(_misspelt_names(contract)))


def _misspelt_names(contract: Contract) -> dict[str, tuple[str, tuple[str | int, ...]]]:
    """What is meant -> how owner, item, list or order spell it, and where."""
    uses = _uses(contract)
    idle = {name: path for name, path in _key_places(contract) if not uses[name]}
    found: dict[str, tuple[str, tuple[str | int, ...]]] = {}
    for meant, count in uses.items():
        name = nearest(meant, contract.names)
        if meant not in contract.names and count > 1 and name in idle:
            found[meant] = (name, idle[name])
    return found


def _uses(contract: Contract) -> Counter[str]:
    """How often sources and crosswalks speak of each name."""
    uses = Counter(contract.crosswalk.keys())
    for _, _, source in sources(contract):
        uses.update([*source.columns, *source.timezones, *source.crosswalk])
    return uses


def _key_places(contract: Contract) -> list[tuple[str, tuple[str | int, ...]]]:
    """Owner, item, list and order with their places."""
    return [
        *((name, ("owner", i)) for i, name in enumerate(contract.owner)),
        *((name, ("item", i)) for i, name in enumerate(contract.item)),
        *((name, (key,)) for key in ("list", "order") if (name := getattr(contract, key))),
    ]


def _both_sides(contract: Contract, page: Page) -> Mistakes:
    """Old ids become new ones, or new ids old ones: both at once would translate past each other."""
    newer = {*contract.crosswalk, *(name for new in contract.new for name in new.crosswalk)}
    for index, old in enumerate(contract.old):
        for name in old.crosswalk:
            if name in newer:
                yield page.mistake(
                    f"`{name}` has a crosswalk on the old side and on the new one (one at the top "
                    "serves the new entries); keep one of them",
                    "old", index, "crosswalk", name, key=True,
                )  # fmt: skip


def _crosswalk(contract: Contract, page: Page, name: str, place: tuple[str | int, ...]) -> Mistakes:
    if name in contract.names and name not in contract.key_columns:
        message = f"a crosswalk translates ids of owner, list and item; `{name}` is none of them"
        yield page.mistake(message, *place, key=True)
    elif name not in contract.key_columns:
        yield page.unknown("this contract has no", name, contract.key_columns, *place, key=True)


def _timezone(contract: Contract, page: Page, name: str, place: tuple[str | int, ...]) -> Mistakes:
    if name not in contract.names:
        yield page.unknown("this contract has no", name, contract.names, *place, key=True)
        return
    spec = contract.fields.get(name)
    declared = spec.type if spec else contract.keys.get(name)
    if declared is not None and declared.name is not TypeName.TIMESTAMP:
        message = f"`{name}` is {declared}; only timestamps have a time zone"
        yield page.mistake(message, *place, key=True)


def _zones(contract: Contract, page: Page) -> Mistakes:
    for side, index, source in sources(contract):
        for name, zone in source.timezones.items():
            if trouble := unknown_zone(zone):
                yield page.mistake(trouble, side, index, "timezones", name)


def _table_or_query(contract: Contract, page: Page) -> Mistakes:
    for side, index, source in sources(contract):
        if source.table is None and source.query is None:
            message = f"`table` is missing: {source.system} needs a table or a query"
            yield page.mistake(message, side, index)
        elif source.table is not None and source.query is not None:
            message = "either `table` or `query`, not both"
            yield page.mistake(message, side, index, "query", key=True)


def _new_once(contract: Contract, page: Page) -> Mistakes:
    counts = Counter(source.system for source in contract.new)
    seen: set[str] = set()
    for index, source in enumerate(contract.new):
        if counts[source.system] > 1 and source.system in seen:
            message = (
                f"`{source.system}` stands twice under `new`: findings are told by system; join "
                "its tables in one `query`, or give it a second name in the plan"
            )
            yield page.mistake(message, "new", index, "system")
        seen.add(source.system)


def _receives(contract: Contract, page: Page) -> Mistakes:
    old = tuple(dict.fromkeys(source.system for source in contract.old))
    for index, source in enumerate(contract.new):
        if source.receives is None:
            continue
        place = ("new", index, "receives")
        if contract.routing is not Routing.BY_RECEIVES:
            message = f"`receives` means nothing with `routing: {contract.routing}`; remove one"
            yield page.mistake(message, *place, key=True)
        if isinstance(source.receives, dict):
            yield from _receives_each(page, source, old, place)


def _receives_each(
    page: Page, source: NewSource, old: tuple[str, ...], place: tuple[str | int, ...]
) -> Mistakes:
    named = source.receives if isinstance(source.receives, dict) else {}
    for name in named:
        if name not in old:
            what = "this contract has no old system"
            yield page.unknown(what, name, old, *place, name, key=True)
    for name in old:
        if name not in named:
            message = f"`receives` does not say what {source.system} receives of `{name}`"
            yield page.mistake(message, *place, key=True)


def _overlap(contract: Contract, page: Page) -> Mistakes:
    for key in ("prefer", "latest"):
        if getattr(contract, key) and contract.overlap is not Overlap.ONE:
            yield page.mistake(f"`{key}` needs `overlap: one`", key, key=True)
    if contract.prefer and contract.latest:
        yield page.mistake("either `prefer` or `latest`, not both", "latest", key=True)
    old = tuple(dict.fromkeys(source.system for source in contract.old))
    for index, name in enumerate(contract.prefer):
        if name not in old:
            yield page.unknown("this contract has no old system", name, old, "prefer", index)
        elif name in contract.prefer[:index]:
            yield page.mistake(f"`{name}` is preferred twice", "prefer", index)
    if contract.latest is not None and contract.latest not in contract.fields:
        yield page.unknown("this contract has no field", contract.latest, contract.fields, "latest")


_MOMENTS = {
    "datetime": (TypeName.TIMESTAMP,),
    "date": (TypeName.DATE, TypeName.TIMESTAMP),
    "int": (TypeName.INTEGER,),
}


def _as_of(contract: Contract, page: Page) -> Mistakes:
    as_of = contract.as_of
    if as_of is None:
        return
    if as_of.field == contract.order:
        message = (
            f"`as_of` takes a field, and `{as_of.field}` is the order: list it under `fields` too, "
            "by another name, and say in `columns` which column it is"
        )
        yield page.mistake(message, "as_of", "field")
        return
    if as_of.field not in contract.fields:
        known = contract.fields
        yield page.unknown("this contract has no field", as_of.field, known, "as_of", "field")
        return
    declared = contract.fields[as_of.field].type
    if declared is None:
        return
    if declared.name not in (TypeName.TIMESTAMP, TypeName.DATE, TypeName.INTEGER):
        message = f"`as_of` needs a timestamp, date or integer field; `{as_of.field}` is {declared}"
        yield page.mistake(message, "as_of", "field")
    elif declared.name not in _MOMENTS[type(as_of.value).__name__]:
        message = f"`{as_of.field}` is {declared}, but the value is not"
        yield page.mistake(message, "as_of", "value")


def _updated_at(contract: Contract, page: Page) -> Mistakes:
    name = contract.updated_at
    if name is None:
        return
    spec = contract.fields.get(name)
    declared = spec.type if spec else contract.keys.get(name)
    if declared is not None and declared.name is not TypeName.TIMESTAMP:
        message = f"`updated_at` needs a timestamp; `{name}` is {declared}"
        yield page.mistake(message, "updated_at")


CHECKS: tuple[Callable[[Contract, Page], Mistakes], ...] = (
    _shape,
    _document_fields,
    _names_once,
    _keys,
    _field_forms,
    _misspelt,
    _contract_names,
    _zones,
    _table_or_query,
    _new_once,
    _receives,
    _overlap,
    _as_of,
    _updated_at,
    check_expectations,
)
