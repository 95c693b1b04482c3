"""The hash of a row as PostgreSQL computes it: exact, mixed, and alike on every server of a version.

A row's hash is mix(h1(a) XOR h2(b) XOR ...), each column with a hash of its own, all 64 bits wide,
from Jenkins' lookup3 in the server. What PostgreSQL offers readily is not used, because it is blind:

- `hash_record_extended` is linear (31 h + h'), so that values swapped between two rows cancel in a
  sum of rows; here the last mix is not linear.
- `hashint8extended`, for timestamps too, folds a value to 32 bits before it hashes it: 1 and 2^32
  are one. As the *seed* of a hash all 64 bits of an integer count.
- `hash_numeric_extended` does not see the sign, so that 1.5 and -1.5 are one. Here the bytes of the
  value are hashed, without trailing zeros.
- text is hashed as its bytes by collation "C", whatever the column's collation calls equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Output, SourceType
from safeguard.systems.postgresql_sql import declared

T = TypeName
_INTEGERS = ("int2", "int4", "int8")
_TAKEN: dict[TypeName, tuple[str, ...]] = {
    T.INTEGER: _INTEGERS,
    T.DECIMAL: ("numeric", *_INTEGERS),
    T.DATE: ("date",),
    T.TIMESTAMP: ("timestamp", "timestamptz"),
    T.UUID: ("uuid",),
    T.BYTES: ("bytea",),
    T.BOOLEAN: ("bool",),
    T.TEXT: ("text", "varchar"),
}
"""Compared as -> the declared types whose hash sees all that the canonical form sees."""

_C = "pg_catalog"


def _seed(sql: str, tag: int) -> str:
    return f"{_C}.hashint4extended({tag}, ({sql})::{_C}.int8)"


def _bytes(sql: str, tag: int) -> str:
    """Of a record of one column its hash is that column's: there is no other way to hash bytea."""
    return f"{_C}.hash_record_extended(ROW({sql}), {tag})"


def _numeric(sql: str, tag: int) -> str:
    return _bytes(f"{_C}.numeric_send({_C}.trim_scale(({sql})::{_C}.numeric))", tag)


def _moment(sql: str, tag: int) -> str:
    """Two hashes that are blind to nothing together: PostgreSQL's own, which folds the 64 bits of
    microseconds to 32, and that of the seconds as a float, which from the year 2106 on takes
    neighbours of a microsecond for one. What folds alike lies more than an hour apart."""
    moment = f"({sql})::{_C}.timestamp"
    return (
        f"({_C}.timestamp_hash_extended({moment}, {tag}) "
        f"# {_C}.hashfloat8extended({_C}.date_part('epoch', {moment}), {tag}))"
    )


_ENCODINGS: dict[TypeName, tuple[str, Callable[[str, int], str]]] = {
    T.INTEGER: ("int8", _seed),
    T.DECIMAL: ("numeric bytes, trimmed", _numeric),
    T.DATE: ("date bytes", lambda sql, tag: _bytes(f"{_C}.date_send({sql})", tag)),
    T.TIMESTAMP: ("timestamp folded and as epoch, UTC", _moment),
    T.UUID: ("uuid", lambda sql, tag: f"{_C}.uuid_hash_extended({sql}, {tag})"),
    T.BYTES: ("bytea", _bytes),
    T.BOOLEAN: ("bool as int8", lambda sql, tag: _seed(f"({sql})::{_C}.int4", tag)),
    T.TEXT: (
        "utf8 bytes",
        lambda sql, tag: f'{_C}.hashtextextended(({sql})::{_C}.text COLLATE {_C}."C", {tag})',
    ),
}

