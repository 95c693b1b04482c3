"""How URLs go into a plan: as they are, or by the name of a variable where they hold a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeguard.systems.urls import mask


@dataclass(frozen=True)
class PlanUrl:
    """What is written into the plan; `export` says that the variable must still be set."""

    written: str
    variable: str = ""
    export: bool = False


_PATH = re.compile(r"(?:files:(?://)?|(?:sqlite|duckdb):///)([^?]+)", re.IGNORECASE)


def plan_urls(
    urls: Mapping[str, str], environ: Mapping[str, str], folder: Path = Path()
) -> dict[str, PlanUrl]:
    """By system, for a plan in `folder`; paths come in relative to the working folder.

    A URL without a secret is written out, any other as `${OLD_URL}`: of that name, or the one under
    which the environment already holds it.
    """
    return {name: _plan_url(name, url, environ, folder) for name, url in urls.items()}


def _plan_url(name: str, url: str, environ: Mapping[str, str], folder: Path) -> PlanUrl:
    if mask(url) == url:
        return PlanUrl(_from(folder, url).replace("${", "$${"))
    held = sorted(n for n, value in environ.items() if value == url and n.isidentifier())
    usual = re.sub(r"\W", "_", name.upper()) + "_URL"
    variable = usual if usual in held or not held else held[0]
    return PlanUrl("${" + variable + "}", variable, variable not in held)


def _from(folder: Path, url: str) -> str:
    """The same file or folder as seen from the plan's folder."""
    match = _PATH.match(url)
    if match is None or Path(match[1]).expanduser().is_absolute():
        return url
    there = os.path.relpath(Path(match[1]).absolute(), folder.absolute())
    return url[: match.start(1)] + there + url[match.end(1) :]
