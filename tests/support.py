"""What several tests need: sound to record, keys to seal to, stock programs to judge by, and a whole box of simulated
parts whose time stands still while a test thinks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.age.opening import decrypt
from device.age.recipients import KeyRecipient
from device.capture import camera as camera_module
from device.capture.auditor import Auditor
from device.capture.desk import Desk
from device.capture.duty import Duty
from device.capture.failover import FailOver
from device.capture.ladder import Readings
from device.capture.packets import Camera, Gap, Microphone, Sound, SoundFormat
from device.capture.places import Places
from device.capture.putting_in_order import Progress
from device.capture.service import CaptureService
from device.capture.simulated import SimulatedMicrophone
from device.capture.upkeep import Upkeep
from device.capture.waiting import WaitingRoom
from device.clock import Clock, PacedClock
from device.compose import Parts, service_of
from device.config import ConsentSection, SessionSection
from device.errors import SottoError
from device.journal import Entry, to_nobody
from device.notify import Notify, tell_nobody
from device.panel_language import Face
from device.panel_simulated import SimulatedPanel
from device.recording import SESSION_NAME
from device.recording.audited import Happened
from device.recording.manifest import Manifest, RecordingState
from device.roster import WhoOpens, the_same_for_all
from device.roster_shelf import RosterShelf
from device.status import Status
from device.store import Store
from device.words import Button, Consent

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE_S = 120.0  # a busy machine is slow, not broken
SECOND_US = 1_000_000
_Result = TypeVar("_Result")


def be_patient_with_cameras(patched: pytest.MonkeyPatch) -> None:
    """Wait for pictures as for all else on a busy machine; for tests that are not about how long a box waits."""
    patched.setattr(camera_module, "FIRST_PICTURE_S", PATIENCE_S)
    patched.setattr(camera_module, "NEXT_PICTURE_S", PATIENCE_S)


# -- sound ------------------------------------------------------------------------------------------------------------


def noise(seconds: float, *, rate_hz: int, channels: int, bits: int, seed: int = 7, quieter: int = 0) -> bytes:
    """White noise as a WAV holds it, at full scale or ``quieter`` bits below it."""
    count = round(seconds * rate_hz) * channels
    if quieter == 0:
        return random.Random(seed).randbytes(count * bits // 8)
    top = 1 << (bits - 1 - quieter)
    chance = random.Random(seed)
    return b"".join(chance.randrange(-top, top).to_bytes(bits // 8, "little", signed=True) for _ in range(count))


def write_wav(path: Path, data: bytes, *, rate_hz: int, channels: int, bits: int) -> Path:
    """A plain PCM WAV."""
    frame = channels * bits // 8
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + channels.to_bytes(2, "little")
    head += rate_hz.to_bytes(4, "little") + (rate_hz * frame).to_bytes(4, "little") + frame.to_bytes(2, "little")
    head += bits.to_bytes(2, "little") + b"data" + len(data).to_bytes(4, "little")
    path.write_bytes(b"RIFF" + (len(head) + len(data)).to_bytes(4, "little") + head + data)
    return path


# -- external truth ---------------------------------------------------------------------------------------------------


def said(command: list[str | Path], *, given: bytes = b"") -> bytes:
    """What a stock program printed; it must succeed and complain of nothing."""
    run = subprocess.run(command, input=given, capture_output=True, check=False)
    assert (run.returncode, run.stderr.decode()) == (0, "")
    return run.stdout


def stock_open(sealed: Path, identity: KeyIdentity) -> bytes:
    """The plaintext, as stock age finds it."""
    key = sealed.parent.parent / f"{sealed.parent.name}.key"
    key.write_text(identity_file(identity, START))
    try:
        return said(["age", "-d", "-i", key, sealed])
    finally:
        key.unlink()


def sound_of(mp4: Path, bits: int) -> bytes:
    """The samples, as ffmpeg decodes them."""
    codec = f"pcm_s{bits}le"
    return said(["ffmpeg", "-v", "warning", "-i", mp4, "-map", "0:a", "-f", f"s{bits}le", "-c:a", codec, "-"])


def tracks_of(mp4: Path) -> list[dict[str, Any]]:
    """The tracks, as ffprobe lists them."""
    shown = json.loads(said(["ffprobe", "-v", "warning", "-show_streams", "-count_packets", "-of", "json", mp4]))
    return list(shown["streams"])


class Opened:
    """A sink for what our own opening finds."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> None:
        self.data += data


