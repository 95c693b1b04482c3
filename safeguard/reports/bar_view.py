"""A content as a bar: how much of what was due is kept, changed, gone or not known."""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.findings.result import ContentResult
from safeguard.reports.vocabulary import kind_word, number, percent
from safeguard.reports.wording import damage

WIDTH = 1000
_LEAST = 8
_TONES = {"changed": "changed", "moved": "changed", "not_compared": "unknown"}


@dataclass(frozen=True)
class Part:
    """A stretch of the bar; what is there at all is at least wide enough to be seen."""

    tone: str
    x: int
    width: int


@dataclass(frozen=True)
class Bar:
    parts: tuple[Part, ...]
    label: str


def bar_of(content: ContentResult) -> Bar:
    """The bar, and the same in words with shares."""
    counts = {"kept": content.kept, **damage(content)}
    if (unread := content.due - sum(counts.values())) > 0:
        counts["not_compared"] = counts.get("not_compared", 0) + unread
    total = sum(counts.values())
    label = ", ".join(
        f"{number(n)} {kind_word(s)} ({percent(n, total)})" for s, n in counts.items() if n
    )
    tones: dict[str, int] = {}
    for status, n in counts.items():
        tone = "kept" if status == "kept" else _TONES.get(status, "gone")
        tones[tone] = tones.get(tone, 0) + n
    return Bar(_parts(tones, total), label or "nothing to compare")


def _parts(tones: dict[str, int], total: int) -> tuple[Part, ...]:
    bad = {t: max(_LEAST, n * WIDTH // total) for t, n in tones.items() if n and t != "kept"}
    kept = WIDTH - sum(bad.values()) if tones.get("kept") else 0
    widths = {"kept": max(kept, _LEAST)} if tones.get("kept") else {}
    widths |= {tone: bad[tone] for tone in ("changed", "gone", "unknown") if tone in bad}
    scale = sum(widths.values())
    parts, x = [], 0
    for tone, width in widths.items():
        parts.append(Part(tone, x * WIDTH // scale, -(-width * WIDTH // scale)))
        x += width
    return tuple(parts)
