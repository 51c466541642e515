"""Where an order comes together, piece by piece. Nothing of it is read here: root verifies it before it counts."""

from __future__ import annotations

import os
import re
import shutil
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from threading import Lock
from typing import Final

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnprocessableEntity

from device.durable import sync_folder
from device.errors import AdminError
from device.fleet_status import PIECE_BYTES, Received
from device.orders import MOST_ORDER_BYTES
from device.web.refusals import Refusal

_RANGE: Final = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_MOST_WAITING: Final = 8
_LEFT_BYTES: Final = 256 << 20  # what stays free beside an order, which is staged once more


def range_of(headers: Mapping[str, str]) -> tuple[int, int, str]:
    """Where a piece begins, how long the whole is, and its SHA-256 (hex), as RFC 9110 and RFC 9530 write it.

    Raises:
        BadRequest, RequestEntityTooLarge: that is no piece of an order.
    """
    found, named = _RANGE.fullmatch(headers.get("Content-Range", "")), _DIGEST.fullmatch(headers.get("Repr-Digest", ""))
    if found is None or named is None:
        raise BadRequest
    start, last, whole_bytes = map(int, found.groups())
    if whole_bytes > MOST_ORDER_BYTES or last - start >= PIECE_BYTES:
        raise RequestEntityTooLarge
    if not start <= last < whole_bytes or headers.get("Content-Length") != str(last - start + 1):
        raise BadRequest
    try:
        return start, whole_bytes, b64decode(named[1], validate=True).hex()
    except Base64Error as problem:
        raise BadRequest from problem


class Spool:
    """Takes pieces, from any thread. One order comes together at a time: another that is begun takes its place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()

    def have(self, digest: str) -> int:
        """How much of that order is there."""
        try:
            return self._part(digest).stat().st_size
        except OSError:
            return 0

    def take(self, piece: bytes, *, whole_bytes: int, digest: str) -> Received:
        """Add the next piece; the last one makes it whole, and somebody else's task.

        Raises:
            UnprocessableEntity: it is whole, and another than was announced; nothing of it is kept.
            Refusal: there is no room.
            AdminError: it cannot be written.
        """
        try:
            with self._lock:
                return self._take(piece, whole_bytes=whole_bytes, digest=digest)
        except OSError as problem:
            raise AdminError(
                f"an order cannot be kept: {problem.strerror}", "check the folder that orders.spool names"
            ) from problem

    def _take(self, piece: bytes, *, whole_bytes: int, digest: str) -> Received:
        part = self._part(digest)
        if not part.exists():
            self._begin(whole_bytes)
        with part.open("ab") as file:
            file.write(piece)
            have = file.tell()
            if have >= whole_bytes:
                file.flush()
                os.fsync(file.fileno())
        if have < whole_bytes:
            return Received(have=have, whole=False)
        if have > whole_bytes or _digest_of(part) != digest:
            part.unlink()
            raise UnprocessableEntity
        part.rename(part.with_suffix(".order"))
        sync_folder(self._folder)
        return Received(have=have, whole=True)

    def _begin(self, whole_bytes: int) -> None:
        self._folder.mkdir(mode=0o750, exist_ok=True)
        for old in self._folder.glob("*.part"):
            old.unlink()
        waiting = len(list(self._folder.glob("*.order")))
        if waiting >= _MOST_WAITING or shutil.disk_usage(self._folder).free < 2 * whole_bytes + _LEFT_BYTES:
            raise Refusal(507, "fleet.507")

    def _part(self, digest: str) -> Path:
        return self._folder / f"{digest}.part"


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
