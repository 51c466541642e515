"""A recording as long lists go through it: what they choose and tell by, in a few words for each of thousands.

A manifest is some nine thousand bytes of objects once it is read, and of most recordings in a list nothing is shown but
that they are there. So of each only this is remembered, packed: a hundred and some bytes, and what many recordings have
in common (the box, the therapist, how the sound was) is kept once.
"""

from __future__ import annotations

from struct import Struct, error
from typing import Final, NamedTuple

from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.words import By, Consent

# The stamp, the digest, its size as sealed, the boot's time at its start, its duration, bookmarks, what is common, the
# started's bytes.
_FIXED: Final = Struct("<32s32sQQQIIB")


class Common(NamedTuple):
    """What many recordings have in common. ``key``: the public one that the manifests are signed by."""

    key: bytes
    box: str
    boot: str
    state: RecordingState
    clock_trusted: bool
    consent: Consent
    picture: bool
    verdict: SoundVerdict
    therapist: str | None
    ended: bool
    digested: bool


class Glimpse(NamedTuple):
    """A recording in a long list: facts of its manifest, and how it is just now (as in ``Listed``).

    ``sealed_bytes``: what its manifest says of its size; ``size_bytes``: how large the file is now.
    """

    id: str
    common: Common
    started: str
    ended: str | None
    started_monotonic_us: int
    duration_us: int
    bookmarks: int
    digest: str | None
    sealed_bytes: int
    size_bytes: int
    going: By | None
    held: bool

    @property
    def withdrawn(self) -> bool:
        """Whether the client withdrew it."""
        return self.going is By.CLIENT


def common_of(manifest: Manifest, key: bytes) -> Common:
    """What a recording may share with others."""
    return Common(
        key=key,
        box=manifest.box,
        boot=manifest.boot,
        state=manifest.state,
        clock_trusted=manifest.clock_trusted,
        consent=manifest.consent,
        picture=manifest.picture is not None,
        verdict=manifest.report.verdict,
        therapist=manifest.therapist,
        ended=manifest.ended is not None,
        digested=manifest.digest is not None,
    )


def glimpse_of(manifest: Manifest, key: bytes, *, size_bytes: int, going: By | None, held: bool) -> Glimpse:
    """The same of a recording whose manifest is at hand."""
    return Glimpse(
        id=manifest.id,
        common=common_of(manifest, key),
        started=manifest.started,
        ended=manifest.ended,
        started_monotonic_us=manifest.started_monotonic_us,
        duration_us=manifest.duration_us,
        bookmarks=len(manifest.bookmarks_us),
        digest=manifest.digest,
        sealed_bytes=manifest.size_bytes,
        size_bytes=size_bytes,
        going=going,
        held=held,
    )


class Packing:
    """Packs glimpses, and unpacks them. Not safe for many threads where it packs; unpacking is."""

    def __init__(self) -> None:
        self._common: list[Common] = []
        self._places: dict[Common, int] = {}

    def pack(self, manifest: Manifest, key: bytes, *, stamp: bytes) -> bytes | None:
        """What to remember of a manifest, behind a stamp of its file (32 bytes).

        ``None``: it says something that no box writes, and does not fit.
        """
        common = common_of(manifest, key)
        try:
            digest = bytes.fromhex(manifest.digest or "00" * 32)
            started, ended = manifest.started.encode(), (manifest.ended or "").encode()
            if len(digest) != len(stamp) or digest.hex() != (manifest.digest or digest.hex()):
                return None
            numbers = (manifest.size_bytes, manifest.started_monotonic_us, manifest.duration_us)
            bookmarks, place = len(manifest.bookmarks_us), self._place(common)
            fixed = _FIXED.pack(stamp, digest, *numbers, bookmarks, place, len(started))
        except (ValueError, error):
            return None
        return fixed + started + ended

    def _place(self, common: Common) -> int:
        place = self._places.setdefault(common, len(self._common))
        if place == len(self._common):
            self._common.append(common)
        return place

    def unpack(self, packed: bytes, *, recording_id: str, size_bytes: int, going: By | None, held: bool) -> Glimpse:
        """The glimpse of a recording as it is now."""
        _, digest, sealed_bytes, monotonic_us, duration_us, bookmarks, place, started_bytes = _FIXED.unpack_from(packed)
        common, middle = self._common[place], _FIXED.size + started_bytes
        return Glimpse(
            recording_id,
            common,
            packed[_FIXED.size : middle].decode(),
            packed[middle:].decode() if common.ended else None,
            monotonic_us,
            duration_us,
            bookmarks,
            digest.hex() if common.digested else None,
            sealed_bytes,
            size_bytes,
            going,
            held,
        )
