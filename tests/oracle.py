"""What DESIGN.md says of small contents, in slow and plain Python that shares nothing with the engine.

An entry is a dictionary: owner, item, value (its one field), position, deleted, medium (decides what
is due where). Everything is a small integer, a word or None.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

Entry = dict[str, Any]
ORDER = (
    "misattributed",
    "misrouted",
    "lost",
    "orphaned",
    "changed",
    "moved",
    "not_compared",
    "kept",
)


@dataclass
class Expected:
    """Counts as verdict.json has them: findings by kind, sums of both sides, swapped pairs."""

    findings: Counter[str] = field(default_factory=Counter)
    old: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)


def expect(
    old: Sequence[Entry],
    news: Sequence[Sequence[Entry]],
    receives: Sequence[Callable[[Entry], bool]],
    *,
    ordered: bool = False,
) -> Expected:
    """All that is to be said of `old` beside `news`, one new system a route."""
    found = _Comparison(old, news, receives, ordered)
    found.compare()
    return found.expected


class _Comparison:
    def __init__(
        self,
        old: Sequence[Entry],
        news: Sequence[Sequence[Entry]],
        receives: Sequence[Callable[[Entry], bool]],
        ordered: bool,
    ) -> None:
        self.old, self.news, self.receives, self.ordered = old, news, receives, ordered
        self.expected = Expected()
        self.status: dict[tuple[int, int], set[str]] = defaultdict(set)
        self.absent: list[list[int]] = [[] for _ in news]
        self.surplus: list[list[int]] = [[] for _ in news]
        self.partners: list[list[tuple[int, int]]] = [[] for _ in news]
        self.elsewhere: set[tuple[int, int]] = set()

    def due(self, i: int, route: int) -> bool:
        return not self.old[i]["deleted"] and self.receives[route](self.old[i])

    def compare(self) -> None:
        for route, _ in enumerate(self.news):
            self.pair(route)
        for route, _ in enumerate(self.news):
            if self.ordered:
                self.order(route)
        self.misroute()
        for route, _ in enumerate(self.news):
            self.misattribute(route)
        self.count()

    # -- multisets, key by key --------------------------------------------------------------

    def pair(self, route: int) -> None:
        mine, theirs = defaultdict(list), defaultdict(list)
        for i, entry in enumerate(self.old):
            if self.due(i, route):
                mine[_key(entry)].append(i)
        for n, entry in enumerate(self.news[route]):
            theirs[_key(entry)].append(n)
        for key in {*mine, *theirs}:
            self.pair_key(route, mine[key], theirs[key])

    def pair_key(self, route: int, mine: list[int], theirs: list[int]) -> None:
        for i in list(mine):
            twin = next(
                (n for n in theirs if self.news[route][n]["value"] == self.old[i]["value"]), None
            )
            if twin is not None:
                mine.remove(i)
                theirs.remove(twin)
                self.partners[route].append((i, twin))
        mine.sort(key=lambda i: _sortable(self.old[i]["value"]))
        theirs.sort(key=lambda n: _sortable(self.news[route][n]["value"]))
        for i, n in zip(mine, theirs, strict=False):
            self.partners[route].append((i, n))
            self.status[i, route].add("changed")
        self.absent[route] += mine[len(theirs) :]
        self.surplus[route] += theirs[len(mine) :]

    # -- elsewhere --------------------------------------------------------------------------

    def misroute(self) -> None:
        for there, _ in enumerate(self.news):
            wanted = sorted({i for absent in self.absent for i in absent})
            for i in wanted:
                if self.receives[there](self.old[i]):
                    continue
                stray = next(
                    (
                        n
                        for n in self.surplus[there]
                        if _key(self.news[there][n]) == _key(self.old[i])
                    ),
                    None,
                )
                if stray is None:
                    continue
                self.surplus[there].remove(stray)
                self.elsewhere.add((there, stray))
                for route, absent in enumerate(self.absent):
                    if i in absent:
                        absent.remove(i)
                        self.status[i, route].add("misrouted")

    def misattribute(self, route: int) -> None:
        new = self.news[route]
        given, got = (
            self.by_owner(self.old, self.absent[route]),
            self.by_owner(new, self.surplus[route]),
        )
        got.pop(None, None)
        pairs: list[tuple[int, int]] = []
        for giver, mine in given.items():
            takers = [
                o for o, t in got.items() if _bag(new, t) == _bag(self.old, mine) and o != giver
            ]
            if len(mine) < 2 or len(takers) != 1:
                continue
            theirs = got[takers[0]]
            givers = [
                o
                for o, m in given.items()
                if _bag(self.old, m) == _bag(new, theirs) and o != takers[0]
            ]
            if len(givers) == 1:
                free = list(theirs)
                for i in mine:
                    n = next(n for n in free if _what(new[n]) == _what(self.old[i]))
                    free.remove(n)
                    pairs.append((i, n))
        taken_old, taken_new = {i for i, _ in pairs}, {n for _, n in pairs}
        often_old = Counter(e["value"] for e in self.old)
        often_new = Counter(
            new[n]["value"] for n in self.surplus[route] if new[n]["owner"] is not None
        )
        for i in self.absent[route]:
            for n in self.surplus[route]:
                one, other = self.old[i], new[n]
                if i in taken_old or n in taken_new or other["owner"] is None:
                    continue
                telling = (
                    one["value"] is not None
                    and often_old[one["value"]] == often_new[one["value"]] == 1
                )
                if telling and _what(one) == _what(other) and one["owner"] != other["owner"]:
                    pairs.append((i, n))
        for i, n in pairs:
            self.absent[route].remove(i)
            self.surplus[route].remove(n)
            self.status[i, route].add("misattributed")
            self.elsewhere.add((route, n))

    @staticmethod
    def by_owner(entries: Sequence[Entry], numbers: Sequence[int]) -> dict[Any, list[int]]:
        found: dict[Any, list[int]] = defaultdict(list)
        for number in numbers:
            found[entries[number]["owner"]].append(number)
        return found

    # -- lists ------------------------------------------------------------------------------

    def order(self, route: int) -> None:
        new = self.news[route]
        for owner in {e["owner"] for e in self.old}:
            here = [i for i, e in enumerate(self.old) if e["owner"] == owner and self.due(i, route)]
            there = [n for n, e in enumerate(new) if e["owner"] == owner]
            stays = Counter(
                self.old[i]["item"]
                for i, _ in longest(
                    [(i, self.old[i]["item"], self.old[i]["position"]) for i in here],
                    [(n, new[n]["item"], new[n]["position"]) for n in there],
                )
            )
            for i, _ in sorted(self.partners[route]):
                if i in here and self.old[i]["position"] is not None:
                    if stays[self.old[i]["item"]] > 0:
                        stays[self.old[i]["item"]] -= 1
                    else:
                        self.status[i, route].add("moved")

    # -- sums -------------------------------------------------------------------------------

    def count(self) -> None:
        for route, absent in enumerate(self.absent):
            for i in absent:
                self.status[i, route].add("lost")
        kinds: set[tuple[int, str]] = set()
        for i, entry in enumerate(self.old):
            routes = [r for r, _ in enumerate(self.news) if self.due(i, r)]
            if entry["deleted"]:
                self.expected.old["deleted"] += 1
                continue
            said = {s for r in routes for s in self.status[i, r]} or (
                {"kept"} if routes else {"lost"}
            )
            kinds |= {(i, s) for s in said if s != "kept"}
            self.expected.old[min(said, key=ORDER.index)] += 1
        self.expected.findings.update(kind for _, kind in kinds)
        for route, new in enumerate(self.news):
            for n, entry in enumerate(new):
                status = self.new_status(entry) if n in self.surplus[route] else "partner"
                self.expected.new[status] += 1
                if status != "partner":
                    self.expected.findings[status] += 1

    def new_status(self, entry: Entry) -> str:
        same = [e for e in self.old if _key(e) == _key(entry)]
        if same:
            return "resurrected" if all(e["deleted"] for e in same) else "duplicated"
        return "extra"


def longest(
    old: Sequence[tuple[int, Any, int | None]], new: Sequence[tuple[int, Any, int | None]]
) -> tuple[tuple[int, int], ...]:
    """The most matches of which no two contradict the order of old; tried one by one.

    Two matches agree when old ties, or when new orders them as old does. A position of NULL in old
    is in no match; in new it orders nothing. Of several longest the one that is earliest in old.
    """
    ranked = sorted(((p, i, x) for i, x, p in old if p is not None), key=lambda o: o[:2])
    points = [(i, n, p, q) for p, i, x in ranked for n, other, q in new if x == other]
    for size in range(min(len(old), len(new), len(points)), 0, -1):
        for chosen in combinations(points, size):
            if all(_agree(a, b) for a, b in combinations(chosen, 2)):
                return tuple((i, n) for i, n, _, _ in chosen)
    return ()


def _agree(a: tuple[int, int, Any, Any], b: tuple[int, int, Any, Any]) -> bool:
    if a[0] == b[0] or a[1] == b[1]:
        return False
    if a[2] == b[2]:
        return True
    if a[3] is None or b[3] is None:
        return False
    return bool((a[2] < b[2]) == (a[3] < b[3]) and a[3] != b[3])


def _key(entry: Entry) -> tuple[Any, Any]:
    return (entry["owner"], entry["item"])


def _what(entry: Entry) -> tuple[Any, Any]:
    return (entry["item"], entry["value"])


def _bag(entries: Sequence[Entry], numbers: Sequence[int]) -> Counter[tuple[Any, Any]]:
    return Counter(_what(entries[n]) for n in numbers)


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is None, value if value is not None else 0)
