"""The JSON parsing test suite: what must parse parses, what must not is bad."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from safeguard.contract.types import Type, TypeName
from safeguard.systems.canonical import CanonicalColumn, Storage, canonical_batch
from safeguard.systems.interface import SourceType

COLUMN = CanonicalColumn("doc", SourceType(None), Type(TypeName.JSON), Storage.TEXT)


@pytest.fixture(scope="module")
def cases(real: Path) -> dict[str, bytes]:
    folder = real / "text_torture" / "json_test_suite" / "test_parsing"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read(raw: bytes) -> str | None:
    batch = pa.record_batch([pa.array([raw], pa.binary())], names=["doc"])
    found = canonical_batch(batch, (COLUMN,)).to_pylist()[0]
    assert (found["doc"] is None) is (found["bad"] is not None)
    return found["doc"]


def test_what_must_parse_parses_but_for_repeated_keys(cases: dict[str, bytes]) -> None:
    refused = {name for name, raw in cases.items() if name[0] == "y" and read(raw) is None}
    assert refused == {
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    }


def test_what_must_not_parse_is_bad(cases: dict[str, bytes]) -> None:
    assert [name for name, raw in cases.items() if name[0] == "n" and read(raw) is not None] == []


def test_the_rest_either_way_but_never_an_error(cases: dict[str, bytes]) -> None:
    for name, raw in cases.items():
        found = read(raw)
        if found is not None:
            assert read(found.encode()) == found, name


def test_naughty_strings_survive_in_json_and_as_text(real: Path) -> None:
    strings = json.loads((real / "text_torture" / "blns.json").read_text(encoding="utf-8"))
    for text in strings:
        found = read(json.dumps(text).encode())
        assert found is not None
        assert json.loads(found) == text
