"""Recordings for verifying: as the box itself writes them, and altered in every way that somebody could think of."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.capture.facts import Beginning, Facts
from device.capture.packets import SoundFormat, Wire
from device.capture.sealer import Sealer
from device.recording import LEDGER_NAME, MANIFEST_NAME, SESSION_NAME
from device.recording.digests import GROUP_CHUNKS
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import sign
from device.recovery import close_torn
from device.sealed_file import SealedFile
from device.store import Store, read_manifest
from device.words import Consent
from tests.provisioning.conftest import RATE_HZ, SEALED_BYTES, Chunks, Clinic

CLOSING_BYTES = 24


@dataclass(frozen=True)
class Kept:
    """A recording in a store, as the box wrote it, with its truth."""

    folder: Path
    manifest: Manifest
    key: Ed25519PrivateKey
    closings: tuple[bytes, ...]  # the closing that stood behind each chunk once

    @property
    def file(self) -> Path:
        return self.folder / SESSION_NAME

    @property
    def payload(self) -> int:
        return self.manifest.size_bytes - CLOSING_BYTES - self.manifest.chunks * SEALED_BYTES

    def chunk_at(self, number: int) -> int:
        return self.payload + number * SEALED_BYTES

    def change(self, change: Callable[[bytearray], object]) -> None:
        """Alter the sealed file."""
        content = bytearray(self.file.read_bytes())
        change(content)
        self.file.write_bytes(content)

    def sign(self, key: Ed25519PrivateKey | None = None, **facts: Any) -> None:
        """Put another manifest there: with other facts, signed by the box (as only a broken box would) or another."""
        manifest = self.manifest.model_copy(update=facts)
        document = sign("manifest", manifest.model_dump(mode="json"), key or self.key)
        (self.folder / MANIFEST_NAME).write_bytes(document)


def facts_of(clinic: Clinic, *, consent: Consent = Consent.SOUND, keys: tuple[str, ...] = ("clinic",)) -> Facts:
    from device.age.recipients import fingerprint

    beginning = Beginning(
        box="Room 3",
        boot="b",
        consent=consent,
        choices=(consent,),
        pressed_us=1_000_000,
        started="2026-03-02T09:00:00.000Z",
        clock_trusted=True,
        camera="clock" if consent is Consent.SOUND_AND_PICTURE else None,
        size=(320, 180),
        recipients=tuple(fingerprint(clinic.identities[key].recipient()) for key in keys),
    )
    facts = Facts(beginning)
    facts.sound, facts.zero_us = SoundFormat(RATE_HZ, 1, Wire.S24_3LE), 1_200_000
    facts.add_microphone("test", 0)
    return facts


def record(
    clinic: Clinic,
    chunks: Chunks,
    *,
    fragments: int | None = None,
    consent: Consent = Consent.SOUND,
    store: str = "store",
    keys: tuple[str, ...] = ("clinic",),
) -> Kept:
    """Keep a recording by the box's own hands; cut after so many ``fragments`` it is closed by recovery."""
    (clinic.home / store).mkdir(exist_ok=True)
    box = Store(clinic.home / store, device_key=clinic.device_key)
    folder = box.new_folder()
    facts = facts_of(clinic, consent=consent, keys=keys)
    facts.recording_id = folder.name
    box.write_manifest(facts.manifest(RecordingState.OPEN))
    file = _Remembering(folder)
    sealer = Sealer([clinic.identities[key].recipient() for key in keys], file, on_durable=lambda _e, _s: None)
    for content, end_us in chunks.fragments[:fragments]:
        sealer.write(content, end_us)
    sealer.close()
    if fragments is None:
        manifest = facts.manifest(
            RecordingState.COMPLETE,
            duration_us=chunks.fragments[-1][1],
            chunks=sealer.chunks,
            size_bytes=sealer.size_bytes,
            header_digest=sealer.header_digest,
            digests=sealer.digests,
            closing_digest=sealer.closing_digest,
        )
        box.write_manifest(manifest)
        (folder / LEDGER_NAME).unlink()
    else:
        close_torn(box, folder)
    return Kept(folder, read_manifest(folder), clinic.device_key, tuple(file.closings))


