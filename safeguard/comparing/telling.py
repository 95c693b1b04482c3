"""Findings as rows: who, what, where, with the evidence. Counts are taken from these same rows.

`finding` holds the columns of findings.parquet, and for counting: `entry` (one number an entry),
`customer` (its owner among the customers) and `r` (the route).
"""

from __future__ import annotations

from collections.abc import Sequence

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.entries import forward_slots
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, NOT_COMPARED
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import identity, literal, shown
from safeguard.comparing.statuses import unreceived
from safeguard.findings.result import Sample
from safeguard.findings.words import AFFECTING, Kind, NewStatus
from safeguard.planning.layout import ContentPlan, KeySlot

COLUMNS = (
    "content",
    "kind",
    "cause",
    "owner",
    "list",
    "item",
    "field",
    "old_value",
    "new_value",
    "system",
    "segment",
    "waived_by",
)
_NEW_KINDS = (
    (NewStatus.RESURRECTED, Kind.RESURRECTED),
    (NewStatus.DUPLICATED, Kind.DUPLICATED),
    (NewStatus.ORPHANED, Kind.ORPHANED),
    (NewStatus.EXTRA, Kind.EXTRA),
    (NewStatus.NOT_COMPARED, Kind.NOT_COMPARED),
)


def create_findings(exchange: Exchange) -> None:
    """The empty store of a run's findings."""
    texts = ", ".join(f'"{c}" VARCHAR' for c in COLUMNS)
    exchange.create("finding", f"({texts}, entry BIGINT, customer VARCHAR, r UTINYINT)")


