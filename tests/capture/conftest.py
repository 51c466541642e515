"""Sound of every kind, time by hand, a sink that keeps chunks, and the stock programs that say what they hold."""

from __future__ import annotations

import json
import math
import os
import random
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest

from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.capture import native
from device.capture.boxes import PictureTrack, SoundTrack
from device.capture.encoder import FlacEncoder, stream_info
from device.capture.mux import Muxer
from device.capture.packets import Picture, SoundFormat, Wire
from device.clock import PacedClock
from device.recording import CHUNK_BYTES
from tests.capture.alsa_rooms import build_card

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"dinf"})
# What ffmpeg calls the raw form of a wire.
RAW = {Wire.S16_LE: "s16le", Wire.S24_3LE: "s24le", Wire.S32_LE: "s32le"}


# -- sound ------------------------------------------------------------------------------------------------------------


def noise(sound: SoundFormat, samples: int, *, seed: int = 7) -> bytes:
    """Full-scale white noise as the wire carries it; nothing compresses worse."""
    data = bytearray(random.Random(seed).randbytes(samples * sound.frame_bytes))
    if sound.wire is Wire.S32_LE:
        data[0::4] = bytes(len(data) // 4)
    return bytes(data)


def pack(values: Iterator[int], wire: Wire) -> bytes:
    """Samples of the wire's significant bits."""
    shift = 8 if wire is Wire.S32_LE else 0
    return b"".join((value << shift).to_bytes(wire.sample_bytes, "little", signed=True) for value in values)


def extremes(sound: SoundFormat, samples: int) -> bytes:
    """The highest and the lowest value in turn."""
    top = 1 << (sound.bits - 1)
    return pack(iter([top - 1, -top]), sound.wire) * (samples * sound.channels // 2 + 1)


def sine(sound: SoundFormat, samples: int, *, hz: float, dbfs: float) -> bytes:
    """A tone, the same on every channel."""
    top = ((1 << (sound.bits - 1)) - 1) * 10 ** (dbfs / 20)
    tone = (round(top * math.sin(2 * math.pi * hz * i / sound.rate_hz)) for i in range(samples))
    return pack((value for value in tone for _ in range(sound.channels)), sound.wire)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """What makes sound: ``noise``, ``extremes``, ``sine``, ``silence``, ``pack``."""
    return SimpleNamespace(
        noise=noise,
        extremes=lambda sound, samples: extremes(sound, samples)[: samples * sound.frame_bytes],
        sine=sine,
        silence=lambda sound, samples: bytes(samples * sound.frame_bytes),
        pack=pack,
    )


@pytest.fixture(scope="session")
def speech() -> bytes:
    """The demo's clip: 24-bit mono at 48 kHz, as the wire carries it."""
    path = Path(__file__).parents[2] / "device/capture/room.wav"
    command = ["ffmpeg", "-v", "warning", "-i", str(path), "-f", "s24le", "-c:a", "pcm_s24le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Writes a plain WAV."""

    def write(sound: SoundFormat, data: bytes, *, name: str = "in.wav") -> Path:
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, sound.channels, sound.rate_hz),
            *(sound.rate_hz * sound.frame_bytes, sound.frame_bytes, sound.bits, b"data", len(data)),
        )
        path = tmp_path / name
        path.write_bytes(head + data)
        return path

    return write


@pytest.fixture(params=["compiled", "python"], scope="module")
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Through ``native.c``, and as where it was never built."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "python":
            patch.setattr(native, "LIBRARY", Path("/nowhere/libnative.so"))
        assert (native.load() is None) == (request.param == "python"), "it is built by .ci/setup"
        yield request.param


# -- time -------------------------------------------------------------------------------------------------------------


class Hand:
    """Time that a test moves by hand (or that moves a little whenever somebody looks), as the clock's real time.

    The clock runs 1024 times as fast as this, so that whoever waits for it looks again after half a millisecond.
    """

    SPEED = 1024

    def __init__(self, *, step_us: int = 0) -> None:
        self._us = 0
        self.step_us = step_us
        self._lock = threading.Lock()
        self.clock = PacedClock(speed=self.SPEED, start=START, real_s=self)

    def __call__(self) -> float:
        with self._lock:
            now_us, self._us = self._us, self._us + self.step_us
        # Half a microsecond keeps the clock's rounding down off the one before.
        return (now_us + 0.5) / 1e6 / self.SPEED if now_us else 0.0

    @property
    def us(self) -> int:
        with self._lock:
            return self._us

    @us.setter
    def us(self, us: int) -> None:
        with self._lock:
            self._us = us

    def forward(self, us: int) -> None:
        """Let so much time pass, in one go."""
        with self._lock:
            self._us += us


@pytest.fixture
def hand() -> Hand:
    """Time that stands still until the test moves it."""
    return Hand()


@pytest.fixture
def hurry() -> Hand:
    """Time that moves 20 ms whenever somebody looks at it."""
    return Hand(step_us=20_000)


# -- rooms that ALSA hears --------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _ordinary_again() -> Iterator[None]:
    """A microphone makes the thread that opens it prompt; here that is the one that runs all tests."""
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))


