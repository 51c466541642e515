"""Signed facts: JSON with an Ed25519 signature of the box beside it, readable with any editor.

The signature covers the payload as canonical JSON (sorted keys, no spaces, UTF-8) behind a line that says what kind of
document it is, so that a signature made for one kind never holds for another.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from device.digests import sha256
from device.errors import DamagedError

# Made once: a list of thousands is thousands of these.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload whose signature held, and the key that made it (32 bytes)."""

    payload: dict[str, Any]
    key: bytes


def _signed_bytes(kind: str, payload: dict[str, Any]) -> bytes:
    return f"sotto {kind} v1\n{_CANONICAL.encode(payload)}".encode()


def sign(kind: str, payload: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The payload as a signed document."""
    return (json.dumps(_document(kind, payload, key), indent=1, ensure_ascii=False) + "\n").encode()


def sign_line(kind: str, payload: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The same on one line, in the one way in which it can be written: a log of them is hashed line by line."""
    return _line(_document(kind, payload, key))


def _document(kind: str, payload: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    return {
        "payload": payload,
        "key": b64encode(key.public_key().public_bytes_raw()).decode(),
        "signature": b64encode(key.sign(_signed_bytes(kind, payload))).decode(),
    }


def _line(document: dict[str, Any]) -> bytes:
    return f"{_CANONICAL.encode(document)}\n".encode()


def verify(kind: str, document: bytes) -> Signed:
    """What a signed document says; whose key it is remains to be judged by the caller.

    Raises:
        DamagedError: it is no such document, or was changed after it was signed.
    """
    try:
        parsed = json.loads(document)
        payload, key = parsed["payload"], b64decode(parsed["key"], validate=True)
        signature = b64decode(parsed["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _signed_bytes(kind, payload))
    except (ValueError, KeyError, TypeError, RecursionError, Base64Error) as problem:
        raise DamagedError(f"this is not a signed {kind}", "fetch it again from the box") from problem
    except InvalidSignature as problem:
        raise DamagedError(f"the {kind} was changed after the box signed it", "trust nothing in it") from problem
    return Signed(payload, key)


def verify_line(kind: str, line: bytes) -> Signed:
    """What a signed line says.

    Raises:
        DamagedError: as ``verify``; or it is not written in the one way in which the box writes it.
    """
    signed = verify(kind, line)
    signature = b64decode(json.loads(line)["signature"])  # the bits that are left over in its last letter count, too
    texts = {"key": b64encode(signed.key).decode(), "signature": b64encode(signature).decode()}
    if _line({"payload": signed.payload, **texts}) != line:
        raise DamagedError(f"the {kind} was changed after the box signed it", "trust nothing in it")
    return signed


def fingerprint(key: bytes) -> str:
    """The first 16 hex digits of a public key's SHA-256: what people compare."""
    return sha256(key).hexdigest()[:16]