class Teller:
    """Writes the findings of one content."""

    def __init__(self, exchange: Exchange, plan: ContentPlan, book: CustomerBook) -> None:
        self.exchange, self.plan, self.book = exchange, plan, book
        self.content = plan.contract.content
        self.forward = forward_slots(plan)

    def tell(self) -> None:
        """All findings of the content, from the tables that comparing left."""
        self._old(Kind.LOST, "SELECT rid, r FROM absent", system=True)
        self._old(
            Kind.LOST,
            f"SELECT o.rid, NULL AS r FROM old o WHERE {unreceived(self.plan)}",
            system=False,
        )
        self._elsewhere()
        self._old(Kind.ORPHANED, "SELECT DISTINCT rid, r FROM ownerless", system=True)
        self._changed()
        self._not_compared()
        self._moved()
        for route, _ in enumerate(self.plan.new):
            self._new(route)
        self._affect()

    # -- pieces of rows ---------------------------------------------------------------------

    def _system(self, column: str = "t.r") -> str:
        cases = " ".join(f"WHEN {n.index} THEN {literal(n.system)}" for n in self.plan.new)
        return f"CASE {column} {cases} END"

    def old_key(self, keys: Sequence[KeySlot]) -> str:
        """An old entry's ids as the old system calls them, over o."""
        return identity(
            [
                f"o.x{k.slot}" if k.slot in self.forward else shown(f"o.{k.slot}", k.type.name)
                for k in keys
            ]
        )

    @staticmethod
    def shared_key(keys: Sequence[KeySlot], alias: str) -> str:
        """Ids in the space both sides share."""
        return identity([shown(f"{alias}.{k.slot}", k.type.name) for k in keys])

    def _insert(
        self,
        kind: str,
        cause: str,
        keys: str,
        field: str,
        values: str,
        system: str,
        source: str,
        entry: str,
        customer: str,
        route: str,
    ) -> None:
        """One INSERT; every argument is an SQL expression over `source`."""
        self.exchange.run(
            f"""INSERT INTO finding SELECT {literal(self.content)}, {kind}, {cause}, {keys}, {field},
                {values},
                {system}, {self.book.first_segment}, NULL, {entry}, {customer}, {route}
            FROM {source} LEFT JOIN customer c ON c.id = {customer}"""
        )

    def _old_row(
        self, kind: str, query: str, cause: str, field: str, values: str, system: str
    ) -> None:
        plan = self.plan
        keys = ", ".join(self.old_key(k) for k in (plan.owners, plan.lists, plan.items))
        self._insert(
            kind, cause, keys, field, values, system,
            f"({query}) t JOIN old o ON o.rid = t.rid",
            "t.rid",
            self.shared_key(plan.owners, "o"),
            "t.r",
        )  # fmt: skip

    def _old(self, kind: Kind, query: str, *, system: bool) -> None:
        where = self._system() if system else "NULL"
        self._old_row(literal(kind), query, "NULL", "NULL", "NULL, NULL", where)

    # -- kinds ------------------------------------------------------------------------------

    def _elsewhere(self) -> None:
        """Misrouted (new_value: the system that has it) and misattributed (who has it)."""
        self._old_row(
            literal(Kind.MISROUTED),
            f"SELECT * FROM found WHERE kind = '{Kind.MISROUTED}'",
            "NULL", "NULL", f"NULL, {self._system('t.s')}", self._system(),
        )  # fmt: skip
        for route, _ in enumerate(self.plan.new):
            holder = self.shared_key(self.plan.owners, "n")
            self._old_row(
                literal(Kind.MISATTRIBUTED),
                f"""SELECT f.*, {holder} AS holder FROM found f JOIN new_{route} n ON n.nid = f.nid
                WHERE f.kind = '{Kind.MISATTRIBUTED}' AND f.r = {route}""",
                "NULL", "NULL", "NULL, t.holder", self._system(),
            )  # fmt: skip

    def _changed(self) -> None:
        self._old_row(
            literal(Kind.CHANGED),
            f"SELECT * FROM judged WHERE code = {CHANGED} AND cls = {DUE} AND single",
            "t.cause", "t.field", "t.old_value, t.new_value", self._system(),
        )  # fmt: skip
        # Where several stand against several, which field changed is not known.
        self._old(
            Kind.CHANGED,
            f"SELECT DISTINCT rid, r FROM judged WHERE code = {CHANGED} AND cls = {DUE} AND NOT single",
            system=True,
        )

    def _not_compared(self) -> None:
        self._old_row(
            literal(Kind.NOT_COMPARED),
            f"SELECT * FROM judged WHERE code = {NOT_COMPARED} AND cls = {DUE}",
            "NULL", "t.field", "t.old_value, t.new_value", self._system(),
        )  # fmt: skip
        self._old(Kind.NOT_COMPARED, "SELECT rid, r FROM unkeyed", system=True)

    def _moved(self) -> None:
        if self.plan.order is None:
            return
        old, new = self.plan.order
        for route, _ in enumerate(self.plan.new):
            self._old_row(
                literal(Kind.MOVED),
                f"""SELECT v.rid, v.r, {shown('a.p', old.type.name, old.nanoseconds)} AS was,
                    {shown('b.p', new.type.name, new.nanoseconds)} AS is_now
                FROM moved v JOIN old a ON a.rid = v.rid JOIN new_{route} b ON b.nid = v.nid
                WHERE v.r = {route}""",
                "NULL", "NULL", "t.was, t.is_now", self._system(),
            )  # fmt: skip

    def _new(self, route: int) -> None:
        plan = self.plan
        cases = " ".join(f"WHEN '{status}' THEN '{kind}'" for status, kind in _NEW_KINDS)
        told = ", ".join(f"'{status}'" for status, _ in _NEW_KINDS)
        keys = ", ".join(self.shared_key(k, "n") for k in (plan.owners, plan.lists, plan.items))
        self._insert(
            f"CASE t.status {cases} END", "NULL", keys, "NULL", "NULL, NULL",
            literal(plan.new[route].system),
            f"""(SELECT * FROM told WHERE r = {route} AND status IN ({told})) t
                JOIN new_{route} n ON n.nid = t.nid""",
            f"-1 - (t.nid * 256 + {route})",
            self.shared_key(plan.owners, "n"),
            str(route),
        )  # fmt: skip

    def _affect(self) -> None:
        kinds = ", ".join(f"'{k}'" for k in sorted(AFFECTING))
        self.exchange.run(
            f"""INSERT INTO affected SELECT DISTINCT content, customer FROM finding
            WHERE content = {literal(self.content)} AND kind IN ({kinds}) AND customer IS NOT NULL"""
        )

    # -- counts -----------------------------------------------------------------------------

    def counts(self, route: int | None = None) -> dict[str, int]:
        """Entries by kind, of the content or of one route."""
        where = "" if route is None else f" AND r = {route}"
        return dict(
            self.exchange.rows(
                f"""SELECT kind, count(DISTINCT entry) FROM finding
                WHERE content = {literal(self.content)}{where} GROUP BY kind ORDER BY kind"""
            )
        )

    def causes(self) -> dict[str, int]:
        """Changed fields by cause; a document counts as one field."""
        return dict(
            self.exchange.rows(
                f"""SELECT cause, count(*) FROM (SELECT min_by(cause, field) AS cause FROM judged
                WHERE code = {CHANGED} AND cls = {DUE} AND single GROUP BY rid, r, slot)
                GROUP BY cause ORDER BY cause"""
            )
        )

    def field_causes(self) -> dict[str, dict[str, int]]:
        """field -> cause -> changed fields."""
        names = {f.slot: f.name for f in self.plan.fields}
        found: dict[str, dict[str, int]] = {}
        for slot, cause, count in self.exchange.rows(
            f"""SELECT slot, cause, count(*) FROM (SELECT slot, min_by(cause, field) AS cause
                FROM judged WHERE code = {CHANGED} AND cls = {DUE} AND single GROUP BY rid, r, slot)
            GROUP BY slot, cause ORDER BY count(*) DESC, slot, cause"""
        ):
            found.setdefault(names[slot], {})[cause] = count
        return found

    def segments(self) -> dict[str, dict[str, int]]:
        """See `segments_of`."""
        return segments_of(self.exchange, self.book, self.content)

    def samples(self) -> tuple[Sample, ...]:
        """See `samples_of`."""
        return samples_of(self.exchange, self.content)


