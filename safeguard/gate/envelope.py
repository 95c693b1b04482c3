"""A signed envelope: DSSE 1.0, https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md).

A signature is checked before anything of what it signs is parsed. Beyond the specification, what it
leaves to the verifier is refused where it is not plain: unknown and repeated keys, and a `keyid` that
is not the verifying key's. So no byte of an envelope can be changed unnoticed, but that base64 may be
spelled in either of its alphabets, which the specification demands.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from safeguard.gate.signing import SigningKey, VerifyingKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 4 * 1024 * 1024
"""An envelope of a thousand contents has about one."""
_MAX_SIGNATURES = 16
_PLAIN, _URL_SAFE = str.maketrans("-_", "+/"), str.maketrans("+/", "-_")
_ENVELOPE, _SIGNATURE = {"payload", "payloadType", "signatures"}, {"keyid", "sig"}


class Refused(Exception):
    """This is no envelope, or nobody who is trusted signed it. The message says why."""


def pae(kind: str, body: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(body), body)


def seal(payload: bytes, key: SigningKey) -> str:
    """The envelope of a statement, in one line without blanks."""
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    whole = {
        "payload": _encoded(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.id, "sig": _encoded(signature)}],
    }
    return json.dumps(whole, separators=(",", ":"))


def unseal(envelope: bytes, keys: Sequence[VerifyingKey]) -> tuple[bytes, VerifyingKey]:
    """The statement in an envelope, and the key that signed it. Raises Refused."""
    whole = _fields(parse(envelope), _ENVELOPE, "it")
    kind, signatures = whole["payloadType"], whole["signatures"]
    payload = _bytes(whole["payload"], "payload")
    if not isinstance(signatures, list) or not signatures:
        raise Refused("nobody signed it")
    if not isinstance(kind, str) or not kind.isascii():
        raise Refused("its payloadType is no media type")
    if len(signatures) > _MAX_SIGNATURES:
        raise Refused(f"it has {len(signatures)} signatures; at most {_MAX_SIGNATURES} are read")
    signer = _signer(signatures, pae(kind, payload), keys)
    if kind != PAYLOAD_TYPE:
        raise Refused(f"what it holds is not {PAYLOAD_TYPE}")
    return payload, signer


def parse(data: bytes) -> Any:
    """JSON in UTF-8 that can be read in one way only. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_such_number
        )
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is no JSON: {str(error).partition(': line')[0]}") from None


def _signer(signatures: list[Any], signed: bytes, keys: Sequence[VerifyingKey]) -> VerifyingKey:
    for one in signatures:
        given = _fields(one, _SIGNATURE, "a signature", optional="keyid")
        hint, signature = given.get("keyid", ""), _bytes(given["sig"], "sig")
        for key in keys:
            if hint in ("", key.id) and key.verifies(signature, signed):
                return key
    names = " or ".join(key.shown for key in keys)
    raise Refused(
        f"no signature of it is good by {names}: it was changed after it was signed, or another key "
        "signed it"
    )


def _fields(value: Any, names: set[str], what: str, optional: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) | {optional} - {""} != names:
        raise Refused(f"it is no DSSE envelope: {what} must have {', '.join(sorted(names))} alone")
    return value


def _bytes(text: Any, name: str) -> bytes:
    """Of base64 in either alphabet, as an encoder writes it: no blank, no bit too many."""
    if isinstance(text, str) and text.isascii():
        with suppress(binascii.Error):
            found = base64.b64decode(text.translate(_PLAIN), validate=True)
            if text in (_encoded(found), _encoded(found).translate(_URL_SAFE)):
                return found
    raise Refused(f"its {name} is no base64")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
