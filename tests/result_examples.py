"""Results of checks as examples for everything that renders or writes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from safeguard.findings.result import (
    CheckResult,
    Conservation,
    ContentResult,
    Coverage,
    DrillSummary,
    IgnoredTable,
    Impact,
    ListLine,
    ListSample,
    RouteResult,
    Sample,
    SegmentCount,
    SystemInfo,
    UncoveredTable,
    WaiverUse,
)
from safeguard.findings.words import Kind, Verdict, WaiverState, Weight

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> \x1b[31mred\x1b]8;;x\x07 "
    "\u202eevil | `code` @octocat #1 [bold]b[/bold] =1+1 \n::error::x \x00 \ud800 https://evil.example"
)


def sample(kind: Kind = Kind.LOST, **values: Any) -> Sample:
    """A finding of the queue, with what the test wants to be different."""
    plain: dict[str, Any] = {
        "content": "queue",
        "kind": kind,
        "cause": None,
        "owner": "1184",
        "list": None,
        "item": "70143836",
        "field": None,
        "old_value": None,
        "new_value": None,
        "system": "streaming",
        "segment": "paying",
    }
    return Sample(**{**plain, **values})


def content(name: str = "queue", **values: Any) -> ContentResult:
    """A content that passes, with what the test wants to be different."""
    plain: dict[str, Any] = {
        "content": name,
        "title": f"The {name} of a customer",
        "shape": "set",
        "verdict": Verdict.PASS,
        "old": 402_551,
        "new": 402_551,
        "due": 402_551,
        "kept": 402_551,
        "sums_old": {"kept": 402_551},
        "sums_new": {"partner": 402_551},
        "left_out": 0,
        "not_due": 0,
        "tolerated": {},
        "findings": {},
        "waived": {},
        "causes": {},
        "customers": Impact(88_000, 0, {"paying": SegmentCount(9_000, 0)}, 120_000),
        "routes": (
            RouteResult("streaming", 402_551, {"kept": 402_551}, 402_551, {"partner": 402_551}),
        ),
        "conservation": Conservation(
            True, True, ("old.queue_items: 402,551 entries, counted 402,551",)
        ),
        "contract": f"contracts/{name}.yaml",
        "lines": {"content": 1, "owner": 4, "new": 15},
        "seconds": 3.2,
    }
    return ContentResult(**{**plain, **values})


def queue() -> ContentResult:
    """A blocked list that was split over two systems."""
    old = {"kept": 6_195_344, "lost": 2_774, "moved": 6_000, "deleted": 41_000}
    streaming = {"kept": 4_100_000, "lost": 2_774, "moved": 6_000}
    return content(
        "queue",
        title="Movies a customer lined up to watch",
        shape="list",
        verdict=Verdict.BLOCK,
        old=6_245_118,
        new=6_201_391,
        due=6_204_118,
        kept=6_195_344,
        sums_old=old,
        sums_new={"partner": 6_201_344, "duplicated": 40, "extra": 7},
        left_out=12,
        tolerated={"renumbered": 51_202},
        findings={"lost": 2_774, "moved": 6_000, "duplicated": 40, "extra": 7},
        customers=Impact(111_204, 1_980, {"paying": SegmentCount(9_411, 133)}, 120_000),
        routes=(
            RouteResult(
                "streaming",
                4_108_774,
                streaming,
                4_106_047,
                {"partner": 4_106_000, "duplicated": 40, "extra": 7},
                {"lost": 2_774, "moved": 6_000, "duplicated": 40, "extra": 7},
            ),
            RouteResult("dvd", 2_095_344, {"kept": 2_095_344}, 2_095_344, {"partner": 2_095_344}),
        ),
        conservation=Conservation(
            True,
            True,
            (
                "old.queue_items: 6,245,118 entries read, count(*) says 6,245,118",
                "streaming.watchlist: 4,106,047 entries read, count(*) says 4,106,047",
            ),
        ),
        reasons=("2,774 entries lost", "6,000 entries moved", "40 entries duplicated"),
        lines={"content": 2, "owner": 5, "order": 7, "new": 18},
        weighed=dict.fromkeys(("lost", "moved", "duplicated"), Weight.BLOCKS)
        | {"extra": Weight.WARNS},
        finding_segments={"lost": {"paying": 120}, "moved": {"paying": 310}},
        notes=("old.queue_items leaves out 12 rows by its `where`.",),
        samples=(
            sample(old_value="position 3, added 2011-09-19 08:12"),
            sample(item="70058026", owner="2147483651", segment=None),
            sample(Kind.MOVED, item="60020686", old_value="2", new_value="5"),
            sample(Kind.DUPLICATED, item="60010110"),
            sample(Kind.EXTRA, item="new:99", owner="3007", segment=None),
        ),
        lists=(_list_of_1184(),),
    )


def _list_of_1184() -> ListSample:
    old = (
        ("1", "The Princess Bride", "kept"),
        ("2", "Seven Samurai", "moved"),
        ("3", "Amélie", "lost"),
        ("4", "Spirited Away", "kept"),
        ("5", "The Third Man", "changed"),
        ("6", "Playtime", "lost"),
        ("7", "In the Mood for Love", "kept"),
    )
    new = (
        ("1", "The Princess Bride", "partner"),
        ("2", "Spirited Away", "partner"),
        ("3", "The Third Man", "partner"),
        ("4", "In the Mood for Love", "partner"),
        ("5", "Seven Samurai", "moved"),
        ("6", "The Princess Bride", "duplicated"),
    )
    return ListSample(
        "queue",
        "streaming",
        "1184",
        None,
        tuple(ListLine(*line) for line in old),
        tuple(ListLine(*line) for line in new),
        cut=12,
    )


def ratings() -> ContentResult:
    """A blocked record: every other kind of finding, with causes."""
    status = {
        "kept": 3_909_980,
        "changed": 1_414,
        "misattributed": 4,
        "misrouted": 2,
        "orphaned": 2,
    }
    kinds = {
        "changed": 1_414,
        "misattributed": 4,
        "misrouted": 2,
        "orphaned": 2,
        "resurrected": 9,
        "expectation": 1,
    }
    return content(
        "ratings",
        title="Stars a customer gave",
        shape="record",
        verdict=Verdict.BLOCK,
        old=3_911_402,
        new=3_911_411,
        due=3_911_402,
        kept=3_909_980,
        sums_old=status,
        sums_new={"partner": 3_911_402, "resurrected": 9},
        findings=kinds,
        waived={"changed": 6},
        lines={"content": 1, "owner": 4, "fields.stars": 8, "fields.comment": 9, "new": 17},
        weighed=dict.fromkeys(kinds, Weight.BLOCKS),
        causes={"mapped_wrong": 1_400, "truncated": 14},
        customers=Impact(98_100, 1_402, {"paying": SegmentCount(8_002, 90)}, 120_000),
        routes=(
            RouteResult("streaming", 3_911_402, status, 3_911_411, {"partner": 3_911_402}, kinds),
        ),
        reasons=(
            "1,414 entries changed, more than the 1,000 that the policy allows",
            "4 entries misattributed",
            "2 entries misrouted",
            "9 entries resurrected",
            "2 entries orphaned",
            "1 expectation broken",
        ),
        field_causes={"stars": {"mapped_wrong": 1_400}, "comment": {"truncated": 14}},
        finding_segments={"misattributed": {"paying": 1}},
        samples=(
            *(_rating(i) for i in range(3)),
            sample(
                Kind.CHANGED,
                content="ratings",
                cause="truncated",
                field="comment",
                old_value="I could watch this one every winter, and the ending st… (212 characters)",
                new_value="I could watch this one every winter, and the end… (128 characters)",
            ),
            sample(Kind.CHANGED, content="ratings", cause="nulled", field="rated_at", old_value=""),
            sample(Kind.MISATTRIBUTED, content="ratings", new_value="7741"),
            sample(Kind.MISROUTED, content="ratings", new_value="dvd"),
            sample(Kind.ORPHANED, content="ratings", owner="5512"),
            sample(Kind.RESURRECTED, content="ratings", owner="91"),
            sample(Kind.EXPECTATION, content="ratings", owner=None, item=None, field="stars"),
        ),
    )


def _rating(i: int) -> Sample:
    return sample(
        Kind.CHANGED,
        content="ratings",
        cause="mapped_wrong",
        owner=str(1_200 + i),
        field="stars",
        old_value="3",
        new_value="down",
    )


def reviews() -> ContentResult:
    """A content that could not be compared whole."""
    return content(
        "reviews",
        title="Reviews a customer wrote",
        verdict=Verdict.UNDECIDED,
        old=88_010,
        new=88_010,
        due=88_010,
        kept=87_998,
        sums_old={"kept": 87_998, "not_compared": 12},
        sums_new={"partner": 87_998, "not_compared": 12},
        findings={"not_compared": 12},
        routes=(
            RouteResult(
                "dvd",
                88_010,
                {"kept": 87_998, "not_compared": 12},
                88_010,
                {"partner": 87_998, "not_compared": 12},
                {"not_compared": 12},
            ),
        ),
        reasons=("column `body` of dvd.reviews is latin1; 12 values can't be read back",),
    )


def waiver(**values: Any) -> WaiverUse:
    """One that was used, with what the test wants to be different."""
    plain: dict[str, Any] = {
        "id": "W-3",
        "content": "ratings",
        "kind": Kind.CHANGED,
        "entries": 6,
        "state": WaiverState.USED,
        "reason": "notes of staff, agreed with support",
        "approved_by": ("Ada Byron", "Grace Hopper"),
        "expires": "2027-01-01T00:00:00+00:00",
        "text": "waiver W-3 covers 6 entries changed, of at most 10, approved by Ada Byron, Grace Hopper "
        "until the end of 2026-12-31 (UTC): notes of staff, agreed with support",
        "at_most": 10,
    }
    return WaiverUse(**{**plain, **values})


def blocked() -> CheckResult:
    """The Qwikster split with every kind of finding."""
    notify = content("notify-me", title="Titles to be told about", tolerated={"line_endings": 118})
    return CheckResult(
        run="2026-11-22T03-14-07Z",
        migration="qwikster-split",
        kind="split",
        verdict=Verdict.BLOCK,
        reasons=(
            *(f"queue: {reason}" for reason in queue().reasons),
            *(f"ratings: {reason}" for reason in ratings().reasons),
            "old.playlists (31,400 entries) is covered by no contract",
            *(f"reviews: {reason}" for reason in reviews().reasons),
        ),
        started_at="2026-11-22T03:14:07Z",
        finished_at="2026-11-22T03:18:40Z",
        tool_version="0.1.0",
        plan_digest="sha256:4f3c9a0e7d2b18c6a1f05b7e",
        customers=Impact(
            117_300,
            3_214,
            {"paying": SegmentCount(9_411, 211), "annual": SegmentCount(2_004, 17)},
            120_000,
        ),
        contents=(queue(), ratings(), notify, reviews()),
        coverage=Coverage(
            14,
            9,
            (IgnoredTable("old", "web_sessions", "expires by itself in 30 minutes"),),
            (
                UncoveredTable(
                    "old", "playlists", 31_400, 9_120, "foreign key customer_id -> customers"
                ),
            ),
            ("old.reviews.helpful_votes", "old.queue_items.source"),
            (),
        ),
        systems=(
            SystemInfo("old", "PostgreSQL", "15.18", "one exported snapshot, held by 4 readers"),
            SystemInfo("streaming", "PostgreSQL", "15.18", "one exported snapshot"),
            SystemInfo("dvd", "MariaDB", "10.11.19", "one consistent-read transaction"),
        ),
        plan="safeguard.yaml",
        place="migrations/qwikster/safeguard.yaml",
        lines={"migration": 1, "systems": 3, "contracts": 8, "customers": 10, "coverage": 15},
        notes=("7 extra entries in queue: the policy only warns of them.",),
        exit_code=1,
        seconds=273.4,
        waivers=(waiver(),),
    )


def passed() -> CheckResult:
    """The same split, mended."""
    whole = (content("queue", tolerated={"renumbered": 90}), content("notify-me", left_out=3))
    return replace(
        blocked(),
        verdict=Verdict.PASS,
        exit_code=0,
        reasons=(),
        notes=("3 rows of notify-me are left out by its `where`.",),
        customers=Impact(117_300, 0, {"paying": SegmentCount(9_411, 0)}, 120_000),
        contents=whole,
        waivers=(),
        coverage=Coverage(14, 13, blocked().coverage.ignored, (), ()),
        drill=DrillSummary(
            "2011-11-20T02-00-00Z", "2011-11-20T02:00:00+00:00", 412, 412, 21, (), "stream"
        ),
    )


def undecided() -> CheckResult:
    """A connection that went away."""
    lost_it = "The connection to dvd was lost after 61 % of ratings and did not come back"
    part = content("ratings", verdict=Verdict.UNDECIDED, reasons=(f"{lost_it} within 120 s.",))
    return replace(
        passed(),
        verdict=Verdict.UNDECIDED,
        exit_code=3,
        reasons=(f"{lost_it} within 120 s.",),
        contents=(content("queue"), part),
    )


def empty() -> CheckResult:
    """A run that ended before anything was read."""
    return replace(
        undecided(),
        contents=(),
        reasons=(),
        notes=(),
        systems=(),
        customers=Impact(0, 0),
        coverage=Coverage(0, 0, (), (), ()),
        drill=None,
    )


def huge(contents: int = 3_000) -> CheckResult:
    """Thousands of contents, tables and columns."""
    base = blocked()
    many = tuple(
        replace(reviews() if i % 3 else ratings(), content=f"content-{i}") for i in range(contents)
    )
    table = base.coverage.uncovered[0]
    return replace(
        base,
        contents=many,
        reasons=tuple(f"content-{i}: 1,414 changed, 4 misattributed." for i in range(contents)),
        coverage=replace(
            base.coverage,
            uncovered=tuple(replace(table, table=f"table_{i}") for i in range(contents)),
            unchecked_columns=tuple(f"old.table_{i}.column" for i in range(contents)),
        ),
    )


def hostile() -> CheckResult:
    """The blocked example with hostile text in every string that comes from people or data."""
    fixed = {"verdict", "kind", "status", "shape", "started_at", "finished_at"}
    result: CheckResult = _poisoned(blocked(), fixed)
    return result


def _poisoned(value: Any, fixed: set[str]) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: _poisoned(getattr(value, f.name), fixed)
            for f in fields(value)
            if f.name not in fixed
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_poisoned(v, fixed) for v in value)
    if isinstance(value, Mapping):
        return {
            k + HOSTILE if isinstance(v, SegmentCount) else k: _poisoned(v, fixed)
            for k, v in value.items()
        }
    if type(value) is str:
        return value + HOSTILE
    return value
