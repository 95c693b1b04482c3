"""What differs at first is looked at again, whoever read it first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import safeguard.checking
from safeguard.comparing.settling import Patience
from safeguard.findings.words import Verdict


@contextmanager
def _slots(_: str) -> Iterator[tuple[ThreadPoolExecutor, int]]:
    with ThreadPoolExecutor(4) as executor:
        yield executor, 4


@pytest.mark.postgres
def test_a_cluster_reads_first(service, monkeypatch):
    """Later looks are few entries, and are read here."""
    monkeypatch.setattr(safeguard.checking, "cluster_executor", _slots)
    plan = json.loads(service.plan.read_text())
    for name, system in plan["systems"].items():
        monkeypatch.setenv(f"{name.upper()}_URL", system["url"])
        system["url"] = f"${{{name.upper()}_URL}}"
    service.plan.write_text(json.dumps(plan))
    service.new.execute("DELETE FROM queue WHERE owner = 200 AND item = 3")
    with service.writing(7):
        result = service.check(
            live=Patience(settle=2.2, tries=5), cluster="here", environ=os.environ
        )
    assert result.verdict is Verdict.BLOCK
    (content,) = result.contents
    assert content.findings["lost"] == 1
    assert set(content.findings) <= {"lost", "not_compared"}
    assert content.looked is not None
    assert content.looked.settled > 0
