"""Each way in which another tool came to say OK when it should not, tried on this one.

The numbers are those of the list that the project keeps of such tools. Those that cannot apply:

- 12 (the verifier enumerates with the copier's cursor): we have no copier, and no cursor but our own.
- 18, waivers that are dropped or misspelt: plans that have any are refused.
- 20, errors reported as green by a switch: there is no such switch (tried: no option exists).
- 21 (the cutover does not ask the verifier): the exit code is the answer; nothing here cuts over.
"""

from __future__ import annotations

import pytest

# ruff: noqa: E501 (contents are written as they stand, one a line)
from safeguard.findings.trouble import SafeguardError, UsageProblem
from safeguard.findings.words import Verdict

BLOCK, PASS, UNDECIDED = Verdict.BLOCK, Verdict.PASS, Verdict.UNDECIDED


def found(result):
    return {str(k): n for c in result.contents for k, n in c.findings.items() if n}


def test_equal_sides_pass_so_that_the_rest_proves_something(shop):
    assert shop.check().verdict is PASS


# -- 1 to 6: checks and hashes ------------------------------------------------------------------


def test_1_and_2_a_doubled_row_does_not_hide_a_missing_one(sides):
    old = [(1, 1, 1, "a"), (1, 1, 1, "a"), (1, 2, 2, "b")]
    new = [(1, 1, 1, "a"), (1, 2, 2, "b"), (1, 2, 2, "b")]
    result = sides(old, new)
    assert (result.verdict, found(result)) == (BLOCK, {"lost": 1, "duplicated": 1})


def test_1_two_changes_that_cancel_in_an_xor_are_two_changes(sides):
    result = sides([(1, 1, 1, "a"), (1, 2, 2, "b")], [(1, 1, 1, "b"), (1, 2, 2, "a")])
    assert (result.verdict, found(result)) == (BLOCK, {"changed": 2})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("12", "3"), ("1", "23")),
        (("a|b", "c"), ("a", "b|c")),
        (("a,b", "c"), ("a", "b,c")),
        (('a","b', "c"), ("a", 'b","c')),
    ],
)
@pytest.mark.parametrize("key", [True, False])
def test_3_columns_are_never_joined(sides, one, other, key):
    ddl = "CREATE TABLE queue (owner TEXT, item TEXT, note TEXT)"
    rows = ((*one, "x"), (*other, "x")) if key else (("x", *one), ("x", *other))
    assert sides([rows[0]], [rows[1]], ddl).verdict is BLOCK


@pytest.mark.parametrize("key", [True, False])
def test_3_a_composite_key_is_never_joined(sides, key):
    ddl = "CREATE TABLE queue (a TEXT, b TEXT, item TEXT, note TEXT)"
    result = sides(
        [("12", "3", "x", "n")], [("1", "23", "x", "n")], ddl,
        owner=["a", "b"] if key else "item", item="item" if key else ["a", "b"],
    )  # fmt: skip
    assert result.verdict is BLOCK


def test_3_a_csv_row_split_at_the_wrong_comma_is_not_equal(shop):
    exports(shop, '1,1,"a,b",c\n', '1,1,a,"b,c"\n', header="owner,item,note,more\n")
    shop.write(files(), fields={"note": {}, "more": {}}, keys=INTEGERS)
    assert shop.check().verdict is BLOCK


@pytest.mark.parametrize(
    "word", ["", "<null>", "NULL", "null", "\\N", "None", "DEFAULT_REPLACEMENT_STRING"]
)
def test_4_null_is_no_word(sides, word):
    assert sides([(1, 1, 1, None)], [(1, 1, 1, word)]).verdict is BLOCK
    assert sides([(1, 1, 1, word)], [(1, 1, 1, None)]).verdict is BLOCK


def test_4_a_null_key_is_no_word(sides):
    ddl = "CREATE TABLE queue (owner TEXT, item TEXT, note TEXT)"
    for old, new in ((None, ""), (None, "NULL"), ("", None)):
        assert sides([(old, "x", "n")], [(new, "x", "n")], ddl).verdict is BLOCK


