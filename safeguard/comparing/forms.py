"""Accepted forms of texts, as SQL: each applied to one value, or asked of a pair."""

from __future__ import annotations

from collections.abc import Collection

from safeguard.comparing.sql import literal
from safeguard.contract.types import AcceptForm

_ORDER = (
    AcceptForm.ESCAPED,
    AcceptForm.LINE_ENDINGS,
    AcceptForm.UNICODE_FORM,
    AcceptForm.CASE,
    AcceptForm.WHITESPACE,
    AcceptForm.NULL_EMPTY,
)
"""What one form makes, the next may have to see: blanks of an entity, '' of blanks."""
_BLANKS = "chr(32) || chr(9) || chr(10) || chr(13) || chr(160)"
_ENTITIES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&nbsp;", "\u00a0"),
    ("&amp;", "&"),
)


def normal(form: AcceptForm, value: str) -> str:
    """One accepted form applied to one value."""
    if form is AcceptForm.NULL_EMPTY:
        return f"nullif({value}, '')"
    if form is AcceptForm.CASE:
        return f"lower({value})"
    if form is AcceptForm.WHITESPACE:
        return f"trim({value}, {_BLANKS})"
    if form is AcceptForm.LINE_ENDINGS:
        return f"replace(replace({value}, chr(13) || chr(10), chr(10)), chr(13), chr(10))"
    if form is AcceptForm.UNICODE_FORM:
        return _nfc(value)
    if form is AcceptForm.ESCAPED:
        for entity, character in _ENTITIES:
            value = f"replace({value}, {literal(entity)}, {literal(character)})"
        return value
    return value


def _nfc(value: str) -> str:
    """NFC of the whole text: DuckDB's own drops what stands behind a NUL character."""
    parts = f"list_transform(string_split({value}, chr(0)), lambda part: nfc_normalize(part))"
    whole = f"array_to_string({parts}, chr(0))"
    return f"CASE WHEN contains({value}, chr(0)) THEN {whole} ELSE nfc_normalize({value}) END"


def chain(value: str, forms: Collection[AcceptForm]) -> str:
    """All of these forms that can be applied to one value alone."""
    for form in _ORDER:
        if form in forms:
            value = normal(form, value)
    return value


def explained_by_cut(old: str, new: str, forms: Collection[AcceptForm], size: int) -> str:
    """True where these forms, of which one is truncation, make `new` of `old`; never NULL.

    Others may have been at work before the cut, after it, or both: the old text is cut as it is,
    under each form alone and under all, and then meets the new one under all.
    """
    whole = chain(old, forms)
    alone = [chain(old, (form,)) for form in _ORDER if form in forms]
    texts = ", ".join(dict.fromkeys((old, *alone, whole)))
    longer = f"list_filter(p.x, lambda x: octet_length(encode(x)) > {size})"
    cut = f"list_distinct(list_transform({longer}, lambda x: {_cut('x', size)}))"
    made = f"c IS NOT DISTINCT FROM p.n OR {chain('c', forms)} IS NOT DISTINCT FROM p.n"
    by_cut = f"list_bool_or(list_transform({cut}, lambda c: {made}))"
    pair = f"[{{o: {whole}, n: {chain(new, forms)}, x: [{texts}]}}]"
    tests = f"p.o IS NOT DISTINCT FROM p.n OR coalesce({by_cut}, FALSE)"
    return f"list_bool_or(list_transform({pair}, lambda p: {tests}))"


def _cut(text: str, size: int) -> str:
    """The longest start of a longer text that fits into `size` bytes and cuts no character."""
    digits = f"hex({text})"
    start = f"substring({digits}, 1, {2 * size})"
    whole = f"regexp_replace({start}, '[C-F].([89AB].){{0,2}}$', '')"
    within = f"substring({digits}, {2 * size + 1}, 1) IN ('8', '9', 'A', 'B')"
    return f"decode(unhex(CASE WHEN {within} THEN {whole} ELSE {start} END))"
