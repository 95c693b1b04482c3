"""The figures that Safeguard is to reach, and what was measured of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.cells import PAIRS, STATES, pair_name
from benchmarks.content import State
from benchmarks.results import Results

Unit = Literal["times", "MiB", "s"]
SAFEGUARD, LIMIT = "safeguard", "limit"
MEMORY_MIB = 512.0
TITLES = {
    "postgresql": "PostgreSQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "parquet": "Parquet",
}
_PG, _MARIADB, _SQLITE, _PARQUET = map(pair_name, PAIRS)


@dataclass(frozen=True)
class Figure:
    """One target. `value` is what was measured; `right` whether all runs behind it found the truth."""

    what: str
    case: str
    target: float
    at_least: bool = False
    unit: Unit = "times"
    value: float | None = None
    right: bool = True

    @property
    def holds(self) -> bool | None:
        """Whether the target is reached; None where it was not measured."""
        if self.value is None:
            return None
        reached = self.value >= self.target if self.at_least else self.value <= self.target
        return reached and self.right


@dataclass(frozen=True)
class _Against:
    """Targets against one contender, by state: its time over ours where `faster`, else ours over its."""

    what: str
    pair: str
    other: str
    targets: tuple[float, ...]
    faster: bool = False
    measure: str = "wall"
    ours: str = ""


_AGAINST = (
    _Against("the bare read", _PG, LIMIT, (1.0, 1.15, 1.4)),
    _Against(
        "the bare read, first to last statement", _PG, LIMIT, (0.75, 0.95, 1.3), ours="statements"
    ),
    *(_Against("the bare read", p, LIMIT, (1.25, 1.3, 1.4)) for p in (_MARIADB, _SQLITE, _PARQUET)),
    _Against("DuckDB, join by hand", _PG, "duckdb-join", (0.8, 1.0, 1.0)),
    _Against("DuckDB, join by hand", _SQLITE, "duckdb-join", (1.0, 1.0, 1.0)),
    _Against("DuckDB, join by hand", _MARIADB, "duckdb-join", (0.5, 0.5, 0.6)),
    *(
        _Against(
            "times faster than datacompy", pair_name(pair), "datacompy", (3, 3, 3), faster=True
        )
        for pair in PAIRS
    ),
    *(
        _Against(
            "memory, against datacompy", pair_name(p), "datacompy", (0.25,), measure="peak_mib"
        )
        for p in PAIRS
    ),
    *(
        _Against("times faster than reladiff", pair, "reladiff", (8, 15, 40), faster=True)
        for pair in (_PG, _MARIADB)
    ),
)


def pair_title(name: str) -> str:
    """`PostgreSQL to MariaDB`."""
    return " to ".join(TITLES[engine] for engine in name.split("-"))


def against_others(results: Results) -> list[list[Figure]]:
    """The targets against other ways to compare: a row for each, with a figure for each state."""
    return [list(_row(results, against)) for against in _AGAINST]


def of_safeguard(results: Results) -> list[Figure]:
    """The targets that Safeguard has for itself: memory, growth, shapes, start."""
    return [
        *_memory(results),
        *_growth(results),
        *_shapes(results),
        _own(results, Figure("`safeguard --help`", "", 0.15, unit="s"), "start", "help", "wall"),
        _own(results, Figure("check of a tiny plan", "", 1.0, unit="s"), "start", "tiny", "wall"),
    ]


def _row(results: Results, against: _Against) -> Iterator[Figure]:
    for state, target in zip(STATES, against.targets, strict=False):
        cell = f"{against.pair} {state}"
        figure = Figure(against.what, pair_title(against.pair), target, at_least=against.faster)
        us, them = (cell, SAFEGUARD), (cell, against.other)
        if against.faster:
            value = results.ratio(them, us)
        else:
            value = results.ratio(us, them, against.measure, against.ours)
        yield replace(figure, value=value, right=results.is_right(*us))


def _memory(results: Results) -> Iterator[Figure]:
    for pair in map(pair_name, PAIRS):
        cells = [f"{pair} {state}" for state in STATES]
        yield _peak(results, Figure("peak memory", pair_title(pair), MEMORY_MIB), cells, SAFEGUARD)
    for size in sizes_of(results):
        cells = [name for name, _ in results.of_part("growth")]
        case = f"{int(size):,} rows a side"
        yield _peak(results, Figure("peak memory", case, MEMORY_MIB), cells, size)
    giant = Figure("peak memory", "lists, one customer with a million entries", MEMORY_MIB)
    yield _peak(results, giant, [name for name, _ in results.of_part("shapes")], "giant")


def _peak(results: Results, figure: Figure, cells: list[str], entry: str) -> Figure:
    measured = [cell for cell in cells if results.runs(cell, entry)]
    peaks = [results.median(cell, entry, "peak_mib") or 0.0 for cell in measured]
    right = all(results.is_right(cell, entry) for cell in measured)
    return replace(figure, unit="MiB", value=max(peaks, default=None), right=right)


def _growth(results: Results) -> Iterator[Figure]:
    sizes = sizes_of(results)
    for name, cell in results.of_part("growth"):
        for size, before in zip(sizes[2:], sizes[1:], strict=False):
            seconds, fewer = (results.median(name, s, "wall") for s in (size, before))
            value = seconds / int(size) / (fewer / int(before)) if seconds and fewer else None
            what = f"time per row, {int(size):,} against {int(before):,} rows"
            right = results.is_right(name, size) and results.is_right(name, before)
            yield Figure(what, state_title(cell["state"]), 1.2, value=value, right=right)


def _shapes(results: Results) -> Iterator[Figure]:
    for name, cell in results.of_part("shapes"):
        for entry, what in (("lists", "lists with order"), ("crosswalk", "ids by a crosswalk")):
            value = results.ratio((name, entry), (name, "records"))
            right = results.is_right(name, entry)
            title = f"{what}, against records"
            yield Figure(title, state_title(cell["state"]), 1.5, value=value, right=right)


def _own(results: Results, figure: Figure, cell: str, entry: str, what: str) -> Figure:
    right = results.is_right(cell, entry)
    return replace(figure, value=results.median(cell, entry, what), right=right)


def sizes_of(results: Results) -> list[str]:
    """The sizes that growth was measured at, as entries name them, small ones first."""
    names = {entry for _, cell in results.of_part("growth") for entry in cell["entries"]}
    return sorted(names, key=int)


def state_title(state: State) -> str:
    """As the page names it."""
    return {"equal": "equal", "few": "300 differences", "many": "5 % changed"}[state]
