"""What can be said of a contract's expectations before Great Expectations is loaded: their form, and
that the columns they name are the contract's. Whether an expectation exists is known only then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from safeguard.contract.model import Contract
from safeguard.contract.page import Page
from safeguard.findings.trouble import Mistake

_NAME = re.compile(r"(expect_[a-z0-9_]+|unexpected_rows_expectation)")
_ONE_COLUMN = ("column", "column_A", "column_B")
_COLUMNS = ("column_list", "column_set")
_REFUSED = {
    "expect_query_results_to_match_comparison": "it compares at most 200 rows of each side, and so "
    "finds no loss beyond; the check itself compares every entry",
}
_OURS = {
    "result_format": "the check asks for what it shows",
    "catch_exceptions": "what can't be run is UNDECIDED",
    "severity": "the plan's `policy` says what blocks",
    "batch_id": "the check says what is read",
    "rendered_content": "the check says it in its own words",
    "windows": "the check looks at one moment",
    "id": "it is told by its name and arguments",
}
"""Arguments of every expectation that the contract can't give, and why."""


def check_expectations(contract: Contract, page: Page) -> Iterator[Mistake]:
    """Every mistake of a contract's `expectations`, each with its place."""
    seen: list[Mapping[str, Any]] = []
    for index, one in enumerate(contract.expectations):
        if len(one) != 1:
            message = "an expectation is one name with its arguments: {expect_...: {column: ...}}"
            yield page.mistake(message, "expectations", index)
            continue
        if one in seen:
            yield page.mistake("this expectation is written twice", "expectations", index)
        seen.append(one)
        ((name, arguments),) = one.items()
        yield from _named(page, index, name)
        yield from _arguments(contract, page, index, name, arguments)


def columns_of(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation's arguments name."""
    found = [arguments[key] for key in _ONE_COLUMN if key in arguments]
    for key in _COLUMNS:
        found += arguments[key] if isinstance(arguments.get(key), list) else []
    return tuple(dict.fromkeys(map(str, found)))


def in_words(name: str, arguments: Mapping[str, Any]) -> str:
    """`expect_column_values_to_be_between(column=position, min_value=1)`."""
    return f"{name}({', '.join(f'{key}={value}' for key, value in arguments.items())})"


def _named(page: Page, index: int, name: str) -> Iterator[Mistake]:
    if not _NAME.fullmatch(name):
        message = f"`{name}` is no expectation's name; write it as expect_column_values_to_..."
        yield page.mistake(message, "expectations", index, name, key=True)
    elif name in _REFUSED:
        message = f"`{name}` is refused: {_REFUSED[name]}"
        yield page.mistake(message, "expectations", index, name, key=True)


def _arguments(
    contract: Contract, page: Page, index: int, name: str, arguments: Any
) -> Iterator[Mistake]:
    here = ("expectations", index, name)
    if not isinstance(arguments, dict):
        message = f"the arguments of `{name}` must be a mapping; write {{}} where it has none"
        yield page.mistake(message, *here, key=True)
        return
    for key in arguments:
        if key in _OURS:
            yield page.mistake(f"`{key}` can't be given: {_OURS[key]}", *here, key, key=True)
    query = arguments.get("unexpected_rows_query")
    if query is not None and "{batch}" not in str(query):
        message = (
            "the query must read {batch}, which stands for the entries: SELECT * FROM {batch} ..."
        )
        yield page.mistake(message, *here, "unexpected_rows_query")
    for key in _ONE_COLUMN:
        if key in arguments and arguments[key] not in contract.names:
            yield page.unknown(
                "this contract has no", str(arguments[key]), contract.names, *here, key
            )
    for key in _COLUMNS:
        listed = arguments.get(key, [])
        if not isinstance(listed, list):
            yield page.mistake(f"`{key}` must be a list of columns", *here, key)
            continue
        for place, column in enumerate(listed):
            if column not in contract.names:
                what = "this contract has no"
                yield page.unknown(what, str(column), contract.names, *here, key, place)
