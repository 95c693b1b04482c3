"""What passes, what fails, and what the failure says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from safeguard import DidNotSurvive, UsageProblem, Verdict, assert_survives

OLD = [
    {"customer_id": 1, "title_id": 5, "stars": 5, "note": "keep\x1b[31m"},
    {"customer_id": 1, "title_id": 6, "stars": 4, "note": None},
    {"customer_id": 2, "title_id": 5, "stars": 3, "note": "x"},
]
CONTRACT: dict[str, Any] = {
    "content": "ratings",
    "owner": "customer_id",
    "item": "title_id",
    "fields": ["stars", "note"],
}
MESSAGE = """\
BLOCK  Do not roll out. 2 of 2 customers with content would lose something or find it damaged.
       ratings: 1 entry is lost in new; 1 customer
       ratings.note: 1 cut off
       ratings 3 = 1 kept + 1 lost + 1 changed, counted twice; agree

  kind     owner  item  field  old value      new value  cause      system
  changed  1      5     note   keep\\x1b[31m  keep       truncated  new
  lost     2      5                                                 new"""


def failed(**arguments: Any) -> DidNotSurvive:
    with pytest.raises(DidNotSurvive) as caught:
        assert_survives(**arguments)
    return caught.value


def test_a_message_says_what_became_of_whose_things() -> None:
    new = [{**OLD[0], "note": "keep"}, OLD[1]]
    error = failed(old=OLD, new=new, contract=CONTRACT)
    lines = str(error).splitlines()
    assert lines[0] == MESSAGE.splitlines()[0]
    table = {" ".join(line.split()) for line in lines[4:]}
    assert table >= {" ".join(line.split()) for line in MESSAGE.splitlines()[6:]}
    assert "ratings 3 = 1 kept + 1 lost + 1 changed, counted twice; agree" in str(error)
    assert "\x1b" not in str(error)
    assert error.result.verdict is Verdict.BLOCK
    assert isinstance(error, AssertionError)


def test_many_findings_are_cut() -> None:
    old = [{"customer_id": n, "title_id": 1, "stars": 1, "note": ""} for n in range(30)]
    text = str(failed(old=old, new=[], contract=CONTRACT))
    assert text.startswith("BLOCK  Do not roll out. 30 of 30 customers with content would lose")
    assert len([line for line in text.splitlines() if line.startswith("  lost ")]) == 10
    assert text.endswith("  … the first 10 findings of more")


def test_nothing_to_compare_is_no_success() -> None:
    text = str(failed(old=[], new=[], contract=CONTRACT))
    assert text.startswith("UNDECIDED  This can't be called safe. ratings: the old side is empty")


def test_a_value_that_does_not_parse_is_no_success() -> None:
    contract = {**CONTRACT, "fields": {"stars": {}, "note": {"type": "integer"}}}
    error = failed(old=OLD, new=OLD, contract=contract)
    assert error.result.verdict is Verdict.UNDECIDED
    assert "not_compared" in str(error)


def test_texts_are_shown_where_they_are_the_tests_own(tmp_path: Path) -> None:
    new = [OLD[0], {**OLD[1], "note": "secret of a customer"}, OLD[2]]
    assert "secret of a customer" in str(failed(old=OLD, new=new, contract=CONTRACT))
    hidden = failed(old=OLD, new=new, contract=CONTRACT, reveal=False)
    assert "secret of a customer" not in str(hidden)


def test_the_report_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    error = failed(old=OLD, new=OLD[:1], contract=CONTRACT, out=tmp_path / "run")
    assert str(error).endswith(f"report  {tmp_path / 'run' / 'report.html'}")
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert verdict["verdict"] == "BLOCK"
    assert (tmp_path / "run" / "report.html").is_file()


def test_more_than_was_made_is_no_loss() -> None:
    assert_survives(old=OLD[:2], new=OLD, contract=CONTRACT)


def test_an_order_makes_a_list() -> None:
    old = [{"id": 1, "title": t, "place": n} for n, t in enumerate("abc")]
    contract = {"owner": "id", "item": "title", "order": "place"}
    renumbered = [{**row, "place": row["place"] * 10} for row in old]
    assert_survives(old=old, new=renumbered, contract=contract)
    swapped = [{**row, "place": -row["place"]} for row in old]
    assert "moved" in str(failed(old=old, new=swapped, contract=contract))


def test_columns_and_conditions_are_sql_of_the_rows() -> None:
    contract = {
        **CONTRACT,
        "fields": {"stars": {"type": "text", "map": {"5": "up", "4": "up", "3": "none"}}},
        "old": {"where": "note IS NULL OR note <> 'x'"},
        "new": {"table": "thumbs", "columns": {"customer_id": "member", "stars": "lower(thumb)"}},
    }
    new = [{"member": 1, "title_id": t, "thumb": "UP"} for t in (5, 6)]
    assert_survives(old=OLD, new=new, contract=contract)


def test_a_split_is_two_systems() -> None:
    contract = {
        **CONTRACT,
        "new": [
            {"system": "streaming", "receives": "title_id = 5"},
            {"system": "dvd", "receives": "title_id = 6"},
        ],
    }
    right = {"streaming": [OLD[0], OLD[2]], "dvd": [OLD[1]]}
    assert_survives(old=OLD, new=right, contract=contract)
    wrong = {"streaming": [OLD[0]], "dvd": [OLD[1], OLD[2]]}
    assert "misrouted" in str(failed(old=OLD, new=wrong, contract=contract))
    with pytest.raises(
        UsageProblem, match="new: the contract names streaming, dvd: give a mapping"
    ):
        assert_survives(old=OLD, new=[*OLD], contract=contract)


def test_a_merge_is_two_systems() -> None:
    contract = {**CONTRACT, "old": [{"system": "shop"}, {"system": "club"}]}
    assert_survives(old={"shop": OLD[:1], "club": OLD[1:]}, new=OLD, contract=contract)


def test_a_contracts_file_names_systems_and_tables(tmp_path: Path) -> None:
    path = tmp_path / "ratings.yaml"
    path.write_text(
        "content: ratings\nshape: record\nowner: customer_id\nitem: title_id\nfields: {stars: }\n"
        "old: {system: shop, table: ratings}\nnew: {system: streaming, table: thumbs}\n"
    )
    assert_survives(old=OLD, new={"thumbs": OLD}, contract=path)
    text = str(failed(old=OLD, new=OLD[1:], contract=str(path)))
    assert "ratings: 1 entry is lost in streaming" in text


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ({**CONTRACT, "colums": 1}, "contract  unknown key `colums`"),
        ({**CONTRACT, "owner": "nobody"}, "nobody"),
        ({"owner": "customer_id"}, "contract: say which `fields` must survive, or `shape: set`"),
        ({**CONTRACT, "fields": {}}, "contract: say which `fields` must survive"),
        ({**CONTRACT, "fields": ["star"]}, "has no column `star`. "),
        ({**CONTRACT, "title": object()}, "can't stand in a contract"),
        ({**CONTRACT, "new": {"system": "old"}}, "contract: `old` is on both sides"),
        ("nowhere.yaml", "nowhere.yaml  the contract can't be read: no such file"),
        (__file__, "test_survive.py:"),
    ],
)
def test_mistakes_are_told_of_the_arguments(contract: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as caught:
        assert_survives(old=OLD, new=OLD, contract=contract)
    assert said in str(caught.value)
    assert "safeguard-" not in str(caught.value)


def test_naive_times_need_a_zone() -> None:
    import datetime as dt

    rows = [{"id": 1, "at": dt.datetime(2024, 1, 1)}]
    contract = {"owner": "id", "fields": ["at"]}
    with pytest.raises(UsageProblem, match="zone"):
        assert_survives(old=rows, new=rows, contract=contract)
    assert_survives(old=rows, new=rows, contract=contract, timezone="UTC")


def test_a_membership_is_asked_for_by_name() -> None:
    contract = {"owner": "customer_id", "item": "title_id", "shape": "set"}
    assert_survives(old=OLD, new=[{**row, "stars": 0} for row in OLD], contract=contract)
    failed(old=OLD, new=OLD[1:], contract=contract)
