"""Why two values differ, as far as the pair itself tells: pairs of an SQL test and its cause.

The first test that holds names the cause; where none does the cause is `other`, which is honest. What
only the whole column tells is in patterns.py.
"""

from __future__ import annotations

from safeguard.comparing import number_causes, text_causes, time_causes
from safeguard.contract.types import TypeName

Cases = list[tuple[str, str]]
_SIMPLE_UUID = r"'^(..)(..)(..)(..)-(..)(..)-(..)(..)-'"


def pair_causes(old: str, new: str, kind: TypeName, factor: int, zone: str | None) -> Cases:
    """Of two unequal values of a type, in its canonical form; `new` is not NULL.

    `factor` is 1 for timestamps in microseconds, 1000 for nanoseconds; `zone` the one in which they
    were written.
    """
    if kind in (TypeName.TEXT, TypeName.ENUM):
        return text_causes.of_texts(old, new)
    if kind is TypeName.TIMESTAMP:
        return time_causes.of_instants(old, new, factor, zone)
    if kind is TypeName.DATE:
        return time_causes.of_dates(old, new)
    if kind is TypeName.TIME:
        return time_causes.of_times(old, new)
    if kind in (TypeName.DECIMAL, TypeName.INTEGER, TypeName.FLOAT):
        return number_causes.of_numbers(old, new, kind)
    if kind is TypeName.UUID:
        return _of_uuids(old, new)
    return _of_bytes(old, new) if kind is TypeName.BYTES else []


def _of_bytes(old: str, new: str) -> Cases:
    return [
        (f"octet_length({new}) = 0", "emptied"),
        (f"starts_with(hex({old}), hex({new}))", "truncated"),
    ]


def _of_uuids(old: str, new: str) -> Cases:
    """Microsoft keeps the first three groups of a GUID with their bytes turned round."""
    turned = rf"regexp_replace({old}, {_SIMPLE_UUID}, '\4\3\2\1-\6\5-\8\7-')"
    return [
        (f"{new} = '00000000-0000-0000-0000-000000000000'", "defaulted"),
        (f"{turned} = {new}", "garbled"),
    ]
