"""Names of tables and columns as people mean them: case, underscores and plurals aside."""

from __future__ import annotations

import re
from dataclasses import dataclass

Words = tuple[str, ...]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")

GENERIC = frozenset({"id", "key", "pk", "uid", "uuid", "guid", "rowid", "no", "number", "name"})
"""Key names that say nothing of whose key they are: half of all tables have them."""


def words(name: str) -> Words:
    """`QueueItems`, `queue_items` and `QUEUE_ITEM` are all ("queue", "item")."""
    return tuple(singular(word.lower()) for word in _WORD.findall(name))


def joined(name: str) -> str:
    """All words as one, so that `customerid` meets `customer_id`."""
    return singular("".join(words(name)))


def singular(word: str) -> str:
    """The singular of an English word, good enough to compare names with."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word.removesuffix("s")


def bare(table: str) -> str:
    """A table's name without its schema."""
    return table.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class OwnerName:
    """A name that owner columns bear; `why` says whose it is, for people."""

    words: Words
    why: str

    def borne_by(self, column: str) -> bool:
        """Whether the column bears this name: as it is, turned round, or with words before it
        (`gift_customer_id`) where the name has at least two words."""
        own = words(column)
        if not own:
            return False
        if "".join(own) == "".join(self.words) or sorted(own) == sorted(self.words):
            return True
        return len(self.words) > 1 and own[-len(self.words) :] == self.words


def owner_names(column: str, why: str) -> tuple[OwnerName, ...]:
    """The name that a key column hands on to others; none for `id` and its like."""
    own = words(column)
    if not own or "".join(own) in GENERIC:
        return ()
    return (OwnerName(own, why),)


def table_names(table: str, why: str) -> tuple[OwnerName, ...]:
    """What columns that point at a table are called: `customer_id` and `customer` for customers,
    `user_id` too for auth_user."""
    own = words(bare(table))
    if not own:
        return ()
    found = [(*own, "id"), own, (own[-1], "id")]
    return tuple(OwnerName(w, why) for w in dict.fromkeys(found))
