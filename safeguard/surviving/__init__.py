"""Holds a migration's own tests to the check: two sides in memory or elsewhere, one assertion."""

from safeguard.surviving.survive import DidNotSurvive, assert_survives

__all__ = ["DidNotSurvive", "assert_survives"]
