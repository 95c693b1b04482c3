"""Who the owners are: old customers with their segments, new customers per system, and impact.

Tables: `customer(id, s0, s1, ...)` old customers; `newcomer_<n>(id)` the ids of one new customers
table; `with_content(content, id)` and `affected(content, id)` grow content by content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import literal
from safeguard.findings.result import Impact, SegmentCount


class CustomerBook:
    """The customers of one run."""

    def __init__(self, exchange: Exchange, segments: Sequence[str], declared: bool) -> None:
        self.exchange, self.segments, self.declared = exchange, tuple(segments), declared
        flags = "".join(f", s{i} BOOLEAN" for i, _ in enumerate(self.segments))
        exchange.create("customer", f"(id VARCHAR{flags})")
        exchange.create("with_content", "(content VARCHAR, id VARCHAR)")
        exchange.create("affected", "(content VARCHAR, id VARCHAR)")
        self.newcomers: dict[str, str] = {}

    def add_old(
        self, batches: Iterable[pa.RecordBatch], who: str, translate: str | None = None
    ) -> None:
        """Old customers: `who` is SQL over b for their id, s0, s1, ... are the segments. `translate`
        is a crosswalk table by which ids of several old systems become one."""
        flags = "".join(f", coalesce(b.s{i}, FALSE)" for i, _ in enumerate(self.segments))
        join = ""
        if translate:
            join = f"LEFT JOIN {translate} w ON w.here = {who}"
            who = f"coalesce(w.there, {who})"
        for batch in batches:
            self.exchange.insert("customer", batch, f"SELECT {who}{flags} FROM incoming b {join}")

    def settle(self) -> None:
        """One row a customer: two old customers with one new id are one, in every segment of either."""
        flags = "".join(f", bool_or(s{i}) AS s{i}" for i, _ in enumerate(self.segments))
        self.exchange.create(
            "customer", f"AS SELECT id{flags} FROM customer WHERE id IS NOT NULL GROUP BY id"
        )

    def add_new(self, system: str, batches: Iterable[pa.RecordBatch], who: str) -> None:
        """The customers of one new system: `who` is SQL over b for their id."""
        if system not in self.newcomers:
            self.newcomers[system] = f"newcomer_{len(self.newcomers)}"
            self.exchange.create(self.newcomers[system], "(id VARCHAR)")
        table = self.newcomers[system]
        for batch in batches:
            query = f"SELECT * FROM (SELECT {who} AS id FROM incoming b) WHERE id IS NOT NULL"
            self.exchange.insert(table, batch, query)

    @property
    def first_segment(self) -> str:
        """SQL over c (a customer): the first segment that holds, or NULL."""
        cases = " ".join(
            f"WHEN c.s{i} THEN {literal(name)}" for i, name in enumerate(self.segments)
        )
        return f"CASE {cases} ELSE NULL END" if cases else "NULL"

    def impact(self, content: str | None = None) -> Impact:
        """Distinct customers of one content, or of all."""
        where = f"WHERE content = {literal(content)}" if content is not None else ""
        tables = ("with_content", "affected")
        having, hit = (
            self.exchange.number(f"SELECT count(DISTINCT id) FROM {t} {where}") for t in tables
        )
        segments = {}
        for i, name in enumerate(self.segments):
            counts = [
                self.exchange.number(
                    f"SELECT count(DISTINCT t.id) FROM {t} t JOIN customer c ON c.id = t.id "
                    f"{where + ' AND' if where else 'WHERE'} c.s{i}"
                )
                for t in tables
            ]
            segments[name] = SegmentCount(*counts)
        total = self.exchange.number("SELECT count(*) FROM customer") if self.declared else None
        return Impact(having, hit, segments, total)
