"""``sotto rehearse``: a scripted session without hands, through the very same capture path, simulated hardware only.

The script is a list of moments: ``0.2 consent, 0.6 record, 10.6 record``. What can happen at one: ``consent``,
``record`` (a short press), ``hold consent`` (3 s), ``hold record`` (1.5 s), ``both``, ``people 2``, ``stop``, ``mark``
(the page's requests), ``unplug`` and ``plug`` (the microphone), ``kill camera``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from device.capture.packets import Camera
from device.capture.service import CaptureService
from device.capture.simulated import SimulatedMicrophone
from device.capture.wav import read_wav
from device.clock import Clock, PacedClock, SystemClock, wait_until, wire_time
from device.compose import Parts, service_of
from device.compose_camera import clock_camera, clock_stills
from device.config import SessionSection
from device.config_recipients import recipients_of
from device.devicekey import throwaway_key
from device.errors import AdminError
from device.panel_simulated import SimulatedPanel
from device.recording import ERASED_NAME
from device.recording.manifest import Manifest
from device.recovery import recover
from device.requests import Mark, People, Stop
from device.roster import the_same_for_all
from device.status import Status
from device.store import Store
from device.words import Button, Fate

_SHORT_US: Final = 100_000
_LATE_US: Final = 20_000  # what a press may lose of its length, and still be one
_HOLDS_US: Final = {Button.CONSENT: 3_200_000, Button.RECORD: 1_700_000}
_HINT: Final = 'write it like "0.2 consent, 0.6 record, 10.6 record"; `sotto rehearse --help` lists what can happen'


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happens ``at_us`` after the start."""

    at_us: int
    what: str


def parse_presses(text: str) -> list[Moment]:
    """Read a script.

    Raises:
        AdminError: something in it is not understood.
    """
    moments: list[Moment] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        when, _, what = part.partition(" ")
        try:
            at_us = round(float(when) * 1_000_000)
        except (ValueError, OverflowError):
            at_us = -1
        if not 0 <= at_us < 1 << 48:
            raise AdminError(f"{part!r} does not start with a moment in seconds", _HINT)
        moments += _moments(at_us, " ".join(what.split()))
    return sorted(moments)


def _moments(at_us: int, what: str) -> list[Moment]:
    words = what.split()
    if what in {"consent", "record"}:
        return [Moment(at_us, f"{what} down"), Moment(at_us + _SHORT_US, f"{what} up")]
    if what in {"hold consent", "hold record"}:
        return [Moment(at_us, f"{words[1]} down"), Moment(at_us + _HOLDS_US[Button(words[1])], f"{words[1]} up")]
    if what == "both":
        return [m for name in ("consent", "record") for m in _moments(at_us, name)]
    if what in {"stop", "mark", "unplug", "plug", "kill camera"}:
        return [Moment(at_us, what)]
    if len(words) == 2 and words[0] == "people" and words[1] in map(str, range(1, 13)):
        return [Moment(at_us, what)]
    raise AdminError(f"nothing is known that is called {what!r}", _HINT)


