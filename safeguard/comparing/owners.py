"""Owners that are missing in a new system: what they made has nobody left to belong to."""

from __future__ import annotations

from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.pairing import DUE
from safeguard.comparing.sql import columns, key_text
from safeguard.planning.layout import ContentPlan


class Owners:
    """Asks `customers.new` of a route's system; else all of them, in old ids where nothing
    translates; without any it asks nothing."""

    def __init__(self, exchange: Exchange, plan: ContentPlan, book: CustomerBook) -> None:
        self.exchange, self.plan, self.book = exchange, plan, book
        self._asked = {r: self._ask(r) for r in range(len(plan.new))}

    def ownerless(self, route: int) -> str:
        """SQL over n: its owner is no customer there. FALSE where nobody can tell."""
        if not self._asked[route]:
            return "FALSE"
        return f"coalesce(n.nid IN (SELECT nid FROM homeless_{route}), FALSE)"

    def asked(self, route: int) -> bool:
        """Whether `homeless_R` says who has no owner there."""
        return self._asked[route]

    def stranger(self) -> str:
        """SQL over n: its owner was unknown among the old customers too."""
        if not self.book.declared:
            return "FALSE"
        owner = key_text(self.plan.owners, "n")
        return f"NOT coalesce({owner} IN (SELECT id FROM customer), FALSE)"

    def find_ownerless(self, route: int) -> None:
        """Record due entries whose partner has no owner there, though the old customers knew it."""
        if not self._asked[route]:
            return
        self.exchange.run(
            f"""INSERT INTO ownerless SELECT m.rid, {route} FROM m JOIN new_{route} n ON n.nid = m.nid
            WHERE m.rid IS NOT NULL AND m.cls = {DUE} AND {self.ownerless(route)}
            AND NOT {self.stranger()}"""
        )

    def unasked(self) -> tuple[str, ...]:
        """New systems whose owners nobody could be asked about, though customers are declared."""
        if not self.book.newcomers:
            return ()
        return tuple(self.plan.new[r].system for r, asked in self._asked.items() if not asked)

    def strangers(self) -> int:
        """Live old entries whose owner no customers table knows: counted, no finding."""
        if not self.book.declared:
            return 0
        owner, slots = key_text(self.plan.owners, "o"), columns(k.slot for k in self.plan.owners)
        return self.exchange.number(
            f"""SELECT coalesce(sum(n), 0)::BIGINT FROM (
                SELECT {slots}, count(*) AS n FROM old WHERE NOT d GROUP BY {slots}) o
            WHERE NOT coalesce({owner} IN (SELECT id FROM customer), FALSE)"""
        )

    def _ask(self, route: int) -> bool:
        """Leave `homeless_R(nid)`: entries whose owner is not among the customers asked."""
        known, owner = self._known(route)
        if known is None:
            return False
        self.exchange.create(
            f"homeless_{route}",
            f"AS SELECT n.nid FROM new_{route} n ANTI JOIN ({known}) k ON k.id = {owner}",
        )
        return True

    def _known(self, route: int) -> tuple[str | None, str]:
        new = self.plan.new[route]
        here = new.system in self.book.newcomers and new.crosswalks
        return known_in(self.plan, self.book, route), (
            "n.w" if here else key_text(self.plan.owners, "n")
        )


def known_in(plan: ContentPlan, book: CustomerBook, route: int) -> str | None:
    """SELECT of the ids of the customers that the owners of a route must be among; None where nobody
    can tell."""
    system = plan.new[route].system
    if system in book.newcomers:
        return f"SELECT id FROM {book.newcomers[system]}"
    owners = {k.slot for k in plan.owners}
    translated = any(w.slot in owners for s in (*plan.new, *plan.old) for w in s.crosswalks)
    if not book.newcomers or translated:
        return None
    return " UNION ".join(f"SELECT id FROM {t}" for t in book.newcomers.values())
