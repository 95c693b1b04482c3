"""The changes of a column of texts in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from safeguard.comparing.changed_column import Column, counted
from safeguard.comparing.forms import normal
from safeguard.comparing.garbling import ways
from safeguard.contract.types import AcceptForm, TypeName
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause

_AT_ONCE = 20_000


def _truncated(column: Column) -> Iterator[Pattern]:
    """Of one length all, in characters; or in bytes but for the character that did not fit whole."""
    if column.rule.name is TypeName.BYTES:
        sizes = "octet_length(n)"
        count, least, most = column.row(f"count(*), min({sizes}), max({sizes})", Cause.TRUNCATED)
        least_long = most_long = -1
    else:
        kept = "rtrim(n, chr(65533))"
        count, least, most, least_long, most_long = column.row(
            f"count(*), min(strlen({kept})), max(strlen({kept})), min(length(n)), max(length(n))",
            Cause.TRUNCATED,
        )
    if count > 1 and least_long == most_long >= 0:
        yield column.pattern(
            Cause.TRUNCATED, count, f"are cut off at {counted(most_long, 'character')}"
        )
    elif count > 1 and (most - least <= 3 if least_long >= 0 else most == least):
        yield column.pattern(Cause.TRUNCATED, count, f"are cut off at {counted(most, 'byte')}")


def _garbled(column: Column) -> Iterator[Pattern]:
    """The way of garbling that explains the most."""
    if column.rule.name is TypeName.UUID:
        (count,) = column.row("count(*)", Cause.GARBLED)
        yield column.pattern(
            Cause.GARBLED, count, "have the bytes of their first groups turned round"
        )
        return
    counts: dict[str, int] = {}
    sql = f"SELECT o, n FROM changes WHERE cause = '{Cause.GARBLED}'"
    for batch in column.exchange.batches(sql, _AT_ONCE):
        for way in ways(batch["o"], batch["n"]):
            counts[way.words] = counts.get(way.words, 0) + int(way.mask.sum())
    if counts and (most := max(counts.values())):
        # Windows-1252 has all of Latin-1's letters: where both would do, the wider is named.
        names = [words for words, n in counts.items() if n == most]
        yield column.pattern(Cause.GARBLED, most, f"are {_the_wider(names)}")


def _the_wider(names: list[str]) -> str:
    return next((n for n in names if "Windows-1252" in n), names[0])


def _same_way(cause: Cause, column: Column) -> Iterator[Pattern]:
    """The one test that holds of all changes of a cause."""
    tests = _WAYS[cause]
    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test, _ in tests)
    every, *held = column.row(f"count(*), {counts}", cause)
    for (_, said), count in zip(tests, held, strict=True):
        if count == every > 0:
            yield column.pattern(cause, every, said)
            return


_WAYS: dict[Cause, tuple[tuple[str, str], ...]] = {
    Cause.NULL_EMPTY: (
        ("o IS NULL", "have an empty text for no value"),
        ("n IS NULL", "have no value for an empty text"),
    ),
    Cause.CASE: (
        ("n = upper(o)", "are in capitals now"),
        ("n = lower(o)", "are in small letters now"),
    ),
    Cause.WHITESPACE: (
        ("rtrim(o) = n", "have lost the blanks at their end"),
        ("o = rtrim(n)", "have blanks at their end that were not there"),
        ("trim(o) = n", "have lost the blanks around them"),
    ),
    Cause.LINE_ENDINGS: (
        (f"{normal(AcceptForm.LINE_ENDINGS, 'o')} = n", "have LF for other line endings"),
        ("replace(o, chr(10), chr(13) || chr(10)) = n", "have CR LF for LF"),
    ),
    Cause.UNICODE_FORM: (
        (f"{normal(AcceptForm.UNICODE_FORM, 'o')} = n", "are composed now (NFC)"),
        (f"{normal(AcceptForm.UNICODE_FORM, 'n')} = o", "are decomposed now (NFD)"),
    ),
    Cause.ESCAPED: (
        ("length(n) > length(o)", "are escaped for HTML now"),
        ("length(n) < length(o)", "are not escaped for HTML any more"),
    ),
}
TELLERS: dict[Cause, Callable[[Column], Iterator[Pattern]]] = {
    Cause.TRUNCATED: _truncated,
    Cause.GARBLED: _garbled,
    **{cause: partial(_same_way, cause) for cause in _WAYS},
}
