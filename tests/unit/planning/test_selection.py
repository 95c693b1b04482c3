"""Names of a contract become columns or expressions of a system, or a mistake with its place."""

from __future__ import annotations

import pytest

CONTRACT = """\
content: things
shape: set
owner: owner
item: item
fields:
  note: {type: text}
old:
  - system: old
    table: t
    columns: {item: title_id, note: "upper(memo)"}
    deleted_when: "gone IS NOT NULL"
new:
  - system: new
    table: t
    columns:
      item: video_id
    receives: "medium = 'dvd'"
"""
OLD = "owner integer, title_id integer, memo text, gone date, medium text"
NEW = "owner integer, video_id integer, note text"


def test_columns_and_expressions(prepared):
    plan = prepared(CONTRACT, old=OLD, new=NEW)
    outputs = {o.name: (o.sql, o.is_column, o.condition) for o in plan.old[0].selection.outputs}
    assert outputs == {
        "k0": ("owner", True, False),
        "k1": ("title_id", True, False),
        "f0": ("upper(memo)", False, False),
        "d": ("gone IS NOT NULL", False, True),
        "r0": ("medium = 'dvd'", False, True),
    }
    assert [o.sql for o in plan.new[0].selection.outputs] == ["owner", "video_id", "note"]
    assert (plan.old[0].receives, plan.old[0].receives_sql) == (("r0",), ("medium = 'dvd'",))


UNKNOWN = [
    (
        {"new": "owner integer, videos_id integer, note text"},
        [
            (
                "c.yaml:16:13  new.t has no column `video_id`. It has: owner, videos_id, note. "
                "Did you mean `videos_id`?"
            )
        ],
    ),
    (
        {"new": "owner integer, VIDEO_ID integer, note text"},
        [
            (
                "c.yaml:16:13  new.t has no column `video_id`. It has: owner, VIDEO_ID, note. "
                "Did you mean `VIDEO_ID`?"
            )
        ],
    ),
    (
        {"new": "owner integer, video_id integer, remark text"},
        ["c.yaml:14:12  new.t has no column `note`. It has: owner, video_id, remark."],
    ),
    (
        {"old": "owners integer, title integer, memo text, gone date, medium text"},
        [
            (
                "c.yaml:9:12  old.t has no column `owner`. It has: owners, title, memo, gone, medium. "
                "Did you mean `owners`?"
            ),
            (
                "c.yaml:10:21  old.t has no column `title_id`. It has: owners, title, memo, gone, "
                "medium. Did you mean `title`?"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("sides", "messages"), UNKNOWN)
def test_unknown_columns_are_told_with_their_place_and_the_nearest_name(mistakes, sides, messages):
    assert mistakes(CONTRACT, **{"old": OLD, "new": NEW} | sides) == messages


def test_the_mistakes_of_both_sides_are_told_together(mistakes):
    found = mistakes(CONTRACT, old=OLD.replace("title_id", "x"), new=NEW.replace("note", "y"))
    assert [m.split("  ")[0] for m in found] == ["c.yaml:10:21", "c.yaml:14:12"]


def test_an_expression_that_the_system_refuses_is_quoted(mistakes):
    (found,) = mistakes(CONTRACT.replace("upper(memo)", "upper(memoo)"), old=OLD, new=NEW)
    assert found.startswith("c.yaml:")
    assert "upper(memoo)" in found


def test_a_table_that_does_not_exist_is_told_with_its_place(mistakes):
    (found,) = mistakes(
        CONTRACT.replace("table: t\n    columns: {", "table: u\n    columns: {"), old=OLD, new=NEW
    )
    assert found.startswith("c.yaml:9:12  ")
    assert "`u`" in found
