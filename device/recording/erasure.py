"""What is said of a recording that is gone: the erase certificate, which stays, and the erase order for the remote.

Both are signed documents (``device/recording/signing.py``). Neither holds anything of what was said, shown or named.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from device.shapes import Shape, rule
from device.words import By

CERTIFICATE_KIND: Final = "erase certificate"
ORDER_KIND: Final = "erase order"


class How(StrEnum):
    """What became of bytes that were to go.

    ``not there``: there were none when the erasure was begun, or taken up again after a cut. ``cut off``: the disk let
    them not all be overwritten, so the file was only cut and unlinked.
    """

    ABSENT = "not there"
    OVERWRITTEN = "overwritten"
    CUT = "cut off"


def worse(one: How, other: How) -> How:
    """The one that leaves more behind."""
    order = tuple(How)
    return max(one, other, key=order.index)


class _Erased(Shape):
    recording: str
    clock_trusted: bool
    boot: str | None  # with the monotonic time in it: what holds whatever the wall clock said
    monotonic_us: Annotated[int, rule(ge=0)] | None
    digest: str | None  # as in the manifest; None where the recording was never closed
    started: str | None = None  # as in the manifest: it says where the copy is at the remote


class EraseCertificate(_Erased):
    """That a recording was erased here, when, by whom, and how far the disk allowed it to be overwritten.

    ``header``: all before the first chunk, without which no identity opens the rest. ``rest``: everything else.
    """

    erased: str
    by: By
    header: How
    rest: How


class EraseOrder(_Erased):
    """That the remote has to erase its copy. Retention never orders that: it leaves the remote's copy as the only one.

    It waits in the store until the remote has confirmed it.
    """

    ordered: str
    by: By

    def _check(self) -> None:
        if self.by is By.RETENTION:
            raise ValueError("retention orders nothing of the remote")


def order_of(certificate: EraseCertificate) -> EraseOrder | None:
    """The order that belongs to a certificate; ``None`` where the remote's copy stays."""
    if certificate.by is By.RETENTION:
        return None
    return EraseOrder(
        recording=certificate.recording,
        ordered=certificate.erased,
        clock_trusted=certificate.clock_trusted,
        boot=certificate.boot,
        monotonic_us=certificate.monotonic_us,
        by=certificate.by,
        digest=certificate.digest,
        started=certificate.started,
    )
