"""Keys, statements and terms for everything that signs a verdict or weighs one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import result_examples as examples
from safeguard.findings.result import CheckResult
from safeguard.gate.admission import Terms
from safeguard.gate.envelope import seal
from safeguard.gate.signing import SigningKey, VerifyingKey, new_pair, signing_key, verifying_key
from safeguard.gate.statement import state

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
TAKEN = {
    "old": "2026-11-22T03:14:08Z",
    "streaming": "2026-11-22T03:14:10Z",
    "dvd": "2026-11-22T03:14:09Z",
}
CONFIGURATION = {
    name: f"{number:064x}"
    for number, name in enumerate(["safeguard.yaml", "contracts/queue.yaml", "waivers.yaml"])
}
LEFT = {"verdict.json": "a" * 64, "findings.parquet": "b" * 64}
DATABASES = {
    name: {"kind": "postgresql", "host": f"{name}.example", "dbname": "shop", "user": "reader"}
    for name in TAKEN
}


def pair(name: str = "release") -> tuple[SigningKey, VerifyingKey]:
    """A pair of keys; the same again for the same name."""
    return _pair(name)


@cache
def _pair(name: str) -> tuple[SigningKey, VerifyingKey]:
    private, public = new_pair()
    return signing_key(private, f"{name}.key"), verifying_key(public, f"{name}.pub")


def dated(result: CheckResult, **taken: str) -> CheckResult:
    """The result, with the moments of its systems' snapshots."""
    moments = TAKEN | taken
    return replace(
        result, systems=tuple(replace(s, taken_at=moments[s.name]) for s in result.systems)
    )


def payload(result: CheckResult | None = None) -> bytes:
    """The statement of a result; by default of one that passes."""
    return state(dated(result or examples.passed()), CONFIGURATION, LEFT, DATABASES)


def sealed(result: CheckResult | None = None, name: str = "release") -> bytes:
    """The same in its envelope."""
    return seal(payload(result), pair(name)[0]).encode()


def reworded(change: Callable[[Any], None], name: str = "release") -> bytes:
    """An envelope, properly signed, of a statement that `change` has worked on."""
    statement = json.loads(payload())
    change(statement)
    return seal(json.dumps(statement).encode(), pair(name)[0]).encode()


def terms(**values: Any) -> Terms:
    """Terms under which `sealed()` passes, with what the test wants to be different."""
    plain: dict[str, Any] = {
        "configuration": CONFIGURATION,
        "databases": DATABASES,
        "max_age": dt.timedelta(hours=2),
        "now": NOW,
        "beside": LEFT,
    }
    return Terms(**plain | values)
