"""A virtual environment for each contender, of exactly the versions that `pins/NAME.txt` names."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.stores import tell

PINS = Path(__file__).parent / "pins"


class NotInstalled(Exception):
    """The contender can't run here; the message says why."""


@dataclass(frozen=True)
class Environments:
    """Where the environments are, and whether missing ones may be made."""

    folder: Path
    may_install: bool = True

    def python(self, name: str) -> Path:
        """The interpreter for `pins/NAME.txt`; made with pip where it is missing."""
        pins = (PINS / f"{name}.txt").read_text(encoding="utf-8")
        place = self.folder / name
        python = place / "bin" / "python"
        stamp = place / "installed.txt"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == pins:
            return python
        if not self.may_install:
            return _own_interpreter(name)
        tell(f"installing {name}")
        venv.create(place, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "-r", str(PINS / f"{name}.txt")], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotInstalled(f"pip could not install {name}: {done.stderr.strip()[-300:]}")
        stamp.write_text(pins, encoding="utf-8")
        return python


def _own_interpreter(name: str) -> Path:
    """This interpreter, if it happens to have what the bare limit needs for PostgreSQL."""
    if name == "limit" and find_spec("adbc_driver_postgresql"):
        return Path(sys.executable)
    raise NotInstalled(f"no environment for {name}, and none may be installed")


def versions() -> dict[str, str]:
    """All pinned packages with their versions."""
    lines = [line for path in sorted(PINS.glob("*.txt")) for line in path.read_text().splitlines()]
    return dict(sorted(line.split("==") for line in lines))
