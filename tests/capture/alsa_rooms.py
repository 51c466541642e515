"""Two rooms that ALSA hears without any sound card: a card that is a small program, and a PulseAudio of the tests' own.

The card (``room_card.c``) tells exactly which samples were heard and when, and can be late, small or gone as a test
wishes. PulseAudio is other people's program, reached through other people's plug-in: it keeps the card honest.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.capture.alsa import alsa_microphone
from device.capture.packets import Microphone, Sound, SoundFormat, Wire
from device.clock import Clock, SystemClock

ROOT = Path(__file__).parents[2]
FETCHED = ROOT / ".cache/pulseaudio"
CARD_SOURCE = Path(__file__).with_name("room_card.c")
# ALSA_CONFIG_PATH takes several files; the first is what makes it find its plugins at all.
STOCK_CONFIG = "/usr/share/alsa/alsa.conf"
STEREO = SoundFormat(48_000, 2, Wire.S32_LE)
MIC = "mic"
PATIENCE_S = 60.0  # a busy machine is slow, not broken
_MARK_SAMPLES = 256


def microphone(name: str, clock: Clock | None = None) -> Microphone:
    """The microphone that ALSA knows by that name."""
    return alsa_microphone(name, clock=clock or SystemClock())


def tell_alsa(monkeypatch: pytest.MonkeyPatch, *configs: Path) -> None:
    """Have this process's ALSA read these files, and its own before them; it looks anew whenever a device is opened."""
    monkeypatch.setenv("ALSA_CONFIG_PATH", alsa_config(*configs))


def alsa_config(*configs: Path) -> str:
    return ":".join([STOCK_CONFIG, *map(str, configs)])


def place_in(loop: bytes, heard: bytes, frame_bytes: int) -> int:
    """At which sample of a loop that plays for ever something was heard; it must be the loop's, bit for bit."""
    mark = heard[: _MARK_SAMPLES * frame_bytes]
    at = (loop + loop[: len(mark)]).find(mark)
    assert at >= 0, "this was never said"
    assert at % frame_bytes == 0
    rounds = (at + len(heard)) // len(loop) + 1
    assert (loop * rounds)[at : at + len(heard)] == heard
    return at // frame_bytes


def joined(periods: list[Sound]) -> bytes:
    return b"".join(bytes(period.data) for period in periods)


# -- the card ---------------------------------------------------------------------------------------------------------


