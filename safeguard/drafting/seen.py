"""What a suite needs to know of the systems: ranges and labels of the old content, and how each
source gives its columns the contract's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal

from safeguard.contract.model import LoadedPlan
from safeguard.contract.types import TypeName
from safeguard.findings.trouble import SafeguardError, SystemProblem, UsageProblem
from safeguard.planning.layout import ContentPlan, FieldSlot, SourcePlan
from safeguard.planning.selection import by_names
from safeguard.systems.doors import Door, HasDoor
from safeguard.systems.interface import Selection, Session

_RANGED = (TypeName.INTEGER, TypeName.DECIMAL, TypeName.FLOAT)
MOST_LABELS = 100


@dataclass(frozen=True)
class Seen:
    """By contract name: least and greatest old number, old labels, and the new columns' types."""

    ranges: Mapping[str, tuple[Decimal, Decimal]]
    labels: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, TypeName | None]
    queries: Mapping[str, str]
    """System -> the SELECT that a query asset takes; the systems that SQLAlchemy can ask."""


def look(plan: ContentPlan, loaded: LoadedPlan, sessions: Mapping[str, Session]) -> Seen:
    """Ask the systems of one content. Reads no more than least, greatest and labels.

    Raises UsageProblem where an old system is of files, and SystemProblem where one refuses.
    """
    ranges: dict[str, tuple[Decimal, Decimal]] = {}
    labels: dict[str, dict[str, None]] = {}
    for source in plan.old:
        session = sessions[source.system]
        if not isinstance(session, HasDoor):
            where = f"systems.{source.system}.url"
            message = "ranges can't be asked of files: leave --plan out for a suite without them"
            raise UsageProblem(loaded.mistake(message, where))
        for name, least, greatest in _ends(plan, source, session):
            before = ranges.get(name, (least, greatest))
            ranges[name] = (min(before[0], least), max(before[1], greatest))
        for name, label in _labels(plan, source, session):
            labels.setdefault(name, {})[label] = None
    return Seen(
        ranges,
        {n: tuple(found) for n, found in labels.items() if len(found) <= MOST_LABELS},
        _new_kinds(plan),
        dict(_queries(plan, sessions)),
    )


# -- private -------------------------------------------------------------------------------------


def _queries(plan: ContentPlan, sessions: Mapping[str, Session]) -> Iterator[tuple[str, str]]:
    for source in (*plan.old, *plan.new):
        session = sessions[source.system]
        if isinstance(session, HasDoor):
            yield source.system, session.door(by_names(plan.contract, source)).query


def _new_kinds(plan: ContentPlan) -> dict[str, TypeName | None]:
    """What the new systems declare of each field, where they agree."""
    found: dict[str, TypeName | None] = {}
    for field in plan.fields:
        declared = {
            column.source.kind
            for new in plan.new
            for column in new.columns
            if column.name == field.slot
        }
        found[field.name] = declared.pop() if len(declared) == 1 else None
    return found


def _ends(
    plan: ContentPlan, source: SourcePlan, session: HasDoor
) -> Iterator[tuple[str, Decimal, Decimal]]:
    names = [f.name for f in plan.fields if _is(f, *_RANGED)]
    door, columns = _narrow(plan, source, session, names)
    if not columns:
        return
    wanted = ", ".join(f"min({column}), max({column})" for column in columns)
    ((*row,),) = _rows(door, f"SELECT {wanted} FROM ({door.query}) q", source)
    for name, low, high in zip(columns.values(), row[::2], row[1::2], strict=True):
        least, greatest = _number(low), _number(high)
        if least is not None and greatest is not None:
            yield name, least, greatest


def _labels(plan: ContentPlan, source: SourcePlan, session: HasDoor) -> Iterator[tuple[str, str]]:
    names = [f.name for f in plan.fields if _is(f, TypeName.ENUM)]
    door, columns = _narrow(plan, source, session, names)
    for column, name in columns.items():
        sql = f"SELECT DISTINCT {column} FROM ({door.query}) q WHERE {column} IS NOT NULL"
        for (label,) in _rows(door, f"{sql} LIMIT {MOST_LABELS + 1}", source):
            yield name, str(label)


def _is(field: FieldSlot, *kinds: TypeName) -> bool:
    return field.old.type.name in kinds and field.spec.map is None and not field.spec.accept


def _narrow(
    plan: ContentPlan, source: SourcePlan, session: HasDoor, names: list[str]
) -> tuple[Door, dict[str, str]]:
    """The door to these columns alone, as c0, c1, ...: our names need no quotes."""
    whole = by_names(plan.contract, source)
    picked = [output for output in whole.outputs if output.name in names]
    outputs = tuple(replace(output, name=f"c{i}") for i, output in enumerate(picked))
    door = session.door(Selection(whole.relation, outputs, whole.where))
    return door, {f"c{i}": output.name for i, output in enumerate(picked)}


def _number(value: object) -> Decimal | None:
    """A finite number. SQLite gives what is stored, whatever the column declares."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    exact = Decimal(str(value))
    return exact if exact.is_finite() else None


def _rows(door: Door, sql: str, source: SourcePlan) -> list[tuple[object, ...]]:
    try:
        with closing(door.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())
    except SafeguardError:
        raise
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise SystemProblem(f"{source.system}: {door.redact(str(error))}") from None