def own_open(sealed: Path, identity: KeyIdentity) -> bytes:
    """The plaintext, as ``device.age`` finds it; raises unless the file is whole."""
    sink = Opened()
    with sealed.open("rb") as file:
        decrypt(file, sink, [identity])
    return bytes(sink.data)


# -- storage ----------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Path]:
    """A real filesystem with room for ``size_kib``; only root can make one."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("nobody but root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, *, but: int = 0) -> Path:
    """Fill a disk up to its last ``but`` bytes; the file that does."""
    path = folder / "fill"
    with path.open("wb") as file:
        left = shutil.disk_usage(folder).free - but
        with suppress(OSError):
            file.write(bytes(max(0, left)))
    return path


def store_at(path: Path) -> Store:
    """A store there, with a key of its own."""
    path.mkdir(exist_ok=True)
    return Store(path, device_key=Ed25519PrivateKey.generate())


def manifest_of(recording_id: str, **facts: Any) -> Manifest:
    """A manifest that holds, with ``facts`` of the test's choice."""
    usual: dict[str, Any] = {
        "id": recording_id,
        "box": "Room 1",
        "state": RecordingState.OPEN,
        "started": "2026-03-02T09:00:00.000Z",
        "clock_trusted": True,
        "boot": "b",
        "started_monotonic_us": 1,
        "consent": Consent.SOUND,
        "consent_events": (),
        "recipients": ("f",),
    }
    return Manifest(**(usual | facts))


# -- a whole box ------------------------------------------------------------------------------------------------------


class Log:
    """What happened to light and devices, in the order in which it happened, and when (real seconds)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: list[str] = []
        self.times_s: list[float] = []

    def add(self, event: str) -> None:
        with self._lock:
            self.events.append(event)
            self.times_s.append(time.monotonic())

    def count(self, event: str) -> int:
        return self.events.count(event)

    def last_s(self, event: str) -> float:
        """When it happened last."""
        with self._lock:
            return next(at_s for at_s, what in zip(self.times_s[::-1], self.events[::-1], strict=True) if what == event)


class LoggedPanel(SimulatedPanel):
    """A simulated panel that writes the changes of the room light down."""

    def __init__(self, *, clock: PacedClock, log: Log) -> None:
        super().__init__(clock=clock, run=None)
        self._log = log
        self._light = False

    def show(self, face: Face) -> None:
        if face.room_light != self._light:
            self._light = face.room_light
            self._log.add("light on" if face.room_light else "light off")
        super().show(face)


def stacks() -> str:
    """Where every thread is at this moment: what a test that waited in vain has to tell."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"-- {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    )


class LoggedMicrophone(SimulatedMicrophone):
    """A simulated microphone that writes down when it is opened and closed. ``gate`` makes opening take its time."""

    def __init__(self, wav: Path, *, clock: PacedClock, loop: bool, log: Log) -> None:
        super().__init__(wav, clock=clock, loop=loop)
        self._log = log
        self._is_open = False
        self.opening = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def open(self) -> SoundFormat:
        self._log.add("microphone opening")
        self.opening.set()
        assert self.gate.wait(PATIENCE_S)
        try:
            sound = super().open()
        except SottoError:
            self._log.add("microphone failed")
            raise
        self._is_open = True
        self._log.add("microphone open")
        return sound

    def read(self) -> Sound | Gap:
        assert self._is_open
        return super().read()

    def close(self) -> None:
        super().close()
        if self._is_open:
            self._is_open = False
            self._log.add("microphone closed")


