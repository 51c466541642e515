"""Whether an erase order that a box left at a remote holds; pure.

Whoever can write there can leave a file. An order holds only where the key that signed it signed the manifest beside
it, too; with device keys given it has to be one of them. So credentials that were stolen erase nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.errors import DamagedError
from device.recording.erasure import ORDER_KIND, EraseOrder
from device.recording.signing import fingerprint, verify
from device.shapes import ShapeError
from provisioning.beside import Beside, read_beside

_FIND_OUT: Final = "erase nothing, and find out who put it there"
_NAME_KEY: Final = "give the box's key with --device-key, if you know it"
_NEW_KEY: Final = "erase nothing, and find out why; if the box got a new key and you trust the order, erase it by hand"


@dataclass(frozen=True, slots=True)
class Judged:
    """An erase order and the fingerprint of the key that signed it; ``refused`` says why it does not hold, if so."""

    order: EraseOrder | None
    key: str | None
    refused: str | None = None
    hint: str = ""


def judge_order(document: bytes, recording: str, *, manifest: bytes | None, device_keys: frozenset[str]) -> Judged:
    """What is to be thought of the order that lies in the folder of ``recording``, beside ``manifest`` if there is one.

    ``device_keys``: fingerprints, one of which must have signed it; none: the manifest alone says whose it is.
    """
    try:
        signed = verify(ORDER_KIND, document)
        order, key = EraseOrder.model_validate(signed.payload), fingerprint(signed.key)
    except DamagedError as problem:
        return Judged(None, None, problem.what, _FIND_OUT)
    except ShapeError:
        return Judged(
            None, None, "the erase order says things that are not known here", "use a newer version of sotto-clinic"
        )
    wrong = _wrong(order, key, recording, _beside(manifest, recording), device_keys)
    return Judged(order, key) if wrong is None else Judged(order, key, *wrong)


def _beside(manifest: bytes | None, recording: str) -> Beside | None:
    """The manifest, where it holds and is this recording's: no other says whose the recording is."""
    try:
        beside = None if manifest is None else read_beside(manifest)
    except DamagedError:
        return None
    return beside if beside is not None and beside.manifest.id == recording else None


def _wrong(
    order: EraseOrder, key: str, recording: str, beside: Beside | None, device_keys: frozenset[str]
) -> tuple[str, str] | None:
    """What is wrong with an order whose signature holds, and what to do."""
    if order.recording != recording:
        return f"the erase order is that of another recording, {order.recording[:40]!r}", _FIND_OUT
    if device_keys and key not in device_keys:
        return f"the erase order is signed by {key}, which is none of the device keys given", _FIND_OUT
    if beside is None:
        nothing = "there is no manifest that holds beside the erase order, so nothing says whether it is this box's"
        return None if device_keys else (nothing, _NAME_KEY)
    if beside.key != key:
        return f"the erase order is signed by {key}, the recording by {beside.key}", _NEW_KEY
    if None not in {order.digest, beside.manifest.digest} and order.digest != beside.manifest.digest:
        return "the erase order is about another recording of this name: its digest is another", _FIND_OUT
    return None
