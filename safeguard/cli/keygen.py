"""`safeguard keygen`: a pair of keys that verdicts are signed and trusted with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from safeguard.findings.trouble import UsageProblem

PRIVATE, PUBLIC = ".key", ".pub"


@click.command("keygen")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("safeguard"),
    metavar="NAME|DIR",
    help="Write NAME.key and NAME.pub, or safeguard.key and safeguard.pub in DIR. Default: here.",
)
def keygen(out: Path) -> int:
    """Make a pair of ed25519 keys: the private one signs verdicts, the public one is what a deploy job
    trusts. With SAFEGUARD_KEY_PASSPHRASE in the environment the private key is locked with it.

    Files that exist are never overwritten.

    \b
    Examples:
      safeguard keygen
      safeguard keygen --out keys/release
    """
    from safeguard.cli.keys import PASSPHRASE
    from safeguard.gate.signing import new_pair

    passphrase = os.environ.get(PASSPHRASE)
    if passphrase == "":
        raise UsageProblem(f"{PASSPHRASE} is empty in the environment: set it, or unset it")
    base = out / "safeguard" if out.is_dir() else out
    names = [base.with_name(base.name + ending) for ending in (PRIVATE, PUBLIC)]
    if there := [str(path) for path in names if path.exists() or path.is_symlink()]:
        raise UsageProblem(f"a key is never overwritten: there is {' and '.join(there)}")
    private, public = names
    pair = new_pair(passphrase or "")
    for path, pem, mode in zip(names, pair, (0o600, 0o644), strict=True):
        _write(path, pem, mode)
    locked = "locked with a passphrase; " if passphrase else ""
    click.echo(f"{private}  the private key: {locked}keep it secret")
    click.echo(f"{public}  the public key: give it to whoever deploys")
    click.echo(f"next  safeguard check --sign {private}")
    return 0


def _write(path: Path, pem: bytes, mode: int) -> None:
    """A new file with this mode from its first moment on."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise UsageProblem(f"{path} can't be written: {error.strerror}") from error
    with os.fdopen(number, "wb") as file:
        file.write(pem)
