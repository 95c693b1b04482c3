"""The Qwikster split, generated from a seed: an old system, two new ones, and what went wrong."""

from __future__ import annotations

from safeguard.demo.build import Built, build
from safeguard.demo.faults import FAULTS, Fault
from safeguard.demo.scene import Scene, set_scene

__all__ = ["FAULTS", "Built", "Fault", "Scene", "build", "set_scene"]
