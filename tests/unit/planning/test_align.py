"""One type, one storage and one rule of time zones per column, or a mistake with its place."""

from __future__ import annotations

import datetime as dt

import pytest

from safeguard.contract.types import TypeName
from safeguard.systems.canonical import Storage

RECORD = """\
content: things
shape: record
owner: owner
fields:
  value: {%s}
old: {system: old, table: t%s}
new: {system: new, table: t}
"""
LIST = """\
content: things
shape: list
owner: owner
item: item
order: place
keys: {%s}
old: {system: old, table: t}
new: {system: new, table: t}
"""


def record(spec: str = "", old: str = "", more: str = "") -> str:
    return RECORD % (spec, old) + more


def sides(old: str, new: str) -> dict[str, str]:
    return {"old": f"owner integer, value {old}", "new": f"owner integer, value {new}"}


# (declared, old, new, the type they meet in)
MEET = [
    ("", "integer", "integer", TypeName.INTEGER),
    ("", "integer", "untyped", TypeName.INTEGER),
    ("", "untyped", "untyped", TypeName.TEXT),
    ("", "integer", "decimal", TypeName.DECIMAL),
    ("type: text", "integer", "text", TypeName.TEXT),
    ("type: integer", "text", "boolean", TypeName.INTEGER),
    ("type: decimal", "float", "text", TypeName.DECIMAL),
    ("type: json", "text", "text", TypeName.JSON),
]


@pytest.mark.parametrize(("spec", "old", "new", "kind"), MEET)
def test_the_type_in_which_both_sides_meet(prepared, spec, old, new, kind):
    (field,) = prepared(record(spec), **sides(old, new)).fields
    assert (field.old.type.name, field.new[0].type.name) == (kind, kind)
    assert field.old.storage == field.new[0].storage


def test_integers_are_narrow_only_where_every_side_is(prepared):
    for new, storage in (("integer", Storage.INT64), ("untyped", Storage.TEXT)):
        (field,) = prepared(record("type: integer"), **sides("integer", new)).fields
        assert field.old.storage == field.new[0].storage == storage


REFUSED = [
    (
        "",
        "integer",
        "text",
        (
            "c.yaml:5:3  value: the systems declare different types (BIGINT, VARCHAR); "
            "give it a `type:`"
        ),
    ),
    (
        "",
        "float",
        "decimal",
        (
            "c.yaml:5:3  value: the systems declare different types (DECIMAL(20,2), DOUBLE); "
            "give it a `type:`"
        ),
    ),
    ("type: integer", "float", "integer", "c.yaml:5:17  value: DOUBLE can't be read as integer"),
    ("type: date", "date", "timestamp", "c.yaml:5:17  value: TIMESTAMP can't be read as date"),
    ("type: text", "text", "boolean", "c.yaml:5:17  value: BOOLEAN can't be read as text"),
    ("type: bytes", "bytes", "text", "c.yaml:5:17  value: VARCHAR can't be read as bytes"),
    (
        "accept: [case]",
        "integer",
        "integer",
        "c.yaml:5:11  value: `case` can't be accepted of integer",
    ),
    (
        'type: text, map: {a: "1"}, accept: [case]',
        "text",
        "integer",
        "c.yaml:5:38  value: `case` can't be accepted of integer",
    ),
    (
        "map: {five: up}",
        "integer",
        "text",
        "c.yaml:5:11  the map of `value`: 'five' is not a value of type integer",
    ),
]


@pytest.mark.parametrize(("spec", "old", "new", "message"), REFUSED)
def test_types_that_do_not_fit(mistakes, spec, old, new, message):
    assert mistakes(record(spec), **sides(old, new)) == [message]


@pytest.mark.parametrize(
    ("kind", "new_zone", "zone"),
    [
        ("timestamp", "UTC", "Asia/Kolkata"),
        ("timestamp", "Asia/Kolkata", None),  # compared as it was written
        ("text", "UTC", None),
    ],
)
def test_the_zone_that_old_times_were_written_in(prepared, kind, new_zone, zone):
    zones = {"old": "Asia/Kolkata", "new": new_zone}
    (field,) = prepared(record(), **sides(kind, kind), zones=zones).fields
    assert field.zone == zone


