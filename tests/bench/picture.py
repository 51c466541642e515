"""Rows: sound and picture, 720p25, coded in software, beside ffmpeg with the same encoder and the same settings.

Both sides read the same raw frames and the same sound at full speed. Ours is the camera's own process, its pipe, and
the writing chain; theirs is ffmpeg and age. What a hardware encoder's packets cost live is a row of ``live.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.batch import chain, raw_sound
from tests.bench.cost import run_pipe
from tests.bench.figures import Row, in_turn
from tests.bench.frames import FPS, SIZE, make_frames
from tests.bench.material import RATE_HZ
from tests.bench.peers import Command, age
from tests.bench.setting import Setting

_SECONDS = 8.0
# The box's own (device/capture/picture.py): a bound of 2 Mbit/s, a key picture every two seconds, one thread.
_X264 = "-c:v libx264 -preset ultrafast -tune zerolatency -crf 26 -sc_threshold 0 -g 50 -keyint_min 50 -threads 1"
_BOUNDS = "-maxrate 2000000 -bufsize 480000"
_FLAC = "-c:a flac -strict -2"
_MP4 = "-movflags empty_moov+default_base_moof+skip_trailer -frag_duration 750000 -f mp4 -"


def rows(setting: Setting) -> Iterator[Row]:
    """Both."""
    folder = setting.folder()
    sound, frames = raw_sound(setting, _SECONDS), make_frames(folder / "frames", _SECONDS)
    setting.say(f"picture: {setting.pairs} pairs")
    out = folder / "peer.age"

    def theirs() -> float:
        return run_pipe(_ffmpeg(sound, frames), age(setting.material), to=out).cpu_s

    def ours() -> float:
        return float(chain(setting, sound, _SECONDS, "--frames", frames)["cpu_s"])

    taken = in_turn(setting.pairs, {"ours": ours, "theirs": theirs})
    cores = {name: tuple(100 * value / _SECONDS for value in values) for name, values in taken.items()}
    beside = "ffmpeg ultrafast | age"
    says = "sound and picture 720p25, coded in software"
    yield Row("picture/ultrafast", says, "% of a core", cores["ours"], cores["theirs"], beside, at_most=1.05)
    bits = chain(setting, sound, _SECONDS, "--frames", frames)["size_bytes"] * 8 / _SECONDS / 1e6
    note = "the same encoder and bounds; what differs is the container, filled up to whole chunks"
    theirs_bits = out.stat().st_size * 8 / _SECONDS / 1e6
    yield Row("picture/bitrate", "its bitrate, sound included", "Mbit/s", (bits,), (theirs_bits,), beside, note=note)


def _ffmpeg(sound: Path, frames: Path) -> Command:
    words = ["ffmpeg", "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p"]
    words += ["-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(FPS), "-i", str(frames)]
    words += ["-f", "s24le", "-ar", str(RATE_HZ), "-ac", "2", "-i", str(sound), "-map", "0:v", "-map", "1:a"]
    return [*words, *_X264.split(), *_BOUNDS.split(), *_FLAC.split(), *_MP4.split()]
