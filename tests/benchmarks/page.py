"""Writes `docs/benchmarks.md`: the template `page.md` filled from the results alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from benchmarks.figures import Figure, against_others, of_safeguard, pair_title, state_title
from benchmarks.results import JsonObject, Results

TEMPLATE = Path(__file__).with_name("page.md")
NETFLIX_ENTRIES = 420_000_000
"""8.4 million subscribers at fifty queue entries each."""
_MARKS = {True: "✓", False: "✗", None: ""}


def write_page(results: Results, path: Path) -> None:
    """Write the page."""
    parts = {
        "machine": _machine(results),
        "against": _against(results),
        "own": _own(results),
        "growth_estimate": _estimate(results),
        "pairs": _runs(results, "pairs"),
        "shapes": _runs(results, "shapes"),
        "growth": _runs(results, "growth"),
    }
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(parts)
    path.write_text(page, encoding="utf-8")


def _machine(results: Results) -> str:
    about = results.about
    machine, versions = about["machine"], about["versions"]
    when = {(cell["day"], cell["commit"]) for cell in results.cells.values()}
    load = max((cell["load"] for cell in results.cells.values()), default=0.0)
    checkouts = ", ".join(f"{day} (commit {commit})" for day, commit in sorted(when))
    servers = [
        f"{name} {versions[scheme].removeprefix('PostgreSQL ').split('-')[0]}"
        for scheme, name in (("postgresql", "PostgreSQL"), ("mysql", "MariaDB"))
        if scheme in versions
    ]
    return (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, {machine['system']}; "
        f"Python {versions['python']}, {', '.join(servers)}. "
        f"Measured: {checkouts}; the load before a cell was at most {load}."
    )


def _against(results: Results) -> str:
    rows = [
        (
            f"{row[0].what}<br>{row[0].case}",
            *(_shown(figure) for figure in row),
            *[""] * (3 - len(row)),
        )
        for row in against_others(results)
    ]
    return _table(("against", *map(state_title, ("equal", "few", "many"))), rows)


def _own(results: Results) -> str:
    rows = [(figure.what, figure.case, _shown(figure)) for figure in of_safeguard(results)]
    return _table(("what", "of", "measured (target)"), rows)


def _shown(figure: Figure) -> str:
    bound = f"({'≥' if figure.at_least else '≤'} {_target(figure)})"
    if figure.value is None:
        return f"not measured {bound}"
    wrong = "" if figure.right else ", **not every run was right**"
    return f"{_number(figure.value, figure)} {_MARKS[figure.holds]} {bound}{wrong}"


def _target(figure: Figure) -> str:
    return f"{figure.target:g}" if figure.unit == "times" else _number(figure.target, figure)


def _number(value: float, figure: Figure) -> str:
    if figure.unit == "MiB":
        return f"{value:.0f} MiB"
    if figure.unit == "s":
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _runs(results: Results, part: str) -> str:
    """A line for each entry of each cell of a part, with medians."""
    head = (
        "systems",
        "state",
        "who",
        "rows",
        "seconds",
        "CPU s",
        "server CPU s",
        "MiB",
        "µs a row",
        "runs",
        "right",
    )
    rows = [
        (pair_title(cell["pair"]), state_title(cell["state"]), *_entry(results, name, entry))
        for name, cell in results.of_part(part)
        for entry in cell["entries"]
    ]
    return _table(head, rows) if rows else "Not measured."


def _entry(results: Results, cell: str, entry: str) -> Sequence[str]:
    facts: JsonObject = results.cells[cell]["entries"][entry]
    runs = results.runs(cell, entry)
    who = facts["title"] if results.cells[cell]["part"] == "pairs" else f"{facts['title']}, {entry}"
    numbers = [results.median(cell, entry, w) for w in ("wall", "cpu", "server_cpu", "peak_mib")]
    wall, cpu, server_cpu, peak = (_plain(n, d) for n, d in zip(numbers, (2, 2, 2, 0), strict=True))
    if wall and len(runs) > 1:
        low, high = results.spread(cell, entry) or (0.0, 0.0)
        wall += f" ({low:.2f}–{high:.2f})"
    each = numbers[0] / facts["rows"] * 1e6 if numbers[0] else None
    troubles = {_trouble(run) for run in runs if run["status"] != "right"}
    right = "yes" if results.is_right(cell, entry) else "; ".join(sorted(troubles))
    rows = f"{facts['rows']:,}"
    return (who, rows, wall, cpu, server_cpu, peak, _plain(each, 2), str(len(runs)), right)


def _trouble(run: JsonObject) -> str:
    found = f", found {run['found']}" if "found" in run else ""
    words = f"{run['status']}: {run.get('reason', '')}{found}"
    return words.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _plain(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _estimate(results: Results) -> str:
    """What 420 million entries would take at the largest size's time per row."""
    found = [
        (int(size), wall, name)
        for name, cell in results.of_part("growth")
        for size in cell["entries"]
        if (wall := results.median(name, size, "wall")) and results.is_right(name, size)
    ]
    if not found:
        return ""
    size, wall, name = max(found)
    minutes = wall / size * NETFLIX_ENTRIES / 60
    state = state_title(results.cells[name]["state"])
    return (
        f"At the time per row of {size:,} rows ({state}: {wall:.1f} s), "
        f"{NETFLIX_ENTRIES:,} entries a side, 8.4 million subscribers with fifty each, "
        f"take {minutes:.0f} minutes on this machine."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
