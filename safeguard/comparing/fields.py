"""When are two values of a field equal, tolerated, changed: as SQL over a pair (o, n).

One `FieldRule` per field and route. Everything is exact by default; only what the contract names is
accepted, and each accepted form that was needed is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safeguard.comparing.causes import pair_causes
from safeguard.comparing.forms import chain, explained_by_cut
from safeguard.comparing.rounding import clock_cut, rounded, time_cut, within
from safeguard.comparing.sql import literal, shown
from safeguard.contract.types import Accept, AcceptForm, Type, TypeName
from safeguard.planning.layout import FieldSlot
from safeguard.systems.canonical import INFINITY, Storage, canonical_value

EQUAL, TOLERATED, CHANGED, NOT_COMPARED = 0, 1, 2, 3
"""Codes of a judged pair of values."""

_TEXTUAL = frozenset({TypeName.TEXT, TypeName.ENUM})


@dataclass(frozen=True)
class FieldRule:
    """How one field of one route is judged."""

    field: FieldSlot
    route: int
    mapping: tuple[tuple[str, str], ...] | None
    """SQL literals of the map, old value -> new value; None without a map. What is accepted, or
    within a tolerance, is asked of the mapped value and the new one, by the new type."""
    null_mapped: str | None = None

    @property
    def slot(self) -> str:
        return self.field.slot

    @property
    def per_microsecond(self) -> int:
        """Units in which timestamps are kept, in one microsecond."""
        return 1000 if self.field.new[self.route].nanoseconds else 1

    @property
    def name(self) -> TypeName:
        return self.field.new[self.route].type.name

    def expected(self, alias: str = "o") -> str:
        """What the new value must be, given the old one."""
        value = f"{alias}.{self.slot}"
        if self.mapping is None:
            return value
        cases = " ".join(f"WHEN {old} THEN {new}" for old, new in self.mapping)
        null = self.null_mapped if self.null_mapped is not None else "NULL"
        mapped = f"CASE {value} {cases} ELSE NULL END" if cases else "NULL"
        return f"CASE WHEN {value} IS NULL THEN {null} ELSE {mapped} END"

    def unmapped(self, alias: str = "o") -> str:
        """True where the map does not know the old value."""
        if self.mapping is None:
            return "FALSE"
        known = ", ".join(old for old, _ in self.mapping)
        value = f"{alias}.{self.slot}"
        return (
            f"({value} IS NOT NULL AND {value} NOT IN ({known}))"
            if known
            else f"({value} IS NOT NULL)"
        )

    @property
    def equal(self) -> str:
        """Canonically equal, NULL with NULL. False where the map does not know the value."""
        same = f"{self.expected()} IS NOT DISTINCT FROM n.{self.slot}"
        return same if self.mapping is None else f"({same} AND NOT {self.unmapped()})"

    @property
    def is_lossy(self) -> bool:
        """Several old values become one: what survives says less than what was there."""
        return bool(self._collapsed)

    @property
    def _collapsed(self) -> tuple[str, ...]:
        """Literals of old values, NULL among them, that share their new value with another."""
        if self.mapping is None:
            return ()
        pairs = (*self.mapping, ("NULL", self.null_mapped or "NULL"))
        values = [new for _, new in pairs]
        return tuple(old for old, new in pairs if values.count(new) > 1)

    def folded(self, alias: str = "o") -> str:
        """True where the map makes one of this old value and another."""
        value = f"{alias}.{self.slot}"
        tests = (f"{value} IS NOT DISTINCT FROM {old}" for old in self._collapsed)
        return f"({' OR '.join(tests) or 'FALSE'})"

    def judged(self) -> str:
        """SELECT columns `code`, `forms` (a list) and `cause` over tables o and n."""
        bad = (
            f"(json_extract_string(o.bad, '$.{self.slot}') IS NOT NULL "
            f"OR json_extract_string(n.bad, '$.{self.slot}') IS NOT NULL OR {self.unmapped()})"
        )
        code = (
            f"CASE WHEN {bad} THEN {NOT_COMPARED} WHEN {self.equal} THEN {EQUAL} "
            f"WHEN {self.tolerated()} THEN {TOLERATED} ELSE {CHANGED} END"
        )
        return f"{code} AS code, {self._forms()} AS forms, {self.cause()} AS cause"

    def normalised(self, side: str) -> str:
        """A value under all accepted forms that can be applied to one side alone."""
        value = self.expected() if side == "o" else f"n.{self.slot}"
        return chain(value, [a.form for a in self.field.spec.accept])

    def tolerated(self) -> str:
        """True where accepted forms together, the tolerance or a fold explain the difference."""
        tests = [self._explained(self.field.spec.accept)] if self.field.spec.accept else []
        tests += [test for _, test in self._inherent()]
        return (
            f"coalesce(({' OR '.join(tests)}) AND NOT {self.unmapped()}, FALSE)"
            if tests
            else "FALSE"
        )

    def same_as_accepted(self) -> str:
        """True where the values of tables o and n are equal, or their difference is tolerated; never
        NULL. What did not parse reads as NULL: ask for `o.bad IS NULL AND n.bad IS NULL` too."""
        return f"({self.equal} OR {self.tolerated()})"

    # -- accepted forms ---------------------------------------------------------------------

    def _explained(self, accepts: tuple[Accept, ...]) -> str:
        """True where these forms together explain the difference; never NULL."""
        raw = self.expected(), f"n.{self.slot}"
        forms = [a.form for a in accepts]
        if size := next((a.argument for a in accepts if a.form is AcceptForm.TRUNCATED), None):
            return explained_by_cut(*raw, forms, int(size))
        old, new = (chain(value, forms) for value in raw)
        pairwise = [test for a in accepts if (test := self._pairwise(a, old, new))]
        tests = " OR ".join([f"{old} IS NOT DISTINCT FROM {new}", *pairwise])
        return f"coalesce({tests}, FALSE)"

    def _pairwise(self, accept: Accept, old: str, new: str) -> str:
        argument = accept.argument or ""
        if accept.form is AcceptForm.ROUNDED:
            return rounded(old, new, int(argument), self.name)
        if accept.form is AcceptForm.TIME_TRUNCATED and self.name is TypeName.TIMESTAMP:
            zone = self.field.zone if self.mapping is None else None
            cut = time_cut(old, new, argument, self.per_microsecond, zone)
            return f"(abs({old}) < {INFINITY - 10} AND {cut})"
        if accept.form is AcceptForm.TIME_TRUNCATED:
            return f"({clock_cut(old, argument)} = {new})"
        return ""

    def _forms(self) -> str:
        """By what a tolerated difference is counted: what the type accepts, else each form that
        was needed, else (of several that would do) each that does alone. Never by nothing."""
        accepts = self.field.spec.accept
        choices = [_holding(self._inherent())]
        if len(accepts) > 1:
            others = {a: tuple(other for other in accepts if other != a) for a in accepts}
            choices.append(_holding([(a, f"NOT {self._explained(others[a])}") for a in accepts]))
        if len(accepts) > 2:
            choices.append(_holding([(a, self._explained((a,))) for a in accepts]))
        choices.append(_holding([(a, "TRUE") for a in accepts]))
        return f"list_filter([{', '.join(choices)}], lambda names: len(names) > 0)[1]"

    def _inherent(self) -> list[tuple[str, str]]:
        """What the type itself accepts: a tolerance, and the two readings of a fold."""
        found = []
        old, new = self.expected(), f"n.{self.slot}"
        if self.field.old.type.tolerance and self.name is TypeName.FLOAT:
            test = within(old, new, self.field.old.type.tolerance)
            found.append(("within_tolerance", f"coalesce({test}, FALSE)"))
        readings = []
        twice = self.field.alternate_old and self.mapping is None
        if twice:
            readings.append(f"o.{self.slot}a = {new}")
        if self.field.alternate_new and self.field.alternate_new[self.route]:
            readings.append(f"{old} = n.{self.slot}a")
            if twice:
                readings.append(f"o.{self.slot}a = n.{self.slot}a")
        if readings:
            found.append(("time_fold", f"coalesce({' OR '.join(readings)}, FALSE)"))
        return found

    # -- causes -----------------------------------------------------------------------------

    def cause(self) -> str:
        """The cause that the pair of values itself tells; `other` where it tells none."""
        old, new = self.expected(), f"n.{self.slot}"
        cases: list[tuple[str, str]] = []
        if self.name in _TEXTUAL:
            cases.append((f"coalesce({old}, '') = '' AND coalesce({new}, '') = ''", "null_empty"))
        cases.append((f"{new} IS NULL AND o.{self.slot} IS NOT NULL", "nulled"))
        if self.mapping is None or self.name in _TEXTUAL:
            zone = self.field.zone if self.mapping is None else None
            cases += pair_causes(old, new, self.name, self.per_microsecond, zone)
            # An accepted difference beside it (line ends, say) must not hide what else happened.
            wide = self.normalised("o"), self.normalised("n")
            if wide != (old, new):
                cases += pair_causes(*wide, self.name, self.per_microsecond, zone)
        if self.mapping is not None:
            cases.append(("TRUE", "mapped_wrong"))
        whens = " ".join(f"WHEN {test} THEN '{name}'" for test, name in cases)
        return f"CASE {whens} ELSE 'other' END"

    # -- evidence ---------------------------------------------------------------------------

    def evidence(self, side: str, reveal: bool) -> str:
        """The value as the findings show it: free text is masked unless revealed."""
        typed = self.field.old if side == "o" else self.field.new[self.route]
        return evidence(f"{side}.{self.slot}", typed.type.name, reveal, typed.nanoseconds)


def evidence(value: str, kind: TypeName, reveal: bool, nanoseconds: bool = False) -> str:
    """A value as text; text, JSON and bytes masked to their length unless `reveal`."""
    if reveal or kind not in (TypeName.TEXT, TypeName.JSON, TypeName.BYTES):
        return shown(value, kind, nanoseconds)
    size, unit = (
        (f"octet_length({value})", "bytes")
        if kind is TypeName.BYTES
        else (f"length({value})", "characters")
    )
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE '[' || {size} || ' {unit}, masked]' END"


def rule_for(field: FieldSlot, route: int) -> FieldRule:
    """The rule of a field on a route. Raises ValueError where a map's key or value does not parse."""
    if field.spec.map is None:
        return FieldRule(field, route, None)
    old, new = field.old, field.new[route]
    pairs = []
    for key, value in field.spec.map.items():
        if key is not None:
            parsed = canonical_value(key, old.type, old.storage)
            pairs.append((literal(parsed), literal(_mapped(value, new.type, new.storage))))
    null = field.spec.map.get(None)
    return FieldRule(field, route, tuple(pairs), literal(_mapped(null, new.type, new.storage)))


def _mapped(
    value: str | None, kind: Type, storage: Storage
) -> int | str | float | bool | bytes | None:
    return None if value is None else canonical_value(value, kind, storage)


def _holding(tests: Sequence[tuple[str | Accept, str]]) -> str:
    """A list of the names whose test holds."""
    named = [
        f"CASE WHEN {test} THEN '{name.form if isinstance(name, Accept) else name}' END"
        for name, test in tests
    ]
    return f"list_filter([{', '.join(named)}]::VARCHAR[], lambda name: name IS NOT NULL)"
