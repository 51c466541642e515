"""A box, by its interface for programs (docs/api.md), read as a remote is: its list, its recordings, what lies beside.

One sign-in serves for fifty minutes; a token holds an hour. What the box says is believed as far as a list goes;
recordings are compared with their signed manifests, as everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeVar

from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME, SESSION_NAME, is_recording_id
from device.recording.beside import Kind
from device.recording.manifest import RecordingState
from device.remote import Held, Pace, absent, at_once, is_remote_name
from device.shapes import Shape, ShapeError, rule
from provisioning.connections import Connections
from provisioning.errors import UnreachableError
from provisioning.http_source import HttpSource
from provisioning.posting import post_sealed
from provisioning.read_only import ReadOnly

INTERFACE: Final = "/api/v1"
_TOKEN_S: Final = 50 * 60.0
_MOST_LIST_BYTES: Final = 64 << 20
_MOST_SMALL_BYTES: Final = 8 << 20
_PAGE: Final = 1000
_MOST_PAGES: Final = 100


class _Told(Shape, forbid_unknown_fields=False):
    """What a box tells; one that is newer may tell more."""


class Entry(_Told):
    """A recording as the box tells of it. ``going``: it is to be erased."""

    id: Annotated[str, rule(pattern=r"^[0-9]{6}-[a-z0-9]{10}$")]
    box: str
    state: RecordingState
    started: str
    clock_trusted: bool
    duration_us: Annotated[int, rule(ge=0)]
    picture: bool
    therapist: Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")] | None
    size_bytes: Annotated[int, rule(ge=0)]
    going: str | None
    downloadable: bool


class _Listing(_Told):
    recordings: tuple[Entry, ...]
    more: bool


class _Attached(_Told):
    name: str
    size_bytes: Annotated[int, rule(ge=0)]


class _Facts(Entry):
    attachments: tuple[_Attached, ...] | None


class _Kept(_Told):
    name: Annotated[str, rule(max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]


_Shape = TypeVar("_Shape", _Listing, _Facts, _Kept)


@dataclass(slots=True, eq=False)
class Box(ReadOnly):
    """A box at an address. ``sign_in``: gives a token for it, and may raise whatever it likes.

    (``device.remote.Remote``, read only; ``ID/session.mp4.age`` and so on are its names. A manifest's size it does not
    tell; 0 stands for it.)
    """

    address: str
    sign_in: Callable[[str], str] = field(repr=False)
    entries: dict[str, Entry] = field(default_factory=dict, repr=False)
    connections: Connections = field(default_factory=Connections, repr=False)
    _token: str = field(default="", repr=False)
    _signed_in_s: float = 0.0

    def names(self, folder: str) -> Iterator[Held]:
        if not folder:
            yield from (held for entry in self._all() for held in _held(entry))
        elif is_recording_id(folder):
            facts = self._ask(f"recordings/{folder}", _Facts)
            if facts is None or facts.id != folder:
                return
            self.entries[facts.id] = facts
            for one in facts.attachments or ():
                name = f"{folder}/{ATTACHMENTS_NAME}/{one.name}"
                if is_remote_name(name):
                    yield Held(name, one.size_bytes)
            yield from _held(facts)

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        source = self.source(name)
        try:
            if name.endswith(f"/{SESSION_NAME}"):
                for piece in source.pieces(start, end):
                    pace(len(piece))
                    yield piece
                return
            data = source.read_all(_MOST_SMALL_BYTES)
        finally:
            source.close()
        if data is None:
            raise absent()
        if data[start:end]:
            yield data[start:end]

    def source(self, name: str) -> HttpSource:
        """A file of a recording, not opened yet."""
        return HttpSource(self._url(f"recordings/{name}"), token=self.token(), connections=self.connections)

    def put_beside(self, recording: str, kind: Kind, sealed: bytes) -> str:
        """Have the box keep a sealed file beside a recording; its name there. Raises ``UnreachableError``."""
        url = self._url(f"recordings/{recording}/{ATTACHMENTS_NAME}?kind={kind}")
        return self._parsed(post_sealed(url, sealed, token=self.token()), _Kept).name

    def token(self) -> str:
        """What signs requests now."""
        now_s = time.monotonic()
        if not self._token or now_s - self._signed_in_s > _TOKEN_S:
            self._token, self._signed_in_s = self.sign_in(self._url("")), now_s
        return self._token

    def close(self) -> None:
        """Let go of what is kept open between two calls."""
        self.connections.close()

    def _url(self, path: str) -> str:
        return f"{self.address.rstrip('/')}{INTERFACE}/{path}"

    def _all(self) -> Iterator[Entry]:
        """Every recording that the person may know of, newest first."""
        before = ""
        for _ in range(_MOST_PAGES):  # no box has more, whatever it answers
            listing = self._ask(f"recordings?limit={_PAGE}{before}", _Listing)
            if listing is None:
                raise UnreachableError("there is no list at this address", "check the address")
            for entry in listing.recordings:
                self.entries[entry.id] = entry
                yield entry
            if not listing.more or not listing.recordings:
                return
            before = f"&before={listing.recordings[-1].id}"

    def _ask(self, path: str, shape: type[_Shape]) -> _Shape | None:
        source = HttpSource(self._url(path), token=self.token(), connections=self.connections)
        try:
            data = source.read_all(_MOST_LIST_BYTES)
        finally:
            source.close()
        return None if data is None else self._parsed(data, shape)

    def _parsed(self, data: bytes, shape: type[_Shape]) -> _Shape:
        try:
            return shape.model_validate_json(data)
        except ShapeError as problem:
            raise UnreachableError(f"{self.address} answers as no box does", "check the address") from problem


def _held(entry: Entry) -> Iterator[Held]:
    yield Held(f"{entry.id}/{MANIFEST_NAME}", 0)
    if entry.downloadable:
        yield Held(f"{entry.id}/{SESSION_NAME}", entry.size_bytes)
