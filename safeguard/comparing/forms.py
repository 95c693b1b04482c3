"""Accepted forms of texts, as SQL: each applied to one value, or asked of a pair."""

from __future__ import annotations

from safeguard.comparing.sql import literal
from safeguard.contract.types import AcceptForm

ORDER = (
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
    return f"array_to_string({parts}, chr(0))"


def cut_at(old: str, new: str, size: int) -> str:
    """New is the longest prefix of old that fits into `size` bytes without cutting a character."""
    longer = f"substring({old}, 1, length({new}) + 1)"
    return (
        f"(starts_with({old}, {new}) AND octet_length(encode({old})) > {size} "
        f"AND octet_length(encode({new})) <= {size} AND octet_length(encode({longer})) > {size})"
    )
