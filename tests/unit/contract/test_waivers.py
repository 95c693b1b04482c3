"""Waivers as they are written: what is refused, where and in which words; and the conditions in them."""
# ruff: noqa: E501 - a case is a line: what is written, what is told

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeguard.contract.conditions import MOST_DEPTH, parse_condition
from safeguard.contract.schema import schema
from safeguard.contract.vet_waivers import approver
from safeguard.findings.words import Kind

NAMED = (("policy:\n", "waivers: waivers.yaml\npolicy:\n"),)
GOOD = """\
waivers:
  - id: W-1
    content: queue
    kind: changed
    cause: case
    field: note
    system: dvd
    owners: [7, 8]
    condition: "item = 9"
    at_most: 10
    reason: agreed with support
    approved_by: [Ada Byron, Grace Hopper]
    expires: 2026-12-31
"""
SHORT = "{id: W-2, content: queue, kind: lost, at_most: 1, reason: r, approved_by: Ada, expires: 2026-12-31}"
CASES = {
    "unknown key": ("cause: case", "couse: case", "5:5  unknown key `couse`. Did you mean `cause`?"),
    "far key": ("cause: case", "zzz: case", "5:5  unknown key `zzz`. There are `id`, `content`"),
    "key of the file": ("waivers:\n", "until: never\nwaivers:\n", "1:1  unknown key `until`. There are `waivers`."),
    "content": ("content: queue", "content: quue", "3:14  no contract is of the content `quue`. Did you mean `queue`?"),
    "kind": ("kind: changed", "kind: chnged", "4:11  `kind` can't be `chnged`. Did you mean `changed`?"),
    "not_compared": ("kind: changed", "kind: not_compared", "4:11  `not_compared` can't be waived: what was not compared is UNDECIDED"),
    "cause": ("cause: case", "cause: cas", "5:12  `cause` can't be `cas`. Did you mean `case`?"),
    "cause of a kind": ("kind: changed", "kind: moved", "5:12  `cause` is of `changed` only; `moved` has none"),
    "field of a kind": ("kind: changed", "kind: moved", "6:12  `field` is of `changed` only; `moved` has none"),
    "field": ("field: note", "field: nte", "6:12  the contract has no field `nte`. Did you mean `note`?"),
    "path of no document": ("field: note", "field: note.a", "6:12  the contract has no field `note.a`. Did you mean `note`?"),
    "system": ("system: dvd", "system: dvds", "7:13  the plan has no system `dvds`. Did you mean `dvd`?"),
    "old system": ("system: dvd", "system: old", "7:13  a finding of `queue` is in a new system, and there is none `old`."),
    "owners empty": ("owners: [7, 8]", "owners: []", "8:5  `owners` must not be empty"),
    "owners null": ("owners: [7, 8]", "owners:", "8:5  `owners` must have a value, or be left out: an empty one would waive everything"),
    "owner null": ("owners: [7, 8]", "owners: [7, ~]", "8:17  `owners` must be ids as in findings.parquet; of several columns each a list of them"),
    "owner list": ("owners: [7, 8]", "owners: [[7, 8]]", "8:14  each of `owners` must be one id"),
    "owner NUL": ("owners: [7, 8]", 'owners: ["7\\0"]', "8:14  `owners` must not hold NUL or half a character"),
    "condition null": ('"item = 9"', "", "9:5  `condition` must have a value, or be left out"),
    "condition": ('"item = 9"', '"itm = 9"', "9:16  `condition` must be a condition: there is no column `itm`. Did you mean `item`?"),
    "no at_most": ("    at_most: 10\n", "", "2:5  `at_most` is missing in `waivers`."),
    "at_most": ("at_most: 10", "at_most: -1", "10:14  `at_most` must be 0 or more"),
    "no reason": ("    reason: agreed with support\n", "", "2:5  `reason` is missing in `waivers`."),
    "blank reason": ("reason: agreed with support", 'reason: " "', "11:13  `reason` must not be empty"),
    "open reason": ("reason: agreed with support", 'reason: "TODO: why"', "11:13  `reason` still has to be filled in"),
    "no approver": ("    approved_by: [Ada Byron, Grace Hopper]\n", "", "2:5  `approved_by` is missing in `waivers`."),
    "nobody": ("[Ada Byron, Grace Hopper]", "[]", "12:5  `approved_by` must not be empty"),
    "open approver": ("[Ada Byron, Grace Hopper]", '"todo: who"', "12:18  `approved_by` still has to be filled in"),
    "one twice": ("[Ada Byron, Grace Hopper]", '[Ada Byron, " ada  BYRON"]', "12:30  ` ada  BYRON` is named twice: that is one approver"),
    "an unseen one": ("[Ada Byron, Grace Hopper]", '[Ada Byron, "\\u200b"]', "12:30  a name must have a letter or a digit"),
    "one of signs": ("[Ada Byron, Grace Hopper]", '[Ada Byron, "..."]', "12:30  a name must have a letter or a digit"),
    "open and disguised": ("[Ada Byron, Grace Hopper]", '"\\u200btodo: who"', "12:18  `approved_by` still has to be filled in"),
    "no expiry": ("    expires: 2026-12-31\n", "", "2:5  `expires` is missing in `waivers`."),
    "no zone": ("2026-12-31", "2026-12-31T10:00:00", "13:14  `expires` must be a date (2026-12-31, to its end in UTC) or a timestamp with its zone"),
    "no date": ("2026-12-31", "2026-02-30", "13:14  `expires` must be a date"),
    "never": ("2026-12-31", "9999-12-31", "13:14  `expires` must be a date"),
    "a number": ("2026-12-31", "20261231", "13:14  `expires` must be a date"),
    "id": ("id: W-1", 'id: "W/1"', "2:9  `id` must be a name of letters"),
    "twice": ("    expires: 2026-12-31\n", f"    expires: 2026-12-31\n  - {SHORT.replace('W-2', 'W-1')}\n", "14:10  `W-1` is also the id in line 2"),
    "second as well": ("    expires: 2026-12-31\n", f"    expires: 2026\n  - {SHORT.replace('lost', 'not_compared')}\n", "14:37  `not_compared` can't be waived"),
    "uncovered": ("kind: changed", "kind: uncovered", "8:5  `owners` is of no use: a table that is uncovered has none"),
    "no list": (GOOD, "waivers: none", "1:10  `waivers` must be a list, not a single value"),
    "a list alone": (GOOD, f"- {SHORT}", "1:1  the file must be a mapping of keys to values; it is a list"),
}  # fmt: skip


