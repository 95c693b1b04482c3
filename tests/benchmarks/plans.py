"""The plan and the contract with which Safeguard compares two sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.contenders import Job

_PLAN = """\
migration: benchmark
kind: move
systems:
  old: {{url: "{old}", timezone: UTC}}
  new: {{url: "{new}", timezone: UTC}}
contracts: [contract.yaml]
"""
_CONTRACT = """\
content: {table}
title: What is compared
shape: {shape}
owner: {owner}
item: {item}
{order}fields: {{{fields}}}
old: [{{system: old, table: {table}}}]
new:
  - system: new
    table: {table}
"""
_CROSSWALK = """\
    crosswalk:
      customer_id: {system: new, table: member_map, old: legacy_id, new: member_id}
"""


def write_plan(folder: Path, job: Job) -> None:
    """Write `safeguard.yaml` and `contract.yaml`."""
    owner, item, value, time = job.old.columns
    fields = {time: "timestamp"} if job.lists else {value: "integer", time: "timestamp"}
    contract = _CONTRACT.format(
        table=job.old.table,
        shape="list" if job.lists else "record",
        owner=owner,
        item=item,
        order=f"order: {value}\n" if job.lists else "",
        fields=", ".join(f"{name}: {{type: {kind}}}" for name, kind in fields.items()),
    )
    plan = _PLAN.format(old=job.old.url, new=job.new.url)
    (folder / "safeguard.yaml").write_text(plan, encoding="utf-8")
    more = _CROSSWALK if job.crosswalk else ""
    (folder / "contract.yaml").write_text(contract + more, encoding="utf-8")
