"""The options of a check of systems that are being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safeguard.cli.options import Options

if TYPE_CHECKING:
    from safeguard.comparing.settling import Patience

SECONDS = click.FloatRange(min=0)
PATIENCE = Options(
    "patience",
    {
        "settle": (SECONDS, "SECONDS", 5, "Live: wait so long before looking again."),
        "tries": (click.IntRange(min=1), "N", 5, "Live: look again at most so often."),
        "deadline": (SECONDS, "SECONDS", 300, "Live: begin no look of a content later than this."),
    },
)


def patience_of(asked: dict[str, float]) -> Patience:
    """What the options ask for."""
    from safeguard.comparing.settling import Patience

    return Patience(asked["settle"], int(asked["tries"]), asked["deadline"])
