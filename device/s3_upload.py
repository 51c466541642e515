"""Sending a large file to an S3 server in parts, so that a cut costs the parts in flight and nothing more.

The server keeps the parts of an unfinished upload. It is asked what it holds, and of that counts what has our size and
our checksum, whichever file it once was. Each part goes with an MD5 and a SHA-256 that the server compares, and is
signed with the latter. Source: "Uploading and copying objects using multipart upload" of the Amazon S3 User Guide.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from device.errors import RemoteAbsentError, RemoteAwayError, RemoteError
from device.s3_answers import Part, completion, error_code, etag_of, is_completed, is_error, parts, upload_id
from device.s3_errors import nonsense, refusal
from device.s3_http import Body, S3Http
from device.s3_notebook import Notebook, Underway
from device.s3_source import Checksums, Source

ONLY_IF_NEW: Final[Mapping[str, str]] = {"if-none-match": "*"}
TAKEN: Final = frozenset({412})  # what If-None-Match is answered with where there is something already
_GONE: Final = frozenset({404})  # whatever the code: Ceph says NoSuchKey
_UNUSABLE: Final = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "NoSuchUpload"})


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part that the server holds: what it calls it, and the checksum that it told, where it knows of such."""

    etag: str
    sha256: str | None


class _PutAsideError(Exception):
    """Another part failed; this one is not gone on with."""


@dataclass
class _Lanes:
    """What the threads that send share."""

    pace: Callable[[int], None]
    todo: Iterator[int]
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False
    sent: dict[int, _Sent] = field(default_factory=dict)

    def step(self, length: int) -> None:
        """One piece: ``pace`` hears one at a time, and none after it raised."""
        with self.lock:
            if self.over:
                raise _PutAsideError
            try:
                self.pace(length)
            except BaseException:
                self.over = True
                raise

    def following(self) -> int | None:
        """The part that is next; ``None``: there is none, or it is over."""
        with self.lock:
            return None if self.over else next(self.todo, None)


class Uploads:
    """Sends to one bucket. ``in_flight_bytes``: of parts that are sent at the same time, at most."""

    def __init__(self, http: S3Http, notebook: Notebook, *, in_flight_bytes: int) -> None:
        self._http = http
        self._notebook = notebook
        self._in_flight_bytes = in_flight_bytes

    def send(self, name: str, source: Source, *, replace: bool, pace: Callable[[int], None]) -> bool:
        """Have the server hold ``source`` under ``name``; ``False``: there was something already."""
        upload, held = self._found(name, source) or (self._begin(name, source), {})
        sent = self._send_parts(name, upload, source, held, pace)
        return self._complete(name, upload, sent, replace=replace)

    def leave(self, name: str) -> None:
        """Give up what is under way of that name, if anything is."""
        noted = self._notebook.read(name)
        if noted is not None:
            self._leave(name, noted.upload)

    # -- where it was ------------------------------------------------------------------------------------------------

    def _found(self, name: str, source: Source) -> tuple[str, dict[int, Part]] | None:
        """The upload of this name that can be gone on with, and what the server says it holds of it."""
        noted = self._notebook.read(name)
        if noted is None:
            return None
        if (noted.size_bytes, noted.part_bytes) != (source.size_bytes, source.part_bytes):
            self._leave(name, noted.upload)
            return None
        try:
            return noted.upload, {part.number: part for part in self._held(name, noted.upload)}
        except RemoteAbsentError:
            self._notebook.drop(name)
            return None

    def _held(self, name: str, upload: str) -> Iterator[Part]:
        following: dict[str, str] | None = {}
        while following is not None:
            answer = self._http.ask("GET", name, query={"uploadId": upload, **following})
            listed, after = parts(answer.body)
            if after is not None and after == following:
                raise nonsense()
            following = after
            yield from listed

    def _leave(self, name: str, upload: str) -> None:
        """Give an upload up. Who may not have it forgotten leaves it to the bucket's own rule for old ones."""
        with suppress(RemoteError):
            self._http.ask("DELETE", name, query={"uploadId": upload}, also=_GONE)
        self._notebook.drop(name)

    def _begin(self, name: str, source: Source) -> str:
        asked = {"x-amz-checksum-algorithm": "SHA256"}
        upload = upload_id(self._http.ask("POST", name, query={"uploads": ""}, headers=asked).body)
        self._notebook.write(Underway(name, source.size_bytes, source.part_bytes, upload))
        return upload

    # -- its parts -----------------------------------------------------------------------------------------------------

    def _send_parts(
        self, name: str, upload: str, source: Source, held: Mapping[int, Part], pace: Callable[[int], None]
    ) -> dict[int, _Sent]:
        lanes = _Lanes(pace, iter(source.parts))
        count = max(1, self._in_flight_bytes // source.part_bytes)

        def lane() -> None:
            while (number := lanes.following()) is not None:
                try:
                    lanes.sent[number] = self._part(name, upload, source, number, held.get(number), lanes.step)
                except _PutAsideError:
                    return

        with ThreadPoolExecutor(count, thread_name_prefix="s3") as threads:
            futures = [threads.submit(lane) for _ in range(count)]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                lanes.over = True  # the other one ends at its next piece
        for future in futures:
            future.result()
        return lanes.sent

    def _part(
        self, name: str, upload: str, source: Source, number: int, held: Part | None, step: Callable[[int], None]
    ) -> _Sent:
        checksums = source.checksums(number)
        if held is not None and held.size_bytes == source.length(number) and _is(held, checksums):
            return _Sent(held.etag, held.sha256)
        query = {"partNumber": str(number), "uploadId": upload}
        body = source.body(number, checksums, step)
        try:
            answer = self._http.ask("PUT", name, query=query, headers=checksums.headers, body=body)
        except RemoteAbsentError:
            raise self._gone(name) from None
        etag = etag_of(answer.headers.get("etag", ""))
        if not etag:
            raise nonsense()
        told = answer.headers.get("x-amz-checksum-sha256")
        return _Sent(etag, told if told == checksums.sha256_base64 else None)

    # -- its end -------------------------------------------------------------------------------------------------------

    def _complete(self, name: str, upload: str, sent: Mapping[int, _Sent], *, replace: bool) -> bool:
        text = completion((number, sent[number].etag, sent[number].sha256) for number in sorted(sent))
        headers = {"content-type": "application/xml"} if replace else {"content-type": "application/xml", **ONLY_IF_NEW}
        answer = self._http.ask(
            *("POST", name),
            query={"uploadId": upload},
            headers=headers,
            body=Body.of(text),
            also=TAKEN | _GONE | {400},
        )
        if answer.status in TAKEN:
            self._leave(name, upload)
            return False
        code = error_code(answer.body)
        if answer.status in _GONE or code in _UNUSABLE:
            self._leave(name, upload)
            raise self._gone(name)
        # A server may begin with a 200 while it still works, and fail afterwards, in the body.
        if answer.status != 200 or is_error(answer.body):
            raise refusal(answer.status, code, answer.headers.get("retry-after"))
        if not is_completed(answer.body):
            raise nonsense()
        self._notebook.drop(name)
        return True

    def _gone(self, name: str) -> RemoteAwayError:
        self._notebook.drop(name)
        return RemoteAwayError("the remote forgot what was under way", "nothing: it is sent again from its beginning")


def _is(held: Part, ours: Checksums) -> bool:
    """Whether what the server holds is our part: by the stronger checksum that it tells."""
    if held.sha256 is not None:
        return held.sha256 == base64.b64encode(ours.sha256).decode()
    return held.md5 == ours.md5.hex()
