"""The part of a check that opens microphone and camera: begun by a press in the room, and by nothing else.

Whoever runs a check may sit anywhere. So nothing is opened before somebody in the room has pressed CONSENT; the room
light is on for exactly as long as a device is (P1, P7); any further press ends it at once; and what was heard and seen
is measured as it comes, and let go. Until the press the panel looks as it does in a fault, which is true: with the
capture service stopped, no session can be recorded now, and nobody should press in that belief.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from device.capture.packets import Camera, Gap, Microphone, Picture, Sound, SoundFormat
from device.check.clap import Glances, Ticks, judge_claps, measure_claps
from device.check.delivered import PictureLog, SoundLog, judge_camera, judge_microphone
from device.check.ear import Ear
from device.check.finding import Findings, bad, from_error, good, is_well, look
from device.check.hands import Hands
from device.check.reading import Reading
from device.check.sound import LEAST_S, figures_of, judge_sound
from device.clock import MICROSECONDS, Clock
from device.errors import AdminError, StoreError
from device.panel import Panel
from device.panel_language import face_of
from device.press import Both, Down, Hold, Press, Stuck
from device.recording.audited import Happened, What, to_no_log
from device.session_events import State, Tone
from device.words import Button, Consent

Look: TypeAlias = Callable[[Picture], Iterator[tuple[int, bytes]]]
"""A picture's time and its points in gray, few of them."""

