"""Ed25519 keys (RFC 8032) in PEM: the one home of `cryptography`, imported when a key is used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from safeguard.findings.trouble import UsageProblem


@dataclass(frozen=True)
class SigningKey:
    """A private key."""

    id: str
    """See `VerifyingKey`."""
    _key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return bytes(self._key.sign(data))


@dataclass(frozen=True)
class VerifyingKey:
    """A public key. `id` is the SHA-256 of its DER form (SubjectPublicKeyInfo), in hex."""

    id: str
    shown: str
    """As people named it."""
    _key: Any = field(repr=False)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether this key's private half signed exactly this."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


def new_pair(passphrase: str = "") -> tuple[bytes, bytes]:
    """A new private key (PKCS8, encrypted where there is a passphrase) and its public half, as PEM."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    lock: form.KeySerializationEncryption = form.NoEncryption()
    if passphrase:
        lock = form.BestAvailableEncryption(passphrase.encode())
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock)
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def signing_key(pem: bytes, shown: str, passphrase: str = "") -> SigningKey:
    """The private key in `pem`. Raises UsageProblem, which shows none of it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if b"PUBLIC KEY" in pem:
        raise UsageProblem(f"{shown} is a public key; signing needs the private one")
    is_locked = b"ENCRYPTED" in pem
    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase and is_locked else None)
    except TypeError:
        raise UsageProblem(
            f"{shown} is locked: put its passphrase into the environment as SAFEGUARD_KEY_PASSPHRASE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        why = "its passphrase is another one, or it is damaged" if is_locked else "no private key"
        raise UsageProblem(f"{shown} can't be read: {why}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageProblem(f"{shown} is no ed25519 key; `safeguard keygen` makes one")
    return SigningKey(_id(key.public_key()), key)


def verifying_key(pem: bytes, shown: str) -> VerifyingKey:
    """The public key in `pem`. Raises UsageProblem."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY" in pem:
        raise UsageProblem(f"{shown} is a private key; a gate needs the public one, and no other")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageProblem(f"{shown} can't be read: no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageProblem(f"{shown} is no ed25519 key; `safeguard keygen` makes one")
    return VerifyingKey(_id(key), shown, key)


def _id(public: Any) -> str:
    from cryptography.hazmat.primitives import serialization as form

    der = public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
