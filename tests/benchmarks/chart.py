"""Draws `docs/benchmarks.svg`: each contender's time over the bare read, and its peak memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.cells import PAIRS, STATES, pair_name
from benchmarks.content import State
from benchmarks.figures import LIMIT, MEMORY_MIB, SAFEGUARD, pair_title, state_title
from benchmarks.results import Results

SHOWN = {
    SAFEGUARD: "Safeguard",
    "duckdb-join": "DuckDB, join by hand",
    "datacompy": "datacompy (Polars)",
    "reladiff": "reladiff",
}
ROW, TOP, LEFT, WIDTH, GAP = 20, 62, 196, 300, 44
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.group { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.line { stroke: #d0d7de } .bound { stroke: #cf222e; stroke-dasharray: 4 3 }
.equal { fill: #0969da } .few { fill: #bf8700 } .many { fill: #8250df }
.us { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .line { stroke: #3d444d } .bound { stroke: #f85149 }
  .equal { fill: #4493f8 } .few { fill: #d29922 } .many { fill: #ab7df8 }
}
"""


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high` at `x`, with a line at `bound`."""

    title: str
    x: int
    low: float
    high: float
    ticks: tuple[float, ...]
    bound: float
    bound_title: str

    def at(self, value: float) -> float:
        """Where a value is; one outside stands at the end."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.x + WIDTH * min(max(share, 0.0), 1.0), 1)


TIME = Axis("time over the bare read", LEFT, 0.5, 256, (0.5, 1, 2, 4, 16, 64, 256), 1, "bare read")
_MEMORY_TICKS = (32, 128, 512, 2048)
MEMORY = Axis(
    "peak memory, MiB",
    LEFT + WIDTH + GAP,
    16,
    4096,
    _MEMORY_TICKS,
    MEMORY_MIB,
    f"{MEMORY_MIB:.0f} MiB",
)


def write_chart(results: Results, path: Path) -> None:
    """Write the chart as SVG."""
    rows = list(_rows(results))
    height = TOP + ROW * len(rows) + 12
    width = MEMORY.x + WIDTH + 24
    body = [*_legend(), *_axis(TIME, height), *_axis(MEMORY, height)]
    for number, (kind, text, name, pair) in enumerate(rows):
        y = TOP + ROW * number + ROW // 2
        x, anchor = (4, "start") if kind == "group" else (LEFT - 10, "end")
        body.append(
            f'<text x="{x}" y="{y + 4}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
        )
        if kind != "group":
            body += _marks(results, pair, name, y)
    title = "<title>Time over the bare read, and peak memory, of each contender</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    path.write_text(
        "\n".join([head, title, f"<style>{_STYLE}</style>", *body, "</svg>", ""]), "utf-8"
    )


def _rows(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Class, text, contender and pair of each line."""
    for pair in map(pair_name, PAIRS):
        cells = [f"{pair} {state}" for state in STATES]
        names = [name for name in SHOWN if any(results.runs(cell, name) for cell in cells)]
        if names:
            yield "group", pair_title(pair), "", pair
        for name in names:
            yield "us" if name == SAFEGUARD else "peer", SHOWN[name], name, pair


def _marks(results: Results, pair: str, name: str, y: int) -> Iterator[str]:
    for state in STATES:
        cell = f"{pair} {state}"
        ratio = results.ratio((cell, name), (cell, LIMIT))
        memory = results.median(cell, name, "peak_mib")
        for axis, value in ((TIME, ratio), (MEMORY, memory)):
            if value is not None:
                tip = f"{SHOWN[name]}, {pair_title(pair)}, {state_title(state)}: {value:.3g}"
                yield _mark(state, axis.at(value), y, tip)


def _mark(state: State, x: float, y: float, tip: str = "") -> str:
    """A shape of its own for each state, so that colour is not needed."""
    title = f"<title>{escape(tip)}</title>"
    match state:
        case "few":
            return f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" class="few">{title}</rect>'
        case "many":
            points = f"{x},{y - 5} {x + 5},{y + 4} {x - 5},{y + 4}"
            return f'<polygon points="{points}" class="many">{title}</polygon>'
        case _:
            return f'<circle cx="{x}" cy="{y}" r="4.5" class="equal">{title}</circle>'


def _legend() -> Iterator[str]:
    for number, state in enumerate(STATES):
        x = LEFT + number * 120
        yield _mark(state, x, 12)
        yield f'<text x="{x + 10}" y="16">{escape(state_title(state))}</text>'


def _axis(axis: Axis, height: int) -> Iterator[str]:
    yield f'<text x="{axis.x}" y="38" class="group">{escape(axis.title)}</text>'
    for tick in axis.ticks:
        x = axis.at(tick)
        yield f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{height - 8}" class="line"/>'
        yield f'<text x="{x}" y="{TOP - 6}" class="small" text-anchor="middle">{tick:g}</text>'
    x = axis.at(axis.bound)
    yield (
        f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{height - 8}" class="bound">'
        f"<title>{escape(axis.bound_title)}</title></line>"
    )
