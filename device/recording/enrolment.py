"""How a box proves by which key it signs: it signs what the clinic has just made up, and the name that it goes by.

The kind of document is of this use alone, so that nobody can have a box sign anything else by asking for it. Pure.
"""

from __future__ import annotations

from typing import Any, Final

from device.errors import DamagedError
from device.recording.signing import verify

ENROLMENT_KIND: Final = "enrolment"
CHALLENGE_BYTES: Final = 32


def enrolment(*, box: str, challenge: bytes) -> dict[str, Any]:
    """What the box signs. ``challenge``: ``CHALLENGE_BYTES`` that nobody could know before."""
    return {"sotto_enrolment": 1, "box": box, "challenge": challenge.hex()}


def key_of_enrolment(document: bytes, *, box: str, challenge: bytes) -> bytes:
    """The device key (32 bytes) that was proved.

    Raises:
        DamagedError: it is no such document, was changed on its way, or is of another box or an earlier challenge.
    """
    signed = verify(ENROLMENT_KIND, document)
    if signed.payload.get("box") != box:
        raise DamagedError(
            f"another box answers: not {box}, but {str(signed.payload.get('box'))[:60]!r}",
            "look which box is plugged in there, and which address it has",
        )
    if signed.payload != enrolment(box=box, challenge=challenge):
        raise DamagedError("the box's answer is not to what was asked", "trust nothing in it, and try again")
    return signed.key
