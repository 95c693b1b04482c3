"""What every content of a run is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from safeguard.comparing.buckets import Buckets
from safeguard.comparing.customers import CustomerBook
from safeguard.comparing.exchange import Exchange
from safeguard.comparing.workers import Workers
from safeguard.findings.progress import ProgressListener
from safeguard.systems.opened import Systems


@dataclass(frozen=True)
class Surroundings:
    """The same for all contents. `store` is where entries wait between reading and joining; with
    `reveal`, evidence shows free text."""

    exchange: Exchange
    store: Buckets
    systems: Systems
    workers: Workers
    book: CustomerBook
    progress: ProgressListener
    reveal: bool = False
