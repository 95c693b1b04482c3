"""What is measured side by side: each cell is a set of entries that take turns, round by round."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from benchmarks.contenders import HELP, SAFEGUARD, Contender, Job
from benchmarks.content import BLOCK, Content, State
from benchmarks.stores import Engine, Side, Stores

Pair = tuple[Engine, Engine]

PAIRS: tuple[Pair, ...] = (
    ("postgresql", "postgresql"),
    ("postgresql", "mariadb"),
    ("sqlite", "postgresql"),
    ("parquet", "postgresql"),
)
STATES: tuple[State, ...] = ("equal", "few", "many")
SHAPE_STATES: tuple[State, ...] = ("equal", "few")
GIANT_ROWS = 2_500_000
"""50,000 customers of fifty entries each; the giant's million comes on top."""
TINY_ROWS = 4 * BLOCK


@dataclass(frozen=True)
class Entry:
    """One contender on one job."""

    name: str
    contender: Contender
    job: Job


@dataclass(frozen=True)
class Cell:
    """Entries that are measured in turns, so that a ratio is between neighbours in time."""

    part: str
    name: str
    pair: str
    state: State
    entries: tuple[Entry, ...]


def pair_name(pair: Pair) -> str:
    """As results name it."""
    return "-".join(pair)


def of_pair(
    stores: Stores, pair: Pair, state: State, rows: int, contenders: Collection[Contender]
) -> Cell:
    """All contenders that can read both sides."""
    job = _job(stores, pair, Content("records", rows), state)
    able = tuple(c for c in contenders if not c.without & set(pair))
    entries = tuple(Entry(c.name, c, job) for c in able)
    return Cell("pairs", f"{pair_name(pair)} {state}", pair_name(pair), state, entries)


def of_shapes(stores: Stores, state: State, rows: int) -> Cell:
    """Safeguard on records, on the same under other ids, on lists, and on lists with a giant."""
    pair = PAIRS[0]
    records, lists = Content("records", rows), Content("lists", rows)
    giant = Content("giant", min(rows, GIANT_ROWS))
    plain = _job(stores, pair, records, state)
    new_ids = Job(plain.old, stores.with_new_ids(records, state), plain.planted, crosswalk=True)
    jobs = {
        "records": plain,
        "crosswalk": new_ids,
        "lists": _job(stores, pair, lists, state),
        "giant": _job(stores, pair, giant, state),
    }
    entries = tuple(Entry(name, SAFEGUARD, job) for name, job in jobs.items())
    return Cell("shapes", f"shapes {state}", pair_name(pair), state, entries)


def of_growth(stores: Stores, sizes: Collection[int], state: State) -> Iterator[Cell]:
    """Safeguard on several sizes, all in turns. Nothing where there is no size."""
    jobs = {size: _job(stores, PAIRS[0], Content("records", size), state) for size in sizes}
    entries = tuple(Entry(str(size), SAFEGUARD, job) for size, job in jobs.items())
    if entries:
        yield Cell("growth", f"growth {state}", pair_name(PAIRS[0]), state, entries)


def of_start(stores: Stores) -> Cell:
    """What starting takes: help, and a check of a tiny plan."""
    pair: Pair = ("sqlite", "sqlite")
    job = _job(stores, pair, Content("records", TINY_ROWS), "equal")
    entries = (Entry("help", HELP, job), Entry("tiny", SAFEGUARD, job))
    return Cell("start", "start", pair_name(pair), "equal", entries)


def _job(stores: Stores, pair: Pair, content: Content, state: State) -> Job:
    old, new = pair
    sides: tuple[Side, Side] = (stores.side(old, content, "old"), stores.side(new, content, state))
    return Job(*sides, content.planted(state), lists=content.shape != "records")
