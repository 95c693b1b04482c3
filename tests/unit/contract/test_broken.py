"""Broken plans and contracts: each mistake in plain words, where it stands."""
# ruff: noqa: E501 - a case is a line: what is written, what is told

from __future__ import annotations

import pytest

from safeguard.contract.load import load_plan
from safeguard.findings.trouble import UsageProblem

PLAN_CASES = {
    "unknown key": ("customers:", "custmers:", "8:1  unknown key `custmers`. Did you mean `customers`?"),
    "kind": ("kind: split", "kind: spilt", "2:7  `kind` can't be `spilt`. Did you mean `split`?"),
    "no kind": ("kind: split\n", "", "1:1  `kind` is missing. It is one of `move`, `split`, `merge`, `shutdown`."),
    "unset": ("${OLD_URL}", "${OLD_ULR}", "4:14  OLD_ULR is not set in the environment."),
    "zone": ("Los_Angeles", "Los_Angelos", "4:38  unknown time zone `America/Los_Angelos`. Did you mean `America/Los_Angeles`?"),
    "no url": ('"sqlite:///dvd.db"', "dvd.db", "6:14  `url` must be a database URL, or `files:` and a folder"),
    "csv": ('dvd.db"', 'dvd.db", csv: {null: ""}', "6:34  `csv` is of a `files:` system only"),
    "no contract": ("[queue.yaml]", "[quue.yaml]", "7:13  `quue.yaml` does not exist. Did you mean `queue.yaml`?"),
    "customers": ("old: {system: old,", "old: {system: odl,", "9:17  the plan has no system `odl`. Did you mean `old`?"),
    "customer key": ("key: account_id", "key: [tenant, id]", "10:46  `key` must have 1 column, as the first of the old customers"),
    "ignored": ("[{system: old, table: web", "[{system: elsewhere, table: web", "13:21  the plan has no system `elsewhere`. There are `old`, `streaming`, `dvd`."),
    "no reason": (", reason: expires by itself", "", "13:12  `reason` is missing in `coverage.ignore`."),
    "policy kind": ("[lost, changed]", "[lost, chnged]", "15:17  `block` can't be `chnged`. Did you mean `changed`?"),
    "block and warn": ("warn: [extra]", "warn: [extra, lost]", "16:17  `lost` is both in `block` and in `warn`"),
    "not_compared": ("warn: [extra]", "warn: [not_compared]", "16:10  `not_compared` can't be listed: what was not compared is UNDECIDED"),
    "allowed": ("kind: changed", "kind: not_compared", "18:30  `not_compared` can't be allowed: what was not compared is UNDECIDED"),
    "allow content": ("content: queue", "content: queues", "18:17  no contract is of the content `queues`. Did you mean `queue`?"),
    "allow segment": ("{paying: 0}", "{payin: 0}", "18:70  the customers have no segment `payin`. Did you mean `paying`?"),
    "allow nothing": (", at_most: 10, segment_at_most: {paying: 0}", "", "18:7  `at_most` or `segment_at_most` is missing: how many?"),
    "allow less": ("at_most: 10", "at_most: -1", "18:48  `at_most` must be 0 or more"),
    "waivers": ("policy:", "waivers: waivers.yaml\npolicy:", "14:10  `waivers.yaml` does not exist."),
    "move": ("kind: split", "kind: move", "2:7  a move has one new system; the contracts name 2: dvd, streaming"),
    "merge": ("kind: split", "kind: merge", "2:7  a merge has at least two old systems; the contracts name 1: old"),
    "empty": ("migration: qwikster-split", "migration:", "1:1  `migration` has no value"),
    "wrong shape": ("[queue.yaml]", "queue.yaml", "7:12  `contracts` must be a list, not a single value"),
    "listed twice": ("[queue.yaml]", "[queue.yaml, queue.yaml]", "7:25  `queue.yaml` is listed twice"),
}  # fmt: skip

