"""What every row is measured with: the same speech, a key, and the two small C programs, built here."""

from __future__ import annotations

import ctypes.util
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.capture.wav import Wav, read_wav

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
RATE_HZ: Final = 48_000
PERIOD_S: Final = 0.1
# One voice, two microphones: the second hears it later, softer, and with a noise of its own, as two in a room do. The
# same sound twice would be coded as one channel.
_STEREO: Final = (
    "[0:a]asplit[left][far];[far]adelay=7,volume=0.8[late];anoisesrc=a=0.0005:r=48000:seed=7[noise];"
    "[late][noise]amix=inputs=2:duration=shortest:normalize=0[right];[left][right]join=inputs=2:channel_layout=stereo"
)


@dataclass(frozen=True)
class Material:
    """``folder``: where a row may make what it needs; ``stereo`` is what most hear, ``mono`` the bundled clip."""

    folder: Path
    mono: Wav
    stereo: Wav
    identity: KeyIdentity
    key: Path
    floor: Path
    feed: Path

    @property
    def recipient(self) -> str:
        return str(self.identity.recipient())

    def playing(self, *, live: bool, seconds: float | None = None) -> list[str | Path]:
        """The command that plays the stereo sound to a pipe, raw."""
        wav = self.stereo
        period_bytes = int(RATE_HZ * PERIOD_S) * wav.sound.frame_bytes
        words = [wav.offset, wav.samples * wav.sound.frame_bytes, period_bytes, int(live)]
        return [self.feed, wav.path, *map(str, words), *([] if seconds is None else [str(round(seconds / PERIOD_S))])]

    def at_the_floor(self, out: Path, *, live: bool, seconds: float | None = None) -> list[str | Path]:
        """The command of the floor (``floor.c``)."""
        wav = self.stereo
        words = [wav.offset, wav.samples * wav.sound.frame_bytes, wav.sound.channels]
        return [
            *(self.floor, wav.path, *map(str, words), out, str(int(live))),
            *([] if seconds is None else [str(round(seconds))]),
        ]


def build(source: Path, program: Path, *libraries: str) -> Path:
    """A C program of this folder.

    Raises:
        RuntimeError: a library that it needs is not installed.
    """
    found = []
    for name in libraries:
        library = ctypes.util.find_library(name)
        if library is None:
            raise RuntimeError(f"lib{name} is not installed")
        found.append(f"-l:{library}")
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source, *found], check=True)
    return program


def material_in(folder: Path) -> Material:
    """Make it."""
    clip, stereo = ROOT / "device/capture/room.wav", folder / "stereo.wav"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", clip, "-filter_complex", _STEREO, "-c:a", "pcm_s24le", stereo], check=True
    )
    identity, key = generate_identity(post_quantum=False), folder / "key"
    key.write_text(identity_file(identity, datetime.now(UTC)))
    return Material(
        folder,
        read_wav(clip),
        read_wav(stereo),
        identity,
        key,
        build(HERE / "floor.c", folder / "floor", "FLAC", "crypto"),
        build(HERE / "feed.c", folder / "feed"),
    )
