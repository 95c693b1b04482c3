"""Align the columns of both sides: one type, one storage and one time zone rule per slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from safeguard.contract.model import LoadedContract, OldSource
from safeguard.contract.types import Type, TypeName
from safeguard.findings.trouble import Mistake, UsageProblem
from safeguard.planning.cutoff import cutoff_of
from safeguard.planning.described import CrosswalkKey, Described, DescribedCrosswalk
from safeguard.planning.kinds import TypesDiffer, common_type, typed, unfit
from safeguard.planning.layout import (
    ORDER_SLOT,
    UPDATED_SLOT,
    ContentPlan,
    CrosswalkPlan,
    Cutoff,
    FieldSlot,
    KeySlot,
    NewPlan,
    OldPlan,
    Role,
    Typed,
    Updated,
)
from safeguard.planning.selection import receives_of, slots_of
from safeguard.systems.canonical import CanonicalColumn, Storage
from safeguard.systems.interface import Selection, SourceType


class _Aligner:
    """Builds one ContentPlan, and gathers every mistake on the way."""

    def __init__(
        self,
        loaded: LoadedContract,
        old: tuple[Described, ...],
        new: tuple[Described, ...],
        walks: Mapping[CrosswalkKey, DescribedCrosswalk],
    ) -> None:
        self.contract = loaded.contract
        self.loaded = loaded
        self.old, self.new, self.walks = old, new, walks
        self.slots = slots_of(self.contract)
        self.mistakes: list[Mistake] = []
        self.unreadable: list[tuple[str, str]] = []
        self.zoneless: dict[tuple[str, str], list[str]] = {}
        """Per system and table, the columns of which nobody says the zone."""
        self.untyped: set[str] = set()
        """Columns of which a mistake says that their type is unknown: no type can misfit them."""

    def plan(self) -> ContentPlan:
        """The plan. Raises UsageProblem with all mistakes."""
        keys = tuple(self._key(name) for name in self.contract.key_columns)
        fields = tuple(
            f for f in (self._field(name) for name in self.contract.fields) if f is not None
        )
        order = self._order()
        columns = self._columns(keys, fields, order)
        self.updated = {
            (side, i): self._updated(one)
            for side, described in (("old", self.old), ("new", self.new))
            for i, one in enumerate(described)
        }
        self._tell_zoneless()
        cutoff = self._cutoff(fields)
        if self.mistakes:
            raise UsageProblem(*dict.fromkeys(self.mistakes))
        return ContentPlan(
            contract=self.contract,
            path=self.loaded.path,
            keys=keys,
            fields=fields,
            order=order,
            old=self._old_plans(columns),
            new=self._new_plans(columns),
            cutoff=cutoff,
            unreadable=tuple(self.unreadable),
        )

    # -- messages ---------------------------------------------------------------------------

    def _mistake(self, message: str, path: str = "") -> None:
        self.mistakes.append(self.loaded.mistake(message, path))

    # -- keys -------------------------------------------------------------------------------

    def _role(self, name: str) -> Role:
        if name in self.contract.owner:
            return Role.OWNER
        return Role.LIST if name == self.contract.list else Role.ITEM

    def _types(self, slot: str, side: str) -> list[SourceType]:
        described = self.old if side == "old" else self.new
        return [d.output(slot).type for d in described]

    def _hub_types(self, name: str) -> list[SourceType]:
        """Declared types of the columns whose values both sides meet in."""
        slot = self.slots[name]
        forward = any(side == "old" and n == name for side, _, n in self.walks)
        found: list[SourceType] = []
        for side, described in (("old", self.old), ("new", self.new)):
            for i, one in enumerate(described):
                walk = self.walks.get((side, i, name))
                if walk is None:
                    found.append(one.output(slot).type)
                elif forward == (side == "old"):
                    found.append(walk.type_of("new" if side == "old" else "old"))
        return found

    def _key(self, name: str) -> KeySlot:
        sources = self._hub_types(name)
        walked = any(n == name for _, _, n in self.walks)
        kind = self._declared(name, sources, f"keys.{name}")
        stored = typed(kind, sources, as_text=walked)
        for source in sources:
            self._fits(name, kind, source)
        return KeySlot(self.slots[name], name, self._role(name), kind, stored.storage)

    def _declared(self, name: str, sources: list[SourceType], path: str) -> Type:
        if name in self.contract.keys:
            return self.contract.keys[name]
        try:
            return common_type(sources) or Type(TypeName.TEXT)
        except TypesDiffer as differ:
            self.untyped.add(name)
            said = str(differ).replace(
                "give it a `type:`", f"declare it under `keys: {{{name}: ...}}`"
            )
            self._mistake(f"{name}: {said}", path)
            return Type(TypeName.TEXT)

    def _fits(self, name: str, kind: Type, source: SourceType) -> bool:
        if source.unsupported:
            self._mistake(
                f"{name} ({source.declared}) can't be read exactly: {source.unsupported}",
                self._place(name),
            )
            return False
        reason = None if name in self.untyped else unfit(kind, source)
        if reason:
            self._mistake(f"{name}: {reason}", self._place(name))
        return reason is None

    def _place(self, name: str) -> str:
        return f"fields.{name}.type" if name in self.contract.fields else f"keys.{name}"

    # -- fields -----------------------------------------------------------------------------

    def _field(self, name: str) -> FieldSlot | None:
        slot, spec = self.slots[name], self.contract.fields[name]
        sources = self._types(slot, "old") + self._types(slot, "new")
        refused = [s for s in sources if s.unsupported]
        if refused:
            self.unreadable.append((name, f"({refused[0].declared}): {refused[0].unsupported}"))
            return None
        old, new = self._field_types(name, slot)
        self._vet_accepts(name, new if self.contract.fields[name].map else (old,))
        for kind, side in (
            (old.type, self.old),
            *((n.type, (d,)) for n, d in zip(new, self.new, strict=True)),
        ):
            for one in side:
                self._fits(name, kind, one.output(slot).type)
        return FieldSlot(
            slot,
            name,
            spec,
            old,
            new,
            alternate_old=any(self._alternate(name, d, old.type) for d in self.old),
            alternate_new=tuple(
                self._alternate(name, d, n.type) for n, d in zip(new, self.new, strict=True)
            ),
            zone=self._written_in(name, old.type),
            clocks=self._clocks(name),
            as_written=old.type.name is TypeName.TIMESTAMP and self._as_written(name),
        )

    def _vet_accepts(self, name: str, compared: tuple[Typed, ...]) -> None:
        """What is accepted must be a difference that these types can have."""
        for accept in self.contract.fields[name].accept:
            for kind in dict.fromkeys(one.type for one in compared):
                if kind.name not in accept.fits:
                    self._mistake(
                        f"{name}: `{accept}` can't be accepted of {kind}", f"fields.{name}.accept"
                    )

    def _field_types(self, name: str, slot: str) -> tuple[Typed, tuple[Typed, ...]]:
        spec = self.contract.fields[name]
        olds, news = self._types(slot, "old"), self._types(slot, "new")
        if spec.map is None:
            kind = spec.type or self._field_kind(name, olds + news)
            one = typed(kind, olds + news)
            return one, tuple(one for _ in news)
        old = typed(spec.type or self._field_kind(name, olds), olds)
        return old, tuple(typed(Type(s.kind or TypeName.TEXT), [s]) for s in news)

    def _field_kind(self, name: str, sources: list[SourceType]) -> Type:
        if self.contract.shape == "document" and all(
            s.kind in (None, TypeName.TEXT, TypeName.JSON) for s in sources
        ):
            return Type(TypeName.JSON)
        try:
            return common_type(sources) or Type(TypeName.TEXT)
        except TypesDiffer as differ:
            self.untyped.add(name)
            self._mistake(f"{name}: {differ}", self._place(name))
            return Type(TypeName.TEXT)

    # -- time zones -------------------------------------------------------------------------

    def _zones(self, name: str) -> set[str | None]:
        """The zones of every column that may hold a naive time; None for an aware one."""
        slot = self.slots[name]
        found: set[str | None] = set()
        for one in (*self.old, *self.new):
            aware = one.output(slot).type.aware
            found.add(None if aware else one.zone_of(name))
        return found

    def _as_written(self, name: str) -> bool:
        zones = self._zones(name)
        return len(zones) == 1 and None not in zones

    def _written_in(self, name: str, kind: Type) -> str | None:
        if kind.name is not TypeName.TIMESTAMP or self._as_written(name):
            return None
        return self._clocks(name)

    def _clocks(self, name: str) -> str | None:
        """The one zone of every old system's times; None where they differ, or nobody says."""
        zones = {one.zone_of(name) for one in self.old}
        return next(iter(zones)) if len(zones) == 1 else None

    def _alternate(self, name: str, one: Described, kind: Type) -> bool:
        if kind.name is not TypeName.TIMESTAMP or self._as_written(name):
            return False
        naive = not one.output(self.slots[name]).type.aware
        return naive and one.zone_of(name) not in (None, "UTC")

    def _zoned(self, name: str, one: Described, column: CanonicalColumn) -> CanonicalColumn:
        if column.target.name is not TypeName.TIMESTAMP:
            return column
        zone = one.zone_of(name)
        if zone is None and not column.source.aware:
            place = (one.source.system, str(one.selection.relation))
            self.zoneless.setdefault(place, []).append(name)
        return replace(
            column,
            zone=zone,
            as_written=self._as_written(name),
            alternate=self._alternate(name, one, column.target),
        )

    def _tell_zoneless(self) -> None:
        """One mistake a table, whichever of its columns need a zone: one line mends them all."""
        for (system, relation), names in self.zoneless.items():
            told = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
            several = "," in told
            self._mistake(
                f"{system}.{relation}: {told} {'are timestamps' if several else 'is a timestamp'} "
                f"without a time zone; say which zone {'they were' if several else 'it was'} "
                f"written in: `timezone:` at the system {system} (UTC if its values carry an "
                "offset)",
                f"fields.{names[0]}",
            )

    # -- order and cut-off ------------------------------------------------------------------

    def _order(self) -> tuple[Typed, Typed] | None:
        name = self.contract.order
        if name is None:
            return None
        own = [self._types(ORDER_SLOT, side) for side in ("old", "new")]
        both = own[0] + own[1]
        kinds = [self.contract.keys.get(name) or self._order_kind(name, one, both) for one in own]
        for kind, one in zip(kinds, own, strict=True):
            for source in one:
                self._fits(name, kind, source)
        if kinds[0] == kinds[1]:  # stored alike, so that it can be told what was renumbered
            return typed(kinds[0], both), typed(kinds[1], both)
        return typed(kinds[0], own[0]), typed(kinds[1], own[1])

    def _order_kind(self, name: str, own: list[SourceType], both: list[SourceType]) -> Type:
        try:
            kind = common_type(own) or common_type(both)
        except TypesDiffer as differ:
            self.untyped.add(name)
            self._mistake(
                f"{name}: {differ}".replace("`type:`", f"type under `keys: {{{name}: ...}}`"),
                "order",
            )
            return Type(TypeName.TEXT)
        if kind is None:
            self._mistake(
                f"{name}: neither system says what type the order is; declare it, "
                f"such as `keys: {{{name}: integer}}`",
                "order",
            )
        return kind or Type(TypeName.TEXT)

    def _cutoff(self, fields: tuple[FieldSlot, ...]) -> Cutoff | None:
        as_of = self.contract.as_of
        if as_of is None:
            return None
        field = next((f for f in fields if f.name == as_of.field), None)
        zones = self._zones(as_of.field) if field and self._as_written(as_of.field) else {None}
        try:
            return cutoff_of(as_of, field, next(iter(zones)))
        except ValueError as error:
            self._mistake(f"as_of: {error}", "as_of.field" if field is None else "as_of.value")
            return None

    def _updated(self, one: Described) -> Updated | None:
        """When entries were last written. As instants, whatever other columns of the name do."""
        name = self.contract.updated_at
        if name is None:
            return None
        output, kind = one.output(UPDATED_SLOT), Type(TypeName.TIMESTAMP)
        source, zone = output.type, one.zone_of(name)
        if why := source.unsupported or unfit(kind, source):
            self._mistake(f"updated_at: `{name}` of {one.source.system}: {why}", "updated_at")
            return None
        if zone is None and not source.aware:
            place = (one.source.system, str(one.selection.relation))
            self.zoneless.setdefault(place, []).append(name)
        stored = typed(kind, [source])
        column = CanonicalColumn(
            UPDATED_SLOT, source, kind, stored.storage,
            zone=zone,
            alternate=not source.aware and zone not in (None, "UTC"),
            nanoseconds=stored.nanoseconds,
        )  # fmt: skip
        return Updated(output, column)

    # -- columns per source -----------------------------------------------------------------

    def _columns(
        self,
        keys: tuple[KeySlot, ...],
        fields: tuple[FieldSlot, ...],
        order: tuple[Typed, Typed] | None,
    ) -> dict[tuple[str, int], tuple[CanonicalColumn, ...]]:
        found = {}
        for side, described in (("old", self.old), ("new", self.new)):
            for i, one in enumerate(described):
                wanted = [self._key_column(k, side, i, one) for k in keys]
                if order is not None and self.contract.order is not None:
                    kind = order[0 if side == "old" else 1]
                    wanted.append(
                        self._zoned(self.contract.order, one, _column(one, ORDER_SLOT, kind))
                    )
                wanted += [
                    self._zoned(f.name, one, self._field_column(f, side, i, one)) for f in fields
                ]
                wanted += [
                    CanonicalColumn(o.name, o.type, Type(TypeName.BOOLEAN), Storage.BOOL)
                    for o in one.selection.outputs
                    if o.condition
                ]
                found[(side, i)] = tuple(wanted)
        return found

    def _field_column(self, field: FieldSlot, side: str, i: int, one: Described) -> CanonicalColumn:
        column = _column(one, field.slot, field.old if side == "old" else field.new[i])
        return replace(column, source=self._padded(side, field.slot, column.source))

    def _padded(self, side: str, slot: str, source: SourceType) -> SourceType:
        """Trailing blanks of an old CHAR(n) are no content: a new VARCHAR that was filled with them
        has lost nothing. The other way round a blank that a CHAR swallows is a change."""
        padded = all(one.output(slot).type.blank_padded for one in self.old)
        return replace(source, blank_padded=True) if side == "new" and padded else source

    def _key_column(self, key: KeySlot, side: str, i: int, one: Described) -> CanonicalColumn:
        walk = self.walks.get((side, i, key.name))
        source = one.output(key.slot).type
        if walk is None:
            column = CanonicalColumn(
                key.slot, self._padded(side, key.slot, source), key.type, key.storage
            )
        else:
            foreign = _foreign_type(source, walk.type_of(side))
            column = CanonicalColumn(
                key.slot, source, foreign, typed(foreign, [source], as_text=True).storage
            )
        return self._zoned(key.name, one, column)

    def _walk_plans(self, side: str, i: int) -> tuple[CrosswalkPlan, ...]:
        described = (self.old if side == "old" else self.new)[i]
        plans = []
        for (its_side, its_i, name), walk in self.walks.items():
            if (its_side, its_i) != (side, i):
                continue
            source = described.output(self.slots[name]).type
            types = {side: _foreign_type(source, walk.type_of(side))}
            other = "new" if side == "old" else "old"
            types[other] = self._key(name).type
            columns = tuple(
                CanonicalColumn(
                    s, walk.type_of(s), types[s], typed(types[s], [], as_text=True).storage
                )
                for s in ("old", "new")
            )
            plans.append(
                CrosswalkPlan(self.slots[name], walk.spec, walk.selection, columns, side == "old")
            )
        return tuple(plans)

    def _old_plans(
        self, columns: Mapping[tuple[str, int], tuple[CanonicalColumn, ...]]
    ) -> tuple[OldPlan, ...]:
        plans = []
        for i, (source, one) in enumerate(zip(self.contract.old, self.old, strict=True)):
            assert isinstance(source, OldSource)
            conditions = receives_of(self.contract, source)
            plans.append(
                OldPlan(
                    i,
                    source.system,
                    self._read(one),
                    columns[("old", i)],
                    source.deleted_when,
                    self._walk_plans("old", i),
                    receives=tuple(
                        None if c is None else f"r{r}" for r, c in enumerate(conditions)
                    ),
                    receives_sql=conditions,
                    updated=self.updated["old", i],
                )
            )
        return tuple(plans)

    def _new_plans(
        self, columns: Mapping[tuple[str, int], tuple[CanonicalColumn, ...]]
    ) -> tuple[NewPlan, ...]:
        return tuple(
            NewPlan(
                i,
                source.system,
                self._read(one),
                columns[("new", i)],
                source.deleted_when,
                self._walk_plans("new", i),
                at_least=source.at_least or 0,
                updated=self.updated["new", i],
            )
            for i, (source, one) in enumerate(zip(self.contract.new, self.new, strict=True))
        )

    def _read(self, one: Described) -> Selection:
        """What is read: the selection without the fields that cannot be, and without what tells only
        when an entry was written."""
        refused = {UPDATED_SLOT, *(self.slots[name] for name, _ in self.unreadable)}
        return replace(
            one.selection, outputs=tuple(o for o in one.selection.outputs if o.name not in refused)
        )


def _column(one: Described, slot: str, kind: Typed) -> CanonicalColumn:
    return CanonicalColumn(
        slot, one.output(slot).type, kind.type, kind.storage, nanoseconds=kind.nanoseconds
    )


def _foreign_type(*sources: SourceType) -> Type:
    """The type of ids that only a crosswalk knows: text where its two columns disagree."""
    try:
        return common_type(sources) or Type(TypeName.TEXT)
    except TypesDiffer:
        kinds = {s.kind for s in sources}
        return Type(TypeName.UUID if kinds == {TypeName.UUID, TypeName.TEXT} else TypeName.TEXT)


def align(
    loaded: LoadedContract,
    old: tuple[Described, ...],
    new: tuple[Described, ...],
    walks: Mapping[CrosswalkKey, DescribedCrosswalk],
) -> ContentPlan:
    """Align one contract with what its systems declare.

    Raises UsageProblem with every type that does not fit and every time zone that is missing.
    """
    return _Aligner(loaded, old, new, walks).plan()
