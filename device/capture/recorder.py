"""Does what the session machine says: begins recordings and framing checks, ends them, and carries a fate out."""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.age.recipients import fingerprint
from device.capture.duty import Duty
from device.capture.facts import Beginning, Facts
from device.capture.framing import Framing
from device.capture.needs import Surroundings
from device.capture.packets import Camera
from device.capture.places import Begun, Places
from device.capture.take import Devices, Take
from device.clock import Clock, boot_id, wire_time
from device.recording.audited import Tell, to_no_log
from device.recording.manifest import ConsentText
from device.roster import WhoOpens
from device.session_events import (
    Action,
    Bookmark,
    FramingLost,
    Report,
    Settle,
    StartFraming,
    StartRecording,
    StopFraming,
    StopRecording,
    TurnOver,
    Withdraw,
)
from device.stills import Still
from device.store import Store
from device.words import Consent


class Recorder:
    """Owns the takes: the one that runs, and those whose window or whose sealing is not over; and the framing check.

    Called from one thread, but for ``still``; ``report`` and ``changed`` are called from others.
    """

    def __init__(
        self,
        devices: Devices,
        *,
        box: str,
        store: Store,
        recipients: WhoOpens,
        clock: Clock,
        floor_dbfs: float,
        silence_stop_s: int,
        surroundings: Callable[[], Surroundings],
        tell: Tell = to_no_log,
        consent_text: ConsentText | None = None,
        duty: Duty | None = None,
        places: Places | None = None,
    ) -> None:
        """``consent_text``: what clients are given to read before they press; it stands in every manifest.

        ``duty``: who works in the room; ``places``: told how far the takes are. A rehearsal needs neither.
        """
        self._devices = devices
        self._box = box
        self._store = store
        self._recipients = recipients
        self._clock = clock
        self._floor_dbfs = floor_dbfs
        self._silence_stop_s = silence_stop_s
        self._surroundings = surroundings
        self._tell = tell
        self._consent_text = consent_text
        self._duty = duty or Duty()
        self._places = places or Places()
        self._boot = boot_id()
        self._takes: dict[int, Take] = {}
        self._framing: Framing | None = None

    @property
    def takes(self) -> list[Take]:
        """Every take that is not over, oldest first."""
        return list(self._takes.values())

    @property
    def holds_devices(self) -> bool:
        """Whether a device is open for anything, or is being opened or closed."""
        framing = self._framing is not None and not self._framing.closed.is_set()
        return framing or any(take.holds_devices for take in self.takes)

    @property
    def framing_open(self) -> bool:
        """Whether the camera is open for a framing check."""
        return self._framing is not None and self._framing.is_open

    def still(self, now_us: int) -> Still | None:
        """The latest still of the framing check that lasts, if it is fresh. From any thread."""
        framing = self._framing
        return None if framing is None else framing.still(now_us)

    def on_duty(self, now_us: int) -> str | None:
        """The mark of who works in the room."""
        return self._duty.therapist(now_us)

    def find(self, ordinal: int | None) -> Take | None:
        """The take of that ordinal, while it is not over."""
        return None if ordinal is None else self._takes.get(ordinal)

    def find_id(self, ordinal: int) -> str | None:
        """The id of the recording of that ordinal, once it has one."""
        take = self.find(ordinal)
        return None if take is None else take.facts.recording_id or None

    def obey(self, action: Action, *, report: Callable[[Report], None], changed: Callable[[], None]) -> None:
        """Carry out one action; those that are not for a recorder are let pass."""
        match action:
            case StartRecording():
                self._start(action, report=report, changed=changed)
            case StartFraming():
                self._frame(action, report=report, changed=changed)
            case StopFraming(framing=ordinal):
                if self._framing is not None and self._framing.ordinal == ordinal:
                    self._framing.stop()
            case StopRecording() | Withdraw() | TurnOver() | Settle() | Bookmark():
                # A take that never began may be gone before the session hears of it: nothing is left to be done then.
                if (take := self.find(action.recording)) is not None:
                    _hand_on(action, take)
                if isinstance(action, Settle):
                    self._places.settled(action.recording)
            case _:
                pass

    def _start(self, action: StartRecording, *, report: Callable[[Report], None], changed: Callable[[], None]) -> None:
        camera = self._camera(action.consent)
        therapist = self._duty.therapist(action.at_us)
        recipients = self._recipients(therapist)  # of this session, whatever comes during it
        beginning = Beginning(
            box=self._box,
            boot=self._boot,
            consent=action.consent,
            choices=action.choices,
            pressed_us=action.at_us,
            started=wire_time(self._clock.utc()),
            clock_trusted=self._clock.trusted(),
            camera=camera.name if camera else None,
            size=camera.size if camera else (0, 0),
            recipients=tuple(fingerprint(recipient) for recipient in recipients),
            therapist=therapist,
            consent_text=self._consent_text,
        )

        def begun(recording_id: str) -> None:
            self._places.begun(action.recording, Begun(recording_id, beginning.therapist, beginning.consent))

        take = Take(
            action.recording,
            Facts(beginning),
            Devices(self._devices.microphone, camera),
            store=self._store,
            recipients=recipients,
            clock=self._clock,
            floor_dbfs=self._floor_dbfs,
            silence_stop_s=self._silence_stop_s,
            surroundings=self._surroundings,
            report=report,
            changed=changed,
            begun=begun,
            tell=self._tell,
        )
        before, camera_after = self.takes, self._camera_users()
        self._takes[action.recording] = take
        self._places.started(action.recording)
        take.start(after=before[-1] if before else None, camera_after=camera_after)

    def _frame(self, action: StartFraming, *, report: Callable[[Report], None], changed: Callable[[], None]) -> None:
        if self._devices.stills is None:
            report(FramingLost(action.framing, action.at_us, "there is no camera to look through"))
            return
        after = self._camera_users()
        self._framing = Framing(action.framing, self._devices.stills, clock=self._clock, report=report, changed=changed)
        self._framing.start(after=after)

    def _camera_users(self) -> list[threading.Event]:
        """Everybody who may still hold the camera: only one program can have it."""
        takes = [take.camera_closed for take in self.takes]
        framing = [] if self._framing is None else [self._framing.closed]
        return [*(closed for closed in takes if closed is not None), *framing]

    def _camera(self, consent: Consent) -> Camera | None:
        """The camera, if the client allowed it: with ``sound`` nothing here even knows of one (promise P2)."""
        return self._devices.camera if consent is Consent.SOUND_AND_PICTURE else None

    def watch(self, now_us: int) -> None:
        """Look after every take; forget those that are sealed and settled, and a framing check that is over."""
        if self._framing is not None and self._framing.closed.is_set():
            self._framing = None
        for ordinal, take in list(self._takes.items()):
            take.watch(now_us)
            if take.over:
                del self._takes[ordinal]
                self._places.over(ordinal)


def _hand_on(action: StopRecording | Withdraw | TurnOver | Settle | Bookmark, take: Take) -> None:
    match action:
        case StopRecording(cause=cause):
            take.stop(cause=str(cause))
        case Withdraw(at_us=at_us):
            take.withdraw(at_us)
        case TurnOver(at_us=at_us, fate=fate):
            take.turn_over(fate, at_us)
        case Settle(fate=fate):
            take.settle(fate)
        case Bookmark(at_us=at_us):
            take.bookmark(at_us)
