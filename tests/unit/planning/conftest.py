"""A contract as it is written, prepared against tables that lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from arrow_session import ArrowSession
from safeguard.comparing.preparing import prepare
from safeguard.contract.load import load_plan
from safeguard.findings.trouble import UsageProblem
from safeguard.planning.layout import ContentPlan
from safeguard.systems.interface import Output, SourceType

Prepare = Callable[..., ContentPlan]
Mistakes = Callable[..., list[str]]
ARROW = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(20, 2),
    "float": pa.float64(),
    "text": pa.string(),
    "char": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "nanos": pa.timestamp("ns"),
    "aware": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
    "bytes": pa.binary(),
    "untyped": pa.null(),
    "interval": pa.month_day_nano_interval(),
}


class TypedSession(ArrowSession):
    """`char` columns are blank-padded, which no Arrow table can say of itself."""

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        super().__init__(
            name, {"t": pa.table({c: pa.nulls(0, ARROW[k]) for c, k in columns.items()})}
        )
        self._padded = {c for c, kind in columns.items() if kind == "char"}

    def _type(self, output: Output, found: str) -> SourceType:
        return replace(super()._type(output, found), blank_padded=output.sql in self._padded)


def columns(text: str) -> dict[str, str]:
    """`a integer, b text` as a dict."""
    pairs = (part.split() for part in text.split(","))
    return dict(pairs)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """`prepared(contract, old="a integer", new="a integer")`; zones by system name."""
    monkeypatch.chdir(tmp_path)

    def run(contract: str, *, old: str, new: str, zones: Mapping[str, str] | None = None) -> Any:
        zoned = {n: f", timezone: {z}" for n, z in (zones or {}).items()}
        systems = "".join(
            f'  {n}: {{url: "sqlite:///{n}.db"{zoned.get(n, "")}}}\n' for n in ("old", "new")
        )
        Path("safeguard.yaml").write_text(
            f"migration: m\nkind: move\nsystems:\n{systems}contracts: [c.yaml]\n"
        )
        Path("c.yaml").write_text(contract)
        sessions = {
            "old": TypedSession("old", columns(old)),
            "new": TypedSession("new", columns(new)),
        }
        try:
            (plan,) = prepare(load_plan(Path("safeguard.yaml"), {}), sessions)
        finally:
            for session in sessions.values():
                session.close()
        return plan

    return run


@pytest.fixture
def mistakes(prepared: Prepare) -> Mistakes:
    """What `prepared` refuses, each as people see it."""

    def run(*contract: str, **sides: Any) -> list[str]:
        with pytest.raises(UsageProblem) as caught:
            prepared(*contract, **sides)
        return [str(mistake) for mistake in caught.value.mistakes]

    return run