def test_what_is_accepted_under_a_map_fits_the_results(prepared):
    spec = "type: integer, map: {5: up}, accept: [case]"
    (field,) = prepared(record(spec), **sides("integer", "text")).fields
    assert (field.old.type.name, field.new[0].type.name) == (TypeName.INTEGER, TypeName.TEXT)


def test_a_key_whose_types_differ(mistakes):
    assert mistakes(record(), old="owner integer, value text", new="owner text, value text") == [
        (
            "c.yaml:1:1  owner: the systems declare different types (BIGINT, VARCHAR); "
            "declare it under `keys: {owner: ...}`"
        )
    ]


def test_a_field_that_no_canonical_form_holds_is_left_out_and_named(prepared):
    plan = prepared(record(), **sides("interval", "interval"))
    assert plan.fields == ()
    assert plan.unreadable == (("value", "(INTERVAL): DuckDB's INTERVAL has no canonical form"),)
    assert "f0" not in {o.name for o in (*plan.old[0].selection.outputs,)}


def test_a_key_that_no_canonical_form_holds_is_refused(mistakes):
    (found,) = set(
        mistakes(record(), old="owner interval, value text", new="owner interval, value text")
    )
    assert found == (
        "c.yaml:1:1  owner (INTERVAL) can't be read exactly: DuckDB's INTERVAL has no canonical form"
    )


# -- time zones -------------------------------------------------------------------------------

LA, PARIS = "America/Los_Angeles", "Europe/Paris"


def missing(system: str) -> str:
    return (
        f"c.yaml:5:3  {system}.t: `value` is a timestamp without a time zone; say which zone it was "
        f"written in: `timezone:` at the system {system} (UTC if its values carry an offset)"
    )


@pytest.mark.parametrize(
    ("zones", "new", "messages"),
    [
        ({}, "timestamp", [missing("old"), missing("new")]),
        ({"old": LA}, "timestamp", [missing("new")]),
        ({}, "aware", [missing("old")]),
    ],
)
def test_a_naive_time_needs_a_zone(mistakes, zones, new, messages):
    assert mistakes(record(), zones=zones, **sides("timestamp", new)) == messages


@pytest.mark.parametrize(
    ("zones", "old", "new", "as_written", "alternates"),
    [
        ({"old": LA, "new": LA}, "timestamp", "timestamp", True, (False, False)),
        ({"old": LA, "new": PARIS}, "timestamp", "timestamp", False, (True, True)),
        ({"old": LA, "new": "UTC"}, "timestamp", "timestamp", False, (True, False)),
        ({"old": LA}, "timestamp", "aware", False, (True, False)),
        ({"old": LA, "new": LA}, "timestamp", "aware", False, (True, False)),
        ({}, "aware", "aware", False, (False, False)),
    ],
)
def test_naive_times_of_one_zone_compare_as_written(
    prepared, zones, old, new, as_written, alternates
):
    plan = prepared(record(), zones=zones, **sides(old, new))
    read = [plan.old[0].columns[1], plan.new[0].columns[1]]
    assert [c.as_written for c in read] == [as_written] * 2
    assert tuple(c.alternate for c in read) == alternates
    (field,) = plan.fields
    assert (field.alternate_old, *field.alternate_new) == alternates


def test_the_contracts_zone_goes_before_the_systems(prepared):
    plan = prepared(
        record(old=f", timezones: {{value: {PARIS}}}"),
        zones={"old": LA, "new": LA},
        **sides("timestamp", "timestamp"),
    )
    assert [s.columns[1].zone for s in (plan.old[0], plan.new[0])] == [PARIS, LA]


# -- as_of ------------------------------------------------------------------------------------

