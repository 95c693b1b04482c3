"""JSON Schema of the plan, of a contract and of waivers, for editors; keywords of draft 7."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from safeguard.contract.migration import Plan
from safeguard.contract.model import Contract
from safeguard.contract.waivers import WaiverFile

_MODELS: dict[str, type[BaseModel]] = {
    "plan": Plan,
    "contract": Contract,
    "waivers": WaiverFile,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `plan`, `contract` or `waivers`. Raises KeyError for any other name."""
    found = _MODELS[name].model_json_schema(mode="validation")
    _tidy(found)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **found}


def _tidy(node: Any) -> None:
    """Drop titles that only repeat a key, and say what the models read but do not declare."""
    if isinstance(node, list):
        for child in node:
            _tidy(child)
    if not isinstance(node, dict):
        return
    for key, child in node.get("properties", {}).items():
        child.pop("title", None)
        if key == "fields":
            child["additionalProperties"] = {
                "anyOf": [child["additionalProperties"], {"type": "null"}]
            }
    if "$ref" in node and len(node) > 1:
        node["allOf"] = [{"$ref": node.pop("$ref")}]  # draft 7 ignores what stands beside a $ref
    for child in node.values():
        _tidy(child)
