"""A plan, its keys and its signed verdict, by the commands that people use."""

from __future__ import annotations

import io
import json
import os
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from safeguard.cli.shell import run


@dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Signed:
    """A move of one content, in a folder of its own; `urls` are of old and new, or ${NAMES}."""

    folder: Path
    urls: dict[str, str]
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write_plan()
        self.write_contract()

    def write_plan(self, **more: Any) -> None:
        systems = {name: {"url": url} for name, url in self.urls.items()}
        plan = {"migration": "m", "kind": "move", "systems": systems, "contracts": ["queue.yaml"]}
        self.plan.write_text(json.dumps(plan | more))

    def write_contract(self, **more: Any) -> None:
        sides = {side: {"system": side, "table": "queue"} for side in ("old", "new")}
        plain = {"content": "queue", "shape": "set", "owner": "customer_id", "item": "title_id"}
        (self.folder / "queue.yaml").write_text(json.dumps(plain | sides | more))

    @property
    def plan(self) -> Path:
        return self.folder / "safeguard.yaml"

    @property
    def envelope(self) -> Path:
        return self.folder / "out" / "verdict.dsse.json"

    def run(self, *arguments: str) -> Done:
        """A command, in the folder; in this process, which has loaded everything."""
        out, err = io.StringIO(), io.StringIO()
        with (
            chdir(self.folder),
            patch.dict(os.environ, {"COLUMNS": "200"} | self.environ),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    def keygen(self, name: str = "release") -> None:
        done = self.run("keygen", "--out", name)
        assert done.returncode == 0, done.stderr

    def check(self, *more: str) -> Done:
        """A signed check."""
        return self.run("check", "--quiet", "--out", "out", "--sign", "release.key", *more)

    def gate(self, *more: str, key: str = "release.pub", max_age: str = "1h") -> Done:
        """Ask the gate; the answer as JSON."""
        asked = ("gate", "out/verdict.dsse.json", "--key", key, "--max-age", max_age)
        return self.run(*asked, "--format", "json", *more)
