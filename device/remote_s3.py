"""A clinic server that is a bucket of an S3-compatible store: AWS, Ceph, Garage, SeaweedFS, MinIO (path-style).

A small file is one request. A large one goes in parts that the server keeps when something is cut
(``device/s3_upload.py``); two at a time, because a server answers a part only once it is durable.

A box needs ``s3:PutObject``, ``s3:AbortMultipartUpload`` and ``s3:ListMultipartUploadParts`` beneath its own folder,
and ``s3:GetObject`` to read again what it sent.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from device.errors import RemoteError
from device.remote import MOST_AGAIN_BYTES, SILENCE_S, Held, Pace, at_once, is_remote_name, must_be_remote_name
from device.s3_answers import error_code
from device.s3_erasing import erase_beneath
from device.s3_errors import refusal, told_as_ours
from device.s3_http import Place, S3Http
from device.s3_listing import list_objects
from device.s3_notebook import Notebook
from device.s3_source import PIECE_BYTES, Source
from device.s3_upload import ONLY_IF_NEW, TAKEN, Uploads

PART_BYTES: Final = 8 << 20
# Who may not look, or asks a server that cannot be asked so, hears it from the request that sends.
_NOT_TOLD: Final = frozenset({400, 401, 403, 404, 405, 501})
_BEYOND_THE_END: Final = 416


class S3Remote:
    """One bucket. ``notes``: a folder of sync's own, for what is under way; ``None``: a cut starts at the beginning.

    ``credentials`` and ``ca`` are read anew when they are needed, so that what an admin mends needs no restart.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        bucket: str,
        credentials: Path,
        ca: Path | None,
        notes: Path | None,
        utc: Callable[[], datetime],
        silence_s: float = SILENCE_S,
    ) -> None:
        address = urlsplit(endpoint)
        place = Place(address.hostname or "", address.port or 443, region, bucket, credentials, ca)
        self._http = S3Http(place, silence_s=silence_s, utc=utc)
        self._notebook = Notebook(notes)
        self._uploads = Uploads(self._http, self._notebook, in_flight_bytes=MOST_AGAIN_BYTES)

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        must_be_remote_name(name)
        # Asked first for the servers that do not know If-None-Match, and because it costs less than the file.
        if not replace and self._http.ask("HEAD", name, also=_NOT_TOLD).status < 300:
            self._uploads.leave(name)
            return False
        source = Source(file, part_bytes=PART_BYTES)
        if len(source.parts) > 1:
            return self._uploads.send(name, source, replace=replace, pace=pace)
        self._uploads.leave(name)
        return self._put_at_once(name, source, replace=replace, pace=pace)

    def _put_at_once(self, name: str, source: Source, *, replace: bool, pace: Pace) -> bool:
        checksums = source.checksums(1)
        headers = checksums.headers if replace else {**checksums.headers, **ONLY_IF_NEW}
        body = source.body(1, checksums, pace)
        return self._http.ask("PUT", name, headers=headers, body=body, also=TAKEN).status not in TAKEN

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        must_be_remote_name(name)
        return self._read(name, start, end, pace)

    def _read(self, name: str, start: int, end: int | None, pace: Pace) -> Iterator[bytes]:
        if end is not None and end <= start:
            self._must_be_there(name)
            return
        ranged = bool(start) or end is not None
        headers = {"range": f"bytes={start}-{'' if end is None else end - 1}"} if ranged else {}
        with self._http.answer("GET", name, headers=headers) as response:
            if response.status == _BEYOND_THE_END:
                return
            if response.status != (206 if ranged else 200):
                raise _refused(response)
            left = response.length or 0
            while left:
                length = min(left, PIECE_BYTES)
                pace(length)
                with told_as_ours():
                    piece = response.read(length)
                    if len(piece) != length:
                        raise http.client.IncompleteRead(b"")
                left -= length
                yield piece

    def _must_be_there(self, name: str) -> None:
        with self._http.answer("HEAD", name) as response:
            response.read()
            if response.status != 200:
                raise refusal(response.status, None)

    def names(self, folder: str) -> Iterator[Held]:
        if folder:
            must_be_remote_name(folder)
        return self._names(f"{folder}/" if folder else "")

    def _names(self, prefix: str) -> Iterator[Held]:
        for one in list_objects(self._http, prefix):
            if is_remote_name(one.key):  # others put things there, too
                yield Held(one.key, one.size_bytes)

    def erase(self, folder: str) -> None:
        must_be_remote_name(folder)
        erase_beneath(self._http, self._notebook, f"{folder}/")

    def close(self) -> None:
        self._http.close()


def _refused(response: http.client.HTTPResponse) -> Exception:
    with told_as_ours():
        body = response.read(1 << 16)
    if response.status in {200, 206}:
        return RemoteError("the remote does not read parts of files", "use a server that knows ranges (RFC 9110)")
    return refusal(response.status, error_code(body), response.getheader("retry-after"))