@pytest.mark.parametrize(
    ("declared", "old", "new"),
    [
        ("BIGINT", 100_000_001, 100_000_000),
        ("BIGINT", 2**53 + 1, 2**53),
        ("DECIMAL(30, 10)", "100000001", "100000000"),
        ("TEXT", "9007199254740993", "9007199254740992"),
        ("DOUBLE", 1.0, 1.0000001),
    ],
)
def test_5_numbers_are_exact(sides, declared, old, new):
    ddl = f"CREATE TABLE queue (owner INTEGER, item INTEGER, note {declared})"
    assert sides([(1, 1, old)], [(1, 1, new)], ddl).verdict is not PASS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("9007199254740993", "9007199254740992"),
        ("1.0000000000000000001", "1"),
        ("true", "1"),
        ("[1, 2]", "[2, 1]"),
        ("[1, 1]", "[1]"),
    ],
)
def test_5_and_23_json_is_exact(sides, old, new):
    rows = [[(1, 1, 1, f'{{"x": {value}}}')] for value in (old, new)]
    assert sides(*rows, fields={"note": {"type": "json"}}).verdict is BLOCK
    rows = [[(1, 1, 1, value)] for value in (old, new)]
    assert sides(*rows, fields={"note": {"type": "json"}}).verdict is BLOCK


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-01-01 00:00:00.000001", "2024-01-01 00:00:00"),
        ("2024-01-01 00:00:00.5", "2024-01-01 00:00:00.6"),
    ],
)
def test_6_timestamps_are_exact(sides, old, new):
    systems = {
        "systems": {n: {"url": f"sqlite:///{n}.db", "timezone": "UTC"} for n in ("old", "new")}
    }
    result = sides(
        [(1, 1, 1, old)], [(1, 1, 1, new)], plan=systems, fields={"note": {"type": "timestamp"}}
    )
    assert result.verdict is BLOCK


@pytest.mark.parametrize("new", ["a ", " a", "a\n", "A", "a\u200b", "á"])
def test_6_text_is_not_trimmed_nor_folded(sides, new):
    assert sides([(1, 1, 1, "a")], [(1, 1, 1, new)]).verdict is BLOCK
    ddl = "CREATE TABLE queue (owner TEXT, item TEXT, note TEXT)"
    assert sides([("a", "x", "n")], [(new, "x", "n")], ddl).verdict is BLOCK


# -- 7 to 15: what is enumerated ----------------------------------------------------------------


@pytest.mark.parametrize("row", [(None, 1, 1, "x"), (1, None, 1, "x"), (None, None, 1, "x")])
def test_7_rows_with_null_keys_are_compared(sides, row):
    assert sides([row, (1, 1, 1, "a")], [(1, 1, 1, "a")]).verdict is BLOCK
    assert sides([row], [(*row[:3], "y")]).verdict is BLOCK
    assert sides([row], [row]).verdict is PASS


@pytest.mark.parametrize("shape", ["set", "record", "list"])
def test_8_duplicates_count(sides, shape):
    order = {"order": "place"} if shape == "list" else {}
    one = (1, 1, 1, "a")
    lost = sides([one, one], [one], shape=shape, **order)
    doubled = sides([one], [one, one], shape=shape, **order)
    assert (lost.verdict, found(lost)) == (BLOCK, {"lost": 1})
    assert (doubled.verdict, found(doubled)) == (BLOCK, {"duplicated": 1})


def test_9_a_missing_row_whose_value_was_null_is_lost(sides):
    result = sides([(1, 1, 1, "a"), (1, 2, 2, None)], [(1, 1, 1, "a")])
    assert (result.verdict, found(result)) == (BLOCK, {"lost": 1})


def test_9_a_key_that_is_not_unique_does_not_match_at_large(sides):
    result = sides([(1, 1, 1, "a"), (1, 1, 2, "b")], [(1, 1, 1, "a"), (1, 1, 2, "c")])
    assert (result.verdict, found(result)) == (BLOCK, {"changed": 1})


def test_10_no_server_collation_decides(fresh_database, shop):
    words = ["a", "B", "ä", "Z", "z", "ß", "ss", "a b", "a-b", "_"]
    old, new = fresh_database("postgresql"), fresh_database("mariadb")
    values = ", ".join(f"('{w}', 'x', 'n')" for w in words)
    old.execute(
        f"CREATE TABLE queue (owner text, item text, note text); INSERT INTO queue VALUES {values}"
    )
    new.execute(
        f"CREATE TABLE queue (owner varchar(9), item text, note text); INSERT INTO queue VALUES {values}"
    )
    shop.write({"systems": {"old": {"url": old.url}, "new": {"url": new.url}}})
    assert shop.check().verdict is PASS
    new.execute("UPDATE queue SET owner = 'A' WHERE BINARY owner = 'a'")
    result = shop.check()
    assert (result.verdict, found(result)) == (BLOCK, {"lost": 1, "extra": 1})


