"""The folder of a demo: the plan and the example contracts, ready to be checked and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeguard.demo.build import Built, build
from safeguard.findings.trouble import UsageProblem

CONTRACTS = ("queue", "ratings", "notify-me", "reviews", "playlists")
SYSTEMS = {"old": "OLD_URL", "streaming": "STREAMING_URL", "dvd": "DVD_URL"}
"""Systems of the example plan, and the environment variable that each takes its URL from."""


@dataclass(frozen=True)
class Scene:
    """A demo that is ready: check `plan` with `environ` added to the environment."""

    plan: Path
    environ: Mapping[str, str]
    built: Built


def set_scene(
    folder: Path, customers: int, seed: int, faults: bool, urls: Mapping[str, str] | None = None
) -> Scene:
    """Fill the databases and write plan and contracts into the folder. Without `urls`, three SQLite
    files there; with `urls` (old, streaming, dvd) the plan names variables, never a password."""
    if urls is not None and set(urls) != set(SYSTEMS):
        raise UsageProblem(
            f"the demo needs these systems, no more and no fewer: {', '.join(SYSTEMS)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    used = urls or {name: f"sqlite:///{name}.sqlite" for name in SYSTEMS}
    new = {name: url for name, url in used.items() if name != "old"}
    built = build(customers, seed, used["old"], new, faults, folder)
    plan = (examples() / "safeguard.yaml").read_text(encoding="utf-8")
    if urls is None:
        for name, variable in SYSTEMS.items():
            plan = plan.replace(f"${{{variable}}}", used[name])
    (folder / "safeguard.yaml").write_text(plan, encoding="utf-8")
    (folder / "contracts").mkdir(exist_ok=True)
    for name in CONTRACTS:
        text = (examples() / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / "contracts" / f"{name}.yaml").write_text(text, encoding="utf-8")
    environ = {SYSTEMS[name]: url for name, url in used.items()} if urls else {}
    return Scene(folder / "safeguard.yaml", environ, built)


def examples() -> Path:
    """Where the example contracts are: inside an installed package, or `contracts/` of a checkout."""
    room = Path(__file__).parent
    installed = room / "contracts"
    return installed if installed.is_dir() else room.parents[1] / "contracts"