CONTRACT_CASES = {
    "key": ("columns:", "colums:", "15:5  unknown key `colums`. Did you mean `columns`?"),
    "far key": ("title: Movies", "zzz: Movies", "2:1  unknown key `zzz`. There are"),
    "shape": ("shape: list", "shape: lst", "3:8  `shape` can't be `lst`. Did you mean `list`?"),
    "no owner": ("owner: customer_id\n", "", "1:1  `owner` is missing."),
    "no order": ("order: position\n", "", "3:8  `order` is missing: a list needs the column that orders it"),
    "no item": ("item: title_id\n", "", "3:8  `item` is missing: a list needs the column that names it"),
    "list of a set": ("shape: list\n", "shape: set\n", "6:1  `order` is of lists only; this is a set"),
    "type": ("{type: timestamp}", "{type: timestmp}", "9:20  unknown type `timestmp`; there are integer, decimal, float, text, enum, boolean, timestamp, date, time, uuid, bytes, json. Did you mean `timestamp`?"),
    "argument": ("{type: timestamp}", "{type: text(5)}", "9:20  `text(5)` is not a type; decimal(2) and float(0.01) take an argument"),
    "accept": ("[line_endings,", "[line_ending,", "10:31  nothing that can be accepted is called `line_ending`; there are null_empty, case, whitespace, line_endings, unicode_form, escaped, time_truncated, rounded, truncated. Did you mean `line_endings`?"),
    "accept no fit": ("[line_endings,", "[rounded(2),", "10:31  `rounded` can be accepted of decimal and float, not of text"),
    "accept unit": ("[line_endings,", "[time_truncated,", "10:31  write `time_truncated(second)`"),
    "accept no list": ("[line_endings, unicode_form]", "case", "10:30  `accept` must be a list, not a single value"),
    "unordered": ("accept: [line_endings, unicode_form]", "unordered: [$.a]", "10:22  `unordered` is of json only; write `type: json`"),
    "map key": ("{5: up,", "{five: up,", "11:32  `five` is not an integer: keys of `map` are old values"),
    "map twice": ("{5: up,", "{5: up, 05: up,", "11:39  `05` and `5` are the same integer"),
    "repeated key": ("{5: up,", '{5: up, "5": up,', "11:39  `5` is written twice; first in line 11"),
    "column name": ("{customer_id: cust_id}", "{custmer_id: cust_id}", "15:15  this contract has no `custmer_id`. Did you mean `customer_id`?"),
    "timezone name": ("{added_at: UTC}", "{aded_at: UTC}", "16:17  this contract has no `aded_at`. Did you mean `added_at`?"),
    "timezone type": ("{added_at: UTC}", "{note: UTC}", "16:17  `note` is text; only timestamps have a time zone"),
    "timezone": ("{added_at: UTC}", "{added_at: Utopia/Here}", "16:27  unknown time zone `Utopia/Here`."),
    "crosswalk name": ("customer_id: {system", "custmer_id: {system", "24:7  this contract has no `custmer_id`. Did you mean `customer_id`?"),
    "crosswalk field": ("customer_id: {system", "stars: {system", "24:7  a crosswalk translates ids of owner, list and item; `stars` is none of them"),
    "crosswalk system": ("{system: dvd", "{system: dvdd", "24:29  the plan has no system `dvdd`. Did you mean `dvd`?"),
    "system": ("- system: dvd", "- system: dvds", "21:13  the plan has no system `dvds`. Did you mean `dvd`?"),
    "no table": ("    table: watchlist\n", "", "18:5  `table` is missing: streaming needs a table or a query"),
    "both": ("table: watchlist", "table: watchlist\n    query: SELECT 1", "20:5  either `table` or `query`, not both"),
    "receives": ("as_of:", "routing: one_of\nas_of:", "20:5  `receives` means nothing with `routing: one_of`; remove one"),
    "receives whom": ("\"medium IN ('stream', 'both')\"", "{odl: a, old: b}", "20:16  this contract has no old system `odl`. Did you mean `old`?"),
    "receives what": ("\"medium IN ('stream', 'both')\"", "[a]", "20:5  `receives` must be an SQL condition, or a mapping {old system: SQL condition}"),
    "name twice": ("list: playlist_id", "list: title_id", "7:7  `title_id` is named twice, in `item` and `list`"),
    "field twice": ("  note: {", "  position: {", "10:3  `position` is named twice, in `order` and `fields`"),
    "key type": ("fields:", "keys: {titel_id: uuid}\nfields:", "8:8  owner, item, list and order name no `titel_id`. Did you mean `title_id`?"),
    "key of a field": ("fields:", "keys: {note: text}\nfields:", "8:8  `note` is a field: its type stands in `fields`"),
    "as_of the order": ("field: added_at", "field: position", "25:16  `as_of` takes a field, and `position` is the order: list it under `fields` too"),
    "as_of": ("field: added_at", "field: addd_at", "25:16  this contract has no field `addd_at`. Did you mean `added_at`?"),
    "as_of type": ("field: added_at", "field: note", "25:16  `as_of` needs a timestamp, date or integer field; `note` is text"),
    "as_of value": ("2026-03-01T00:00:00Z", "noon", "25:33  `value` must be a timestamp (2026-03-01T00:00:00Z), a date or a whole number, not `noon`"),
    "as_of fraction": ("00:00:00Z", "00:00:00.1234567Z", "25:33  `value` must be a timestamp (2026-03-01T00:00:00Z), a date or a whole number, not `2026-03-01T00:00:00.1234567Z`"),
    "as_of kind": ("2026-03-01T00:00:00Z", "7", "25:33  `added_at` is timestamp, but the value is not"),
    "updated_at type": ("as_of:", "updated_at: note\nas_of:", "25:13  `updated_at` needs a timestamp; `note` is text"),
    "updated_at": ("{added_at: UTC}", "{chnged_at: UTC}\nupdated_at: changed_at", "16:17  this contract has no `chnged_at`."),
    "prefer": ("as_of:", "prefer: [old]\nas_of:", "25:1  `prefer` needs `overlap: one`"),
    "latest": ("as_of:", "overlap: one\nlatest: addd_at\nas_of:", "26:9  this contract has no field `addd_at`. Did you mean `added_at`?"),
    "expected column": ("as_of:", "expectations: [{expect_x: {column: positon}}]\nas_of:", "25:36  this contract has no `positon`. Did you mean `position`?"),
    "expected columns": ("as_of:", "expectations: [{expect_x: {column_list: [note, nte]}}]\nas_of:", "25:48  this contract has no `nte`. Did you mean `note`?"),
    "expected name": ("as_of:", "expectations: [{column_is_nice: {column: note}}]\nas_of:", "25:17  `column_is_nice` is no expectation's name; write it as expect_column_values_to_..."),
    "two expectations": ("as_of:", "expectations: [{expect_x: {}, expect_y: {}}]\nas_of:", "25:16  an expectation is one name with its arguments: {expect_...: {column: ...}}"),
    "expected nothing": ("as_of:", "expectations: [{}]\nas_of:", "25:16  an expectation is one name with its arguments: {expect_...: {column: ...}}"),
    "no arguments": ("as_of:", "expectations: [{expect_x: note}]\nas_of:", "25:17  the arguments of `expect_x` must be a mapping; write {} where it has none"),
    "expected twice": ("as_of:", "expectations: [{expect_x: {}}, {expect_x: {}}]\nas_of:", "25:32  this expectation is written twice"),
    "expected ours": ("as_of:", "expectations: [{expect_x: {severity: info}}]\nas_of:", "25:28  `severity` can't be given: the plan's `policy` says what blocks"),
    "expected of all": ("as_of:", "expectations: [{unexpected_rows_expectation: {unexpected_rows_query: SELECT 1}}]\nas_of:", "25:70  the query must read {batch}, which stands for the entries"),
    "200 rows": ("as_of:", "expectations: [{expect_query_results_to_match_comparison: {}}]\nas_of:", "25:17  `expect_query_results_to_match_comparison` is refused: it compares at most 200 rows of each side"),
    "expectations no list": ("as_of:", "expectations: {expect_x: {}}\nas_of:", "25:1  `expectations` must be a list, not"),
    "at_least": ("as_of:", "at_least: few\nas_of:", "25:11  `at_least` must be a whole number, not `few`"),
    "blank": ("cust_id}", "' '}", "15:28  `customer_id` must not be empty"),
    "null": ("{added_at: UTC}", "{added_at: ~}", "16:27  `added_at` has no value"),
    "merges": ("new: member_id}", "new: member_id, merges: yes}", "24:93  `merges` must be true or false, not `yes`"),
    "owner of two": ("owner: customer_id", "owner: [customer_id, tenant]", "4:1  `owner` must have 1 column, as the key of the plan's customers"),
    "same system": ("- system: dvd", "- system: streaming", "21:13  `streaming` stands twice under `new`"),
    "document": ("shape: list\n", "shape: document\n", "9:20  `added_at` must be json: the fields of a document are, not timestamp"),
    "content": ("content: queue", "content: ../queue", "1:10  `content` must be a name of letters, digits, `-`, `_`, `.` and spaces"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLAN_CASES)
def test_a_broken_plan(case, mistakes):
    found, instead, message = PLAN_CASES[case]
    told = mistakes(plan=((found, instead),))
    assert any(line.startswith(f"safeguard.yaml:{message}") for line in told), told
    _in_our_words(told)


@pytest.mark.parametrize("case", CONTRACT_CASES)
def test_a_broken_contract(case, mistakes):
    found, instead, message = CONTRACT_CASES[case]
    told = mistakes(contract=((found, instead),))
    assert any(line.startswith(f"queue.yaml:{message}") for line in told), told
    _in_our_words(told)


def _in_our_words(told):
    for word in (
        "Input should",
        "Extra inputs",
        "valid ",
        "pydantic",
        "Value error",
        "can't be read",
    ):
        assert word not in "\n".join(told)


FOLLOWED_BY_OTHERS = {
    "list of a set", "document", "content", "same system", "no contract", "kind", "unknown key",
    "customers", "receives whom", "key of a field", "name twice", "owner of two", "move", "no item",
    "no order", "crosswalk system", "column name", "shape", "system", "field twice",
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CONTRACT_CASES.keys() - FOLLOWED_BY_OTHERS))
def test_one_mistake_is_told_once(case, mistakes):
    found, instead, _ = CONTRACT_CASES[case]
    assert len(mistakes(contract=((found, instead),))) == 1