@pytest.mark.parametrize("shape", ["record", "document"])
def test_11_without_a_field_it_is_not_compared(shop, shape):
    contract = {"shape": shape, "fields": {}}
    shop.write(**contract)
    try:
        verdict = shop.check().verdict
    except UsageProblem:
        verdict = None
    assert verdict is not PASS


def test_11_columns_that_no_contract_names_are_named(shop):
    shop.write(fields={})
    result = shop.check()
    assert {"old.queue.note", "old.queue.place"} <= set(result.coverage.unchecked_columns)
    assert any("old.queue.note" in note for note in result.notes)


def test_11_every_column_of_a_composite_key_counts(sides):
    for new in ((2, 1, 1, "a"), (1, 2, 1, "a")):
        assert sides([(1, 1, 1, "a")], [new], owner=["owner"], item=["item"]).verdict is BLOCK


def test_13_a_type_that_cannot_be_read_is_undecided(fresh_database, shop):
    pairs = [fresh_database("postgresql") for _ in range(2)]
    for one in pairs:
        one.execute(
            "CREATE TABLE queue (owner int, item int, note point); INSERT INTO queue VALUES (1, 1, '(1,2)')"
        )
    shop.write({"systems": {n: {"url": d.url} for n, d in zip(("old", "new"), pairs, strict=True)}})
    try:
        verdict = shop.check().verdict
    except SafeguardError as error:
        verdict = {2: None, 3: UNDECIDED}[error.exit_code]
    assert verdict is not PASS


def test_13_big_values_are_compared_whole(sides):
    long = "x" * 1_000_000
    assert sides([(1, 1, 1, long + "a")], [(1, 1, 1, long + "b")]).verdict is BLOCK


def test_14_the_last_of_many_rows_is_compared(sides):
    rows = [(i, i, 1, "a") for i in range(70_000)]
    result = sides(rows, [*rows[:-1], (rows[-1][0], rows[-1][1], 1, "b")])
    assert (result.verdict, found(result)) == (BLOCK, {"changed": 1})


@pytest.mark.parametrize(
    "url",
    [
        "oracle://scott:tiger@host/db",
        "nosuch://x/y",
        "sqlite:///missing.db",
        "files:nowhere/",
        "http://x",
    ],
)
def test_15_a_scheme_that_is_not_supported_is_no_pass(shop, url):
    shop.write({"systems": {"old": {"url": "sqlite:///old.db"}, "new": {"url": url}}})
    done = shop.run()
    assert done.returncode in (2, 3), done.stderr
    assert shop.verdict["verdict"] == "UNDECIDED"


# -- 16 to 22: what is made of the result -------------------------------------------------------


def test_16_and_22_differences_have_an_exit_code(shop):
    assert shop.run().returncode == 0
    shop.database("new", rows=[])
    assert shop.run().returncode == 1