def written(text: str = GOOD) -> None:
    Path("waivers.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def loaded(load, tmp_path):
    def run(text=GOOD):
        (tmp_path / "waivers.yaml").write_text(text, encoding="utf-8")
        return load(plan=NAMED)

    return run


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_broken_waiver_is_told_where_it_stands(case, loaded, mistakes, tmp_path):
    found, instead, told = case
    assert GOOD.count(found) == 1
    (tmp_path / "waivers.yaml").write_text(GOOD.replace(found, instead), encoding="utf-8")
    said = mistakes(plan=NAMED)
    assert any(s.startswith(f"waivers.yaml:{told}") for s in said), said


def test_a_good_one_is_read_with_its_own_digest(loaded, load):
    plan = loaded()
    [waiver] = plan.waivers
    assert waiver.owners == ("7", "8")
    assert waiver.kind is Kind.CHANGED
    assert waiver.expires == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert plan.waivers_digest == hashlib.sha256(GOOD.encode()).hexdigest()
    other = loaded(GOOD.replace("10", "11"))
    assert (other.digest, other.waivers_digest) == (plan.digest, other.waivers_digest)
    assert other.waivers_digest != plan.waivers_digest, "what is read and compared is the same"
    assert load().waivers_digest == ""


def test_an_expiry_with_a_zone_is_that_instant(loaded):
    [waiver] = loaded(GOOD.replace("2026-12-31", "2026-12-31T18:00:00-08:00")).waivers
    assert waiver.expires == dt.datetime(2027, 1, 1, 2, tzinfo=dt.UTC)


def test_a_file_that_is_not_there_is_a_mistake_of_the_plan(mistakes):
    assert mistakes(plan=NAMED) == ["safeguard.yaml:14:10  `waivers.yaml` does not exist."]


def test_approvers_of_a_segment_that_is_not_there(mistakes):
    said = mistakes(plan=(("policy:\n", "policy:\n  approvers: {payin: 2}\n"),))
    assert said == [
        "safeguard.yaml:15:15  the customers have no segment `payin`. Did you mean `paying`?"
    ]


def test_a_name_is_one_person_however_it_is_written():
    assert approver("Ada  Byron ") == approver("ada byron") != approver("Ada Lovelace")


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("Jos\u00e9", "Jose\u0301"),
        ("Ann", "\uff21\uff4e\uff4e"),
        ("Ann", "An\u200bn"),
        ("Ann", "\u200eAnn"),
        ("Ann Lee", "Ann\u00a0Lee"),
        ("Ann Lee", "Ann \u2060 Lee"),
        ("Stra\u00dfe", "STRASSE"),
        ("Ann", "A\u00adnn"),
        ("Ann", "Ann\ufe0f"),
    ],
)
def test_a_name_in_other_code_points_that_look_the_same_is_the_same_person(name, again):
    assert approver(name) == approver(again)


