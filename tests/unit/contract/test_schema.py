"""The JSON Schemas accept what the loader accepts, and say of every key what it means."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from safeguard.contract.schema import schema

REPO = Path(__file__).parents[3]
SKIPPED = {"expected.yaml"}
KINDS = {"plan": "migration", "contract": "content", "waivers": "waivers"}


def as_json(value):
    """What an editor sees: keys are text, and so are times."""
    if isinstance(value, dict):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def errors(name, value):
    validator = jsonschema.Draft7Validator(schema(name))
    return [error.message for error in validator.iter_errors(value)]


def examples():
    """Every plan, contract and file of waivers of the repo that is meant to load."""
    for folder in ("contracts", "fixtures"):
        for path in sorted((REPO / folder).rglob("*.yaml")):
            value = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
            name = next((n for n, k in KINDS.items() if isinstance(value, dict) and k in value), "")
            if name and path.name not in SKIPPED:
                yield pytest.param(name, value, id=str(path.relative_to(REPO)))


@pytest.mark.parametrize(("name", "value"), list(examples()))
def test_every_example_fits(name, value):
    assert errors(name, as_json(value)) == []


@pytest.fixture
def good(load):
    load()
    read = YAML(typ="safe", pure=True).load
    return {
        "plan": as_json(read(Path("safeguard.yaml").read_text())),
        "contract": as_json(read(Path("queue.yaml").read_text())),
        "waivers": as_json(read((REPO / "fixtures/waiver-used/waivers.yaml").read_text())),
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_good_one_fits_and_a_misspelt_key_does_not(name, good):
    assert errors(name, good[name]) == []
    assert errors(name, {**good[name], "colums": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", "lst"),
        ("fields", {"a": {"type": "timestmp"}}),
        ("fields", {"a": {"type": "text(5)"}}),
        ("fields", {"a": {"accept": ["rounded"]}}),
        ("fields", {"a": {"accept": ["lines"]}}),
        ("at_least", -1),
        ("owner", []),
        ("new", [{"table": "t"}]),
    ],
)
def test_a_broken_contract_does_not_fit(key, value, good):
    assert errors("contract", {**good["contract"], key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("owner", ["a", "b"]),
        ("old", {"system": "old", "table": "t"}),
        ("fields", {"a": None, "b": {"type": "float(0.01)", "map": {"1": True, "2": None}}}),
        ("fields", {"a": {"type": "decimal(2)", "accept": ["time_truncated(second)"]}}),
        ("as_of", {"field": "a", "value": 5}),
    ],
)
def test_what_the_loader_allows_fits(key, value, good):
    assert errors("contract", {**good["contract"], key: value}) == []


@pytest.mark.parametrize("name", KINDS)
def test_every_key_is_described_and_draft_7_understands_it(name):
    found = schema(name)
    jsonschema.Draft7Validator.check_schema(found)
    for model in (found, *found["$defs"].values()):
        for key, described in model.get("properties", {}).items():
            assert described.get("description"), f"{model.get('title')}.{key}"
    assert "prefixItems" not in str(found)


@pytest.mark.parametrize("name", KINDS)
def test_the_reference_speaks_of_every_key(name):
    page = (REPO / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
    found = schema(name)
    for model in (found, *found["$defs"].values()):
        for key in model.get("properties", {}):
            assert f"`{key}`" in page, f"{model.get('title')}.{key}"
        for word in model.get("enum", []):
            assert f"`{word}`" in page
