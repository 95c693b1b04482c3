"""Arguments of expectations are what YAML 1.2 makes of them; everywhere else a scalar is its text."""

from __future__ import annotations

import pytest

from safeguard.contract.expectations import columns_of, in_words
from safeguard.contract.yaml_text import read_document


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("012", 12),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("2026-03-01", "2026-03-01"),
        ("12:30", "12:30"),
        ("~", None),
        ("[1, a, 2.5]", [1, "a", 2.5]),
        ("{deep: [true]}", {"deep": [True]}),
    ],
)
def test_an_argument_is_what_yaml_makes_of_it(written: str, value: object) -> None:
    text = f"at_least: 012\nexpectations: [{{expect_x: {{a: {written}}}}}]\n"
    found = read_document(text.encode(), "queue.yaml")
    assert found.mistakes == ()
    ((argument,),) = [one["expect_x"].values() for one in found.value["expectations"]]
    assert (argument, type(argument)) == (value, type(value))
    assert found.value["at_least"] == "012"


def test_the_columns_of_an_expectation() -> None:
    assert columns_of({"column": "note", "value_set": ["a"]}) == ("note",)
    assert columns_of({"column_list": ["a", "b"]}) == ("a", "b")
    assert columns_of({"column_A": "a", "column_B": "b", "or_equal": True}) == ("a", "b")
    assert columns_of({"value": 3}) == ()


def test_an_expectation_in_words() -> None:
    assert (
        in_words("expect_x", {"column": "a", "min_value": 1}) == "expect_x(column=a, min_value=1)"
    )
