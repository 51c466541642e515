"""The capture service of a box as it ships, a process of its own in real time; microphone and panel are simulated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from device.devicekey import load_or_make_device_key
from device.recording import SESSION_NAME
from device.recording.manifest import Manifest
from device.room import Finger, send_finger
from device.status import Status, read_status
from device.store import read_manifest
from device.words import Button
from tests.bench.material import ROOT

PATIENCE_S: Final = 60.0
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of its own is made there
_PRESS_S: Final = 0.1
_CONFIG: Final = """
[box]
name = "Room 1"
device_key = "{folder}/device.key"
run = "{run}"

[store]
path = "{store}"

[recipients]
keys = ["{recipient}"]

[microphone]
driver = "simulated"
wav = "{wav}"

[camera]
driver = "{camera}"

[panel]
driver = "simulated"

[web]
state = "{folder}/web"
port = 0
"""


def _run_folder(folder: Path) -> Path:
    """Where a box publishes its status: a folder of memory, as ``/run`` is; on a disk each status would be written."""
    return Path(tempfile.mkdtemp(prefix="sotto-bench-", dir=_MEMORY)) if os.access(_MEMORY, os.W_OK) else folder / "run"


class CaptureBox:
    """One service. ``program``: what runs it, where that is not the program that ships; ``store``: elsewhere."""

    def __init__(
        self,
        folder: Path,
        wav: Path,
        recipient: str,
        *,
        camera: str = "disabled",
        program: Sequence[str | Path] = ("-m", "device"),
        store: Path | None = None,
    ) -> None:
        self.folder, self.run = folder, _run_folder(folder)
        self.store = folder / "store" if store is None else store
        for made in (self.run, self.store):
            made.mkdir(parents=True, exist_ok=True)
        load_or_make_device_key(folder / "device.key")
        self._finger: threading.Timer | None = None
        config = folder / "sotto.toml"
        facts = {"wav": wav, "recipient": recipient, "camera": camera}
        config.write_text(_CONFIG.format(folder=folder, run=self.run, store=self.store, **facts))
        self._said = folder / "said"
        # From RECORD to the first byte durable, and to the first sound durable, of the newest recording.
        self.durable_after_s = (0.0, 0.0)
        self.began_s = time.monotonic()
        with self._said.open("ab") as said:
            command = [sys.executable, *map(str, program), "capture", "--config", str(config)]
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )
        self.pid = self.process.pid

    def until(self, holds: Callable[[Status], object], *, every_s: float = 0.005) -> tuple[Status, float]:
        """The first published status that holds, and when it was seen (monotonic seconds)."""
        until_s = time.monotonic() + PATIENCE_S
        while True:
            status = read_status(self.run)
            if status is not None and holds(status):
                return status, time.monotonic()
            if self.process.poll() is not None or time.monotonic() > until_s or (status and status.state == "fault"):
                self.kill()
                raise RuntimeError(f"the box never came so far: {status}; {self.last_words()}")
            time.sleep(every_s)

    def until_ready(self) -> float:
        """Seconds from the program's start until the box would take a session."""
        _, at_s = self.until(lambda status: status.state == "idle")
        return at_s - self.began_s

    def press(self, button: Button) -> float:
        """A short press, which goes on after this returns; when the finger came down (monotonic seconds)."""
        down_s = time.monotonic()
        send_finger(Finger(button=button, down=True), self.run)
        self._finger = threading.Timer(_PRESS_S, send_finger, [Finger(button=button, down=False), self.run])
        self._finger.start()
        return down_s

    def begin(self, *, picture: bool = False) -> float:
        """Consent and RECORD, until something is durable; when RECORD came down."""
        time.sleep(0.4)  # buttons that are down any earlier count as stuck
        for _ in range(1 + picture):
            self.press(Button.CONSENT)
            time.sleep(2.5 * _PRESS_S)
        self.until(lambda status: status.state == "armed")
        before = set(self._sealed_files())
        pressed_s = self.press(Button.RECORD)
        until_s = pressed_s + PATIENCE_S
        while (
            not set(self._sealed_files()) - before
        ):  # it gets its name once its first chunk, without sound, is durable
            if time.monotonic() > until_s:
                raise RuntimeError(f"nothing became durable: {self.last_words()}")
            time.sleep(0.002)
        named_s = time.monotonic()
        _, sound_s = self.until(lambda status: status.recording and status.recording.durable_us > 0)
        self.durable_after_s = (named_s - pressed_s, sound_s - pressed_s)
        time.sleep(max(0.0, pressed_s + 2.5 * _PRESS_S - time.monotonic()))  # until the finger is off the button
        return pressed_s

    def _sealed_files(self) -> Iterator[Path]:
        return self.store.glob(f"*/{SESSION_NAME}")

    def sealed_file(self) -> Path:
        """The newest recording's."""
        return max(self._sealed_files())

    def manifest(self) -> Manifest:
        """The newest recording's."""
        return read_manifest(self.sealed_file().parent)

    def seal(self) -> float:
        """RECORD again, until it is sealed; seconds that took, from the press on."""
        pressed_s = self.press(Button.RECORD)
        _, at_s = self.until(lambda status: status.state in {"sealed", "kept"} or (status.last and status.last.sealed))
        return at_s - pressed_s

    def end(self) -> None:
        """End the service; it has to end well."""
        self._hands_off()
        self.process.terminate()
        if self.process.wait(PATIENCE_S) != 0:
            raise RuntimeError(f"the box did not end well: {self.last_words()}")
        shutil.rmtree(self.run)

    def kill(self) -> None:
        """As a power cut would; harmless where it has ended."""
        if self.process.poll() is None:
            self._hands_off()
        self.process.kill()
        self.process.wait(PATIENCE_S)
        shutil.rmtree(self.run, ignore_errors=True)

    def _hands_off(self) -> None:
        if self._finger is not None:
            self._finger.join()

    def last_words(self) -> str:
        return self._said.read_text(errors="replace")[-2000:]