def test_16_an_exception_has_an_exit_code(shop):
    code = (
        "import sys, safeguard.comparing.content as c, safeguard.cli.shell as s\n"
        "c.Teller.tell = lambda self: 1 // 0\nsys.argv[1:] = ['check', sys.argv[1], '--out', sys.argv[2]]\ns.main()"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code, str(shop.plan), str(shop.folder / "out")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 70, done.stderr
    assert (shop.verdict["verdict"], shop.verdict["exit_code"]) == ("UNDECIDED", 70)


@pytest.mark.parametrize("name", ["_read", "_join", "_look_elsewhere"])
def test_17_a_content_that_errored_is_not_equal(shop, monkeypatch, name):
    from safeguard.comparing.content import ContentComparison
    from safeguard.findings.trouble import SystemProblem

    def away(self):
        raise SystemProblem("it went away")

    monkeypatch.setattr(ContentComparison, name, away)
    result = shop.check()
    assert result.verdict is UNDECIDED
    assert "it went away" in " ".join(result.reasons)


def test_17_one_failed_content_of_two_is_not_outvoted(shop):
    shop.write({"contracts": ["queue.yaml", "other.yaml"]})
    text = (
        (shop.folder / "queue.yaml").read_text().replace('"content": "queue"', '"content": "other"')
    )
    (shop.folder / "other.yaml").write_text(text.replace('"table": "queue"', '"table": "quue"'))
    assert shop.run().returncode == 2
    assert shop.verdict["verdict"] == "UNDECIDED"


def test_18_a_file_of_waivers_that_is_not_there_is_refused(shop):
    shop.write({"waivers": "waivers.yaml"})
    assert shop.run().returncode == 2


def test_18_an_expectation_that_is_misspelt_or_looks_at_nothing_is_no_pass(shop):
    shop.write(expectations=[{"expect_column_values_to_be_betwen": {"column": "note"}}])
    assert shop.check().verdict is UNDECIDED
    shop.write(expectations=[{"expect_column_values_to_not_be_null": {"column": "item"}}])
    assert shop.check().verdict is PASS
    for name in ("old", "new"):
        shop.database(name)
    assert shop.check().verdict is UNDECIDED


def test_18_and_19_nothing_compared_is_no_pass(sides):
    empty_old = sides([], [(1, 1, 1, "a")])
    both = sides([], [])
    selected = sides(
        [(1, 1, 1, "a")],
        [(1, 1, 1, "a")],
        old={"system": "old", "table": "queue", "where": "1 = 0"},
    )
    assert [r.verdict for r in (empty_old, both, selected)] == [UNDECIDED] * 3


def test_19_both_sides_selected_away_is_no_pass(sides):
    row = [(1, 1, 1, "a")]
    result = sides(
        row, row, **{s: {"system": s, "table": "queue", "where": "1 = 0"} for s in ("old", "new")}
    )
    assert result.verdict is UNDECIDED


def test_19_an_empty_new_system_is_block(sides):
    result = sides([(1, 1, 1, "a")], [])
    assert (result.verdict, found(result)) == (BLOCK, {"lost": 1})


def test_19_all_deleted_or_not_due_is_no_pass(sides):
    row = [(1, 1, 5, "a")]
    deleted = sides(row, row, old={"system": "old", "table": "queue", "deleted_when": "1 = 1"})
    late = sides(row, row, fields={"place": {}}, as_of={"field": "place", "value": 4})
    assert deleted.verdict is not PASS
    assert late.verdict is UNDECIDED


@pytest.mark.parametrize("receives", ["1 = 0", "NULL", "note = 'nobody'"])
def test_19_a_route_that_receives_nothing_loses_everything(sides, receives):
    row = [(1, 1, 5, "a")]
    result = sides(row, row, new={"system": "new", "table": "queue", "receives": receives})
    assert result.verdict is BLOCK
    assert found(result)["lost"] == 1


def test_19_at_least(shop):
    for wanted, verdict in ((4, PASS), (5, UNDECIDED)):
        shop.write(at_least=wanted)
        assert shop.check().verdict is verdict
        shop.write(new={"system": "new", "table": "queue", "at_least": wanted})
        assert shop.check().verdict is verdict


@pytest.mark.parametrize("contracts", [[], ["missing.yaml"], ["queue.yaml", "queue.yaml"]])
def test_19_zero_or_missing_contracts_are_refused(shop, contracts):
    shop.write({"contracts": contracts})
    assert shop.run().returncode == 2


def test_20_what_is_tolerated_is_counted_and_not_more_than_that(sides):
    fields = {"note": {"accept": ["case"]}}
    result = sides(
        [(1, 1, 1, "a"), (1, 2, 1, "b")], [(1, 1, 1, "A"), (1, 2, 1, "b")], fields=fields
    )
    assert (result.verdict, dict(result.contents[0].tolerated)) == (PASS, {"case": 1})
    assert any("tolerated" in note for note in result.notes)
    assert sides([(1, 1, 1, "a")], [(1, 1, 1, "A ")], fields=fields).verdict is BLOCK


@pytest.mark.parametrize(
    "policy",
    [
        {"warn": ["not_compared"]},
        {"allow": [{"content": "queue", "kind": "not_compared", "at_most": 9}]},
    ],
)
def test_20_not_compared_can_be_neither_listed_nor_allowed(shop, policy):
    shop.write({"policy": policy})
    assert shop.run().returncode == 2


def test_20_a_kind_in_neither_list_blocks(sides):
    result = sides(
        [(1, 1, 1, "a")],
        [(1, 1, 1, "a"), (2, 1, 1, "b")],
        plan={"policy": {"block": ["lost"], "warn": []}},
    )
    assert result.verdict is BLOCK


# -- 23 and 24: libraries -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"a": [1, 1, 2]}', '{"a": [1, 2]}'),
        ('{"a": [1, 1, 2]}', '{"a": [1, 2, 2]}'),
        ('{"a": [{"id": 1, "x": 1}, {"id": 1, "x": 2}]}', '{"a": [{"id": 1, "x": 2}]}'),
        ('{"a": true}', '{"a": 1}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": null}', "{}"),
        ('{"a": 0}', '{"a": false}'),
    ],
)
@pytest.mark.parametrize("unordered", [[], ["a"]])
def test_23_documents(sides, old, new, unordered):
    fields = {"note": {"type": "json", "unordered": unordered}}
    assert (
        sides([(1, 1, 1, old)], [(1, 1, 1, new)], shape="document", fields=fields).verdict is BLOCK
    )


