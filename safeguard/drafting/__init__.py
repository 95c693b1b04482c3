"""A first plan, drafted from what the systems themselves tell."""

from __future__ import annotations

from safeguard.drafting.draft import Draft, draft, draft_sessions

__all__ = ["Draft", "draft", "draft_sessions"]