# -- the JSON Schema ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "fits"),
    [({}, True), ({"owners": ["7", ["1", None]]}, True), ({"approved_by": ["a", "b"]}, True)]
    + [({key: None}, False) for key in ("owners", "condition", "cause", "field", "system", "reason")]
    + [({"owner": "7"}, False), ({"kind": "lots"}, False), ({"at_most": -1}, False)],
)  # fmt: skip
def test_the_schema(changed, fits):
    waiver = {"id": "W-1", "content": "q", "kind": "lost", "at_most": 1, "reason": "r"}
    waiver |= {"approved_by": "a", "expires": "2026-12-31"} | changed
    errors = list(jsonschema.Draft7Validator(schema("waivers")).iter_errors({"waivers": [waiver]}))
    assert (not errors) is fits, errors


# -- conditions -----------------------------------------------------------------------------------

READ = {
    "owner = 7": "Compared(column='owner', sign='=', literal=7)",
    "\"ITEM\" != 'it''s'": "Compared(column='item', sign='<>', literal=\"it's\")",
    "item in (1, 'b')": "OneOf(column='item', literals=(1, 'b'))",
    "list is not null": "Not(part=IsNull(column='list'))",
    "item not like 'a%'": "Not(part=Compared(column='item', sign='LIKE', literal='a%'))",
    "owner = 1 or owner = 2 and not item = 3": (
        "Joined(word='OR', parts=(Compared(column='owner', sign='=', literal=1), "
        "Joined(word='AND', parts=(Compared(column='owner', sign='=', literal=2), "
        "Not(part=Compared(column='item', sign='=', literal=3))))))"
    ),
    "item between -5 and 9": (
        "Joined(word='AND', parts=(Compared(column='item', sign='>=', literal=-5), "
        "Compared(column='item', sign='<=', literal=9)))"
    ),
}
REFUSED = {
    "1 = 1": "one of `owner`",
    "TRUE": "there is no column `TRUE`",
    "owner": "a comparison such as `=`",
    "owner = item": "a text in single quotes or a whole number was expected, not `item`",
    "owner = NULL": "a text in single quotes or a whole number",
    "owner = 7;": "`;` is not understood",
    "owner = 7 -- all": "`-- all` is not understood",
    "owner = 'a": "is not understood",
    "owner = 1.5": "is not understood",
    "owner = 7e1": "is not understood",
    "owner = 7 owner": "`AND`, `OR` or the end was expected, not `owner`",
    "lower(owner) = 'a'": "there is no column `lower`",
    "owner = (SELECT 1)": "a text in single quotes or a whole number",
    "owner IN ()": "a text in single quotes or a whole number",
    "owner IN (SELECT 1)": "a text in single quotes or a whole number",
    "owner LIKE 7": "`LIKE` takes a text",
    "old_value = 'a'": "there is no column `old_value`",
    "segment = 'free'": "there is no column `segment`",
    "waived_by IS NULL": "there is no column `waived_by`",
    "read_text('/etc/passwd') = 'a'": "there is no column `read_text`",
    f"owner = {'9' * 38}": "is too large",
    "(" * (MOST_DEPTH + 1) + "owner = 1" + ")" * (MOST_DEPTH + 1): "levels",
    "NOT " * 5000 + "owner = 1": "levels",
    "owner = '" + "a" * 100_000 + "'": "at most 100,000 characters",
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_condition_is_read(text):
    assert repr(parse_condition(text)) == READ[text]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_anything_but_a_condition_is_refused(text):
    with pytest.raises(ValueError, match=r"must be a condition") as caught:
        parse_condition(text)
    assert REFUSED[text] in str(caught.value)


@given(st.text() | st.lists(st.sampled_from(
    ["owner", "item", "=", "<", "(", ")", ",", "AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "'a'", "7", "BETWEEN"]
)).map(" ".join))  # fmt: skip
def test_no_text_breaks_the_reader(text):
    with suppress(ValueError):
        parse_condition(text)
