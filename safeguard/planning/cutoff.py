"""`as_of`: the last moment that is due, in the canonical form of the field that tells it."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from safeguard.contract.model import AsOf
from safeguard.contract.types import TypeName
from safeguard.planning.layout import Cutoff, FieldSlot


def cutoff_of(as_of: AsOf, field: FieldSlot | None, written_in: str | None) -> Cutoff:
    """The cut-off over a field. `written_in` is the zone of times that compare as written.

    Raises ValueError, in words, where the field is none of the contract's or the value does not fit.
    """
    if field is None:
        raise ValueError(f"`{as_of.field}` is not a field of this contract")
    return Cutoff(field.slot, _value(field, as_of.value, written_in), field.old.storage)


def _value(
    field: FieldSlot, value: dt.datetime | dt.date | int, written_in: str | None
) -> int | str:
    kind = field.old.type.name
    if field.spec.map is not None:
        raise ValueError(f"`{field.name}` has a map; take a field that is compared as it is")
    if kind is TypeName.TIMESTAMP and isinstance(value, dt.date):
        return _instant(field, value, written_in)
    if kind is TypeName.DATE and isinstance(value, dt.date):
        return (value.date() if isinstance(value, dt.datetime) else value).isoformat()
    if kind is TypeName.INTEGER and isinstance(value, int):
        return value
    raise ValueError(f"{value} does not fit `{field.name}`, which is {field.old.type}")


def _instant(field: FieldSlot, value: dt.date, written_in: str | None) -> int:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    if written_in is not None and moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(written_in)).replace(tzinfo=None)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    micros = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return micros * 1000 if field.old.nanoseconds else micros
