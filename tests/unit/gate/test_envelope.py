"""The envelope: as DSSE specifies it, read by others' programs, and refused after any change."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from safeguard.gate.envelope import MAX_BYTES, PAYLOAD_TYPE, Refused, pae, seal, unseal
from safeguard.gate.signing import new_pair, signing_key, verifying_key
from signed_examples import pair, payload, sealed

KEY, TRUSTED = pair()
_, ANOTHER = pair("another")


def changed(**values: Any) -> bytes:
    """The envelope with other values in it."""
    return json.dumps(json.loads(sealed()) | values).encode()


def refusal(envelope: bytes, *keys: Any) -> str:
    with pytest.raises(Refused) as caught:
        unseal(envelope, keys or (TRUSTED,))
    return str(caught.value)


def test_what_is_signed_is_what_the_specification_shows():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("", b"", b"DSSEv1 0  0 "),
        ("é", b"\x00\xff", b"DSSEv1 2 \xc3\xa9 2 \x00\xff"),  # lengths are of bytes
        ("a 1 b", b"", b"DSSEv1 5 a 1 b 0 "),
    ],
)
def test_lengths_are_of_bytes_and_before_what_they_measure(kind, body, expected):
    assert pae(kind, body) == expected


def test_what_was_sealed_comes_out_again_with_its_signer():
    assert unseal(sealed(), [ANOTHER, TRUSTED]) == (payload(), TRUSTED)


def test_it_has_the_form_of_the_specification_and_no_blank():
    envelope = sealed()
    assert set(json.loads(envelope)) == {"payload", "payloadType", "signatures"}
    assert not set(envelope) & set(b" \t\r\n")


# -- tampering ----------------------------------------------------------------------------------

_OTHER_ALPHABET = {ord("+"): ord("-"), ord("/"): ord("_")}


def test_no_byte_can_be_changed():
    """Two bits of each byte, one after the other: a letter beside it, and the other case."""
    envelope = sealed()
    assert unseal(envelope, [TRUSTED])
    for place in range(len(envelope)):
        for bit in (0x01, 0x20):
            other = bytearray(envelope)
            other[place] ^= bit
            refusal(bytes(other))


def test_no_byte_can_be_replaced_but_by_the_other_alphabets_spelling_of_it():
    """The specification has verifiers accept both alphabets of base64; nothing else is the same."""
    envelope, random_ = sealed(), random.Random(7)
    assert unseal(envelope, [TRUSTED])
    for place, byte in enumerate(envelope):
        same = {byte, _OTHER_ALPHABET.get(byte)}
        other = random_.choice([b for b in range(256) if b not in same])
        refusal(envelope[:place] + bytes([other]) + envelope[place + 1 :])


def test_no_byte_can_be_left_out_or_put_in():
    envelope = sealed()
    assert unseal(envelope, [TRUSTED])
    for place in range(0, len(envelope), 7):
        refusal(envelope[:place])
        refusal(envelope[:place] + envelope[place + 1 :])
        refusal(envelope[:place] + b"A" + envelope[place:])
    refusal(envelope + b"}")
    refusal(envelope + envelope)


def test_either_alphabet_of_base64_is_read_and_no_mixture():
    key, trusted = pair()
    body = bytes(range(256)) * 3
    envelope = json.loads(seal(body, key))
    table = str.maketrans("+/", "-_")
    (signature,) = envelope["signatures"]
    safe = envelope | {
        "payload": envelope["payload"].translate(table),
        "signatures": [signature | {"sig": signature["sig"].translate(table)}],
    }
    assert unseal(json.dumps(safe).encode(), [trusted])[0] == body
    mixed = envelope | {"payload": envelope["payload"].replace("+", "-")}
    assert "no base64" in refusal(json.dumps(mixed).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b"\xef\xbb\xbf{}",
        b'{"payload": NaN}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"payload": 1' + b"0" * 10_000 + b"}",
        sealed().decode().encode("utf-16"),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_envelope_is_refused(text):
    assert refusal(text).startswith("it is no ")


def test_one_that_is_too_large_is_not_even_parsed():
    assert "larger than" in refusal(b" " * (MAX_BYTES + 1))


def test_a_key_that_stands_twice_is_refused():
    text = sealed().decode()
    twice = text.replace('"payloadType"', f'"payload":"{"A" * 8}","payloadType"', 1)
    assert "twice" in refusal(twice.encode())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"signatures": []}, "nobody signed it"),
        ({"signatures": "x"}, "nobody signed it"),
        ({"signatures": [{}]}, "a signature must have keyid, sig alone"),
        ({"signatures": [None]}, "a signature must have"),
        ({"signatures": [{"sig": "A=="}]}, "its sig is no base64"),
        ({"signatures": [{"sig": ""}]}, "no signature of it is good"),
        ({"signatures": [{"sig": "AAAA"}]}, "no signature of it is good"),
        ({"signatures": [{"sig": "AAAA"}] * 17}, "17 signatures"),
        ({"payloadType": None}, "no media type"),
        ({"payloadType": "application/jsön"}, "no media type"),
        ({"payloadType": "application/json"}, "no signature of it is good"),
        ({"payload": None}, "its payload is no base64"),
        ({"payload": "not base64!"}, "its payload is no base64"),
        ({"payload": "QR=="}, "its payload is no base64"),  # bits that no encoder sets
        ({"payload": "QQ"}, "its payload is no base64"),
        ({"more": 1}, "must have payload, payloadType, signatures alone"),
    ],
)
def test_what_is_not_plain_is_refused(values, words):
    assert words in refusal(changed(**values))


# -- keys ---------------------------------------------------------------------------------------


def test_another_key_is_refused_by_name():
    assert "by another.pub" in refusal(sealed(), ANOTHER)


def test_a_keyid_that_names_another_key_is_refused_and_one_left_out_is_not():
    (signature,) = json.loads(sealed())["signatures"]
    wrong = changed(signatures=[signature | {"keyid": ANOTHER.id}])
    assert "no signature of it is good" in refusal(wrong)
    bare = changed(signatures=[{"sig": signature["sig"]}])
    assert unseal(bare, [TRUSTED])[1] is TRUSTED


def test_one_good_signature_among_others_is_enough():
    (good,) = json.loads(sealed())["signatures"]
    (other,) = json.loads(sealed(name="another"))["signatures"]
    both = changed(signatures=[other, good])
    assert unseal(both, [TRUSTED])[1] is TRUSTED
    assert unseal(both, [ANOTHER])[1] is ANOTHER


def test_another_payload_type_is_refused_though_its_signature_is_good():
    key, trusted = pair()
    text = "application/vnd.example+json"
    good = base64.b64encode(key.sign(pae(text, payload()))).decode()
    assert PAYLOAD_TYPE in refusal(changed(payloadType=text, signatures=[{"sig": good}]), trusted)


# -- other programs -----------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A pair of keys as PEM, and what the one signed."""
    private, public = new_pair()
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "pub.pem").write_bytes(public)
    key = signing_key(private, "key.pem")
    (tmp_path / "verdict.dsse.json").write_text(seal(b'{"a": 1}', key))
    return tmp_path


def test_securesystemslib_reads_it(files):
    envelope = Envelope.from_dict(json.loads((files / "verdict.dsse.json").read_text()))
    pem = (files / "pub.pem").read_text()
    trusted = verifying_key(pem.encode(), "pub.pem")
    key = SSlibKey(trusted.id, "ed25519", "ed25519", {"public": _raw(pem)})
    assert set(envelope.verify([key], 1)) == {trusted.id}


def _raw(pem: str) -> str:
    """The 32 bytes of an ed25519 key: the end of its DER form."""
    return base64.b64decode("".join(pem.splitlines()[1:-1]))[-32:].hex()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED, no openssl here")
def test_openssl_verifies_it(files):
    envelope = json.loads((files / "verdict.dsse.json").read_text())
    body = base64.b64decode(envelope["payload"])
    (files / "signed.bin").write_bytes(
        b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(body), body)
    )
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    (files / "sig.bin").write_bytes(signature)
    command = "openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in signed.bin -sigfile sig.bin"
    done = subprocess.run(command.split(), cwd=files, capture_output=True, text=True)
    assert "Signature Verified Successfully" in done.stdout, done.stderr