def segments_of(exchange: Exchange, book: CustomerBook, content: str) -> dict[str, dict[str, int]]:
    """kind -> segment -> entries that are not waived; an entry counts in each of its owner's segments,
    and one whose owner is unknown in every segment: who can't be asked may be in any of them."""
    found: dict[str, dict[str, int]] = {}
    for i, name in enumerate(book.segments):
        for kind, count in exchange.rows(
            f"""SELECT f.kind, count(DISTINCT f.entry)
            FROM finding f LEFT JOIN customer c ON c.id = f.customer
            WHERE {of_content(content)} AND waived_by IS NULL AND {in_segment(i)}
            GROUP BY f.kind"""
        ):
            found.setdefault(kind, {})[name] = count
    return found


def of_content(content: str) -> str:
    """SQL over finding: it is of this content, and not of an uncovered table of the same name."""
    return f"(content = {literal(content)} AND kind <> '{Kind.UNCOVERED}')"


def in_segment(index: int) -> str:
    """SQL over c, the customer of a finding if one is known: it may be in this segment."""
    return f"coalesce(c.s{index}, c.id IS NULL)"


def samples_of(exchange: Exchange, content: str, most: int = 12) -> tuple[Sample, ...]:
    """The first findings of each kind, cause and field, those that are not waived before the others,
    in the order of their owners."""
    names = ", ".join(f'"{c}"' for c in COLUMNS)
    # Of the first `most` owners each has a first finding: nobody else's can be among the first.
    rows = exchange.rows(
        f"""WITH mine AS NOT MATERIALIZED (
            SELECT *, waived_by IS NOT NULL AS signed FROM finding WHERE {of_content(content)}),
        first_owners AS (
            SELECT kind, owner, signed FROM (SELECT DISTINCT kind, owner, signed FROM mine)
            QUALIFY row_number() OVER (PARTITION BY kind ORDER BY signed, owner) <= {most})
        SELECT {names} FROM (SELECT *, row_number() OVER (
                PARTITION BY kind ORDER BY signed, nth, owner, "list", item, field) AS place
            FROM (SELECT f.*, row_number() OVER (
                    PARTITION BY f.kind, cause, field, f.owner, f.signed ORDER BY "list", item) AS nth
                FROM mine f JOIN first_owners w
                ON w.kind = f.kind AND w.owner IS NOT DISTINCT FROM f.owner AND w.signed = f.signed))
        WHERE place <= {most} ORDER BY kind, place"""
    )
    return tuple(
        Sample(**dict(zip(COLUMNS, row, strict=True)) | {"kind": Kind(row[1])}) for row in rows
    )
