"""Who stands against whom: old and new entries of one key, in one partition.

Equal whole entries cancel first; what is left of a key is paired in canonical order; old ones left
over are absent, new ones surplus. Where no key repeats, as nearly always, one full join is all; its
own counts prove that none did. Else the keys that repeat are counted out.
"""

from __future__ import annotations

from collections.abc import Sequence

from safeguard.comparing.entries import field_columns, forward_slots, key_columns
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.fields import FieldRule
from safeguard.comparing.sql import columns, identity, ordered, same
from safeguard.contract.model import Overlap
from safeguard.planning.layout import ContentPlan

DUE, LATE = 0, 1
"""Classes of a paired old entry: due in the route, or later than `as_of`."""


class Pairing:
    """Pairs the entries of one route. Leaves `side_old` and `side_new`, the entries that can be
    paired, and `m` (rid, nid, cls, eq, single): rid NULL is a surplus, nid NULL an absent entry. Of
    lists a pair also has the old entry's list (see `list_columns`) and both places (opo, npo), and
    `repeated` are the keys that stand more than once on a side."""

    def __init__(
        self,
        exchange: Exchange,
        plan: ContentPlan,
        route: int,
        old: str,
        rules: Sequence[FieldRule],
    ) -> None:
        self.exchange, self.plan, self.route, self.old = exchange, plan, route, old
        self.rules = tuple(rules)
        self.keys, self.fields = key_columns(plan), field_columns(plan)

    def pair(self, only: str = "TRUE") -> None:
        """Pair the partition; `only` restricts the old entries (SQL over o)."""
        self.exchange.drop("m")
        self._pick(only)
        self._overlap()
        self._find_repeated("LIMIT 0")
        if not self._join_all():
            self._find_repeated()
            self._join_single()
            self._pair_repeated()

    @property
    def equal(self) -> str:
        """Whole entries are equal: every field, and nothing that did not parse."""
        return " AND ".join(["o.bad IS NULL", "n.bad IS NULL", *(r.equal for r in self.rules)])

    @property
    def accepted(self) -> str:
        """Whole entries are equal, or differ only as the contract accepts."""
        tests = [r.same_as_accepted() for r in self.rules]
        return " AND ".join(["o.bad IS NULL", "n.bad IS NULL", *tests])

    # -- steps ------------------------------------------------------------------------------

    def _pick(self, only: str) -> None:
        """The entries of this partition that can be paired; as views, so that nothing is copied,
        but where `_overlap` takes some of them away."""
        order = ", o.po" if self.plan.order else ""
        extra = "".join(f", o.{f.slot}a" for f in self.plan.fields if f.alternate_old)
        self._show(
            "side_old",
            f"""SELECT o.rid, o.src, {self._whose()} AS mine,
                {columns((*self.keys, *self.fields), "o")}{order}{extra}, o.bad,
                CASE WHEN o.late THEN {LATE} ELSE {DUE} END AS cls
            FROM {self.old} o
            WHERE o.r{self.route} AND NOT o.d AND NOT o.u AND o.kb = 0 AND {only}""",
        )
        order = ", n.po" if self.plan.order else ""
        extra = "".join(f", n.{f.slot}a" for f in self.plan.fields if f.alternate_new[self.route])
        self._show(
            "side_new",
            f"""SELECT n.nid, {columns((*self.keys, *self.fields), "n")}{order}{extra}, n.bad
            FROM new_{self.route} n WHERE NOT n.u AND n.kb = 0""",
        )

    def _show(self, name: str, query: str) -> None:
        if self.plan.contract.overlap is Overlap.ONE:
            self.exchange.create(name, f"AS {query}")
        else:
            self.exchange.run(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def _whose(self) -> str:
        """The owner as the old system calls it, where ids are translated: merged owners' lists are
        still two lists."""
        walked = {w.slot for w in self.plan.new[self.route].crosswalks}
        forward = forward_slots(self.plan)
        raw = [
            f"o.x{k.slot}" if k.slot in forward else f"CAST(o.y{k.slot} AS VARCHAR)"
            for k in self.plan.owners
            if k.slot in forward or (k.slot in walked and self.old != "old")
        ]
        return identity(raw)

    def _overlap(self) -> None:
        """Under `overlap: one`, of old entries that meet on one key, one stands for all."""
        if self.plan.contract.overlap is not Overlap.ONE:
            return
        self._set_aside_unread()
        who = f"src, {columns(self._raw())}"
        self.exchange.create(
            "meeting",
            f"""AS SELECT rid, row_number() OVER (PARTITION BY {columns(self.keys)}, slot
                ORDER BY {self._preference()}, src, rid) AS place
            FROM (SELECT *, row_number() OVER (PARTITION BY {columns(self.keys)}, {who}
                ORDER BY {columns((*self.fields, "rid"))}) AS slot,
                EXISTS (SELECT 1 FROM side_new n
                    WHERE {same(self.keys, "o", "n")} AND {self.accepted}) AS twin
              FROM (SELECT side_old.*, {columns(self._raw_sources())} FROM side_old JOIN old USING (rid)
                    WHERE side_old.cls = {DUE}) o)""",
        )
        self.exchange.run(
            f"INSERT INTO overlapped SELECT rid, {self.route} FROM meeting WHERE place > 1"
        )
        self.exchange.run(
            "DELETE FROM side_old WHERE rid IN (SELECT rid FROM meeting WHERE place > 1)"
        )
        self.exchange.drop("meeting")

    def _set_aside_unread(self) -> None:
        """Where `latest` can't be read of one of those that meet, none can be called the latest."""
        latest = self.plan.contract.latest
        if latest is None:
            return
        slot = next(f.slot for f in self.plan.fields if f.name == latest)
        keys = columns(self.keys)
        self.exchange.create(
            "unread",
            f"""AS SELECT {keys} FROM side_old GROUP BY {keys} HAVING count(*) > 1
            AND bool_or(coalesce(json_extract_string(bad, '$.{slot}') IS NOT NULL, FALSE))""",
        )
        meets = f"SELECT 1 FROM unread q WHERE {same(self.keys, 'q', 't')}"
        due = f"t.cls = {DUE} AND EXISTS ({meets})"
        self.exchange.run(
            f"INSERT INTO unkeyed SELECT rid, {self.route} FROM side_old t WHERE {due}"
        )
        self.exchange.run(f"DELETE FROM side_old t WHERE EXISTS ({meets})")
        self.exchange.run(
            f"INSERT INTO unsettled SELECT nid, {self.route} FROM side_new t WHERE EXISTS ({meets})"
        )
        self.exchange.drop("unread")

    def _raw(self) -> list[str]:
        return [f"raw{i}" for i, _ in enumerate(self.keys)]

    def _raw_sources(self) -> list[str]:
        """Raw old ids: what the old system itself calls them, so that merged ids differ."""
        forward = forward_slots(self.plan)
        return [
            f"old.{'x' if slot in forward else ''}{slot} AS raw{i}"
            for i, slot in enumerate(self.keys)
        ]

    def _preference(self) -> str:
        contract = self.plan.contract
        if contract.prefer:
            ranks = {name: i for i, name in enumerate(contract.prefer)}
            cases = " ".join(
                f"WHEN {s.index} THEN {ranks[s.system]}" for s in self.plan.old if s.system in ranks
            )
            return f"CASE src {cases} ELSE {len(ranks)} END, twin DESC"
        if contract.latest:
            latest = next(f for f in self.plan.fields if f.name == contract.latest)
            slot = latest.slot
            return f"{ordered(slot, latest.old)} DESC NULLS LAST, twin DESC"
        return "twin DESC"

    def _join_all(self) -> bool:
        """One full join of everything into `m`. True if no key that both sides have repeats.

        With a and b entries of a key the join gives a*b pairs. Over all keys it gives as many rows
        with an old entry as there are old ones only if every such b is 1, and likewise for a; so
        its counts prove it. A join that grows beyond that is given up: NULL keys repeat by millions.
        """
        sizes = [
            self.exchange.number(f"SELECT count(*) FROM {s}") for s in ("side_old", "side_new")
        ]
        self._join("side_old", "side_new", f"LIMIT {sum(sizes) + 1}")
        ((old, new),) = self.exchange.rows("SELECT count(rid), count(nid) FROM m")
        return sizes == [old, new]

    def _find_repeated(self, limit: str = "") -> None:
        keys = columns(self.keys)
        self.exchange.create(
            "repeated",
            f"""AS SELECT {keys} FROM side_old GROUP BY {keys} HAVING count(*) > 1
            UNION SELECT {keys} FROM side_new GROUP BY {keys} HAVING count(*) > 1 {limit}""",
        )

    def _join_single(self) -> None:
        """Keys that stand at most once on either side."""
        lone = f"NOT EXISTS (SELECT 1 FROM repeated q WHERE {same(self.keys, 'q', 't')})"
        old, new = (f"(SELECT * FROM {side} t WHERE {lone})" for side in ("side_old", "side_new"))
        self._join(old, new)

    def _join(self, old: str, new: str, limit: str = "") -> None:
        self.exchange.create(
            "m",
            f"""AS SELECT o.rid, n.nid, o.cls,
                o.rid IS NOT NULL AND n.nid IS NOT NULL AND {self.equal} AS eq, TRUE AS single
                {self._places}
            FROM {old} o FULL JOIN {new} n ON {same(self.keys, "o", "n")} {limit}""",
        )

    def _pair_repeated(self) -> None:
        """Keys that repeat: cancel equal entries, then those equal as accepted, then by order."""
        among = f"WHERE EXISTS (SELECT 1 FROM repeated q WHERE {same(self.keys, 'q', 't')})"
        self.exchange.create("ro", f"AS SELECT * FROM side_old t {among}")
        self.exchange.create("rn", f"AS SELECT * FROM side_new t {among}")
        raw = [r.expected() for r in self.rules], [f"n.{r.slot}" for r in self.rules]
        normal = [r.normalised("o") for r in self.rules], [r.normalised("n") for r in self.rules]
        self._cancel(
            *raw, eq="TRUE", where=("o.bad IS NULL AND " + self._mapped("o"), "n.bad IS NULL")
        )
        if any(r.field.spec.accept for r in self.rules):
            self._cancel(*normal, eq="FALSE", where=("TRUE", "TRUE"))
        self._pair_in_order(*normal)
        left = "INSERT INTO m BY NAME SELECT FALSE AS eq, FALSE AS single"
        self.exchange.run(f"{left}, rid, cls FROM ro")
        self.exchange.run(f"{left}, nid FROM rn")
        self.exchange.drop("ro", "rn")

    @property
    def _place(self) -> str:
        """Like entries of a list are paired as they stand, so that no row order decides."""
        return "po NULLS LAST, " if self.plan.order else ""

    @property
    def _carried(self) -> tuple[str, ...]:
        """What is carried beside the values: the key, and where a list has the entry."""
        return (*self.keys, *(("po",) if self.plan.order else ()))

    @property
    def _places(self) -> str:
        """What `m` holds of a list's pair: the list as old has it, and both places."""
        if not self.plan.order:
            return ""
        return f", {columns(list_columns(self.plan, self.route), 'o')}, o.po AS opo, n.po AS npo"

    @property
    def _whole_list(self) -> tuple[str, ...]:
        """What of its list an old entry carries beside the key."""
        return ("src", "mine") if self.plan.order else ()

    def _mapped(self, alias: str) -> str:
        return " AND ".join(["TRUE", *(f"NOT {r.unmapped(alias)}" for r in self.rules)])

    def _cancel(self, old: list[str], new: list[str], eq: str, where: tuple[str, str]) -> None:
        names = [f"v{i}" for i, _ in enumerate(old)]
        by, place = columns([*self.keys, *names]), self._place
        self.exchange.create(
            "hit",
            f"""AS WITH o AS (SELECT *,
                    row_number() OVER (PARTITION BY {by} ORDER BY cls, {place}rid) AS nth
                FROM (SELECT o.rid, o.cls, {_named((*self._carried, *self._whole_list), "o", old, names)}
                    FROM ro o WHERE {where[0]})),
            n AS (SELECT *, row_number() OVER (PARTITION BY {by} ORDER BY {place}nid) AS nth
                FROM (SELECT n.nid, {_named(self._carried, "n", new, names)}
                    FROM rn n WHERE {where[1]}))
            SELECT o.rid, n.nid, o.cls, {eq} AS eq, TRUE AS single{self._places}
            FROM o JOIN n ON {same([*self.keys, *names, "nth"], "o", "n")}""",
        )
        self._take()

    def _pair_in_order(self, old: list[str], new: list[str]) -> None:
        keys = columns(self.keys)
        names = [f"v{i}" for i, _ in enumerate(old)]
        ordered, place = columns(names) + ", " if names else "", self._place
        self.exchange.create(
            "hit",
            f"""AS WITH o AS (SELECT *, count(*) OVER (PARTITION BY {keys}) AS many,
                    row_number() OVER (PARTITION BY {keys} ORDER BY cls, {ordered}{place}rid) AS nth
                FROM (SELECT o.rid, o.cls, {_named((*self._carried, *self._whole_list), "o", old, names)}
                    FROM ro o)),
            n AS (SELECT *, count(*) OVER (PARTITION BY {keys}) AS many,
                    row_number() OVER (PARTITION BY {keys} ORDER BY {ordered}{place}nid) AS nth
                FROM (SELECT n.nid, {_named(self._carried, "n", new, names)} FROM rn n))
            SELECT o.rid, n.nid, o.cls, FALSE AS eq, o.many = 1 AND n.many = 1 AS single{self._places}
            FROM o JOIN n ON {same([*self.keys, "nth"], "o", "n")}""",
        )
        self._take()

    def _take(self) -> None:
        """Move the pairs that were hit into `m`."""
        self.exchange.run("INSERT INTO m BY NAME SELECT * FROM hit")
        self.exchange.run("DELETE FROM ro WHERE rid IN (SELECT rid FROM hit)")
        self.exchange.run("DELETE FROM rn WHERE nid IN (SELECT nid FROM hit)")
        self.exchange.drop("hit")


def list_columns(plan: ContentPlan, route: int) -> list[str]:
    """Columns of an old entry that tell its list: beside those of the new side's list its source and
    its owner before ids were merged, where there are several sources or ids are translated."""
    several = ["src"] if len(plan.old) > 1 else []
    translated = ["mine"] if forward_slots(plan) or plan.new[route].crosswalks else []
    return [*several, *translated, *new_list_columns(plan)]


def new_list_columns(plan: ContentPlan) -> list[str]:
    """Columns of an entry of either side that tell the list of the new side."""
    return [k.slot for k in (*plan.owners, *plan.lists)]


def _named(keys: Sequence[str], alias: str, values: Sequence[str], names: Sequence[str]) -> str:
    found = [f"{alias}.{k}" for k in keys]
    found += [f"{value} AS {name}" for value, name in zip(values, names, strict=True)]
    return ", ".join(found)