@dataclass(slots=True)
class Seen:
    """What was published and done, kept for the outcome."""

    last: Status | None = None
    states: list[tuple[float, str]] = field(default_factory=list)

    def publish(self, status: Status) -> None:
        """Take a status, as the page would."""
        if self.last is None or status.state != self.last.state:
            self.states.append((round(status.published_unix_s, 3), status.state))
        self.last = status


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything that a rehearsal needs, built by the roof."""

    clock: Clock
    service: CaptureService
    panel: SimulatedPanel
    microphone: SimulatedMicrophone
    camera: Camera | None
    store: Store
    seen: Seen

    def run(self, moments: list[Moment]) -> dict[str, Any]:
        """Play the script to its end, seal what there is, and tell all about it."""
        known = {*self.store.ids(), *self._erased()}
        started_s, cpu_s = time.monotonic(), time.process_time()
        thread = threading.Thread(target=self.service.run, name="service")
        thread.start()
        try:
            self._ask(lambda _now_us: None)  # the panel hears nothing before the service runs
            start_us = self.clock.now_us()
            for moment in moments:
                # Time waits here for the script, so that no press is squeezed by a slow machine.
                self.clock.keep_pace("script", start_us + moment.at_us)
                self._wait_until(start_us + moment.at_us)
                late_us = self.clock.now_us() - start_us - moment.at_us
                if late_us > _LATE_US:  # in real time nothing waits: all that follows comes later instead
                    start_us += late_us
                self._act(moment.what)
                self._ask(lambda _now_us: None)
            self.clock.keep_pace("script", None)
            self._wait_until(self.clock.now_us() + 2 * _SHORT_US)
            self._settle()
        finally:
            self.service.stop()
            thread.join()
        return self._outcome(known, time.monotonic() - started_s, time.process_time() - cpu_s)

    def _settle(self) -> None:
        """Let the window of a withdrawn recording pass, so that it is erased as it would be in the room."""
        self._ask(lambda _now_us: None)
        last = self.seen.last.last if self.seen.last else None
        if last is not None and last.fate is Fate.WITHDRAWN:
            self._wait_until(self.clock.now_us() + round(last.window_left_s * 1_000_000) + 2_000_000)

    def _wait_until(self, until_us: int) -> None:
        wait_until(self.clock, until_us)

    def _ask(self, message: Callable[[int], None]) -> None:
        done = threading.Event()

        def both(now_us: int) -> None:
            message(now_us)
            done.set()

        self.service.post(both)
        done.wait()

    def _act(self, what: str) -> None:
        words = what.split()
        match words:
            case [("consent" | "record") as button, ("down" | "up") as way]:
                self.panel.finger(Button(button), down=way == "down")
            case ["people", count]:
                self.service.request(People(people=int(count)))
            case ["stop"]:
                self.service.request(Stop())
            case ["mark"]:
                self.service.request(Mark())
            case ["unplug"]:
                self.microphone.unplug()
            case ["plug"]:
                self.microphone.plug()
            case _:
                if self.camera is not None:
                    self.camera.kill()

    def _erased(self) -> list[str]:
        return sorted(path.stem for path in (self.store.path / ERASED_NAME).glob("*.json"))

    def _outcome(self, known: set[str], wall_s: float, cpu_s: float) -> dict[str, Any]:
        made = [recording_id for recording_id in self.store.ids() if recording_id not in known]
        listed = [found for recording_id in made if (found := self.store.find(recording_id)) is not None]
        first_s = self.seen.states[0][0] if self.seen.states else 0.0
        return {
            "recordings": [_told(self.store, found.manifest) for found in listed],
            "erased": [recording_id for recording_id in self._erased() if recording_id not in known],
            "states": [[round(at_s - first_s, 3), state] for at_s, state in self.seen.states],
            "tones": [str(tone) for tone in self.panel.tones],
            "faults": [list(fault) for fault in (self.seen.last.faults if self.seen.last else ())],
            "wall_s": round(wall_s, 3),
            "cpu_s": round(cpu_s, 3),
            "peak_memory_mib": _peak_memory_mib(),
        }


def _peak_memory_mib() -> float:
    """The most memory that was resident (proc(5), VmHWM). getrusage(2) would count whoever started this program too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _told(store: Store, manifest: Manifest) -> dict[str, Any]:
    return {"folder": str(store.folder(manifest.id)), **manifest.model_dump(mode="json")}


@dataclass(frozen=True, slots=True)
class Stage:
    """What a rehearsal is made with."""

    sound: Path
    loop: bool
    size: tuple[int, int] | None  # of the picture; None: there is no camera
    fps: int
    store: Path
    recipients: tuple[str, ...]
    speed: float
    max_length_min: int


def rehearsal_of(stage: Stage) -> Rehearsal:
    """Build a box of simulated parts around a store. What an earlier run left open in it is closed first.

    Raises:
        SottoError: the WAV, the store or a recipient cannot be used.
    """
    read_wav(stage.sound)
    recipients = recipients_of(stage.recipients)
    clock: Clock = SystemClock() if stage.speed == 1 else PacedClock(speed=stage.speed, start=datetime.now(UTC))
    store = Store(stage.store, device_key=throwaway_key())
    store.check()
    recover(store, at=wire_time(clock.utc()))
    panel = SimulatedPanel(clock=clock, run=None)
    microphone = SimulatedMicrophone(stage.sound, clock=clock, loop=stage.loop)
    camera = None if stage.size is None else clock_camera(stage.size, stage.fps, clock=clock)
    stills = None if stage.size is None else clock_stills(stage.size, clock=clock)
    seen = Seen()
    service = service_of(
        Parts(clock, panel, microphone, camera, ("microphone", "camera", "panel"), stills),
        box="Rehearsal",
        store=store,
        recipients=the_same_for_all(recipients),
        session=SessionSection(max_length_min=stage.max_length_min),
        standing=(),
        publish=seen.publish,
    )
    return Rehearsal(clock, service, panel, microphone, camera, store, seen)


def tell(outcome: dict[str, Any]) -> list[str]:
    """The outcome in words; the last line is the folder of the last recording, where there is one."""
    lines = [f"{at_s:8.2f} s  {state}" for at_s, state in outcome["states"]]
    lines += [f"fault: {what}; {hint}" for what, hint in outcome["faults"]]
    for recording in outcome["recordings"]:
        gaps = "".join(
            f", gap of {gap['samples']} samples at {gap['start_sample']} ({gap['cause']})" for gap in recording["gaps"]
        )
        seconds = recording["duration_us"] / 1_000_000
        lines.append(f"{recording['state']}: {seconds:.3f} s, sound {recording['report']['verdict']}{gaps}")
    lines += [f"erased: {recording_id}" for recording_id in outcome["erased"]]
    if not outcome["recordings"] and not outcome["erased"]:
        lines.append("nothing was recorded: give consent first, then press record, and look at the faults above")
    return lines + [str(recording["folder"]) for recording in outcome["recordings"]]
