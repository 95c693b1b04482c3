"""The changes of one field of one route, in the exchange's table `changes(rid, nid, cause, o, n)`."""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import FieldRule
from safeguard.findings.result import Pattern
from safeguard.findings.words import Cause

_LONGEST = 40


@dataclass(frozen=True)
class Column:
    """One field of one route. `system` is named where there are several; `due` counts its pairs;
    `partners` are the fields that it is swapped with."""

    exchange: Exchange
    rule: FieldRule
    system: str | None
    due: int
    reveal: bool
    partners: tuple[str, ...] = ()

    def pattern(self, cause: Cause, count: int, said: str, one: str = "") -> Pattern:
        """`said` follows the number and the name of the field; `one` where it is a single one."""
        place = f" in {self.system}" if self.system else ""
        name = self.rule.field.name
        phrase = one if count == 1 and one else _singular(said) if count == 1 else said
        return Pattern(name, str(cause), count, f"{count:,} of {name}{place} {phrase}")

    def row(self, chosen: str, cause: Cause) -> tuple[int, ...]:
        """Sums over the changes of one cause; `chosen` are SQL aggregates over o and n."""
        return next(
            iter(self.exchange.rows(f"SELECT {chosen} FROM changes WHERE cause = '{cause}'"))
        )


def _singular(said: str) -> str:
    verb, _, rest = said.partition(" ")
    return f"{ {'are': 'is', 'have': 'has'}.get(verb, verb) } {rest}"


def as_sides(rule: FieldRule, old: str, new: str) -> str:
    """Two values as the tables o and n of a rule's SQL."""
    return f"{{'{rule.slot}': {old}}} AS o, {{'{rule.slot}': {new}}} AS n"


def counted(count: int, unit: str) -> str:
    """`1 place`, `255 characters`."""
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def quoted(value: str | None) -> str:
    """A value as it stands in a sentence: of a long one the start."""
    if value is None:
        return "nothing"
    return f"`{value}`" if len(value) <= _LONGEST else f"`{value[:_LONGEST]}…`"