def test_23_a_repeated_key_does_not_parse(sides):
    row = [(1, 1, 1, '{"a": 1, "a": 2}')]
    assert sides(row, row, shape="document", fields={"note": {"type": "json"}}).verdict is UNDECIDED


def test_24_yaml_with_repeated_keys_is_refused(shop):
    text = "content: queue\nshape: set\nowner: owner\nitem: item\nfields: {note: {}}\nfields: {}\nold: {system: old, table: queue}\nnew: {system: new, table: queue}\n"
    (shop.folder / "queue.yaml").write_text(text)
    done = shop.run()
    assert done.returncode == 2
    assert "fields" in done.stderr


def test_24_yaml_no_is_a_word(shop):
    text = "content: queue\nshape: set\nowner: owner\nitem: item\nfields:\n  note: {map: {NO: no, YES: yes}}\nold: {system: old, table: queue}\nnew: {system: new, table: queue}\n"
    for name, words in (("old", ("NO", "YES")), ("new", ("no", "yes"))):
        shop.database(name, rows=[(1, i, 1, w) for i, w in enumerate(words)])
    (shop.folder / "queue.yaml").write_text(text)
    assert shop.check().verdict is PASS


def test_24_content_is_escaped_in_the_report(sides, shop):
    evil = "<script>alert(1)</script>"
    shop.database("old", rows=[(1, 1, 1, evil)])
    shop.database("new", rows=[(1, 1, 1, "b")])
    shop.check(reveal=True)
    report = (shop.folder / "out" / "report.html").read_text()
    assert evil not in report


# -- values that do not parse -------------------------------------------------------------------

INTEGERS = {"owner": "integer", "item": "integer"}


def files():
    return {"systems": {n: {"url": f"files:{n}/"} for n in ("old", "new")}}


def exports(shop, old, new, header="owner,item,place,note\n"):
    for name, text in (("old", old), ("new", new)):
        (shop.folder / name).mkdir(exist_ok=True)
        (shop.folder / name / "queue.csv").write_text(header + text)


@pytest.mark.parametrize("where", ["owner", "item", "place"])
def test_a_value_that_does_not_parse_is_not_compared(shop, where):
    good = {"owner": "1", "item": "1", "place": "1", "note": "a"}
    bad = good | {where: "one"}
    lines = [",".join(r.values()) + "\n" for r in (good, bad)]
    for old, new in ((lines[1], lines[1]), (lines[1], lines[0]), (lines[0], lines[1])):
        exports(shop, old, new)
        shop.write(files(), keys=INTEGERS, fields={"place": {"type": "integer"}, "note": {}})
        result = shop.check()
        assert result.verdict is UNDECIDED, (old, new, result.reasons)
        assert found(result)["not_compared"] >= 1


def test_an_unread_key_does_not_hide_a_certain_loss(shop):
    exports(shop, "one,1,1,a\n2,2,1,b\n3,3,1,c\n", "1,1,1,a\n")
    shop.write(files(), keys=INTEGERS)
    result = shop.check()
    assert (result.verdict, found(result)["lost"]) == (BLOCK, 2)


@pytest.mark.parametrize("line", ["1,2\n", "1,2,3,4,5\n", '1,2,3,"a\n', '1,2,3,a"b"c\n'])
def test_a_malformed_line_is_no_pass(shop, line):
    exports(shop, "1,1,1,a\n" + line, "1,1,1,a\n")
    shop.write(files(), keys=INTEGERS)
    done = shop.run()
    assert done.returncode != 0, shop.verdict
    assert shop.verdict["verdict"] != "PASS"
