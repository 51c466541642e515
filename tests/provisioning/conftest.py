"""Recordings made by the box's own encoder and muxer, sealed as ARCHITECTURE section 6 says, and a small clinic."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import flask
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.serving import make_server

from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.age.sealing import new_header
from device.capture.boxes import PictureTrack, SoundTrack
from device.capture.encoder import FlacEncoder, stream_info
from device.capture.mux import Muxer
from device.capture.packets import Picture, SoundFormat, Wire
from device.recording import CHUNK_BYTES, CLOSING, MANIFEST_NAME, SESSION_NAME
from device.recording.index import Index, parse_index
from device.recording.ledger import digest_of
from device.recording.manifest import Manifest, MicrophoneFact, RecordingState, SoundFacts
from device.recording.signing import sign
from device.words import Consent
from provisioning.__main__ import run
from provisioning.reader import FOLDER
from provisioning.reader.build import fetch_packages

RATE_HZ = 48_000
SEALED_BYTES = CHUNK_BYTES + 16
RECORDING_ID = "000007-abcdefghij"
FORMAT = SoundFormat(RATE_HZ, 1, Wire.S24_3LE)


@dataclass
class Chunks:
    """What the muxer hands on, kept."""

    data: bytearray = field(default_factory=bytearray)
    fragments: list[tuple[bytes, int]] = field(default_factory=list)

    def write(self, chunks: bytes, end_us: int) -> None:
        assert len(chunks) % CHUNK_BYTES == 0
        self.data += chunks
        self.fragments.append((chunks, end_us))

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.data), CHUNK_BYTES):
            yield bytes(self.data[at : at + CHUNK_BYTES])


def noise(seconds: float, *, seed: int = 7, bits: int = 24) -> bytes:
    """24-bit mono noise of ``bits`` significant bits, as the microphone would deliver it."""
    samples = int(seconds * RATE_HZ)
    if bits == 24:
        return random.Random(seed).randbytes(samples * 3)
    low = random.Random(seed).randbytes(samples)
    wide = bytearray(samples * 3)
    wide[0::3] = low
    return bytes(wide)


def pictures(seconds: float, *, until_s: float | None = None, delay_us: int = 4_000) -> list[Picture]:
    """25 pictures a second by x264 as the box runs it: a spot moves over a rough scene, so key pictures are large."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = 320, 180, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, 1_000_000), Fraction(25)
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": "keyint=50:min-keyint=50:scenecut=0:annexb=1:log-level=none",
        "crf": "22",
    }
    blank = av.VideoFrame(320, 180, "yuv420p")
    scene = [random.Random(1).randbytes(plane.buffer_size) for plane in blank.planes]
    made = []
    for number in range(int(min(seconds, until_s or seconds) * 25)):
        frame = av.VideoFrame(320, 180, "yuv420p")
        for plane, still in zip(frame.planes, scene, strict=True):
            at = number * 997 % (len(still) - 2_000)
            plane.update(still[:at] + bytes((number * 5 % 256,)) * 2_000 + still[at + 2_000 :])
        frame.pts = number * 40_000 + delay_us
        frame.time_base = codec.time_base
        made += codec.encode(frame)
    made += codec.encode(None)
    return [Picture(bytes(packet), int(packet.pts or 0), bool(packet.is_keyframe)) for packet in made]


