"""The receipt: the proof that a remote holds a recording. Sync has it made; capture signs it; retention reads it.

A signed document (``device/recording/signing.py``) in the recording's ``receipts`` folder, one for each remote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from device.shapes import Shape, rule

RECEIPT_KIND: Final = "receipt"


class Receipt(Shape):
    """What the remote's copy was found to be when it was read again, after it had been sent.

    ``digest``: made of the remote's bytes, as the manifest's is made of ours. ``beside``: the SHA-256 (hex) of each
    smaller file there, by its name beneath the recording (``manifest.json``, ``attachments/label.age``), read again as
    well. ``folder``: where it is at the remote. ``verified_at``: the wall clock's time, to be read by people; no rule
    counts from it. ``differs``: something in it is not what was sent, were it the header alone, which the digest does
    not know; it then proves nothing.
    """

    remote: Annotated[str, rule(min_length=1)]
    digest: Annotated[str, rule(min_length=1)]
    size_bytes: Annotated[int, rule(ge=0)]
    verified_at: Annotated[str, rule(min_length=1)]
    folder: str | None = None
    beside: Mapping[str, str] = {}
    differs: bool = False


def proving(receipts: Iterable[Receipt], *, digest: str | None, size_bytes: int) -> tuple[Receipt, ...]:
    """Those that prove that a copy of a recording with this digest and size is there; none for one without digest."""
    if digest is None:
        return ()
    return tuple(one for one in receipts if (one.digest, one.size_bytes, one.differs) == (digest, size_bytes, False))
