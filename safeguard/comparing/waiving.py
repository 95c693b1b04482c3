"""The findings that waivers name: counted, marked in `finding`, and what is left counted anew.

A finding that a test can't answer, because what it asks for is NULL, is not named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.sql import identity, literal
from safeguard.comparing.telling import in_segment, of_content, samples_of, segments_of
from safeguard.contract.conditions import Compared, Condition, IsNull, Joined, Not, OneOf
from safeguard.contract.model import Contract, LoadedPlan, Shape
from safeguard.contract.waivers import Owner, Waiver
from safeguard.findings.result import ContentResult, Coverage, RouteResult
from safeguard.findings.words import AFFECTING, Kind


@dataclass(frozen=True)
class Matched:
    """What a waiver is about."""

    findings: int
    entries: int | None
    """None where it is an uncovered table whose entries nobody counted."""
    segments: frozenset[str] = frozenset()
    """Of the segments for which the policy wants approvers: those whose customers it may be about."""


class Findings:
    """All findings of a run, once every content is compared."""

    def __init__(self, exchange: Exchange, book: CustomerBook, loaded: LoadedPlan) -> None:
        self.exchange, self.book = exchange, book
        self.contracts = {one.contract.content: one.contract for one in loaded.contracts}
        asked = loaded.plan.policy.approvers
        self.segments = {s: i for i, s in enumerate(book.segments) if s in asked}

    def matched(self, waiver: Waiver, before: Sequence[Waiver]) -> Matched:
        """What a waiver is about that those `before` it do not waive already."""
        named = self._first(waiver, before)
        if waiver.kind is Kind.UNCOVERED:
            return self._tables(named)
        join = "LEFT JOIN customer c ON c.id = f.customer" if self.segments else ""
        flags = "".join(f", bool_or({in_segment(i)}) AS s{i}" for i in self.segments.values())
        some = "".join(f", bool_or(s{i})" for i in self.segments.values())
        # By entry first: that spills to disk, which counting distinct ones does not. What has no
        # number is an entry of its own.
        [(findings, entries, *inside)] = self.exchange.rows(
            f"""SELECT coalesce(sum(n), 0), count(*){some} FROM (
                SELECT count(*) AS n{flags} FROM finding f {join} WHERE {named}
                GROUP BY entry, CASE WHEN entry IS NULL THEN f.rowid END)"""
        )
        segments = (s for s, found in zip(self.segments, inside, strict=True) if found)
        return Matched(int(findings), int(entries), frozenset(segments))

    def mark(self, used: Sequence[Waiver]) -> None:
        """Write into each finding the first of these waivers that names it; who has none of the others
        is affected."""
        if not used:
            return
        cases = " ".join(f"WHEN {self._named(w)} THEN {literal(w.id)}" for w in used)
        signed = f"CASE {cases} ELSE CAST(NULL AS VARCHAR) END AS waived_by"
        self.exchange.create("finding", f"AS SELECT * REPLACE ({signed}) FROM finding f")
        kinds = ", ".join(f"'{k}'" for k in sorted(AFFECTING))
        self.exchange.create(
            "affected",
            f"""AS SELECT DISTINCT content, customer AS id FROM finding
            WHERE kind IN ({kinds}) AND customer IS NOT NULL AND waived_by IS NULL""",
        )

    def recounted(self, content: ContentResult) -> ContentResult:
        """The content with what is waived, and what that leaves."""
        if not content.routes:  # nothing of it was read
            return content
        name = content.content
        return replace(
            content,
            waived=self._waived(name),
            customers=self.book.impact(name),
            finding_segments=segments_of(self.exchange, self.book, name),
            samples=samples_of(self.exchange, name),
            routes=tuple(self._route(name, i, route) for i, route in enumerate(content.routes)),
        )

    def covered(self, coverage: Coverage) -> Coverage:
        """The coverage with the waivers of uncovered tables."""
        rows = self.exchange.rows(
            f"""SELECT system, content, waived_by FROM finding
            WHERE kind = '{Kind.UNCOVERED}' AND waived_by IS NOT NULL"""
        )
        by = {(system, table): waiver for system, table, waiver in rows}
        tables = [replace(t, waived_by=by.get((t.system, t.table), "")) for t in coverage.uncovered]
        return replace(coverage, uncovered=tuple(tables))

    # -- private ----------------------------------------------------------------------------

    def _tables(self, named: str) -> Matched:
        """Uncovered tables, which may have something of anybody."""
        size = "TRY_CAST(old_value AS HUGEINT)"
        [(tables, counted, entries)] = self.exchange.rows(
            f"SELECT count(*), count({size}), coalesce(sum({size}), 0) FROM finding f WHERE {named}"
        )
        whole = int(entries) if counted == tables else None
        return Matched(tables, whole, frozenset(self.segments if tables else ()))

    def _route(self, name: str, index: int, route: RouteResult) -> RouteResult:
        where = "TRUE" if route.system == "*" else f"r = {index}"
        return replace(route, waived=self._waived(name, where))

    def _waived(self, name: str, where: str = "TRUE") -> dict[str, int]:
        """Entries by kind of which every finding of that kind is waived."""
        return dict(
            self.exchange.rows(
                f"""SELECT kind, count(*) FROM (
                    SELECT kind, entry FROM finding WHERE {of_content(name)} AND {where}
                    GROUP BY kind, entry HAVING bool_and(waived_by IS NOT NULL))
                GROUP BY kind ORDER BY kind"""
            )
        )

    def _first(self, waiver: Waiver, before: Sequence[Waiver]) -> str:
        """SQL over f: this waiver names it, and none of those before."""
        alike = [b for b in before if (b.content, b.kind) == (waiver.content, waiver.kind)]
        cases = " ".join(f"WHEN {self._named(b)} THEN FALSE" for b in alike)
        named = self._named(waiver)
        return f"CASE {cases} ELSE {named} END" if cases else named

    def _named(self, waiver: Waiver) -> str:
        """SQL over f: TRUE where the waiver names the finding, else FALSE; never NULL."""
        tests = [_is("content", waiver.content), _is("kind", waiver.kind)]
        tests += [_is(k, v) for k in ("cause", "system") if (v := getattr(waiver, k)) is not None]
        if waiver.field is not None:
            tests.append(_of_field(waiver.field, self.contracts[waiver.content]))
        if waiver.owners is not None:
            tests.append(f"f.owner IN ({', '.join(map(_owner, waiver.owners))})")
        if waiver.condition is not None:
            tests.append(_holds(waiver.condition))
        return f"coalesce({' AND '.join(f'({test})' for test in tests)}, FALSE)"


def _is(column: str, value: str) -> str:
    return f"f.{column} = {literal(str(value))}"


def _owner(owner: Owner) -> str:
    """An owner as findings write it: by the same expression."""
    return identity([literal(part) for part in (owner if isinstance(owner, tuple) else (owner,))])


def _of_field(field: str, contract: Contract) -> str:
    """The field itself; of a document, also what is below the path, unless another field is."""
    if contract.shape is not Shape.DOCUMENT:
        return _is("field", field)
    others = [o for o in contract.fields if o.startswith((f"{field}.", f"{field}["))]
    below = " OR ".join(_below(field))
    apart = " OR ".join(test for other in others for test in (_is("field", other), *_below(other)))
    found = f"{_is('field', field)} OR {below}"
    return f"({found}) AND NOT ({apart})" if apart else found


def _below(path: str) -> list[str]:
    return [f"starts_with(f.field, {literal(path + sign)})" for sign in ".["]


def _holds(condition: Condition) -> str:
    """SQL over f, by our own words: of the user's only the literals are in it."""
    match condition:
        case Compared(column, sign, value):
            return f"{_as(column, value)} {sign} {literal(value)}"
        case OneOf(column, values):
            tests = [
                f"{_as(column, kind[0])} IN ({', '.join(map(literal, kind))})"
                for kind in _sorted(values)
            ]
            return f"({' OR '.join(tests)})"
        case IsNull(column):
            return f"{_column(column)} IS NULL"
        case Not(part):
            return f"NOT ({_holds(part)})"
        case Joined(word, parts):
            return "(" + f" {word} ".join(_holds(part) for part in parts) + ")"


def _column(name: str) -> str:
    return f'f."{name}"'


_NUMBER = r"0|-?[1-9][0-9]{0,36}"


def _as(column: str, value: str | int) -> str:
    """The column as what it is compared with; a text that is no whole number is NULL beside one."""
    if isinstance(value, str):
        return _column(column)
    text = _column(column)
    return f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN CAST({text} AS HUGEINT) END"


def _sorted(values: Sequence[str | int]) -> list[list[str | int]]:
    """The texts, and the numbers; whichever there are."""
    kinds = [[v for v in values if isinstance(v, kind)] for kind in (str, int)]
    return [kind for kind in kinds if kind]