def test_all_mistakes_of_all_files_are_told_together_in_the_order_of_the_files(mistakes):
    told = mistakes(
        plan=(("kind: split", "kind: spilt"), ("warn: [extra]", "warns: [extra]")),
        contract=(
            ("columns:", "colums:"),
            ("cust_id}", "cust_id, titel_id: x}"),
            ("unicode_form]", "unicode_from]"),
            ("UTC", "UTX"),
            ("- system: dvd", "- system: dvds"),
        ),
        environ={},
    )
    assert [line.split("  ")[0] for line in told] == [
        "safeguard.yaml:2:7",
        "safeguard.yaml:4:14",
        "safeguard.yaml:16:3",
        "queue.yaml:10:45",
        "queue.yaml:15:5",
        "queue.yaml:15:36",
        "queue.yaml:16:27",
        "queue.yaml:21:13",
    ]


def test_a_password_is_never_told(mistakes):
    told = mistakes(plan=(("America/Los_Angeles", "Nowhere"), ("kind: split", "kind: no")))
    assert "secret" not in "\n".join(told)


FOLLOWED_BY_NONE = {
    "owner": (
        (("owner: customer_id", "owner: custmer_id"), ("table: watchlist", "table: watchlist\n    columns: {customer_id: id}")),
        "queue.yaml:4:8  the systems' columns speak of `customer_id`, not of `custmer_id`. Did you mean `customer_id`?",
    ),
    "order": (
        (("order: position\n", ""), ("{customer_id: cust_id}", "{customer_id: cust_id, pos: rank}")),
        "queue.yaml:3:8  `order` is missing: a list needs the column that orders it",
    ),
    "system": (
        (("- system: dvd", "- system: dvds"), ),
        "queue.yaml:21:13  the plan has no system `dvds`. Did you mean `dvd`?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLLOWED_BY_NONE)
def test_a_mistake_brings_no_others_with_it(case, mistakes):
    changes, message = FOLLOWED_BY_NONE[case]
    assert mistakes(contract=changes) == [message]


def test_a_move_with_a_misspelt_system_is_still_a_move(mistakes):
    told = mistakes(
        plan=(("kind: split", "kind: move"),), contract=(("- system: dvd", "- system: streming"),)
    )
    assert told == [
        "queue.yaml:21:13  the plan has no system `streming`. Did you mean `streaming`?"
    ]


def test_a_contract_is_no_plan(tmp_path):
    (tmp_path / "queue.yaml").write_text("content: queue\nshape: list\nowner: customer_id\n")
    with pytest.raises(UsageProblem) as told:
        load_plan(tmp_path / "queue.yaml", {})
    assert str(told.value).endswith(
        "queue.yaml  this is a contract; give the plan that names it (safeguard.yaml)"
    )
