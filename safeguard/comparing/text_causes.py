"""Why two texts differ, as SQL."""

from __future__ import annotations

from safeguard.comparing.forms import normal
from safeguard.contract.types import AcceptForm

_BLANK = r"[\s\p{Z}\x{85}\x{200B}\x{2060}\x{FEFF}]+"
"""What is not seen: all white space of Unicode, of no width too. Joiners and marks of direction are
not among it: they change what emoji and right-to-left texts look like."""
_LOST = "chr(65533)"
_ELLIPSIS = r"\s*(\.\.\.|\x{2026})$"


def of_texts(old: str, new: str) -> list[tuple[str, str]]:
    """Each form is asked of what the ones before have made alike: where several were at work
    together, the last that was needed names the cause."""
    a, b = (squeezed(v) for v in (old, new))
    c, d = (normal(AcceptForm.UNICODE_FORM, v) for v in (a, b))
    e, f = (folded(v) for v in (c, d))
    g, h = (_unescaped(v) for v in (old, new))
    return [
        (f"{b} = '' AND {a} <> ''", "emptied"),
        (
            f"{normal(AcceptForm.LINE_ENDINGS, old)} = {normal(AcceptForm.LINE_ENDINGS, new)}",
            "line_endings",
        ),
        (f"{a} = {b}", "whitespace"),
        (f"{c} = {d}", "unicode_form"),
        (f"{e} = {f}", "case"),
        (f"(contains({old}, '&') OR contains({new}, '&')) AND {g} = {h}", "escaped"),
        (_cut(old, new), "truncated"),
        (_cut_within_a_character(old, new), "truncated"),
        (_replaced(old, new), "garbled"),
    ]


def squeezed(text: str) -> str:
    """A text without its blanks."""
    return f"regexp_replace({text}, '{_BLANK}', '', 'g')"


def folded(text: str) -> str:
    """A text without its case: final sigma and sharp s meet their capitals too."""
    plain = f"replace(replace({text}, chr(223), 'ss'), chr(7838), 'ss')"
    return f"lower(upper({plain}))"


def _unescaped(text: str) -> str:
    """Without entities, of a text that was escaped twice too, and without case and blanks."""
    for _ in range(2):
        text = normal(AcceptForm.ESCAPED, text)
    return squeezed(text)


def _cut(old: str, new: str) -> str:
    """The new text is the start of the old one; the cut may have been marked with an ellipsis."""
    marked = f"regexp_replace({new}, '{_ELLIPSIS}', '')"
    return (
        f"starts_with({old}, {new}) OR (ends_with({new}, '...') OR ends_with({new}, chr(8230))) "
        f"AND {marked} <> '' AND starts_with({old}, {marked}) AND length({new}) <= length({old})"
    )


def _cut_within_a_character(old: str, new: str) -> str:
    """Cut at so many bytes, and what was left of the last character replaced.

    A replaced last character alone may be a wrong encoding: it is a cut where the text goes on
    behind it, or where other letters beyond ASCII are whole.
    """
    whole = f"rtrim({new}, {_LOST})"
    goes_on = f"length({new}) < length({old})"
    others_are_whole = f"strlen({whole}) > length({whole})"
    return (
        f"ends_with({new}, {_LOST}) AND {whole} <> '' AND starts_with({old}, {whole}) "
        f"AND ({goes_on} OR {others_are_whole})"
    )


def _replaced(old: str, new: str) -> str:
    """U+FFFD for bytes that could not be read: what stands before the first and behind the last one
    is as it was."""
    before, behind = (f"split_part({new}, {_LOST}, {place})" for place in (1, -1))
    return (
        f"contains({new}, {_LOST}) AND strlen({old}) > length({old}) "
        f"AND starts_with({old}, {before}) AND ends_with({old}, {behind}) "
        f"AND length({before}) + length({behind}) < length({old}) "
        f"AND (concat({before}, {behind}) <> '' OR rtrim({new}, {_LOST}) = '')"
    )
