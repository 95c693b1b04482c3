"""What the findings have in common: planted losses come out as the sentence that says how they were
planted, and losses at random as none."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

import safeguard.comparing.content
from safeguard.comparing.explaining import evidence, passes
from safeguard.comparing.explaining.borders import Form, border, written
from safeguard.findings.words import Kind
from unit.comparing.conftest import Compare, Compared

Row = dict[str, Any]
Chooses = Callable[[Row], bool]
SCHEMA = pa.schema(
    [
        ("owner", pa.int64()),
        ("item", pa.int64()),
        ("position", pa.int64()),
        ("added_at", pa.timestamp("us", "UTC")),
        ("note", pa.string()),
        ("rating", pa.int64()),
        ("medium", pa.string()),
        ("day", pa.date32()),
        ("price", pa.decimal128(9, 2)),
    ]
)
CONTRACT = {
    "shape": "list",
    "owner": "owner",
    "item": "item",
    "order": "position",
    "fields": {
        "added_at": {"type": "timestamp"},
        "note": {"type": "text"},
        "rating": {"type": "integer"},
        "medium": {"type": "enum"},
        "day": {"type": "date"},
        "price": {"type": "decimal(2)"},
    },
}
NEW_YEAR = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
APRIL = dt.datetime(2024, 4, 1, tzinfo=dt.UTC)


def entries(seed: int, owners: int = 150, each: int = 20) -> list[Row]:
    """Lists of random things; nothing hangs on anything else."""
    r = random.Random(seed)
    return [
        {
            "owner": owner,
            "item": item,
            "position": place,
            "added_at": NEW_YEAR + dt.timedelta(seconds=r.randrange(366 * 86_400)),
            "note": _note(r),
            "rating": r.randint(1, 5),
            "medium": r.choice(["dvd", "stream", "both"]),
            "day": dt.date(2020, 1, 1) + dt.timedelta(days=r.randrange(1000)),
            "price": pa.scalar(r.randrange(100, 5000)).as_py() / 100,
        }
        for owner in range(1, owners + 1)
        for place, item in enumerate(r.sample(range(1, 500), each), 1)
    ]


def _note(r: random.Random) -> str | None:
    if r.random() < 0.15:
        return None
    start = r.choice(["", "", "", "", "é", "🎬 ", 'so "good" ', "a\nb", "c:\\d"])
    return start + "x" * r.randrange(1, 600)


def has(field: str, part: str) -> Chooses:
    return lambda row: part in (row[field] or "")


def lose(compare: Compare, rows: Iterable[Row], lost: Chooses, **more: Any) -> Compared:
    """Compare with a new side without the entries that `lost` chooses."""
    old = [_typed(r) for r in rows]
    return compare(old, [r for r in old if not lost(r)], contract=CONTRACT, schema=SCHEMA, **more)


def _typed(row: Row) -> Row:
    from decimal import Decimal

    return row | {"price": Decimal(str(row["price"])).quantize(Decimal("0.01"))}


def said(compared: Compared) -> list[str]:
    assert not [n for n in compared.result.notes if "not explained" in n], compared.result.notes
    return [e.text for e in compared.result.explanations]


@dataclass(frozen=True)
class Planted:
    name: str
    lost: Chooses
    words: str
    """What all of the lost entries have, and none of the kept."""
    each: Callable[[Row], Row] = lambda row: row


def _beyond_31_bits(row: Row) -> Row:
    return row | {"owner": row["owner"] + 2**31 - 140}


PLANTED = (
    Planted("owner range", lambda r: r["owner"] > 130, "have owner above 130"),
    Planted(
        "owners past 31 bits",
        lambda r: r["owner"] > 2**31 - 1,
        "have owner above 2,147,483,647",
        _beyond_31_bits,
    ),
    Planted("one owner", lambda r: r["owner"] == 77, "have owner 77"),
    Planted("owners", lambda r: r["owner"] in (5, 77, 140), "have owner 5, 77 or 140"),
    Planted("item", lambda r: r["item"] == 42, "have item 42"),
    Planted("item range", lambda r: 201 <= r["item"] <= 260, "have item from 201 to 260"),
    Planted("from a day on", lambda r: r["added_at"] >= APRIL, "have added_at from 2024-04-01 on"),
    Planted("before a day", lambda r: r["added_at"] < APRIL, "have added_at before 2024-04-01"),
    Planted(
        "between days",
        lambda r: dt.date(2020, 6, 1) <= r["day"] < dt.date(2021, 1, 1),
        "have day from 2020-06-01 to before 2021-01-01",
    ),
    Planted("one value", lambda r: r["medium"] == "dvd", 'have medium "dvd"'),
    Planted("price", lambda r: r["price"] >= 40, "have price of 40 or more"),
    Planted("no value", lambda r: r["note"] is None, "have no note"),
    Planted(
        "long text",
        lambda r: len(r["note"] or "") > 255,
        "have a note of more than 255 characters",
    ),
    Planted("emoji", has("note", "🎬"), "have a note with emoji or other characters beyond U+FFFF"),
    Planted(
        "beyond ASCII",
        lambda r: not (r["note"] or "").isascii(),
        "have a note with characters beyond ASCII",
    ),
    Planted("quoted", has("note", '"'), "have a note with a quotation mark"),
    Planted("line break", has("note", "\n"), "have a note with a line break"),
    Planted("backslash", has("note", "\\"), "have a note with a backslash"),
    Planted("last of each list", lambda r: r["position"] == 20, "have position 20"),
    Planted(
        "time or owner",
        lambda r: r["added_at"] >= dt.datetime(2024, 12, 1, tzinfo=dt.UTC) or r["owner"] > 140,
        "have added_at from 2024-12-01 on or owner above 140",
    ),
    Planted(
        "no value and one value",
        lambda r: r["note"] is None and r["medium"] == "dvd",
        'have no note and medium "dvd"',
    ),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: p.name)
def test_a_planted_loss_is_explained_as_it_was_planted(planted: Planted, compare: Compare) -> None:
    compared = lose(compare, map(planted.each, entries(1)), planted.lost)
    lost = compared.counts["lost"]
    assert said(compared) == [f"All {lost:,} lost entries {planted.words}; of the kept ones none."]
    (explained,) = compared.result.explanations
    assert (explained.kind, explained.found, explained.total) == (Kind.LOST, lost, lost)
    assert explained.kept_share == 0


def test_the_end_of_lists_of_many_lengths(compare: Compare) -> None:
    rows = [r for r in entries(2) if r["position"] <= 10 + r["owner"] % 10]
    last = {r["owner"]: r["position"] for r in rows}
    compared = lose(compare, rows, lambda r: r["position"] == last[r["owner"]])
    assert said(compared) == [
        "All 150 lost entries are the last of their list; of the kept ones none."
    ]


def test_both_figures_are_exact(compare: Compare) -> None:
    """Half of the entries with the value survive: the sentence says how many those are."""
    r = random.Random(4)
    rows = entries(4)
    gone = {id(x) for x in rows if x["rating"] == 2 and x["owner"] % 2}
    gone |= {id(x) for x in r.sample(rows, 20)}
    lost = [x for x in rows if id(x) in gone]
    with_two = sum(x["rating"] == 2 for x in lost)
    kept_two = sum(x["rating"] == 2 for x in rows) - with_two
    kept = len(rows) - len(lost)
    keys = {(x["owner"], x["item"]) for x in lost}
    compared = lose(compare, rows, lambda x: (x["owner"], x["item"]) in keys)
    share = round(100 * kept_two / kept, 1)
    assert said(compared) == [
        f"{with_two} of {len(lost)} lost entries have rating 2; of the kept ones {share} %."
    ]


def test_several_reasons_are_several_sentences_the_greatest_first(compare: Compare) -> None:
    compared = lose(
        compare,
        entries(5),
        lambda r: (
            (r["rating"] == 1 and r["medium"] == "dvd")
            or (r["price"] >= 46 and r["medium"] == "both")
        ),
    )
    first, second = compared.result.explanations
    assert "rating 1" in first.text
    assert "price of 46 or more" in second.text
    assert first.found > second.found
    assert first.total == second.total == compared.counts["lost"]


def test_a_reason_for_a_tenth_of_the_findings_is_not_told(compare: Compare) -> None:
    """Those of one owner are all that is left when the greater reason is told."""
    compared = lose(compare, entries(5), lambda r: r["rating"] == 1 or r["owner"] == 7)
    (only,) = compared.result.explanations
    assert "rating 1" in only.text
    assert only.found < only.total


@pytest.mark.parametrize("share", [0.005, 0.05, 0.5, 0.95])
def test_losses_at_random_are_not_explained(compare: Compare, share: float) -> None:
    """30 seeds of each of four shares; not one sentence."""
    false = {}
    for seed in range(30):
        r = random.Random(seed)
        rows = entries(seed, owners=r.choice([3, 20, 100]), each=r.choice([5, 20]))
        gone = {(x["owner"], x["item"]) for x in rows if r.random() < share}
        compared = lose(compare, rows, lambda x: (x["owner"], x["item"]) in gone)  # noqa: B023
        if sentences := said(compared):
            false[seed] = sentences
    assert false == {}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_few_findings_have_always_something_in_common(compare: Compare, count: int) -> None:
    rows = entries(6)
    keys = {(x["owner"], x["item"]) for x in rows if x["owner"] == 9 and x["position"] <= count}
    compared = lose(compare, rows, lambda x: (x["owner"], x["item"]) in keys)
    assert compared.counts == {"lost": count}
    assert said(compared) == []


def test_where_nothing_is_kept_there_is_nothing_to_compare_with(compare: Compare) -> None:
    compared = lose(compare, entries(7), lambda x: True)
    assert compared.counts == {"lost": 3000}
    assert said(compared) == []


def test_a_sample_of_the_kept_ones_leads_to_exact_figures(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MOST_SAMPLED", 300)
    compared = lose(compare, entries(8), lambda r: r["added_at"] >= APRIL)
    (explained,) = compared.result.explanations
    assert explained.found == explained.total == compared.counts["lost"]
    rows = entries(8)
    after = explained.text.partition("added_at from ")[2][:10]
    moment = dt.datetime.fromisoformat(after).replace(tzinfo=dt.UTC)
    kept = [r for r in rows if r["added_at"] < APRIL]
    assert explained.kept_share == sum(r["added_at"] >= moment for r in kept) / len(kept)


def test_of_a_huge_content_the_kept_ones_are_about_so_many(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "MOST_ROWS", 100)
    r = random.Random(9)
    rows = entries(9)
    gone = {(x["owner"], x["item"]) for x in rows if x["rating"] == 3 and r.random() < 0.8}
    compared = lose(compare, rows, lambda x: (x["owner"], x["item"]) in gone)
    assert "have rating 3; of the kept ones about " in said(compared)[0]


# -- other kinds --------------------------------------------------------------------------------


def test_changed_values_and_not_that_there_was_one(compare: Compare) -> None:
    """That the field which changed had a value goes without saying."""
    old = [_typed(r) for r in entries(10)]
    new = [r | {"note": (r["note"] or "")[:255]} if r["note"] else r for r in old]
    compared = compare(old, new, contract=CONTRACT, schema=SCHEMA)
    count = compared.counts["changed"]
    assert said(compared) == [
        f"All {count:,} changed entries have a note of more than 255 characters; of the kept ones none."
    ]


def test_surplus_entries_are_told_from_the_others_of_the_new_side(compare: Compare) -> None:
    old = [_typed(r) for r in entries(11)]
    extra = [r | {"item": r["item"] + 1000, "position": 100 + r["position"]} for r in old[:200]]
    compared = compare(old, [*old, *extra], contract=CONTRACT, schema=SCHEMA)
    assert compared.counts == {"extra": 200}
    (sentence,) = said(compared)
    assert sentence.startswith("All 200 extra entries have ")
    assert sentence.endswith("; of the others none.")


def test_moved_entries_of_one_owner(compare: Compare) -> None:
    old = [_typed(r) for r in entries(12)]
    new = [r | {"position": -r["position"]} if r["owner"] == 30 else r for r in old]
    compared = compare(old, new, contract=CONTRACT, schema=SCHEMA)
    assert said(compared) == ["All 19 moved entries have owner 30; of the kept ones < 0.1 %."]


# -- when it fails ------------------------------------------------------------------------------


def test_a_mistake_in_explaining_is_told_and_changes_no_verdict(
    compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("planted")

    whole = lose(compare, entries(13), lambda r: r["rating"] == 3)
    monkeypatch.setattr(safeguard.comparing.content, "explain", broken)
    compared = lose(compare, entries(13), lambda r: r["rating"] == 3)
    assert compared.result.explanations == ()
    assert [n for n in compared.result.notes if "not explained" in n] == [
        (
            "what was found is not explained, by a mistake of ours, please tell us: "
            "ZeroDivisionError: planted"
        )
    ]
    assert (compared.verdict, compared.findings) == (whole.verdict, whole.findings)
    assert compared.result.reasons == whole.result.reasons


# -- borders ------------------------------------------------------------------------------------

DAY = 86_400_000_000
BORDERS: tuple[tuple[Form, Any, Any, str], ...] = (
    (Form.WHOLE, 1_000_000, 3_000_000_000, "2,147,483,648"),
    (Form.WHOLE, 997, 1_203, "1,001"),
    (Form.WHOLE, 5, 6, "6"),
    (Form.WHOLE, -40, 12, "1"),
    (Form.LENGTH, 250, 270, "256"),
    (Form.REAL, 2.5, 3.0, "3"),
    (Form.REAL, 2.93, 2.97, "2.97"),
    (Form.REAL, -3.7, -1.2, "-2"),
    (Form.REAL, 0.1, 0.2, "0.2"),
    (Form.MOMENT, 18_000 * DAY, 18_300 * DAY, "2020-01-01"),
    (Form.MOMENT, 18_000 * DAY, 18_020 * DAY + 5, "2019-05-01"),
    (Form.MOMENT, 7 * 3_600_000_000, 9 * 3_600_000_000 + 17, "1970-01-01 09:00"),
    (Form.DAY, 18_000, 18_010, "2019-04-24"),
    (Form.WORD, "apple", "banana", '"b"'),
    (Form.WORD, "bana", "banana", '"banan"'),
)


@pytest.mark.parametrize(("form", "outside", "inside", "shown"), BORDERS)
def test_of_all_borders_between_two_values_the_round_one_is_told(
    form: Form, outside: Any, inside: Any, shown: str
) -> None:
    found = border(form, outside, inside)
    assert outside < found <= inside
    assert written(form, found, border=True) == shown


def test_free_text_is_never_told(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a text that all lost entries share, only with `reveal` what it is."""
    rows = [r | {"note": "my secret" if r["rating"] == 3 else "other"} for r in entries(14)]
    rows = [r | {"rating": 1} for r in rows]
    revealed = said(lose(compare, rows, has("note", "secret")))
    assert 'note "my secret"' in revealed[0]
    masked = _masked(compare, monkeypatch, rows)
    assert masked == [revealed[0].replace('note "my secret"', "a note of 9 characters")]


def _masked(compare: Compare, patch: pytest.MonkeyPatch, rows: list[Row]) -> list[str]:
    from safeguard.comparing.explaining import explain

    traits = explain.old_traits

    def without(*args: Any, **options: Mapping[str, Any]) -> Any:
        return traits(*args, **{**options, "reveal": False})  # type: ignore[arg-type]

    patch.setattr(explain, "old_traits", without)
    return said(lose(compare, rows, has("note", "secret")))
