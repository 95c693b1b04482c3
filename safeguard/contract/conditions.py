"""The condition of a waiver: which findings it is about, as a small part of SQL.

It is read here into a value, and the program that looks for the findings writes its own SQL from that
value: nothing of the text that a person wrote is ever run.

    item IN (70143836, 70143837) AND NOT (owner LIKE 'test-%' OR list IS NULL)

A column compares with a text by code points, and with a whole number as one: what is not written as a
whole number is neither equal to one nor unequal, as NULL is. So '007' is not 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from safeguard.contract.spelling import did_you_mean, listed

COLUMNS = ("owner", "list", "item", "field", "cause", "system")
"""Not old_value and new_value, which are masked or not as the check was asked; not segment, which
names only the first of a customer's."""
MOST_DEPTH = 50
MOST_LENGTH = 100_000
_MOST_DIGITS = 37

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>-?[0-9]+(?![\w.]))
    | "(?P<quoted>[^"]+)"
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign><>|!=|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_KEYWORDS = {"and", "or", "not", "in", "like", "between", "is", "null"}

Literal = str | int


@dataclass(frozen=True)
class Compared:
    """`column sign literal`, sign one of = <> < <= > >= and LIKE."""

    column: str
    sign: str
    literal: Literal


@dataclass(frozen=True)
class OneOf:
    """`column IN (literals)`."""

    column: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class IsNull:
    """`column IS NULL`."""

    column: str


@dataclass(frozen=True)
class Not:
    """`NOT part`."""

    part: Condition


@dataclass(frozen=True)
class Joined:
    """Several parts, all of which hold ("AND") or one of which does ("OR")."""

    word: str
    parts: tuple[Condition, ...]


Condition = Compared | OneOf | IsNull | Not | Joined


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises ValueError that says what is wrong, and near which words."""
    if len(text) > MOST_LENGTH:
        raise ValueError(f"must be a condition of at most {MOST_LENGTH:,} characters")
    return _Reader(text).whole()


# -- private -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords or signs."""
        return self.kind in ("keyword", "sign") and self.text in words


_END = _Token("end", "")


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            rest = text[place:].strip()
            raise ValueError(f"must be a condition; `{_short(rest)}` is not understood")
        place, kind = found.end(), str(found.lastgroup)
        written = found[kind]
        if kind == "word" and written.lower() in _KEYWORDS:
            yield _Token("keyword", written.lower())
        else:
            yield _Token("word" if kind == "quoted" else kind, written)


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:19]}…"


class _Reader:
    """Recursive descent over the tokens: OR binds least, then AND, then NOT."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), _END]
        self._at, self._depth = 0, 0

    def whole(self) -> Condition:
        found = self._any_of()
        if self._next is not _END:
            raise self._unexpected("`AND`, `OR` or the end")
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _took(self, word: str) -> bool:
        if not self._next.says(word):
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._unexpected(f"`{word.upper()}`")

    def _unexpected(self, wanted: str) -> ValueError:
        found = f"`{_short(self._next.text)}`" if self._next is not _END else "the end"
        return ValueError(f"must be a condition: {wanted} was expected, not {found}")

    def _any_of(self) -> Condition:
        return self._joined("or", self._all_of)

    def _all_of(self) -> Condition:
        return self._joined("and", self._one)

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._took(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word.upper(), tuple(parts))

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ValueError(f"must be a condition with at most {MOST_DEPTH} levels")
        if self._took("not"):
            found: Condition = Not(self._one())
        elif self._took("("):
            found = self._any_of()
            self._expect(")")
        else:
            found = self._about(self._column())
        self._depth -= 1
        return found

    def _column(self) -> str:
        if self._next.kind != "word":
            raise self._unexpected(f"one of {listed(COLUMNS)}")
        name = self._take().text
        if name.lower() not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f" There are {listed(COLUMNS)}."
            raise ValueError(f"must be a condition: there is no column `{name}`.{hint}")
        return name.lower()

    def _about(self, column: str) -> Condition:
        if self._next.kind == "sign" and self._next.text not in ("(", ")", ","):
            sign = self._take().text
            return Compared(column, "<>" if sign == "!=" else sign, self._literal())
        if self._took("is"):
            negated = self._took("not")
            self._expect("null")
            return Not(IsNull(column)) if negated else IsNull(column)
        if self._took("not"):
            return Not(self._test(column))
        return self._test(column)

    def _test(self, column: str) -> Condition:
        if self._took("in"):
            return OneOf(column, self._literals())
        if self._took("like"):
            pattern = self._literal()
            if not isinstance(pattern, str):
                raise ValueError("must be a condition: `LIKE` takes a text in single quotes")
            return Compared(column, "LIKE", pattern)
        if self._took("between"):
            least = Compared(column, ">=", self._literal())
            self._expect("and")
            return Joined("AND", (least, Compared(column, "<=", self._literal())))
        raise self._unexpected("a comparison such as `=`, `IN`, `LIKE` or `IS NULL`")

    def _literals(self) -> tuple[Literal, ...]:
        self._expect("(")
        found = [self._literal()]
        while self._took(","):
            found.append(self._literal())
        self._expect(")")
        return tuple(found)

    def _literal(self) -> Literal:
        token = self._next
        if token.kind == "text":
            self._at += 1
            return token.text[1:-1].replace("''", "'")
        if token.kind == "number":
            self._at += 1
            return _whole_number(token.text)
        raise self._unexpected("a text in single quotes or a whole number")


def _whole_number(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise ValueError(f"must be a condition: `{text}` is too large; write it as a text")
    return int(text)
