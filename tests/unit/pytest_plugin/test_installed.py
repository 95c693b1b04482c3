"""The wheel in a virtual environment of its own: pytest finds the plugin by its entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from small_plans import make_plan

ROOT = Path(__file__).resolve().parents[3]
TEST = """
def test_survives(assert_survives):
    rows = [{"id": 1, "stars": 5}]
    assert_survives(old=rows, new=rows, contract={"owner": "id", "fields": ["stars"]})

def test_nothing_is_loaded_by_being_installed():
    import sys
    assert "safeguard.pytest_plugin" in sys.modules
"""
IDLE = """
import sys

def test_idle():
    heavy = ("pydantic", "pyarrow", "duckdb", "sqlalchemy", "numpy", "safeguard.checking")
    assert "safeguard.pytest_plugin" in sys.modules
    assert [name for name in sys.modules if name.startswith(heavy)] == []
"""


def told(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel of this checkout and pytest."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".safeguard", "tests", "*cache*", "__pycache__"
    )
    shutil.copytree(ROOT, source, ignore=left_out)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [*install, str(source), "pytest", "pytest-xdist"],
        capture_output=True,
        text=True,
        env=environ,
    )
    if done.returncode:
        if "No matching distribution" in done.stderr or "ConnectionError" in done.stderr:
            pytest.skip(f"NOT TESTED, pip reaches no registry: {done.stderr[-300:]}")
        pytest.fail(told(done), pytrace=False)
    return python


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    command = [python, "-m", "pytest", "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True)


@pytest.mark.slow
def test_the_wheel_brings_the_plugin(python: Path, tmp_path: Path) -> None:
    make_plan(tmp_path, spoil=("DELETE FROM queue WHERE customer_id = 3",))
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "test_idle.py").write_text(IDLE)
    idle = run(python, tmp_path, "test_idle.py")
    assert idle.returncode == 0, told(idle)
    whole = run(python, tmp_path, "test_it.py", "--safeguard", "safeguard.yaml", "-n", "2")
    assert "3 failed, 6 passed" in whole.stdout, told(whole)
    assert whole.returncode == 1
    assert "BLOCK  Do not roll out. 1 of 9 customers" in whole.stdout


@pytest.mark.slow
def test_its_types_are_found(python: Path, tmp_path: Path) -> None:
    """`py.typed` is in the wheel, and the names at the top are typed though they load late."""
    (tmp_path / "used.py").write_text(
        "import safeguard\nreveal_type(safeguard.check('p').verdict)\nsafeguard.check(plan=5)\n"
    )
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    command = [sys.executable, "-m", "mypy", "--python-executable", python, "used.py"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MYPY"))}
    done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True)
    assert Path(site, "safeguard", "py.typed").is_file()
    assert 'Revealed type is "safeguard.findings.words.Verdict"' in done.stdout, told(done)
    assert 'Argument "plan" to "check" has incompatible type "int"' in done.stdout