_PROBES: dict[TypeName, tuple[str, ...]] = {
    T.INTEGER: ("0", "1", "-1", "4294967296", "9007199254740993", "-9223372036854775808"),
    T.DECIMAL: ("0", "1.50", "1.5", "-1.5", "9007199254740993", "1e-20", "-1e40", "'NaN'"),
    T.DATE: ("'1582-10-15'", "'0001-01-01 BC'", "'5874897-12-31'", "'infinity'"),
    T.TIMESTAMP: (
        "'2000-01-01 00:00:00'",
        "'1999-12-31 23:59:59.999999'",
        "'0044-03-15 00:00:00 BC'",
        "'9999-12-31 23:59:59.999999'",
        "'-infinity'",
    ),
    T.UUID: ("'00000000-0000-0000-0000-000000000000'", "'ffffffff-0000-4000-8000-0123456789ab'"),
    T.BYTES: ("''", r"'\x00'", r"'\x00ff80'"),
    T.BOOLEAN: ("true", "false"),
    T.TEXT: (
        "''",
        "' '",
        "'a'",
        "'A '",
        r"U&'e\0301'",
        r"U&'\00e9'",
        r"U&'\+01F3AC\FF21'",
        "repeat('ab', 5000)",
    ),
}
"""Values that encodings of text, numbers and times disagree on; NULL goes with every type."""
_CASTS = {
    T.INTEGER: "int8",
    T.DECIMAL: "numeric",
    T.DATE: "date",
    T.TIMESTAMP: "timestamp",
    T.UUID: "uuid",
    T.BYTES: "bytea",
    T.BOOLEAN: "bool",
    T.TEXT: "text",
}
_MARK = 0x9E3779B97F4A7C15
"""Of NULL, times the column's number: as likely as any other 64 bits to be a value's hash."""


def refusal(kind: TypeName, source: SourceType) -> str:
    """Why values of a declared type can't be hashed exactly as `kind`; "" where they can."""
    name = source.declared.partition("(")[0]
    if source.blank_padded or source.kind is None or name not in _TAKEN.get(kind, ()):
        return f"{source.declared or source.kind} as {kind}"
    return ""


def encoding(kind: TypeName) -> str:
    """How values of this type are hashed, as part of a scheme."""
    return _ENCODINGS[kind][0]


def row_hash(columns: Sequence[tuple[Output, TypeName]]) -> str:
    """SQL of the hash of a row, an int8 that is never NULL."""
    return _mixed([_column(declared(o), kind, i + 1) for i, (o, kind) in enumerate(columns)])


def bucket(owners: Sequence[tuple[Output, TypeName]], buckets: int) -> str:
    """SQL of the bucket of an owner, an int4; `buckets` is a power of two."""
    parts = [_column(declared(o), kind, -i - 1) for i, (o, kind) in enumerate(owners)]
    return f"(({' # '.join(parts)}) & {buckets - 1})::{_C}.int4"


def probes(kinds: Sequence[TypeName]) -> str:
    """SELECT of the hashes of all probes of these types, NULL first, as one array."""
    hashes = []
    for kind in kinds:
        for value in ("NULL", *_PROBES[kind]):
            literal = f"CAST({value} AS {_C}.{_CASTS[kind]})"
            hashes.append(_mixed([_column(literal, kind, 1), _column(literal, kind, 2)]))
            hashes.append(_column(literal, kind, -1))
    return f"SELECT ARRAY[{', '.join(hashes)}]"


def _mixed(parts: Sequence[str]) -> str:
    return f"{_C}.hashint4extended(0, {' # '.join(parts)})"


def _column(sql: str, kind: TypeName, number: int) -> str:
    found = _ENCODINGS[kind][1](sql, number)
    mark = (_MARK * number & (1 << 64) - 1) - (1 << 63)
    if found.startswith(f"{_C}.hash_record_extended"):  # which makes 0 of NULL
        return f"CASE WHEN ({sql}) IS NULL THEN {_int8(mark)} ELSE {found} END"
    return f"coalesce({found}, {_int8(mark)})"


def _int8(value: int) -> str:
    """-2^63 can't be written as a minus before a number."""
    return f"'{value}'::{_C}.int8"
