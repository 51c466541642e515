"""What is handed out of a sample: the list for the raters, signed, and the key of the blinding, sealed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import Identity
from device.age.opening import decrypt
from device.age.recipients import Recipient
from device.age.sealing import encrypt
from device.errors import DamagedError
from device.recording import is_recording_id
from device.recording.signing import fingerprint, sign, verify
from device.shapes import Shape, ShapeError, rule, then

SAMPLE_NAME: Final = "sample.json"
SAMPLE_KIND: Final = "sample"
MOST_HANDED_BYTES: Final = 16 << 20
_STEP_BYTES: Final = 4096


def _an_id(text: str) -> str:
    if not is_recording_id(text):
        raise ValueError("must be an id")
    return text


Id = Annotated[str, then(_an_id)]
Digest = Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, rule(ge=0)]


class HandedSlice(Shape):
    """A slice as raters get it: its new id, and the SHA-256 of its sealed file."""

    id: Id
    digest: Digest
    size_bytes: Count


class HandedOut(Shape):
    """All of them; ``sample``: the number under which it was registered, ``protocol``: the digest of that."""

    sotto_sample: Literal[1] = 1
    sample: Count
    protocol: Digest
    slices: tuple[HandedSlice, ...]


class KeySlice(Shape):
    """Which recording, and what of it, an id stands for; times in microseconds, as the slice really covers them."""

    id: Id
    recording: Id
    from_us: Count
    until_us: Count


class BlindingKey(Shape):
    """The key of the blinding: for the study lead alone."""

    sotto_sample_key: Literal[1] = 1
    sample: Count
    slices: tuple[KeySlice, ...]


def sign_handed(handed: HandedOut, key: Ed25519PrivateKey) -> bytes:
    """The list for the raters."""
    return sign(SAMPLE_KIND, handed.model_dump(mode="json"), key)


def read_handed(document: bytes) -> tuple[HandedOut, str]:
    """What was handed out, and the fingerprint of the desk that signed it. Raises ``DamagedError``."""
    signed = verify(SAMPLE_KIND, document)
    try:
        return HandedOut.model_validate(signed.payload), fingerprint(signed.key)
    except ShapeError as problem:
        raise DamagedError(
            "this is not the list of a sample", "use the version of sotto-clinic that made it"
        ) from problem


def seal_key(key: BlindingKey, recipients: Sequence[Recipient]) -> bytes:
    """The key of the blinding, sealed; spaces behind it hide how many there are to within some."""
    document = json.dumps(key.model_dump(mode="json")).encode()
    document += b" " * (-len(document) % _STEP_BYTES)
    sealed = io.BytesIO()
    encrypt(io.BytesIO(document), sealed, recipients)
    return sealed.getvalue()


def open_key(sealed: bytes, identities: Sequence[Identity]) -> BlindingKey:
    """The key of the blinding. Raises ``AgeError``, or ``DamagedError`` where something else was sealed."""
    opened = io.BytesIO()
    decrypt(io.BytesIO(sealed), opened, identities)
    try:
        return BlindingKey.model_validate_json(opened.getvalue())
    except ShapeError as problem:
        raise DamagedError(
            "this is not the key of a sample's blinding", "give the file that `--key` named"
        ) from problem


def digest_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()
