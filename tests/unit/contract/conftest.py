"""A plan with one contract that loads, to be spoilt one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safeguard.contract.load import load_plan
from safeguard.contract.model import LoadedPlan
from safeguard.findings.trouble import UsageProblem

PLAN = """\
migration: qwikster-split
kind: split
systems:
  old: {url: "${OLD_URL}", timezone: America/Los_Angeles}
  streaming: {url: "sqlite:///streaming.db"}
  dvd: {url: "sqlite:///dvd.db"}
contracts: [queue.yaml]
customers:
  old: {system: old, table: customers, key: customer_id}
  new: [{system: streaming, table: accounts, key: account_id}]
  segments: {paying: "plan <> 'free'"}
coverage:
  ignore: [{system: old, table: web_sessions, reason: expires by itself}]
policy:
  block: [lost, changed]
  warn: [extra]
  allow:
    - {content: queue, kind: changed, at_most: 10, segment_at_most: {paying: 0}}
"""

CONTRACT = """\
content: queue
title: Movies a customer lined up to watch
shape: list
owner: customer_id
item: title_id
order: position
list: playlist_id
fields:
  added_at: {type: timestamp}
  note: {type: text, accept: [line_endings, unicode_form]}
  stars: {type: integer, map: {5: up, 1: down}}
old:
  - system: old
    table: queue_items
    columns: {customer_id: cust_id}
    timezones: {added_at: UTC}
new:
  - system: streaming
    table: watchlist
    receives: "medium IN ('stream', 'both')"
  - system: dvd
    table: rental_queue
    crosswalk:
      customer_id: {system: dvd, table: member_map, old: legacy_id, new: member_id}
as_of: {field: added_at, value: 2026-03-01T00:00:00Z}
"""

ENVIRONMENT = {"OLD_URL": "postgresql://reader:secret@db/old"}
Load = Callable[..., LoadedPlan]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Writes the plan and the contract, replacing (old, new) pairs in either, and loads them."""
    monkeypatch.chdir(tmp_path)

    def run(
        plan: tuple[tuple[str, str], ...] = (),
        contract: tuple[tuple[str, str], ...] = (),
        environ: dict[str, str] = ENVIRONMENT,
    ) -> LoadedPlan:
        Path("safeguard.yaml").write_text(_spoilt(PLAN, plan), encoding="utf-8")
        Path("queue.yaml").write_text(_spoilt(CONTRACT, contract), encoding="utf-8")
        return load_plan(Path("safeguard.yaml"), environ)

    return run


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    """What `load` refuses, each as people see it."""

    def run(**spoilt: object) -> list[str]:
        with pytest.raises(UsageProblem) as caught:
            load(**spoilt)
        assert caught.value.exit_code == 2
        return [str(mistake) for mistake in caught.value.mistakes]

    return run


def _spoilt(text: str, replacements: tuple[tuple[str, str], ...]) -> str:
    for found, instead in replacements:
        assert found in text, f"{found!r} is not in the good text"
        text = text.replace(found, instead)
    return text
