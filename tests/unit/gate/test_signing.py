"""Keys: what is one, what is said of what is not, and that none is ever shown."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from safeguard.findings.trouble import UsageProblem
from safeguard.gate.signing import new_pair, signing_key, verifying_key

PRIVATE, PUBLIC = new_pair()
LOCKED, ITS_PUBLIC = new_pair("open sesame")
_curve = ec.generate_private_key(ec.SECP256R1())
OTHER_PRIVATE = _curve.private_bytes(
    form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
)
OTHER_PUBLIC = _curve.public_key().public_bytes(
    form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
)


def test_a_pair_signs_and_verifies():
    key, trusted = signing_key(PRIVATE, "a.key"), verifying_key(PUBLIC, "a.pub")
    assert key.id == trusted.id
    assert trusted.verifies(key.sign(b"data"), b"data")
    assert not trusted.verifies(key.sign(b"data"), b"datA")
    assert not verifying_key(ITS_PUBLIC, "b.pub").verifies(key.sign(b"data"), b"data")


def test_a_private_key_is_pkcs8_and_locked_only_by_a_passphrase():
    assert PRIVATE.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert LOCKED.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    key = signing_key(LOCKED, "b.key", "open sesame")
    assert verifying_key(ITS_PUBLIC, "b.pub").verifies(key.sign(b"x"), b"x")


def test_a_passphrase_that_is_not_needed_does_no_harm():
    assert signing_key(PRIVATE, "a.key", "open sesame").id == verifying_key(PUBLIC, "a.pub").id


def test_nothing_of_a_key_is_in_its_words():
    assert "object" not in repr(signing_key(PRIVATE, "a.key"))


@pytest.mark.parametrize(
    ("pem", "passphrase", "words"),
    [
        (PUBLIC, "", "k is a public key; signing needs the private one"),
        (LOCKED, "", "k is locked: put its passphrase into the environment"),
        (LOCKED, "wrong", "k can't be read: its passphrase is another one"),
        (PRIVATE[:60], "", "k can't be read: no private key"),
        (b"", "", "k can't be read: no private key"),
        (b"\xff\x00", "", "k can't be read: no private key"),
        (OTHER_PRIVATE, "", "k is no ed25519 key; `safeguard keygen` makes one"),
    ],
    ids=["public", "locked", "wrong-passphrase", "cut", "empty", "binary", "other-kind"],
)
def test_what_is_no_private_key_is_a_mistake(pem, passphrase, words):
    with pytest.raises(UsageProblem) as caught:
        signing_key(pem, "k", passphrase)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (PRIVATE, "k is a private key; a gate needs the public one"),
        (LOCKED, "k is a private key; a gate needs the public one"),
        (PUBLIC[:60], "k can't be read: no public key in PEM"),
        (b"", "k can't be read: no public key in PEM"),
        (OTHER_PUBLIC, "k is no ed25519 key; `safeguard keygen` makes one"),
    ],
    ids=["private", "locked", "cut", "empty", "other-kind"],
)
def test_what_is_no_public_key_is_a_mistake(pem, words):
    with pytest.raises(UsageProblem) as caught:
        verifying_key(pem, "k")
    assert words in str(caught.value)