def build_card(folder: Path) -> Path:
    """Compile the card; the library that ALSA is to load."""
    library = folder / "room_card.so"
    gcc = ["gcc", "-shared", "-fPIC", "-DPIC", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", library]
    subprocess.run([*gcc, CARD_SOURCE, "-lasound"], check=True)
    return library


@dataclass
class RoomCard:
    """A card that hears a loop in real time, and is unplugged while the loop's file is away."""

    loop: bytes
    sound: SoundFormat
    file: Path
    config: Path
    name: str = "room"

    @property
    def environment(self) -> dict[str, str]:
        """What another program is run in that is to hear it."""
        return {**os.environ, "ALSA_CONFIG_PATH": alsa_config(self.config), "LD_LIBRARY_PATH": tool_libraries()}

    def unplug(self) -> None:
        self.file.rename(self.file.with_suffix(".away"))

    def plug(self) -> None:
        self.file.with_suffix(".away").rename(self.file)

    def place(self, heard: bytes) -> int:
        """At which sample of the loop something was heard; it must be the loop's, bit for bit."""
        return place_in(self.loop, heard, self.sound.frame_bytes)


def room_card(
    folder: Path,
    library: Path,
    loop: bytes,
    sound: SoundFormat = STEREO,
    *,
    buffer_samples: int = 192_000,
    ppm: int = 0,
) -> RoomCard:
    """A card of one format, with a hardware buffer of so many samples, whose clock is too fast by ``ppm``."""
    file, config = folder / "room.raw", folder / "card.conf"
    file.write_bytes(loop)
    facts = f'file "{file}" format {sound.wire} channels {sound.channels} buffer {buffer_samples} ppm {ppm}'
    config.write_text(f'pcm_type.room {{ lib "{library}" }}\npcm.room {{ type room {facts} }}\n')
    return RoomCard(loop, sound, file, config)


# -- PulseAudio -------------------------------------------------------------------------------------------------------


def tool(name: str) -> str:
    """Where a program is that ``fetch-pulseaudio`` brings, unless the system has it."""
    found = shutil.which(name, path=f"{FETCHED}/usr/bin:{os.environ['PATH']}")
    if found is None:
        pytest.fail(f"there is no {name}; run tests/tools/fetch-pulseaudio first")
    return found


def tool_libraries() -> str:
    """LD_LIBRARY_PATH for those programs."""
    return ":".join(sorted({str(library.parent) for library in FETCHED.rglob("*.so*")}))


class PulseRoom:
    """A PulseAudio with one sink, whose monitor ALSA calls ``mic``. It sees no file of the user's, and no bus."""

    name = MIC

    def __init__(self, folder: Path) -> None:
        """``folder``: where everything lies that it reads or writes; a short path, since a socket lies there."""
        self._folder = folder
        self._socket = folder / "native"
        self._script = folder / "room.pa"
        self.config = folder / "pulse.conf"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._player: subprocess.Popen[bytes] | None = None
        # Without rewinds the sink works in steps of 50 ms; with them the first reader would wait for up to two seconds.
        sink = f"sink_name={MIC} format=s32le rate=48000 channels=2 norewinds=1"
        self._script.write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}\n"
            f"load-module module-null-sink {sink}\n"
        )
        self.config.write_text(f'pcm.{MIC} {{ type pulse server "unix:{self._socket}" device "{MIC}.monitor" }}\n')
        (folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n")
        (folder / "daemon.conf").write_text("")

    @property
    def client_environment(self) -> Mapping[str, str]:
        """What keeps a client, this process too, away from the user's own PulseAudio."""
        return {
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_CLIENTCONFIG": str(self._folder / "client.conf"),
            "PULSE_COOKIE": str(self._folder / "cookie"),
            "PULSE_RUNTIME_PATH": str(self._folder),
            "PULSE_STATE_PATH": str(self._folder),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What its programs are run in."""
        nowhere = f"unix:path={self._folder}/no-bus"
        own = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"), str(self._folder))
        own |= {"DBUS_SESSION_BUS_ADDRESS": nowhere, "DBUS_SYSTEM_BUS_ADDRESS": nowhere, "LC_ALL": "C"}
        own |= {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": tool_libraries()}
        own |= {"PULSE_CONFIG": str(self._folder / "daemon.conf"), "ALSA_CONFIG_PATH": alsa_config(self.config)}
        return own | dict(self.client_environment)

    def start(self) -> None:
        """Start the daemon, and wait until it answers."""
        self._socket.unlink(missing_ok=True)
        command = [tool("pulseaudio"), "-n", "-F", str(self._script), "--daemonize=no", "--use-pid-file=no"]
        command += ["--exit-idle-time=-1", "--disable-shm=yes", "--realtime=no", "--high-priority=no"]
        command += [f"--dl-search-path={found.parent}" for found in FETCHED.rglob("module-null-sink.so")]
        with (self._folder / "daemon.log").open("wb") as log:
            self._daemon = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        until_s = time.monotonic() + PATIENCE_S
        while self._ask("info") is None:
            assert self._daemon.poll() is None, (self._folder / "daemon.log").read_text()
            assert time.monotonic() < until_s, "PulseAudio does not answer"
            time.sleep(0.02)

    def _ask(self, *question: str) -> str | None:
        asked = subprocess.run(
            [tool("pactl"), *question], env=self.environment, capture_output=True, text=True, check=False
        )
        return asked.stdout if asked.returncode == 0 else None

    def play(self, loop: bytes) -> None:
        """Play 32-bit sound into the sink, again and again, with two seconds in hand."""
        self._end_player()
        raw = self._folder / "loop.raw"
        raw.write_bytes(loop)
        play = (
            'while cat "$1"; do :; done | "$2" --playback --raw --format=s32le --rate=48000 --channels=2 --device=mic'
        )
        self._player = subprocess.Popen(
            ["sh", "-c", play, "play", str(raw), tool("pacat")],
            env=self.environment,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def listeners(self) -> int:
        """How many streams listen to the monitor, as the daemon says."""
        told = self._ask("list", "short", "source-outputs")
        return 0 if told is None else len(told.splitlines())

    def kill(self) -> None:
        """Have the daemon gone, at once."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()

    def stop(self) -> None:
        """Leave nothing running."""
        self._end_player()
        self.kill()

    def _end_player(self) -> None:
        if self._player is not None:
            os.killpg(self._player.pid, signal.SIGKILL)
            self._player.wait()
            self._player = None


@contextmanager
def pulse_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseRoom]:
    """A PulseAudio that runs, and that this process's ALSA knows."""
    room = PulseRoom(folder)
    for name, value in room.client_environment.items():
        monkeypatch.setenv(name, value)
    tell_alsa(monkeypatch, room.config)
    try:
        room.start()
        yield room
    finally:
        room.stop()
