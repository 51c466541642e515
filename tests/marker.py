"""A marker that is said in a room and written on its labels, and a search for any scrap of it.

The sound is white noise at full scale, in every form in which it passes through the box: as the microphone delivers it,
widened to 32 bits either way, and big-endian as FLAC stores what it cannot compress. Any 31 bytes on end of any form
are found, wherever they begin: eight of them always fall on a word of what is searched, every word of the marker is
known, and what matches one is compared with 24 bytes around it.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 12  # longer than any needle, and whole words
_CONTEXT_BYTES = 24
# A fragment of MP4, which is there in plain or nowhere.
_STRUCTURE = (b"\x00\x00\x00\x10mfhd", b"moov\x00\x00\x00", b"x264 - core")


@dataclass(frozen=True)
class Hit:
    """Something of the marker, found."""

    path: Path
    offset: int
    form: str


class Marker:
    """The marker, and the search for it."""

    def __init__(self, sound: bytes, *, bits: int, texts: tuple[str, ...] = ()) -> None:
        """``sound``: what plays in the room again and again, mono, little-endian."""
        width = bits // 8
        samples = [sound[at : at + width] for at in range(0, len(sound), width)]
        samples += samples[:32]  # it begins again
        self.forms = {
            "as delivered": b"".join(samples),
            "big-endian": b"".join(sample[::-1] for sample in samples),
            "widened, left": b"".join(bytes(4 - width) + sample for sample in samples),
            "widened, right": b"".join(
                sample + (b"\xff" if sample[-1] & 128 else b"\0") * (4 - width) for sample in samples
            ),
        }
        self._words = {
            word
            for form in self.forms.values()
            for shift in range(8)
            for word in memoryview(form)[shift : shift + (len(form) - shift) // 8 * 8].cast("Q")
        }
        self._needles = {needle: name for text in texts for name, needle in _spellings(text)}
        self._needles |= dict.fromkeys(_STRUCTURE, "structure")

    def add(self, needle: bytes, form: str) -> None:
        """Search for this, too."""
        self._needles[needle] = form

    def search(self, path: Path) -> Iterator[Hit]:
        """What is in a file, each form once a block; a block that was never written holds nothing."""
        with path.open("rb", buffering=0) as file:
            for start, end in _extents(file.fileno()):
                for at in range(start, end, _BLOCK_BYTES):
                    first = max(0, at - _OVERLAP_BYTES)
                    data = os.pread(file.fileno(), min(end, at + _BLOCK_BYTES) - first, first)
                    yield from (Hit(path, first + offset, form) for offset, form in self._in(data))

    def _in(self, data: bytes) -> Iterator[tuple[int, str]]:
        if data == bytes(len(data)):
            return
        for needle, name in self._needles.items():
            if (at := data.find(needle)) >= 0:
                yield at, name
        view = memoryview(data)[: len(data) // 8 * 8].cast("Q")
        if self._words.isdisjoint(view):
            return
        seen: set[str] = set()
        for number, word in enumerate(view):
            if word in self._words and (form := self._confirmed(data, number * 8)) and form not in seen:
                seen.add(form)
                yield number * 8, form

    def _confirmed(self, data: bytes, at: int) -> str | None:
        """The form of which 24 bytes around a word are a piece; few of the wide forms' words are found by chance."""
        for before in (0, 8, 16):
            piece = data[max(0, at - before) : at - before + _CONTEXT_BYTES]
            if len(piece) == _CONTEXT_BYTES:
                for name, form in self.forms.items():
                    if piece in form:
                        return name
        return None


def _extents(descriptor: int) -> Iterator[tuple[int, int]]:
    size = os.fstat(descriptor).st_size
    at = 0
    while at < size:
        try:
            at = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        end = os.lseek(descriptor, at, os.SEEK_HOLE)
        yield at // 8 * 8, end
        at = end


def _spellings(text: str) -> Iterator[tuple[str, bytes]]:
    """A text as it could lie around: as it is, in UTF-16, escaped as in JSON, in Base64 at each alignment, in hex."""
    plain = text.encode()
    yield "text", plain
    yield "text, UTF-16", text.encode("utf-16-le")
    if (escaped := text.encode("unicode-escape")) != plain:
        yield "text, escaped", escaped
    yield "text, hex", plain.hex().encode()
    for shift in range(3):
        whole = b64encode(bytes(shift) + plain)
        yield "text, Base64", whole[4 if shift else 0 : -4]
