"""What one would pipe together in a shell instead; each reads raw 24-bit stereo and writes a sealed file.

No MD5 on any side: libFLAC's is a quarter of its cost. ffmpeg is told not to look at its input first, so that it begins
as soon as the others; it would otherwise hold back four seconds.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.bench.material import RATE_HZ, Material

Command = list[str | Path]
_RAW: Final = ["-f", "s24le", "-ar", str(RATE_HZ), "-ac", "2", "-probesize", "32", "-analyzeduration", "0"]
_FRAGMENTED: Final = ["-movflags", "empty_moov+default_base_moof+skip_trailer", "-frag_duration", "750000"]


def flac() -> Command:
    """Raw in, FLAC out."""
    words = ["flac", "--silent", "-5", "--no-md5-sum", "--force-raw-format", "--endian=little", "--sign=signed"]
    return [*words, "--channels=2", "--bps=24", f"--sample-rate={RATE_HZ}", "-c", "-"]


def ffmpeg_sound() -> Command:
    """Raw in, FLAC in fragmented MP4 out; ffmpeg 5.1 calls that experimental."""
    sound = ["-c:a", "flac", "-strict", "-2", *_FRAGMENTED, "-flush_packets", "1", "-f", "mp4", "-"]
    return ["ffmpeg", "-nostdin", "-v", "error", *_RAW, "-i", "-", *sound]


def age(material: Material) -> Command:
    """Sealed to one recipient."""
    return ["age", "-r", material.recipient]


def gpg(material: Material) -> Command:
    """To one public key, with gpg's own defaults, as nobody changes them: so it also tries to compress what is."""
    home = material.folder / "gnupg"
    words = ["gpg", "--batch", "--quiet", "--homedir", home]
    if not home.exists():
        home.mkdir(mode=0o700)
        made = [
            *words,
            "--passphrase",
            "",
            "--quick-generate-key",
            "room <room@clinic.example>",
            "rsa3072",
            "encr",
            "1d",
        ]
        subprocess.run(made, check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=True)
    return [*words, "--trust-model", "always", "--encrypt", "--recipient", "room@clinic.example", "--output", "-"]


def pipes(material: Material) -> dict[str, list[Command]]:
    """All of them, each a pipe of commands; without gpg where there is none."""
    some = {"flac | age": [flac(), age(material)], "ffmpeg | age": [ffmpeg_sound(), age(material)]}
    return some if shutil.which("gpg") is None else {**some, "ffmpeg | gpg": [ffmpeg_sound(), gpg(material)]}
