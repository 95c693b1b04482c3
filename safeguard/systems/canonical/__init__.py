"""What raw values of any system mean: one canonical form per type, decided here for all systems.

docs/types.md is this package as a table; tests/conformance runs it against every system.
"""

from safeguard.systems.canonical.batch import canonical_batch, canonical_schema, canonical_value
from safeguard.systems.canonical.column import CanonicalColumn, Storage
from safeguard.systems.canonical.instants import INFINITY, MINUS_INFINITY, ZERO_DATE
from safeguard.systems.canonical.kinds import kinds_of

__all__ = [
    "INFINITY",
    "MINUS_INFINITY",
    "ZERO_DATE",
    "CanonicalColumn",
    "Storage",
    "canonical_batch",
    "canonical_schema",
    "canonical_value",
    "kinds_of",
]
