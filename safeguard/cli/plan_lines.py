"""An estimate as lines for a terminal, and as data for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from safeguard.planning.estimates import ContentEstimate, PlanEstimate, SourceEstimate

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def plan_lines(found: PlanEstimate) -> Iterator[str]:
    """Content by content: what was chosen and why, then its sources."""
    for content in found.contents:
        yield f"{content.content}: {content.strategy}, {_duration(content.seconds)}"
        yield f"  because {_because(content)}"
        rows = [_cells(source) for source in content.sources]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            told = [row[0].ljust(widths[0])]
            told += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            yield f"  {'  '.join(told)}".rstrip()
    for name, seconds in found.answers:
        yield f"{name} answers in {seconds * 1000:.1f} ms"
    yield f"together {_duration(found.seconds)}, by the first rows of each source; ~ is an estimate"


def plan_data(found: PlanEstimate) -> dict[str, Any]:
    """The same for JSON. Sizes are in bytes, times in seconds."""
    contents = []
    for content in found.contents:
        sources = [{**asdict(s), "seconds": round(s.seconds, 3)} for s in content.sources]
        contents.append(
            {**asdict(content), "sources": sources, "seconds": round(content.seconds, 3)}
        )
    return {
        "contents": contents,
        "answers": {name: round(seconds, 6) for name, seconds in found.answers},
        "seconds": round(found.seconds, 3),
    }


def _because(content: ContentEstimate) -> str:
    return content.reason.rstrip(".")


def _cells(source: SourceEstimate) -> tuple[str, ...]:
    about = "" if source.counted else "~"
    speed = "" if source.rows_per_second is None else f"{source.rows_per_second:,.0f} rows/s"
    return (
        f"{source.side} {source.system}.{source.relation}",
        f"{about}{source.rows:,} rows",
        "" if source.bytes is None else f"~{_size(source.bytes)}",
        speed,
        _duration(source.seconds),
    )


def _size(count: float) -> str:
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:,.0f} {_UNITS[unit]}" if unit == 0 else f"{count:,.1f} {_UNITS[unit]}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return "about " + " ".join(parts[:2])
