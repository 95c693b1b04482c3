"""Keys as people name them: a file, or `env:NAME`, a variable that holds the PEM itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from safeguard.findings.trouble import UsageProblem
from safeguard.gate.signing import SigningKey, VerifyingKey, signing_key, verifying_key

PASSPHRASE = "SAFEGUARD_KEY_PASSPHRASE"  # noqa: S105 (the name of a variable)
_VARIABLE = "env:"
_MAX_BYTES = 64 * 1024


def key_to_sign(named: str, environ: Mapping[str, str]) -> SigningKey:
    """The private key that `--sign` names. Raises UsageProblem."""
    return signing_key(_pem(named, environ), _shown(named), environ.get(PASSPHRASE, ""))


def keys_to_trust(named: Sequence[str], environ: Mapping[str, str]) -> tuple[VerifyingKey, ...]:
    """The public keys that `--key` names. Raises UsageProblem."""
    return tuple(verifying_key(_pem(one, environ), _shown(one)) for one in named)


def _shown(named: str) -> str:
    return named.removeprefix(_VARIABLE)


def _pem(named: str, environ: Mapping[str, str]) -> bytes:
    if named.startswith(_VARIABLE):
        name = _shown(named)
        if not environ.get(name):
            raise UsageProblem(f"{name}, which should hold a key, is not set in the environment")
        return environ[name].encode(errors="surrogateescape")
    try:
        with Path(named).open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise UsageProblem(f"the key {named} can't be read: {error.strerror}") from error
