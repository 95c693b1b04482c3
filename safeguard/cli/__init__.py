"""The command line: translates arguments, calls one function, hands on its exit code."""

from __future__ import annotations

from safeguard.cli.shell import main

__all__ = ["main"]