class _Remembering(SealedFile):
    """A sealed file that remembers every closing that it was ever given: what a thief of the disk could have seen."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.closings: list[bytes] = []

    def append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        super().append(sealed, closing, records)
        self.closings += [b""] * (len(sealed) // SEALED_BYTES - 1) + [closing]


# -- alterations: each returns the parts that may be named, and the chunks among which the place has to be ------------

Altered = tuple[set[str], tuple[int, int] | None]


def flip_in_header(kept: Kept, chance: random.Random) -> Altered:
    kept.change(lambda data: _flip(data, chance.randrange(kept.payload), chance))
    return {"header"}, None


def flip_in_chunk(kept: Kept, chance: random.Random) -> Altered:
    number = chance.randrange(kept.manifest.chunks)
    kept.change(lambda data: _flip(data, kept.chunk_at(number) + chance.randrange(SEALED_BYTES), chance))
    return {"chunks"}, (number, number)


def flip_in_closing(kept: Kept, chance: random.Random) -> Altered:
    kept.change(lambda data: _flip(data, len(data) - 1 - chance.randrange(CLOSING_BYTES), chance))
    return {"closing"}, None


def zero_some_sectors(kept: Kept, chance: random.Random) -> Altered:
    first = chance.randrange(kept.manifest.chunks - 2)
    last = min(kept.manifest.chunks - 1, first + chance.randrange(3))
    start, end = kept.chunk_at(first) + 100, kept.chunk_at(last) + 4196
    kept.change(lambda data: data.__setitem__(slice(start, end), bytes(end - start)))
    return {"chunks"}, (first, last)


def swap_chunks(kept: Kept, chance: random.Random) -> Altered:
    one, other = sorted(chance.sample(range(kept.manifest.chunks), 2))

    def swap(data: bytearray) -> None:
        a, b = (slice(kept.chunk_at(n), kept.chunk_at(n + 1)) for n in (one, other))
        data[a], data[b] = data[b], data[a]

    kept.change(swap)
    return {"chunks"}, (one, other)


def cut_anywhere(kept: Kept, chance: random.Random) -> Altered:
    at = chance.randrange(kept.payload, kept.manifest.size_bytes - CLOSING_BYTES)
    kept.change(lambda data: data.__delitem__(slice(at, None)))
    return {"missing chunks"}, ((at - kept.payload) // SEALED_BYTES, kept.manifest.chunks - 1)


def cut_the_closing(kept: Kept, chance: random.Random) -> Altered:
    kept.change(lambda data: data.__delitem__(slice(len(data) - chance.randrange(1, CLOSING_BYTES + 1), None)))
    return {"closing"}, None


def cut_and_close_again(kept: Kept, chance: random.Random) -> Altered:
    """With a closing that stood there once: what truncation resistance is for, and age alone cannot show."""
    last = chance.choice([number for number, closing in enumerate(kept.closings[:-1]) if closing])
    kept.change(lambda data: data.__setitem__(slice(kept.chunk_at(last + 1), None), kept.closings[last]))
    return {"missing chunks"}, (last + 1, kept.manifest.chunks - 1)


def put_something_behind(kept: Kept, chance: random.Random) -> Altered:
    more = chance.randbytes(chance.choice([1, 24, 1000, SEALED_BYTES, 3 * SEALED_BYTES]))
    kept.change(lambda data: data.extend(more))
    return {"extra bytes"}, None


def put_something_in(kept: Kept, chance: random.Random) -> Altered:
    number = chance.randrange(kept.manifest.chunks)
    more = chance.randbytes(chance.choice([1, 24, 1000, SEALED_BYTES]))
    at = kept.chunk_at(number) + chance.randrange(1, SEALED_BYTES - 1)
    kept.change(lambda data: data.__setitem__(slice(at, at), more))
    return {"extra bytes", "chunks"}, (number, kept.manifest.chunks - 1)


def take_a_chunk_out(kept: Kept, chance: random.Random) -> Altered:
    number = chance.randrange(kept.manifest.chunks - 1)
    kept.change(lambda data: data.__delitem__(slice(kept.chunk_at(number), kept.chunk_at(number + 1))))
    return {"missing chunks", "chunks", "closing"}, (number, kept.manifest.chunks - 1)


def replay_a_closing(kept: Kept, chance: random.Random) -> Altered:
    closing = chance.choice([closing for closing in kept.closings[:-1] if closing])
    kept.change(lambda data: data.__setitem__(slice(len(data) - CLOSING_BYTES, None), closing))
    return {"closing"}, None


def edit_the_manifest(kept: Kept, chance: random.Random) -> Altered:
    path = kept.folder / MANIFEST_NAME
    document = json.loads(path.read_bytes())
    word, value = chance.choice(
        [("chunks", kept.manifest.chunks - 1), ("consent", "sound_and_picture"), ("digest", "0" * 64), ("box", "x")]
    )
    document["payload"][word] = value
    path.write_text(json.dumps(document))
    return {"manifest"}, None


ALTERATIONS: tuple[Callable[[Kept, random.Random], Altered], ...] = (
    flip_in_header,
    flip_in_chunk,
    flip_in_closing,
    zero_some_sectors,
    swap_chunks,
    cut_anywhere,
    cut_the_closing,
    cut_and_close_again,
    put_something_behind,
    put_something_in,
    take_a_chunk_out,
    replay_a_closing,
    edit_the_manifest,
)


def group_of(chunks: tuple[int, int], *, of: int) -> tuple[int, int]:
    """The first and last chunk of the groups that some chunks are in."""
    first, last = chunks
    return first // GROUP_CHUNKS * GROUP_CHUNKS, min((last // GROUP_CHUNKS + 1) * GROUP_CHUNKS, of) - 1


def copy_of(kept: Kept, folder: Path) -> Kept:
    """The same recording in another store, to be altered there."""
    place = folder / kept.folder.name
    shutil.copytree(kept.folder, place)
    return Kept(place, kept.manifest, kept.key, kept.closings)


def _flip(data: bytearray, at: int, chance: random.Random) -> None:
    data[at] ^= 1 << chance.randrange(8)
