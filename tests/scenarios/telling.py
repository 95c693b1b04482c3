"""What a scenario expects of a check, and whether the check said just that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from safeguard.checking import Request, run_check
from safeguard.findings.progress import SilentProgress
from safeguard.findings.result import CheckResult, ContentResult

IDENTITY = ("kind", "owner", "list", "item", "field", "system", "waived_by")
"""Always compared: left out of an expected finding means NULL. `any` matches whatever is there."""
TELLING = ("old_value", "new_value", "cause", "segment")
"""Compared where the expected finding names them."""

Row = Mapping[str, Any]


def check_plan(
    plan: Path, out: Path, environ: Mapping[str, str]
) -> tuple[CheckResult, list[dict[str, Any]]]:
    """The result of a check and the rows of its findings.parquet."""
    result, folder = run_check(
        plan,
        out=out,
        request=Request(reveal=True),
        progress=SilentProgress(),
        environ=environ,
    )
    return result, pq.read_table(folder / "findings.parquet").to_pylist()


def assert_findings(found: Sequence[Row], expected: Sequence[Row]) -> None:
    """Exactly these findings, each as often as it is listed."""
    left, missing = list(found), []
    for row in sorted(expected, key=_openness):
        hit = next((f for f in left if _matches(f, row)), None)
        if hit is None:
            missing.append(dict(row))
        else:
            left.remove(hit)
    surplus = [{k: v for k, v in f.items() if v is not None} for f in left]
    assert [*missing, *surplus] == [], _difference(missing, surplus)


def _openness(row: Row) -> int:
    """How little an expected finding says: those that say most choose first."""
    return -len([name for name in row if row[name] != "any"])


def _matches(found: Row, expected: Row) -> bool:
    unknown = set(expected) - {*IDENTITY, *TELLING}
    assert not unknown, f"a finding has no {unknown}"
    return all(
        expected.get(name) == "any" or found[name] == _text(expected.get(name))
        for name in (*IDENTITY, *(n for n in TELLING if n in expected))
    )


def _text(value: Any) -> str | None:
    """Ids as the findings file has them: text, composite ones as a JSON array."""
    if isinstance(value, list):
        return json.dumps(
            [None if v is None else str(v) for v in value],
            ensure_ascii=False,
            separators=(",", ":"),
        )
    return None if value is None else str(value)


def _difference(missing: Sequence[Row], surplus: Sequence[Row]) -> str:
    said = [f"  expected, not found: {row}" for row in missing]
    return "\n".join(["other findings:", *said, *(f"  found, not expected: {r}" for r in surplus)])


def assert_content(result: ContentResult, expected: Mapping[str, Any]) -> None:
    """Sums, tolerated forms and reasons of one content; and that the sums add up."""
    sums = expected.get("sums", {})
    for side, counts in (("old", result.sums_old), ("new", result.sums_new)):
        if side in sums:
            shown = {str(s): n for s, n in counts.items() if n}
            assert shown == sums[side], f"sums of {side}"
    if "tolerated" in expected:
        shown = {form: n for form, n in result.tolerated.items() if n}
        wanted = expected["tolerated"]
        assert set(shown) == set(wanted), f"tolerated: {shown}"
        assert all(n in ("any", shown[form]) for form, n in wanted.items()), f"tolerated: {shown}"
    assert dict(result.waived) == expected.get("waived", {})
    if "left_out" in expected:
        assert result.left_out == expected["left_out"]
    if "affected" in expected:
        assert result.customers.affected == expected["affected"]
    for sentence in expected.get("reasons", []):
        assert any(sentence in reason for reason in result.reasons), result.reasons
    assert result.conservation.old, result.conservation.detail
    assert result.conservation.new, result.conservation.detail
    assert sum(result.sums_old.values()) == result.old
    assert sum(result.sums_new.values()) == result.new
