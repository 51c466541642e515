"""What somebody asks to be done with a recording, as a signed fact beside it, here and at the remote; pure.

It is a note to whoever decides, and no more. One that was taken back says so and stays: what is at the remote could not
be taken away from there by every box, but it can be replaced.
"""

from __future__ import annotations

from typing import Final

from device.errors import DamagedError
from device.recording.beside import Wish
from device.recording.signing import verify
from device.shapes import Shape, ShapeError

WISH_KIND: Final = "wish"


class Wished(Shape):
    """Who asks for it (a mark), and since when; or who no longer does."""

    recording: str
    wish: Wish
    by: str
    asked: str
    clock_trusted: bool
    taken_back: bool = False


def read_wish(document: bytes, recording_id: str) -> tuple[Wished, bytes]:
    """What a document asks for that recording, and the public key that signed it.

    Raises:
        DamagedError: its signature does not hold, or it asks nothing for this recording.
    """
    signed = verify(WISH_KIND, document)
    try:
        wished = Wished.model_validate(signed.payload)
    except ShapeError as problem:
        raise DamagedError("a wish says things that are not known here", "let somebody ask for it again") from problem
    if wished.recording != recording_id:
        raise DamagedError("a wish lies beside another recording than its own", "let somebody ask for it again")
    return wished, signed.key