NOON = int(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("value", "kind", "zones", "cutoff"),
    [
        ("2026-03-01T12:00:00Z", "aware", {}, NOON),
        ("2026-03-01T14:00:00+02:00", "aware", {}, NOON),
        ("2026-03-01", "aware", {}, NOON - 12 * HOUR),
        ("2026-03-01T12:00:00Z", "timestamp", {"old": LA, "new": "UTC"}, NOON),
        ("2026-03-01T12:00:00Z", "timestamp", {"old": LA, "new": LA}, NOON - 8 * HOUR),
        ("2026-03-01T12:00:00Z", "nanos", {"old": LA, "new": "UTC"}, NOON * 1000),
        ("2026-03-01", "date", {}, "2026-03-01"),
        ("7", "integer", {}, 7),
    ],
)
def test_as_of(prepared, value, kind, zones, cutoff):
    more = f"as_of: {{field: value, value: {value}}}\n"
    plan = prepared(record(more=more), zones=zones, **sides(kind, kind))
    assert plan.cutoff is not None
    assert (plan.cutoff.slot, plan.cutoff.value) == ("f0", cutoff)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("7", "aware", "c.yaml:8:30  as_of: 7 does not fit `value`, which is timestamp"),
        ("7", "text", "c.yaml:8:30  as_of: 7 does not fit `value`, which is text"),
        (
            "2026-03-01",
            "integer",
            "c.yaml:8:30  as_of: 2026-03-01 does not fit `value`, which is integer",
        ),
    ],
)
def test_as_of_that_does_not_fit(mistakes, value, kind, message):
    more = f"as_of: {{field: value, value: {value}}}\n"
    assert mistakes(record(more=more), **sides(kind, kind)) == [message]


# -- blank-padded text, order -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "padded"),
    [
        ("char", "text", [True, True]),
        ("text", "char", [False, True]),
        ("char", "char", [True, True]),
        ("text", "text", [False, False]),
    ],
)
def test_the_padding_of_an_old_char_is_no_content(prepared, old, new, padded):
    plan = prepared(record(), old=f"owner {old}, value {old}", new=f"owner {new}, value {new}")
    for place in (0, 1):
        read = [plan.old[0].columns[place], plan.new[0].columns[place]]
        assert [c.source.blank_padded for c in read] == padded


@pytest.mark.parametrize(
    ("one", "other", "padded"),
    [("char", "char", True), ("char", "text", False), ("text", "char", False)],
)
def test_the_padding_of_one_of_two_old_columns_is_not_that_of_both(prepared, one, other, padded):
    """A blank that the old VARCHAR held, and the new one does not, would have been no change."""
    contract = record().replace(
        "old: {system: old, table: t}",
        "old: [{system: old, table: t}, {system: old, table: t, columns: {value: other}}]",
    )
    plan = prepared(
        contract,
        old=f"owner integer, value {one}, other {other}",
        new="owner integer, value text",
    )
    read = [*plan.old, plan.new[0]]
    assert [r.columns[1].source.blank_padded for r in read] == [
        one == "char",
        other == "char",
        padded,
    ]


def listed(old: str, new: str) -> dict[str, str]:
    return {
        "old": f"owner integer, item integer, place {old}",
        "new": f"owner integer, item integer, place {new}",
    }


def test_each_side_is_ordered_by_its_own_type(prepared):
    order = prepared(LIST % "", **listed("integer", "text")).order
    assert [side.type.name for side in order] == [TypeName.INTEGER, TypeName.TEXT]
    order = prepared(LIST % "", **listed("untyped", "integer")).order
    assert [side.type.name for side in order] == [TypeName.INTEGER] * 2
    order = prepared(LIST % "place: integer", **listed("untyped", "text")).order
    assert [side.type.name for side in order] == [TypeName.INTEGER] * 2


def test_an_order_of_which_nobody_says_the_type(mistakes):
    assert set(mistakes(LIST % "", **listed("untyped", "untyped"))) == {
        (
            "c.yaml:5:8  place: neither system says what type the order is; declare it, "
            "such as `keys: {place: integer}`"
        )
    }


def test_columns_without_a_zone_are_told_together(mistakes):
    spec = record("}\n  seen: {")
    columns = "owner integer, value timestamp, seen timestamp"
    found = mistakes(spec, old=columns, new=columns)
    assert [line.partition("; ")[0] for line in found] == [
        f"c.yaml:5:3  {system}.t: `value`, `seen` are timestamps without a time zone"
        for system in ("old", "new")
    ]