@pytest.fixture(scope="session")
def card_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card that is a program, compiled."""
    return build_card(tmp_path_factory.mktemp("card"))


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder in which a socket's path stays below the 108 bytes that unix(7) allows."""
    with TemporaryDirectory(prefix="sotto-") as folder:
        yield Path(folder)


# -- what comes out ---------------------------------------------------------------------------------------------------


@dataclass
class Kept:
    """What the muxer hands on, write by write."""

    writes: list[bytes] = field(default_factory=list)
    ends_us: list[int] = field(default_factory=list)

    def write(self, chunks: bytes, end_us: int) -> None:
        self.writes.append(bytes(chunks))
        self.ends_us.append(end_us)

    @property
    def data(self) -> bytes:
        return b"".join(self.writes)


@dataclass(frozen=True)
class Box:
    """A box of a file: where it starts, what it holds, and the boxes in it."""

    kind: bytes
    at: int
    size: int
    payload: bytes
    inner: list[Box]

    def find(self, *kinds: bytes) -> list[Box]:
        """The boxes at the end of a path of kinds."""
        if not kinds:
            return [self]
        return [found for box in self.inner if box.kind == kinds[0] for found in box.find(*kinds[1:])]


def boxes(data: bytes, at: int = 0) -> list[Box]:
    """Every box, in order; fails where the sizes do not add up exactly."""
    found, start = [], 0
    while start < len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        assert 8 <= size <= len(data) - start, f"a box of {size} bytes at {at + start}"
        kind, payload = data[start + 4 : start + 8], data[start + 8 : start + size]
        inner = boxes(payload, at + start + 8) if kind in CONTAINERS else []
        found.append(Box(kind, at + start, size, payload, inner))
        start += size
    return found


@dataclass(frozen=True)
class Part:
    """The samples of one track in one fragment."""

    track: int
    start: int
    samples: list[tuple[int, int, int]]  # duration, size, flags
    data: bytes

    @property
    def end(self) -> int:
        return self.start + sum(duration for duration, _, _ in self.samples)


@dataclass(frozen=True)
class Fragment:
    """A fragment as read back by the letter of ISO/IEC 14496-12."""

    chunk: int
    chunks: int
    sequence: int
    parts: list[Part]
    padding: int

    def part(self, track: int) -> Part | None:
        return next((part for part in self.parts if part.track == track), None)


def fragments(kept: Kept) -> list[Fragment]:
    """The fragments between init segment and end mark, one per write."""
    found, chunk = [], 0
    for write in kept.writes:
        here = boxes(write)
        if here[0].kind == b"moof":
            found.append(_fragment(write, here, chunk))
        chunk += len(write) // CHUNK_BYTES
    return found