def mux(sound: bytes, shots: list[Picture] | None = None, *, gaps: tuple[tuple[int, int], ...] = ()) -> Chunks:
    """Sound (and pictures) through the box's encoder and muxer, in the order in which they would come."""
    chunks = Chunks()
    picture = None if shots is None else PictureTrack(320, 180)
    muxer = Muxer(SoundTrack(RATE_HZ, 1, 24, stream_info(FORMAT)), picture, sink=chunks)
    muxer.open()
    encoder = FlacEncoder(FORMAT, sink=muxer.write_frames)
    waiting = list(shots or [])
    period = RATE_HZ // 10
    for start in range(0, len(sound) // 3, period):
        part = sound[start * 3 : (start + period) * 3]
        encoder.write(part, len(part) // 3)
        while waiting and waiting[0].at_us < (start + period) * 1_000_000 // RATE_HZ:
            muxer.write_picture(waiting.pop(0))
    encoder.close()
    muxer.close(gaps=gaps)
    return chunks


@dataclass(frozen=True)
class Sealed:
    """A recording on disk, with all that a test may want to know about it."""

    folder: Path
    plaintext: bytes
    payload_offset: int
    sound: bytes

    @property
    def file(self) -> Path:
        return self.folder / SESSION_NAME

    @property
    def index(self) -> Index | None:
        return parse_index(self.plaintext[-8 - CHUNK_BYTES : -8])

    @property
    def chunks(self) -> int:
        return len(self.plaintext) // CHUNK_BYTES


class Player:
    """Stock ffprobe and ffmpeg, which have to read everything without a warning."""

    @staticmethod
    def _run(*command: object) -> bytes:
        run = subprocess.run([*map(str, command)], capture_output=True, check=True)
        assert run.stderr == b"", run.stderr.decode()
        return run.stdout

    def probe(self, file: Path) -> dict[str, Any]:
        """What ffprobe says of a file."""
        told: dict[str, Any] = json.loads(
            self._run("ffprobe", "-v", "warning", "-of", "json", "-show_format", "-show_streams", file)
        )
        return told

    def kinds(self, file: Path) -> list[str]:
        """The tracks of a file."""
        return [stream["codec_type"] for stream in self.probe(file)["streams"]]

    def starts_s(self, file: Path) -> dict[str, float]:
        """When the file and each of its tracks start."""
        told = self.probe(file)
        starts = {stream["codec_type"]: float(stream["start_time"]) for stream in told["streams"]}
        return starts | {"file": float(told["format"]["start_time"])}

    def samples(self, file: Path) -> bytes:
        """The sound of a file as 24-bit samples."""
        return self._run("ffmpeg", "-v", "warning", "-i", file, "-map", "0:a", "-f", "s24le", "-c:a", "pcm_s24le", "-")

    def pictures(self, file: Path) -> int:
        """How many pictures a file has, once all of them were decoded."""
        told = self._run(
            *("ffprobe", "-v", "warning", "-count_frames", "-select_streams", "v", "-of", "csv=p=0"),
            *("-show_entries", "stream=nb_read_frames", file),
        )
        return int(told)


class Clinic:
    """Keys, boxes and the command line, in a folder of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.own_process = False  # whether what has to fail is run as a process of its own
        self.player = Player()
        self.device_key = Ed25519PrivateKey.generate()
        self.identities: dict[str, KeyIdentity] = {
            "clinic": generate_identity(post_quantum=True),
            "classic": generate_identity(post_quantum=False),
            "stranger": generate_identity(post_quantum=True),
        }
        for name, identity in self.identities.items():
            self.key(name).write_text(identity_file(identity, datetime(2026, 1, 1, tzinfo=UTC)), encoding="ascii")

    def key(self, name: str = "clinic") -> Path:
        return self.home / f"{name}.key"

    def seal(
        self, chunks: Chunks, sound: bytes, *, to: str = "clinic", most: int | None = None, folder: str = RECORDING_ID
    ) -> Sealed:
        """Seal whole chunks (the first ``most`` of them: an interruption), a closing behind them, and the manifest."""
        header, cipher = new_header([self.identities[to].recipient()])
        data = list(chunks)[:most]
        sealed = [cipher.seal(number, chunk, last=False) for number, chunk in enumerate(data)]
        content = b"".join((header, *sealed, cipher.seal(len(data), CLOSING, last=True)))
        place = self.home / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / SESSION_NAME).write_bytes(content)
        ended = parse_index(data[-1]) is not None
        manifest = Manifest(
            id=RECORDING_ID,
            box="room 3",
            state=RecordingState.COMPLETE if ended else RecordingState.INTERRUPTED,
            started="2026-03-02T09:00:00.000Z",
            clock_trusted=True,
            boot="b",
            started_monotonic_us=0,
            consent=Consent.SOUND,
            consent_events=(),
            recipients=(),
            sound=SoundFacts(rate_hz=RATE_HZ, channels=1, bits=24, microphones=(MicrophoneFact(at_us=0, name="test"),)),
            chunks=len(data),
            size_bytes=len(content),
            digest=digest_of(sha256(chunk).digest() for chunk in sealed),
        )
        document = sign("manifest", manifest.model_dump(mode="json"), self.device_key)
        (place / MANIFEST_NAME).write_bytes(document)
        return Sealed(place, b"".join(data) + CLOSING, len(header), sound)

    def start(self, *words: object, **environment: str) -> subprocess.Popen[bytes]:
        """The real command line, started."""
        command = [sys.executable, "-W", "error", "-m", "provisioning", *map(str, words)]
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "HOME": str(self.home)}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.home, stdout=pipe, stderr=pipe, env=environment)

    def run(self, *words: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
        """The real command line, run to its end."""
        with self.start(*words, **environment) as process:
            said, complaints = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, said, complaints)

    def fail(self, recording: object, *words: object, key: str = "clinic") -> tuple[int, str]:
        """Open, which has to fail and leave nothing behind; the exit code and what was said."""
        before = sorted(self.home.rglob("*"))
        command = ("open", recording, "-i", self.key(key), *words)
        done = self.run(*command) if self.own_process else self._run_here(*command)
        said = done.stderr.decode().partition("error: ")[2]
        assert said, f"no error: {done.stdout.decode()}"
        assert done.stdout == b""
        assert "Traceback" not in said
        assert "\nhint: " in said, said
        assert sorted(self.home.rglob("*")) == before
        return done.returncode, said

    def open(self, recording: object, *words: object, key: str = "clinic") -> dict[str, Any]:
        """Open, which has to work, with ``--json`` and without a process of its own; what it says."""
        done = self._run_here("open", recording, "-i", self.key(key), "--json", "--force", *words)
        assert done.returncode == 0, done.stderr.decode()
        told: dict[str, Any] = json.loads(done.stdout)
        assert told["opened"] is True
        return told

    def _run_here(self, *words: object) -> subprocess.CompletedProcess[bytes]:
        said, complaints = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(complaints), chdir(self.home):
            code = run([*map(str, words)])
        return subprocess.CompletedProcess(words, code, said.getvalue().encode(), complaints.getvalue().encode())


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


@pytest.fixture(scope="session")
def reader_packages() -> None:
    """What the reader's modules need of npm, to be run by Node.js as they are."""
    fetch_packages(FOLDER)


@pytest.fixture(scope="session")
def sound_24() -> tuple[Chunks, bytes]:
    """Twenty seconds of full-scale 24-bit noise, with a gap noted at 5 s."""
    sound = noise(20)
    return mux(sound, gaps=((240_000, 4_800),)), sound


@pytest.fixture(scope="session")
def sound_quiet() -> tuple[Chunks, bytes]:
    """Ten minutes of quiet noise: some 800 chunks, mostly padding."""
    sound = noise(600, bits=8)
    return mux(sound), sound


@pytest.fixture(scope="session")
def with_picture() -> tuple[Chunks, bytes]:
    """Twenty seconds of sound and picture; fragments of one chunk, and of several where a key picture is large."""
    sound = noise(20, seed=9)
    return mux(sound, pictures(20)), sound


@pytest.fixture(scope="session")
def camera_given_up() -> tuple[Chunks, bytes]:
    """Forty seconds of sound whose picture ends after five."""
    sound = noise(40, seed=11)
    return mux(sound, pictures(40, until_s=5)), sound


@pytest.fixture(scope="session")
def camera_came_late() -> tuple[Chunks, bytes]:
    """Twenty seconds of sound whose picture begins after twelve."""
    sound = noise(20, seed=13)
    return mux(sound, [picture for picture in pictures(20) if picture.at_us >= 12_000_000]), sound


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A real server on loopback; gives its address.

    ``ranges=False`` ignores the Range header; ``elsewhere`` is where ``/moved`` points; ``tls`` is a certificate and
    its key.
    """
    running = []

    def start(folder: Path, *, ranges: bool = True, elsewhere: str = "", tls: tuple[str, str] | None = None) -> str:
        app = flask.Flask("clinic")

        @app.get("/recordings/<recording>/<name>")
        def file(recording: str, name: str) -> flask.Response:
            if not (folder / name).exists():
                return flask.Response("none", status=404)
            # From memory: a file that is served stays open when whoever reads it hangs up, which is a warning.
            content = io.BytesIO((folder / name).read_bytes())
            return flask.send_file(content, "application/octet-stream", conditional=ranges, etag=name)

        @app.get("/moved/<name>")
        def moved(name: str) -> Any:
            return flask.redirect(f"{elsewhere}/recordings/{RECORDING_ID}/{name}")

        server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=tls)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
