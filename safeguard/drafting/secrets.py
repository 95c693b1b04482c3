"""How URLs go into a plan: as they are, or by the name of a variable where they hold a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from safeguard.systems.urls import mask


@dataclass(frozen=True)
class PlanUrl:
    """What is written into the plan; `export` says that the variable must still be set."""

    written: str
    variable: str = ""
    export: bool = False


def plan_urls(urls: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, PlanUrl]:
    """By system. A URL without a secret is written out, any other as `${OLD_URL}`; of that name,
    or the one under which the environment already holds it."""
    return {name: _plan_url(name, url, environ) for name, url in urls.items()}


def _plan_url(name: str, url: str, environ: Mapping[str, str]) -> PlanUrl:
    held = sorted(n for n, value in environ.items() if value == url and n.isidentifier())
    usual = re.sub(r"\W", "_", name.upper()) + "_URL"
    if not _is_secret(url):
        return PlanUrl(url.replace("${", "$${")) if "${" in url else PlanUrl(url)
    variable = usual if usual in held or not held else held[0]
    return PlanUrl("${" + variable + "}", variable, variable not in held)


def _is_secret(url: str) -> bool:
    return mask(url) != url
