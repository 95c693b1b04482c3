"""From unequal pairs to judged fields: what is equal after all, tolerated, changed, not compared.

Writes `judged(rid, nid, r, cls, single, field, slot, code, forms, cause, old_value, new_value)`, one
row a field that is not plainly equal (a document: one row a path).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import pyarrow as pa

from safeguard.comparing import document
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import CHANGED, EQUAL, NOT_COMPARED, FieldRule
from safeguard.comparing.garbling import compatible, garbled, unescaped
from safeguard.comparing.sql import columns, literal
from safeguard.contract.types import TypeName
from safeguard.findings.words import Cause
from safeguard.planning.layout import ContentPlan

_AT_ONCE = 20_000
"""Texts in memory at one time."""
JUDGED = (
    "(rid BIGINT, nid BIGINT, r UTINYINT, cls UTINYINT, single BOOLEAN, field VARCHAR, slot VARCHAR, "
    "code UTINYINT, forms VARCHAR[], cause VARCHAR, old_value VARCHAR, new_value VARCHAR)"
)
_PATHS = pa.schema(
    [
        ("rid", pa.int64()),
        ("nid", pa.int64()),
        ("r", pa.uint8()),
        ("cls", pa.uint8()),
        ("single", pa.bool_()),
        ("field", pa.string()),
        ("slot", pa.string()),
        ("code", pa.uint8()),
        ("forms", pa.list_(pa.string())),
        ("cause", pa.string()),
        ("old_value", pa.string()),
        ("new_value", pa.string()),
    ]
)


def judges_documents(plan: ContentPlan) -> bool:
    """Whether documents are compared, whose paths are worked out for so many of the whole content:
    then its pairs are judged together, not partition by partition."""
    return any(t.type.name is TypeName.JSON for f in plan.fields for t in (f.old, *f.new))


class Judge:
    """Judges the pairs of one content in `unequal`, route by route."""

    def __init__(self, exchange: Exchange, plan: ContentPlan, reveal: bool) -> None:
        self.exchange, self.plan, self.reveal = exchange, plan, reveal
        self.documents_left = document.MOST_DOCUMENTS
        exchange.create("judged", JUDGED)

    def judge(self, route: int, old: str, rules: Sequence[FieldRule]) -> None:
        """Judge the unequal pairs of a route; `old` is its table of old entries."""
        if not self.exchange.number(f"SELECT count(*) FROM unequal WHERE r = {route}"):
            return
        for rule in rules:
            if rule.name is TypeName.JSON and rule.mapping is None:
                self._judge_documents(rule, route, old)
            else:
                self._judge_values(rule, route, old)
                if rule.mapping is None and rule.name in (TypeName.TEXT, TypeName.ENUM):
                    self._look_closer(rule, route, old)
        self._find_swapped(route, old, rules)

    def _look_closer(self, rule: FieldRule, route: int, old: str) -> None:
        """What can't be told in SQL of texts without another cause, by the batch."""
        before, after = f"o.{rule.slot}", f"n.{rule.slot}"
        sql = f"""SELECT j.rid, j.nid, {before} AS old_text, {after} AS new_text
            FROM judged j JOIN {old} o ON o.rid = j.rid JOIN new_{route} n ON n.nid = j.nid
            WHERE j.r = {route} AND j.slot = {literal(rule.slot)} AND j.code = {CHANGED}
            AND j.cause = '{Cause.OTHER}' AND {before} IS NOT NULL"""
        beyond = f"(strlen({before}) > length({before}) OR strlen({after}) > length({after}))"
        entity = "'&#?[0-9A-Za-z]+;'"
        escaped = f"(regexp_matches({before}, {entity}) OR regexp_matches({after}, {entity}))"
        for cause, test, tell in (
            (Cause.GARBLED, beyond, garbled),
            (Cause.UNICODE_FORM, beyond, compatible),
            (Cause.ESCAPED, escaped, unescaped),
        ):
            self.exchange.create("closer", "(rid BIGINT, nid BIGINT)")
            for batch in self.exchange.batches(f"{sql} AND {test}", _AT_ONCE):
                found = tell(batch["old_text"], batch["new_text"])
                rows = batch.select(["rid", "nid"]).filter(pa.array(found))
                self.exchange.insert("closer", rows)
            self._rename_cause("closer", route, (rule,), cause)

    def _find_swapped(self, route: int, old: str, rules: Sequence[FieldRule]) -> None:
        """Two fields of one entry, each with the value that the other had."""
        changed = self.exchange.rows(
            f"SELECT DISTINCT slot FROM judged WHERE r = {route} AND code = {CHANGED}"
        )
        plain = [r for r in rules if r.mapping is None and (r.slot,) in changed]
        for one, other in combinations(plain, 2):
            if one.field.old != other.field.old:
                continue
            a, b = one.slot, other.slot
            self.exchange.create(
                "swapped_pairs",
                f"""AS SELECT u.rid, u.nid FROM {self._pairs(route, old)}
                WHERE o.{a} IS DISTINCT FROM o.{b} AND o.{a} IS NOT DISTINCT FROM n.{b}
                AND o.{b} IS NOT DISTINCT FROM n.{a} AND o.{a} IS NOT NULL AND o.{b} IS NOT NULL""",
            )
            self._rename_cause("swapped_pairs", route, (one, other), Cause.SWAPPED_FIELDS)

    def _rename_cause(
        self, table: str, route: int, rules: Sequence[FieldRule], cause: Cause
    ) -> None:
        slots = ", ".join(literal(r.slot) for r in rules)
        self.exchange.run(
            f"""UPDATE judged SET cause = '{cause}' FROM {table} t WHERE judged.rid = t.rid
            AND judged.nid = t.nid AND judged.r = {route} AND judged.slot IN ({slots})
            AND judged.code = {CHANGED}"""
        )
        self.exchange.drop(table)

    def _pairs(self, route: int, old: str) -> str:
        return f"""(SELECT * FROM unequal WHERE r = {route}) u
            JOIN {old} o ON o.rid = u.rid JOIN new_{route} n ON n.nid = u.nid"""

    def _judge_values(self, rule: FieldRule, route: int, old: str) -> None:
        old_value, new_value = (rule.evidence(side, self.reveal) for side in ("o", "n"))
        plainly = f"o.bad IS NULL AND n.bad IS NULL AND {rule.equal}"
        self.exchange.run(
            f"""INSERT INTO judged SELECT rid, nid, {route}, cls, single,
                {literal(rule.field.name)}, {literal(rule.slot)}, code, forms, cause, old_value, new_value
            FROM (SELECT u.rid, u.nid, u.cls, u.single, {rule.judged()}, {old_value} AS old_value,
                    {new_value} AS new_value
                FROM {self._pairs(route, old)} WHERE NOT ({plainly}))
            WHERE code <> {EQUAL}"""
        )

    def _judge_documents(self, rule: FieldRule, route: int, old: str) -> None:
        slot = rule.slot
        sql = f"""SELECT u.rid, u.nid, u.cls, u.single, o.{slot} AS old_value, n.{slot} AS new_value,
                coalesce(json_extract_string(o.bad, '$.{slot}') IS NOT NULL, FALSE)
                OR coalesce(json_extract_string(n.bad, '$.{slot}') IS NOT NULL, FALSE) AS bad
            FROM {self._pairs(route, old)}
            WHERE o.{slot} IS DISTINCT FROM n.{slot} OR o.bad IS NOT NULL OR n.bad IS NOT NULL
            ORDER BY {columns((k.slot for k in self.plan.keys), "o")}, o.{slot}, u.rid"""
        for batch in self.exchange.batches(sql, 10_000):
            rows = [
                row for pair in batch.to_pylist() for row in self._document_rows(rule, route, pair)
            ]
            if rows:
                self.exchange.insert("judged", pa.Table.from_pylist(rows, _PATHS))

    def _document_rows(
        self, rule: FieldRule, route: int, pair: dict[str, object]
    ) -> Iterator[dict[str, object]]:
        base = {k: pair[k] for k in ("rid", "nid", "cls", "single")} | {
            "r": route,
            "slot": rule.slot,
        }
        base |= {"field": rule.field.name, "forms": []}
        old, new = pair["old_value"], pair["new_value"]
        if pair["bad"]:
            yield base | {"code": NOT_COMPARED}
        elif old == new:
            return
        elif not isinstance(old, str) or not isinstance(new, str):
            cause = "nulled" if new is None else "other"
            yield base | self._shown(old, new) | {"code": CHANGED, "cause": cause}
        else:
            yield from self._unequal_texts(rule, base, old, new)

    def _unequal_texts(
        self, rule: FieldRule, base: dict[str, object], old: str, new: str
    ) -> Iterator[dict[str, object]]:
        unordered = rule.field.spec.unordered
        try:
            equal = bool(unordered) and document.equal_unordered(old, new, unordered)
        except RecursionError:
            yield base | {"code": NOT_COMPARED}
            return
        if not equal:
            yield from self._paths(rule, base, old, new)

    def _paths(
        self, rule: FieldRule, base: dict[str, object], old: str, new: str
    ) -> Iterator[dict[str, object]]:
        if self.documents_left <= 0:
            yield base | self._shown(old, new) | {"code": CHANGED, "cause": "other"}
            return
        self.documents_left -= 1
        for change in document.changed_paths(old, new, rule.field.spec.unordered):
            yield (
                base
                | self._shown(change.old, change.new)
                | {
                    "code": CHANGED,
                    "cause": change.cause,
                    "field": rule.field.name + change.path,
                }
            )

    def _shown(self, *values: object) -> dict[str, object]:
        return {
            name: value
            if value is None or self.reveal
            else f"[{len(str(value))} characters, masked]"
            for name, value in zip(("old_value", "new_value"), values, strict=True)
        }