def _fragment(write: bytes, here: list[Box], chunk: int) -> Fragment:
    assert [box.kind for box in here] in ([b"moof", b"mdat"], [b"moof", b"mdat", b"free"])
    moof, mdat = here[0], here[1]
    parts = []
    for traf in moof.find(b"traf"):
        (tfhd,), (tfdt,), (trun,) = traf.find(b"tfhd"), traf.find(b"tfdt"), traf.find(b"trun")
        flags, track = struct.unpack(">II", tfhd.payload)
        assert flags == 0x020000
        version, start = struct.unpack(">IQ", tfdt.payload)
        assert version == 1 << 24
        flags, count, offset = struct.unpack_from(">IIi", trun.payload)
        assert flags == 0x000701
        assert len(trun.payload) == 12 + 12 * count
        lines = [struct.unpack_from(">III", trun.payload, 12 + 12 * i) for i in range(count)]
        size = sum(line[1] for line in lines)
        assert mdat.at + 8 <= offset
        assert offset + size <= mdat.at + mdat.size
        parts.append(Part(track, start, lines, write[offset : offset + size]))
    assert sum(len(part.data) for part in parts) == mdat.size - 8
    sequence = struct.unpack(">II", moof.find(b"mfhd")[0].payload)[1]
    padding = here[2].size if len(here) > 2 else 0
    return Fragment(chunk, len(write) // CHUNK_BYTES, sequence, parts, padding)


@pytest.fixture(scope="session")
def read() -> SimpleNamespace:
    """What reads boxes back: ``boxes``, ``fragments``."""
    return SimpleNamespace(boxes=boxes, fragments=fragments)


def record(
    sound: SoundFormat,
    data: bytes,
    *,
    pictures: list[Picture] | None = None,
    size: tuple[int, int] = (320, 180),
    gaps: tuple[tuple[int, int], ...] = (),
) -> Kept:
    """Sound (and pictures) through encoder and muxer in periods of 100 ms, in the order in which they would come."""
    kept = Kept()
    picture = None if pictures is None else PictureTrack(*size)
    muxer = Muxer(SoundTrack(sound.rate_hz, sound.channels, sound.bits, stream_info(sound)), picture, sink=kept)
    muxer.open()
    encoder = FlacEncoder(sound, sink=muxer.write_frames)
    waiting = list(reversed(pictures or []))
    period, taken = sound.samples(100_000), 0
    for at in range(0, len(data), period * sound.frame_bytes):
        part = data[at : at + period * sound.frame_bytes]
        encoder.write(part, len(part) // sound.frame_bytes)
        taken += len(part) // sound.frame_bytes
        while waiting and waiting[-1].at_us < sound.us(taken):
            muxer.write_picture(waiting.pop())
    encoder.close()
    muxer.close(gaps=gaps)
    return kept


@pytest.fixture(scope="session")
def mux() -> Callable[..., Kept]:
    """Sound, and pictures where some are given, through the box's own encoder and muxer."""
    return record


@pytest.fixture
def kept() -> Kept:
    """A sink that keeps what it takes."""
    return Kept()


class Player:
    """Stock ffmpeg and ffprobe, which have to read everything without a warning."""

    def run(self, *command: object, stdin: bytes = b"") -> bytes:
        done = subprocess.run([*map(str, command)], input=stdin, capture_output=True, check=False)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        return done.stdout

    def probe(self, file: Path) -> dict[str, Any]:
        """What ffprobe says of a file."""
        told = self.run("ffprobe", "-v", "warning", "-of", "json", "-show_format", "-show_streams", file)
        return dict(json.loads(told))

    def samples(self, file: Path, wire: Wire) -> bytes:
        """The sound of a file, as the wire would have carried it."""
        form = RAW[wire]
        return self.run("ffmpeg", "-v", "warning", "-i", file, "-map", "0:a", "-f", form, "-c:a", f"pcm_{form}", "-")

    def pictures(self, file: Path) -> list[float]:
        """When each picture of a file is shown (s), once all of them were decoded."""
        told = self.run(
            *("ffprobe", "-v", "warning", "-select_streams", "v", "-of", "json"),
            *("-show_entries", "frame=best_effort_timestamp_time", file),
        )
        return [float(frame["best_effort_timestamp_time"]) for frame in json.loads(told)["frames"]]


@pytest.fixture(scope="session")
def player() -> Player:
    return Player()


# -- keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A classic key, which stock age of any version knows, and the file it reads it from."""

    identity: KeyIdentity
    file: Path

    def opened(self, sealed: bytes) -> bytes:
        """The plaintext, by stock age; anything but a whole file is refused."""
        command = ["age", "-d", "-i", str(self.file)]
        done = subprocess.run(command, input=sealed, capture_output=True, check=False)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        return done.stdout


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    identity = generate_identity(post_quantum=False)
    path = tmp_path_factory.mktemp("key") / "key.txt"
    path.write_text(identity_file(identity, START), encoding="ascii")
    return Key(identity, path)


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def clock_pictures() -> Callable[..., list[Picture]]:
    """Pictures of the clock, as the simulated camera makes them."""
    from device.capture.picture import ClockPicture, H264Encoder

    def draw(count: int, *, size: tuple[int, int] = (320, 180), fps: int = 25, start_us: int = 4_000) -> list[Picture]:
        encoder, drawing = H264Encoder(*size, fps), ClockPicture(*size, fps)
        return [
            picture
            for number in range(count)
            for picture in encoder.encode(drawing.draw(number), start_us + number * 1_000_000 // fps)
        ]

    return draw


@pytest.fixture(scope="session")
def flac_file() -> Callable[[SoundFormat, list[bytes], bytes], bytes]:
    """A native FLAC file around frames, with number and MD5 of the samples, both of which ``flac`` then checks."""

    def build(sound: SoundFormat, frames: list[bytes], samples: bytes) -> bytes:
        info = stream_info(sound)
        facts = int.from_bytes(info[10:18], "big") | len(samples) // (sound.channels * sound.bits // 8)
        digest = md5(samples, usedforsecurity=False).digest()
        whole = b"".join((info[:10], facts.to_bytes(8, "big"), digest))
        return b"".join((b"fLaC\x80", len(whole).to_bytes(3, "big"), whole, *frames))

    return build