_WAITING: Final = face_of(State.FAULT, Consent.NONE)
_OPEN: Final = face_of(State.RECORDING, Consent.SOUND)
_STUCK_US: Final = 200_000
_TONE_US: Final = 600_000  # the sounder is not to be heard by the microphone
_SETTLES_US: Final = 300_000  # what a microphone says first is about itself
_LOOK_AGAIN_US: Final = 100_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to wait for the press, to listen to the room, and to claps (0: none are asked for)."""

    press_s: float = 60.0
    room_s: float = 10.0
    clap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RoomParts:
    """What is tested; nothing of it is open yet. ``fps`` is what the camera was asked for."""

    clock: Clock
    panel: Panel
    microphone: Microphone
    camera: Camera | None
    fps: int


class RoomCheck:
    """One test of the room. ``say`` tells the person who runs it what to do; ``glance`` is needed for claps alone.

    ``note`` has the test written into the audit log, or raises ``StoreError``: nothing is opened then.
    """

    def __init__(
        self,
        parts: RoomParts,
        plan: Plan,
        *,
        say: Callable[[str], None],
        glance: Look | None = None,
        note: Callable[[Happened], None] = to_no_log,
    ) -> None:
        self._parts = parts
        self._plan = plan
        self._say = say
        self._note = note
        self._glance = glance if plan.clap_s > 0 else None
        self._hands = Hands(parts.panel, parts.clock)
        self._heard_us = 0  # since when the microphone is open; until then, since when it is being opened
        self._ear: Ear | None = None
        self._ticks: Ticks | None = None
        self._glances = Glances()
        self._sound: SoundLog | None = None
        self._pictures = PictureLog(0)

    def run(self) -> Findings:
        """Wait for the press, then listen and look; everything is closed and dark on return, whatever happened."""
        try:
            self._hands.start()
            self._parts.panel.show(_WAITING)
            panel = self._look_at_panel()
            return [*panel, *self._ask()] if is_well(panel) else panel
        except AdminError as problem:
            return [from_error("panel", problem)]
        finally:
            self._parts.panel.close()

    # -- the panel ----------------------------------------------------------------------------------------------------

    def _look_at_panel(self) -> Findings:
        until_us = self._parts.clock.now_us() + _STUCK_US
        stuck = set()
        while (event := self._hands.next(until_us)) is not None:
            if isinstance(event, Stuck):
                stuck.add(str(event.button).upper())
        if silent := sorted(str(button).upper() for button in Button if button not in self._hands.told):
            return [bad("panel", f"{' and '.join(silent)} cannot be read", "look at the wiring: docs/hardware.md")]
        if stuck:
            hint = "look for what holds it down, for its wiring and for pull_up in [panel]; nothing was opened"
            return [bad("panel", f"{' and '.join(sorted(stuck))} is stuck", hint)]
        return [good("panel", "both buttons can be read, and are up")]

    def _ask(self) -> Findings:
        """Wait for CONSENT; without it nothing is opened."""
        plan, what = self._plan, "the microphone" if self._parts.camera is None else "microphone and camera"
        until_us = self._parts.clock.now_us() + round(plan.press_s * MICROSECONDS)
        self._say(
            f"press CONSENT in the room within {plan.press_s:.0f} s: {what} will be open for "
            f"{plan.room_s + plan.clap_s:.0f} s, while the room light is on; nothing is kept, and any press ends it"
        )
        while (event := self._hands.next(until_us)) is not None:
            if isinstance(event, Press | Hold) and event.button is Button.CONSENT and event.at_us <= until_us:
                return self._begin()
        hint = "be in the room, start the check again, and press CONSENT when it asks; or leave this out: --no-room"
        return [look("room test", "nobody pressed CONSENT; nothing was opened", hint)]

    # -- the devices --------------------------------------------------------------------------------------------------

    def _begin(self) -> Findings:
        self._parts.panel.sound(Tone.TWO_SHORT)
        heard_us = self._parts.clock.now_us() + _TONE_US
        if self._pressed_until(lambda: heard_us):
            return [look("room test", "a press ended it before anything was opened", "start the check again")]
        try:
            self._note(Happened(What.ROOM_TEST_BEGUN))
        except StoreError as problem:
            return [bad("room test", f"it was not noted, so nothing was opened: {problem.what}", problem.hint)]
        self._say("stay quiet for three seconds, then speak as in a session, from where the client sits")
        ended = self._open()
        self._parts.panel.sound(Tone.TICK)
        found = self._judge(ended=ended)
        try:
            self._note(Happened(What.ROOM_TEST_ENDED))
        except StoreError as problem:
            found.append(from_error("audit log", problem))
        return found

    def _open(self) -> bool:
        """Read both devices as planned; whether a press ended it. The light is on before, and until both are closed."""
        parts = self._parts
        self._heard_us = self._pictures.opened_us = parts.clock.now_us()
        self._microphone = Reading(parts.microphone, opened=self._on_format, take=self._hear)
        self._camera = None if parts.camera is None else Reading(parts.camera, opened=lambda _: None, take=self._see)
        readings = [reading for reading in (self._microphone, self._camera) if reading is not None]
        parts.panel.show(_OPEN)
        try:
            for reading in readings:
                reading.start()
            return self._pass_time(lambda: all(reading.is_over for reading in readings))
        finally:
            for reading in readings:
                reading.stop()
            if parts.camera is not None:
                parts.camera.kill()
            for reading in readings:
                reading.wait()
            parts.panel.show(_WAITING)
            for reading in readings:
                reading.tell()

    def _pass_time(self, all_over: Callable[[], bool]) -> bool:
        """Let the test take its time; whether a press ended it."""
        if self._pressed_until(self._room_until_us, all_over):  # which moves while the microphone takes its time
            return True
        if self._glance is None or all_over():
            return False
        self._say("now clap, or flash and tick: seven times, about a second apart, where the camera sees it")
        clap_us = round(self._plan.clap_s * MICROSECONDS)
        return self._pressed_until(lambda: self._room_until_us() + clap_us, all_over)

    def _room_until_us(self) -> int:
        return self._heard_us + _SETTLES_US + round(self._plan.room_s * MICROSECONDS)

    def _pressed_until(self, until_us: Callable[[], int], is_over: Callable[[], bool] = lambda: False) -> bool:
        """Whether a button went down before then, or before it was over."""
        while not is_over() and (now_us := self._parts.clock.now_us()) < until_us():
            event = self._hands.next(min(until_us(), now_us + _LOOK_AGAIN_US))
            if isinstance(event, Down | Both):
                return True
        return False

    # -- on the threads of the devices --------------------------------------------------------------------------------

    def _on_format(self, sound: SoundFormat) -> None:
        self._heard_us = self._parts.clock.now_us()
        self._ear, self._ticks, self._sound = Ear(sound), Ticks(sound), SoundLog(sound)

    def _hear(self, period: Sound | Gap) -> None:
        if self._ear is None or self._ticks is None or self._sound is None:
            return
        self._sound.note(period.samples, period.end_us, gap=isinstance(period, Gap))
        if period.end_us >= self._room_until_us():
            if self._glance is not None:
                self._ticks.hear(period)
        elif isinstance(period, Sound) and period.end_us >= self._heard_us + _SETTLES_US:
            self._ear.hear(period)

    def _see(self, picture: Picture) -> None:
        self._pictures.note(picture.at_us, len(picture.data), self._parts.clock.now_us())
        if self._glance is not None:
            for at_us, gray in self._glance(picture):
                self._glances.see(at_us, gray)

    # -- afterwards ---------------------------------------------------------------------------------------------------

    def _judge(self, *, ended: bool) -> Findings:
        found = self._judge_sound(ended=ended)
        if self._camera is None or self._parts.camera is None:
            found.append(good("camera", "none: only sound can be consented to"))
        elif self._camera.problem is not None:
            found.append(from_error("camera", self._camera.problem))
        elif not ended:
            found += judge_camera(self._parts.camera.name, self._parts.camera.size, self._parts.fps, self._pictures)
        if self._glance is not None and self._ticks is not None and not ended:
            found += judge_claps(measure_claps(self._ticks, self._glances))
        return found

    def _judge_sound(self, *, ended: bool) -> Findings:
        found = []
        if self._microphone.problem is not None:
            found.append(from_error("microphone", self._microphone.problem))
        elif self._sound is not None:
            found += judge_microphone(self._parts.microphone.name, self._sound)
        heard_s = 0.0 if self._ear is None else self._ear.seconds
        if ended:
            hint = "start the check again, and let it come to its end"
            found.append(look("room test", f"a press ended it after {heard_s:.1f} s of sound", hint))
        if self._ear is not None and heard_s >= LEAST_S:
            found += judge_sound(figures_of(self._ear))
        elif self._microphone.problem is None and not ended:
            found.append(bad("sound", f"only {heard_s:.1f} s of it came", "look at the microphone's cable and socket"))
        return found