class Watcher:
    """Reads every published status, as the page would, and lets a test wait for the one it expects."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._seen: Callable[[Status], object] = lambda _status: None
        self.statuses: list[Status] = []

    def publish(self, status: Status) -> None:
        with self._condition:
            self.statuses.append(status)
            self._seen(status)
            self._condition.notify_all()

    def until(
        self,
        holds: Callable[[Status], _Result],
        *,
        after: int,
        then: Callable[[], None] = lambda: None,
    ) -> Status:
        """The newest status as soon as it holds; the first ``after`` are not asked.

        ``then`` is done when one is published that holds, on the publisher's thread: this one may be slow to wake.
        """
        with self._condition:
            self._seen = lambda status: then() if holds(status) else None
        try:
            return self._until(holds, after=after)
        finally:
            with self._condition:
                self._seen = lambda _status: None

    def _until(self, holds: Callable[[Status], _Result], *, after: int) -> Status:
        until_s = time.monotonic() + PATIENCE_S
        with self._condition:
            while not (len(self.statuses) > after and holds(self.statuses[-1])):
                left_s = until_s - time.monotonic()
                assert left_s > 0, f"never came true; at last: {self.statuses[-1:]}\n{stacks()}"
                self._condition.wait(left_s)
            return self.statuses[-1]

    @property
    def states(self) -> list[str]:
        """The states in the order in which they were seen."""
        states = [status.state for status in self.statuses]
        return [state for place, state in enumerate(states) if place == 0 or states[place - 1] != state]


@dataclass
class Box:
    """A box of simulated parts that runs. Time passes only while the test waits for something."""

    clock: PacedClock
    service: CaptureService
    panel: LoggedPanel
    microphone: LoggedMicrophone
    store: Store
    identity: KeyIdentity
    watcher: Watcher
    log: Log
    desk: Desk
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.clock.keep_pace("test", 0)
        self.thread = threading.Thread(target=self.service.run, name="service")
        self.thread.start()
        self.status()
        self.pass_s(0.5)  # buttons that are down any earlier count as stuck

    def pass_s(self, seconds: float) -> None:
        """Let exactly so much time pass, then have it stand still."""
        until_us = self.clock.now_us() + round(seconds * SECOND_US)
        self.clock.keep_pace("test", until_us)
        patience_s = time.monotonic() + PATIENCE_S
        condition = threading.Condition()
        with condition:
            while self.clock.now_us() < until_us:
                assert time.monotonic() < patience_s, f"time stands still\n{stacks()}"
                self.clock.wait(condition, until_us)

    def status(self) -> Status:
        """What is published once all that was done so far has been heard; time does not pass."""
        return self.watcher.until(lambda _status: True, after=self._heard())

    def _heard(self) -> int:
        """Have the service publish anew; how many statuses are older than that."""
        older: list[int] = []
        heard = threading.Event()

        def hear(_now_us: int) -> None:
            older.append(len(self.watcher.statuses))
            self.service._next_status_us = 0
            heard.set()

        self.service.post(hear)
        assert heard.wait(PATIENCE_S), "the service does not listen"
        return older[0]

    def until(self, holds: Callable[[Status], _Result]) -> Status:
        """Let time pass until the published status holds."""
        after = self._heard()
        self.clock.keep_pace("test", None)
        try:
            return self.watcher.until(holds, after=after, then=self._stand_still)
        finally:
            self._stand_still()

    def _stand_still(self) -> None:
        self.clock.keep_pace("test", self.clock.now_us())

    def until_state(self, *states: str) -> Status:
        return self.until(lambda status: status.state in states)

    def press(self, button: Button, *, for_s: float = 0.1) -> None:
        """A finger on a button, for so long."""
        self.panel.finger(button, down=True)
        self.pass_s(for_s)
        self.panel.finger(button, down=False)
        self.pass_s(0.2)

    def consent(self) -> None:
        self.press(Button.CONSENT)

    def record(self) -> None:
        self.press(Button.RECORD)

    def begin(self) -> Status:
        """Consent to sound, start, and wait until something of it is durable."""
        self.consent()
        self.until_state("armed")
        self.record()
        return self.until(lambda status: status.recording and status.recording.durable_us > 0)

    def end(self) -> Status:
        """Stop, and wait until the recording is sealed."""
        self.record()
        return self.until_state("sealed", "kept")

    def stop(self) -> None:
        """End the service."""
        self.clock.keep_pace("test", None)
        self.service.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive(), f"the service does not end\n{stacks()}"
        self.desk.close()

    def manifests(self) -> list[Manifest]:
        """What is in the store, oldest first."""
        return [listed.manifest for listed in reversed(self.store.listing())]

    def sealed(self, recording_id: str) -> Path:
        return self.store.folder(recording_id) / SESSION_NAME

    def sound(self, recording_id: str, tmp_path: Path, bits: int = 16) -> bytes:
        """The samples of a recording, as stock age and ffmpeg find them."""
        mp4 = tmp_path / f"{recording_id}.mp4"
        mp4.write_bytes(stock_open(self.sealed(recording_id), self.identity))
        return sound_of(mp4, bits)


def build_box(
    *,
    store: Store,
    wav: Path,
    speed: float = 60.0,
    loop: bool = True,
    camera: Callable[[PacedClock], Camera] | None = None,
    stills: Callable[[PacedClock], Camera] | None = None,
    second: Callable[[PacedClock], Microphone] | None = None,
    recipients: list[KeyRecipient] | None = None,
    standing: tuple[SottoError, ...] = (),
    max_length_min: int = 1,
    silence_stop_min: int = 0,
    machine: Callable[[], Readings] = Readings,
    recover: Callable[[Progress], None] = lambda _progress: None,
    notify: Notify = tell_nobody,
    upkeep: Callable[[Store, PacedClock], Upkeep] | None = None,
    auditor: Callable[[PacedClock], Auditor] | None = None,
    run: Path | None = None,
    shelf: RosterShelf | None = None,
    consent: ConsentSection | None = None,
) -> Box:
    """A box that runs; whoever asked for it stops it."""
    clock = PacedClock(speed=speed, start=START)
    log, watcher = Log(), Watcher()
    identity = generate_identity(post_quantum=False)
    panel = LoggedPanel(clock=clock, log=log)
    microphone = LoggedMicrophone(wav, clock=clock, loop=loop, log=log)
    heard = FailOver(microphone, second(clock)) if second else microphone
    keys = [identity.recipient()] if recipients is None else recipients
    who = the_same_for_all(keys) if shelf is None else shelf.recipients_for
    noting = auditor(clock) if auditor else None
    desk = desk_at(store, clock=clock, recipients=who, auditor=noting, run=run)
    service = service_of(
        Parts(
            clock,
            panel,
            heard,
            camera(clock) if camera else None,
            ("microphone", "camera", "panel"),
            stills(clock) if stills else None,
        ),
        box="Room 1",
        store=store,
        recipients=who,
        session=SessionSection(max_length_min=max_length_min, silence_stop_min=silence_stop_min),
        consent=consent,
        standing=standing,
        publish=watcher.publish,
        notify=notify,
        machine=machine,
        recover=recover,
        upkeep=upkeep(store, clock) if upkeep else None,
        auditor=noting,
        desk=desk,
        roster=(lambda: None) if shelf is None else shelf.look,
    )
    return Box(clock, service, panel, microphone, store, identity, watcher, log, desk)


def desk_at(
    store: Store,
    *,
    clock: Clock,
    recipients: Sequence[KeyRecipient] | WhoOpens,
    auditor: Auditor | None = None,
    run: Path | None = None,
    boot: str = "b",
    in_order: Callable[[], bool] = lambda: True,
    note: Callable[[Happened], int | None] = lambda _happened: 1,
    told: Callable[[Entry], None] = to_nobody,
) -> Desk:
    """What answers the page, with an audit log or somebody who says that all is noted."""
    noted = note if auditor is None else (lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S))
    return Desk(
        store,
        recipients=recipients if callable(recipients) else the_same_for_all(recipients),
        clock=clock,
        boot=boot,
        places=Places(),
        duty=Duty(run, boot=boot),
        waiting=WaitingRoom(store.path),
        note=noted,
        in_order=in_order,
        journal=told,
    )


# -- cuts -------------------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """What stands for the power going: no ``except`` of the program may catch it, and nothing is done after it."""


_CUT_FUNCTIONS = ("open", "mkdir", "rename", "link", "unlink", "rmdir", "fsync", "fdatasync", "pwrite", "ftruncate")


class Cut:
    """While it is entered, the ``at``-th call that changes something on disk does not happen: the power went.

    ``error``: instead of the power going, the disk fails with this from then on.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        at: int,
        log: list[str] | None = None,
        error: OSError | None = None,
    ) -> None:
        self._monkeypatch = monkeypatch
        self._at = at
        self._log = [] if log is None else log
        self._error = error
        self.passed = 0
        self.happened = False

    def __enter__(self) -> Cut:
        for name in _CUT_FUNCTIONS:
            self._monkeypatch.setattr(os, name, self._counted(name, getattr(os, name)))
        return self

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.passed += 1
            if self.passed >= self._at:
                self.happened = True
                raise self._error or PowerCut
            self._log.append(name)
            return real(*args, **kwargs)

        return call

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._monkeypatch.undo()
        return kind is PowerCut


def cuts(monkeypatch: pytest.MonkeyPatch, *, most: int = 500) -> Iterator[Cut]:
    """A cut at the first call, at the second, and so on, until what is cut comes through untouched."""
    for at in range(1, most):
        cut = Cut(monkeypatch, at=at)
        yield cut
        if not cut.happened:
            return
    raise AssertionError(f"still cut after {most} calls")
