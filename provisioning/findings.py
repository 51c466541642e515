"""What verifying deals in: what one pass over a sealed file found, and what was judged to be wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from device.age.stream import SEALED_CHUNK_BYTES, TAG_BYTES
from device.recording import CLOSING
from device.recording.index import Index
from device.recording.manifest import Manifest, RecordingState
from provisioning.times import SECOND_US, format_time

CLOSING_BYTES: Final = len(CLOSING) + TAG_BYTES


class Part(StrEnum):
    """Which part of a recording something is wrong with."""

    FILE = "file"
    HEADER = "header"
    CHUNKS = "chunks"
    MISSING = "missing chunks"
    EXTRA = "extra bytes"
    CLOSING = "closing"
    END_MARK = "end mark"
    RECIPIENTS = "recipients"
    MANIFEST = "manifest"
    DEVICE_KEY = "device key"
    REWRAP = "header made anew"
    CONSENT = "consent"
    CERTIFICATE = "erase certificate"
    ORDER = "erase order"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything in a closed recording's file has to be, by its manifest."""

    payload_offset: int
    chunks: int
    header_digest: str | None

    def chunk_at(self, number: int) -> int:
        """The offset in bytes of a chunk (of the closing: that of the chunk behind the last)."""
        return self.payload_offset + number * SEALED_CHUNK_BYTES


def layout_of(manifest: Manifest) -> Layout | None:
    """The layout; ``None`` where the manifest is of a time when nothing was final."""
    offset = manifest.size_bytes - CLOSING_BYTES - manifest.chunks * SEALED_CHUNK_BYTES
    if manifest.state is RecordingState.OPEN or manifest.chunks < 1 or offset < 1:
        return None
    return Layout(offset, manifest.chunks, manifest.header_digest)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a recording: bytes ``start … end - 1`` of the file, chunks from 0, times in microseconds.

    ``exact``: whether it is known to the chunk; else something within it is wrong.
    """

    start: int
    end: int
    chunks: tuple[int, int] | None = None
    time_us: tuple[int, int] | None = None
    exact: bool = True

    def words(self) -> str:
        """It for a person."""
        parts = []
        if self.chunks is not None:
            first, last = self.chunks
            parts.append(f"chunk {first}" if first == last else f"chunks {first} to {last}")
        parts.append(f"bytes {self.start} to {max(self.start, self.end - 1)}")
        if self.time_us is not None:
            about = "" if self.exact else "about "
            until = format_time(self.time_us[1] + SECOND_US - 1)  # to the second above: it is a place to look at
            parts.append(f"{about}{format_time(self.time_us[0])} to {until} of the recording")
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """It for a script; times in seconds."""
        return {
            "start_byte": self.start,
            "end_byte": self.end,
            "first_chunk": None if self.chunks is None else self.chunks[0],
            "last_chunk": None if self.chunks is None else self.chunks[1],
            "from_s": None if self.time_us is None else self.time_us[0] / SECOND_US,
            "to_s": None if self.time_us is None else self.time_us[1] / SECOND_US,
            "exact": self.exact,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what the box sealed and signed."""

    part: Part
    what: str
    where: Where | None = None

    def line(self) -> str:
        """It for a person."""
        return self.what if self.where is None else f"{self.what} ({self.where.words()})"

    def as_json(self) -> dict[str, Any]:
        """It for a script."""
        where = None if self.where is None else self.where.as_json()
        return {"part": str(self.part), "what": self.what, "where": where}


@dataclass(frozen=True, slots=True)
class Bad:
    """Chunks ``first … last`` that do not open at their place, and the time that they cover, where that is known."""

    first: int
    last: int
    time_us: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Inside:
    """What an identity shows besides: ``key`` is the id of the one that fitted.

    ``has_picture`` is ``None`` where the first chunk does not open; ``last_opens``: whether the last chunk, in which
    the end mark is looked for, does.
    """

    key: str
    bad: tuple[Bad, ...]
    closing_holds: bool
    last_opens: bool
    index: Index | None
    has_picture: bool | None
    reached_us: int


@dataclass(frozen=True, slots=True)
class Found:
    """A sealed file as one pass over it found it.

    ``digest`` and ``groups`` are over the first chunks, as many as there should be. ``recipients`` is how many the
    header has, ``None`` where it cannot be read; ``refused``: no identity that was given fits.
    """

    size_bytes: int
    payload_offset: int
    header_digest: str
    recipients: int | None
    chunks: int
    tail_bytes: int
    closing_digest: str
    digest: str
    groups: tuple[str, ...]
    inside: Inside | None = None
    refused: bool = False
