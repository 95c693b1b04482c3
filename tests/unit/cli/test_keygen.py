"""`safeguard keygen`: who may read what it writes, and that it never overwrites."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from safeguard.cli.shell import run
from safeguard.gate.signing import signing_key, verifying_key


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAFEGUARD_KEY_PASSPHRASE", raising=False)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("arguments", "base"),
    [((), "safeguard"), (("--out", "release"), "release"), (("--out", "keys"), "keys/safeguard")],
)
def test_a_pair_is_written_and_the_private_key_is_its_owners_alone(arguments, base, here, capsys):
    (here / "keys").mkdir()
    before = os.umask(0)
    try:
        assert run(["keygen", *arguments]) == 0
    finally:
        os.umask(before)
    private, public = here / f"{base}.key", here / f"{base}.pub"
    assert (mode(private), mode(public)) == (0o600, 0o644)
    key = signing_key(private.read_bytes(), "k")
    assert verifying_key(public.read_bytes(), "p").verifies(key.sign(b"x"), b"x")
    said = capsys.readouterr().out
    assert f"next  safeguard check --sign {base}.key" in said
    assert "PRIVATE" not in said


@pytest.mark.parametrize("there", ["safeguard.key", "safeguard.pub"])
def test_what_is_there_is_never_overwritten(there, here, capsys):
    (here / there).write_text("mine")
    assert run(["keygen"]) == 2
    assert f"a key is never overwritten: there is {there}" in capsys.readouterr().err
    assert [p.name for p in here.iterdir()] == [there]
    assert (here / there).read_text() == "mine"


def test_a_link_is_not_followed(here):
    (here / "safeguard.key").symlink_to("elsewhere")
    assert run(["keygen"]) == 2
    assert not (here / "elsewhere").exists()


def test_a_passphrase_locks_the_private_key(here, monkeypatch, capsys):
    monkeypatch.setenv("SAFEGUARD_KEY_PASSPHRASE", "open sesame")
    assert run(["keygen"]) == 0
    assert signing_key((here / "safeguard.key").read_bytes(), "k", "open sesame")
    assert "locked with a passphrase" in capsys.readouterr().out


def test_an_empty_passphrase_is_a_mistake(here, monkeypatch, capsys):
    """A secret that CI does not have is an empty variable there."""
    monkeypatch.setenv("SAFEGUARD_KEY_PASSPHRASE", "")
    assert run(["keygen"]) == 2
    assert "is empty in the environment" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_mistake(capsys):
    assert run(["keygen", "--out", "nowhere/release"]) == 2
    assert "nowhere/release.key can't be written" in capsys.readouterr().err
