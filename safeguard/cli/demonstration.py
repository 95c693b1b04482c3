"""The demo's words: what was planted, what the check says of it, what CI would do."""

from __future__ import annotations

from collections.abc import Mapping

import click

from safeguard.cli.show import progress_for, show
from safeguard.demo import Scene
from safeguard.findings.words import Verdict

_WRONG = 70
_EFFECT = {
    Verdict.PASS: "the pipeline goes on",
    Verdict.BLOCK: "the pipeline stops, and the rollout with it",
    Verdict.UNDECIDED: "the pipeline stops: not called safe",
}
_TO_SEE = {
    Verdict.PASS: "what was compared, and what was accepted",
    Verdict.BLOCK: "who loses what",
    Verdict.UNDECIDED: "what could not be compared",
}


def demonstrate(scene: Scene, environ: Mapping[str, str], *, fixed: bool) -> int:
    """Check the scene and explain the verdict. 0 when it is the one that the demo is about."""
    from safeguard.checking import Request, run_check

    _tell_story(scene)
    with progress_for(quiet=False) as progress:
        result, folder = run_check(
            scene.plan,
            out=scene.plan.parent / "report",
            request=Request(formats=("csv",)),
            progress=progress,
            environ=environ,
        )
    show(result, folder)
    click.echo(
        f"\nThat was:  safeguard check {scene.plan}\n"
        f"In CI it ends with exit code {result.exit_code}: {_EFFECT[result.verdict]}.\n"
        f"Open {folder / 'report.html'} to see {_TO_SEE[result.verdict]}."
    )
    if result.verdict is (Verdict.PASS if fixed else Verdict.BLOCK):
        return 0
    return result.exit_code if result.verdict is Verdict.UNDECIDED else _WRONG


def _tell_story(scene: Scene) -> None:
    click.echo(
        "A DVD service is split into streaming and DVD. Its customers made "
        f"{scene.built.entries:,} things: queues, ratings, notify-me lists, reviews, playlists."
    )
    planted = [(count, fault.story) for fault, count in scene.built.planted if count]
    if planted:
        click.echo("The migration was done in a hurry; what it did (the check does not know):")
    for count, story in planted:
        click.echo(f"  {count:>9,}  {story}")
    click.echo()
