"""An authenticator in software: it makes passkeys and proves them, as a phone does (W3C WebAuthn, level 2)."""

from __future__ import annotations

import json
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey for one site. ``flags``: what it says of whoever holds it; ``origin``: whose page asks."""

    site: str
    origin: str
    flags: int = PRESENT | VERIFIED
    uses: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a browser says of a passkey that was made."""
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(public)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._about(WITH_KEY) + credential}
        said = {"attestationObject": bytes_to_base64url(cbor2.dumps(attested))}
        return self._answer("webauthn.create", asked, said)

    def prove(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a browser says of a passkey that is there."""
        self.uses += 1
        about = self._about(0)
        client = self._client("webauthn.get", asked)
        signature = self.key.sign(about + sha256(client).digest(), ec.ECDSA(SHA256()))
        said = {"authenticatorData": bytes_to_base64url(about), "signature": bytes_to_base64url(signature)}
        return self._answer("webauthn.get", asked, said)

    def _about(self, more: int) -> bytes:
        return sha256(self.site.encode()).digest() + bytes([self.flags | more]) + struct.pack(">I", self.uses)

    def _client(self, kind: str, asked: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": asked["challenge"], "origin": self.origin}).encode()

    def _answer(self, kind: str, asked: dict[str, Any], said: dict[str, str]) -> dict[str, Any]:
        client = bytes_to_base64url(self._client(kind, asked))
        name = bytes_to_base64url(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": {"clientDataJSON": client, **said}}
