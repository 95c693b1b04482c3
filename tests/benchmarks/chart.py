"""Draws `docs/benchmarks.svg`: time over the bare read, CPU and peak memory, and growth over size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from benchmarks.cells import PAIRS, STATES, pair_name
from benchmarks.content import State
from benchmarks.figures import LIMIT, MEMORY_MIB, SAFEGUARD, pair_title, sizes_of, state_title
from benchmarks.results import Results

SHOWN = {
    SAFEGUARD: "Safeguard",
    "duckdb-join": "DuckDB, join by hand",
    "datacompy": "datacompy (Polars)",
    "reladiff": "reladiff",
}
ROW, TOP, LEFT, WIDTH, GAP = 20, 62, 196, 230, 40
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
    """A logarithmic axis from `low` to `high` at `x`, with a line at `bound` if it is not 0."""

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
CPU = Axis(
    "CPU seconds, servers' too", LEFT + WIDTH + GAP, 0.25, 512, (0.25, 1, 4, 16, 64, 256), 0, ""
)
MEMORY = Axis(
    "peak memory, MiB",
    LEFT + 2 * (WIDTH + GAP),
    16,
    4096,
    (32, 128, 512, 2048),
    MEMORY_MIB,
    f"{MEMORY_MIB:.0f} MiB",
)
AXES = (TIME, CPU, MEMORY)


@dataclass(frozen=True)
class Line:
    """A line of the chart: a text, and for each state its values, one an axis. A group has none."""

    text: str
    kind: Literal["group", "us", "peer"]
    values: Mapping[State, tuple[float | None, ...]] = field(default_factory=dict)


def write_chart(results: Results, path: Path) -> None:
    """Write the chart as SVG."""
    lines = [*_of_pairs(results), *_of_sizes(results)]
    height = TOP + ROW * len(lines) + 12
    width = MEMORY.x + WIDTH + 24
    body = [*_legend(), *(part for axis in AXES for part in _axis(axis, height))]
    for number, line in enumerate(lines):
        body += _drawn(line, TOP + ROW * number + ROW // 2)
    title = "<title>Time over the bare read, CPU and peak memory of each contender</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    path.write_text(
        "\n".join([head, title, f"<style>{_STYLE}</style>", *body, "</svg>", ""]), "utf-8"
    )


def _of_pairs(results: Results) -> Iterator[Line]:
    for pair in map(pair_name, PAIRS):
        cells = {state: f"{pair} {state}" for state in STATES}
        names = [name for name in SHOWN if any(results.runs(cell, name) for cell in cells.values())]
        if names:
            yield Line(pair_title(pair), "group")
        for name in names:
            values = {
                state: (results.ratio((cell, name), (cell, LIMIT)), *_taken(results, cell, name))
                for state, cell in cells.items()
            }
            yield Line(SHOWN[name], "us" if name == SAFEGUARD else "peer", values)


def _of_sizes(results: Results) -> Iterator[Line]:
    """Safeguard's growth; time per row over that at the second size, on the axis of ratios."""
    sizes = sizes_of(results)
    if not sizes:
        return
    base = sizes[:2][-1]
    yield Line(f"Safeguard by size; time per row over that of {int(base):,}", "group")
    cells = {cell["state"]: name for name, cell in results.of_part("growth")}
    for size in sizes:
        values = {
            state: (_growth(results, cell, size, base), *_taken(results, cell, size))
            for state, cell in cells.items()
        }
        yield Line(f"{int(size):,} rows", "us", values)


def _growth(results: Results, cell: str, size: str, base: str) -> float | None:
    wall, of_base = (results.median(cell, entry, "wall") for entry in (size, base))
    return wall / int(size) / (of_base / int(base)) if wall and of_base else None


def _taken(results: Results, cell: str, entry: str) -> tuple[float | None, float | None]:
    """CPU with the servers' share, and peak memory."""
    own, servers = (results.median(cell, entry, what) for what in ("cpu", "server_cpu"))
    cpu = None if own is None else own + (servers or 0.0)
    return cpu, results.median(cell, entry, "peak_mib")


def _drawn(line: Line, y: int) -> Iterator[str]:
    x, anchor = (4, "start") if line.kind == "group" else (LEFT - 10, "end")
    text = escape(line.text)
    yield f'<text x="{x}" y="{y + 4}" class="{line.kind}" text-anchor="{anchor}">{text}</text>'
    for state, values in line.values.items():
        for axis, value in zip(AXES, values, strict=True):
            if value is not None:
                tip = f"{line.text}, {state_title(state)}, {axis.title}: {value:.3g}"
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
    if not axis.bound:
        return
    x = axis.at(axis.bound)
    yield (
        f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{height - 8}" class="bound">'
        f"<title>{escape(axis.bound_title)}</title></line>"
    )
