"""`python -m benchmarks`, which `make bench` runs: build the data, measure, write page and chart."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks import cells
from benchmarks.chart import write_chart
from benchmarks.contenders import ALL, ROOT
from benchmarks.environments import Environments
from benchmarks.page import write_page
from benchmarks.results import Results, as_json
from benchmarks.rounds import Patience, measure
from benchmarks.stores import Stores, tell
from benchmarks.surroundings import about, now

MILLION = 1_000_000
QUICK_ROWS = 100_000
PARTS = ("start", "pairs", "shapes", "growth")


def main(arguments: list[str] | None = None) -> None:
    """Measure what the arguments ask for. Every cell is in the results as soon as it is through."""
    options = _options(arguments)
    file = options.out / "benchmarks.json"
    kept = Results.read(file).cells if options.keep and file.exists() else {}
    patience = Patience(options.rounds, options.timeout, options.once_above, warm=not options.quick)
    environments = Environments(options.environments, may_install=not options.quick)
    if not options.page_only:
        with closing(Stores(options.data)) as stores:
            for cell in _cells(stores, options):
                when = now()
                tell(f"{cell.name}: load {when['load']} before it")
                runs = measure(cell, stores, environments, patience)
                kept[cell.name] = as_json(cell, runs, when)
                Results(about(stores.started()), kept).write(file)
    results = Results.read(file)
    write_page(results, options.out / "benchmarks.md")
    write_chart(results, options.out / "benchmarks.svg")
    tell(f"wrote {options.out / 'benchmarks.md'}")


def _cells(stores: Stores, options: argparse.Namespace) -> Iterator[cells.Cell]:
    """In the order of `PARTS`; a cell's data is made just before it is measured."""
    chosen = [contender for contender in ALL if contender.name in options.contenders]
    pairs = [pair for pair in cells.PAIRS if cells.pair_name(pair) in options.pairs]
    if "start" in options.parts:
        yield cells.of_start(stores)
    if "pairs" in options.parts:
        for pair in pairs:
            for state in options.states:
                yield cells.of_pair(stores, pair, state, options.rows, chosen)
    if "shapes" in options.parts:
        for state in cells.SHAPE_STATES:
            yield cells.of_shapes(stores, state, options.rows)
    if "growth" in options.parts:
        sizes = [int(float(size) * MILLION) for size in options.sizes.split(",") if size]
        for state in options.growth_states:
            yield from cells.of_growth(stores, sizes, state)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    pair_names = [cells.pair_name(pair) for pair in cells.PAIRS]
    names = [contender.name for contender in ALL]
    parser.add_argument("--rows", type=int, default=5 * MILLION, help="a side; default 5,000,000")
    parser.add_argument("--rounds", type=int, default=5, help="of turns in each cell; default 5")
    parser.add_argument("--parts", choices=PARTS, default=list(PARTS), nargs="+")
    parser.add_argument("--pairs", choices=pair_names, default=pair_names, nargs="+")
    parser.add_argument("--states", choices=cells.STATES, default=list(cells.STATES), nargs="+")
    parser.add_argument("--contenders", choices=names, default=names, nargs="+")
    parser.add_argument("--sizes", default="1,5,50", help="of growth, millions; default 1,5,50")
    parser.add_argument("--growth-states", choices=cells.STATES, default=["few"], nargs="+")
    parser.add_argument("--timeout", type=float, default=900, help="seconds of a run; default 900")
    parser.add_argument(
        "--once-above",
        type=float,
        default=60,
        help="who takes longer (seconds) is run once; default 60",
    )
    parser.add_argument(
        "--data", type=Path, default=_temporary("data"), help="kept, and used again"
    )
    parser.add_argument("--environments", type=Path, default=_temporary("environments"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--keep", action="store_true", help="keep cells of earlier results")
    parser.add_argument(
        "--page-only", action="store_true", help="write page and chart anew, measure nothing"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="100,000 rows, one round, what is installed; no shapes or sizes",
    )
    options = parser.parse_args(arguments)
    if options.quick:
        _make_quick(options, parser)
    return options


def _make_quick(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """What was not asked for otherwise becomes small; the page goes elsewhere than into docs/."""
    small = {"rows": QUICK_ROWS, "rounds": 1, "parts": ["pairs"], "out": _temporary("quick")}
    for name, value in small.items():
        if getattr(options, name) == parser.get_default(name):
            setattr(options, name, value)


def _temporary(name: str) -> Path:
    """The servers' own users must be able to read it, so it is not in a home folder."""
    return Path(tempfile.gettempdir()) / f"safeguard-benchmarks-{os.getuid()}" / name


if __name__ == "__main__":
    main()
