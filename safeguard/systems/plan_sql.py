"""SQL of the plan inside of ours."""

from __future__ import annotations


def bracketed(sql: str | None) -> str:
    """SQL of the plan in brackets, on lines of its own: a comment at its end hides nothing of ours."""
    return f"(\n{sql}\n)"
