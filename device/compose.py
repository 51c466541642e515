"""Builds the concrete things and hands them to each other. Nothing below the roof does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.age.recipients import KeyRecipient
from device.audit import AuditLog, newest_entries
from device.audit_requests import AUDIT_SOCKET_NAME, PATIENCE_S, AuditServer
from device.capture.auditor import Auditor
from device.capture.camera import MOST_BITS_PER_S, ChildCamera
from device.capture.desk import Desk
from device.capture.encoder import check_library as check_flac
from device.capture.failover import FailOver
from device.capture.health import Health
from device.capture.ladder import Readings
from device.capture.machine import Machine
from device.capture.meter import check_library as check_loudness
from device.capture.packets import Camera, Microphone
from device.capture.putting_in_order import Progress, PuttingInOrder
from device.capture.recorder import Recorder
from device.capture.service import CaptureService
from device.capture.simulated import SimulatedCamera, SimulatedMicrophone
from device.capture.sound_cards import Identity
from device.capture.take import Devices
from device.capture.trail import erased
from device.capture.upkeep import Upkeep
from device.clock import Clock, boot_id, stamp
from device.config import AlsaMicrophone, Config, DisabledCamera, PicameraCamera, SessionSection, recipients_of
from device.config import SimulatedMicrophone as MicrophoneSection
from device.config import SimulatedPanel as SimulatedPanelSection
from device.config_marks import start_of
from device.datagrams import PAGE_USER, DatagramServer, users_named
from device.devicekey import load_or_make_device_key
from device.errors import RecipientError, SottoError, StoreError
from device.journal import Journal, to_nobody
from device.notify import Notify, tell_nobody
from device.panel import Panel
from device.panel_simulated import SimulatedPanel
from device.press import Levels
from device.recording.audited import Happened, Tell, Who, to_no_log
from device.recording.chain import AUDIT_NAME
from device.recording.erasure import EraseCertificate
from device.requests import REQUESTS_NAME, parse_request
from device.session import Session
from device.session_context import Rules
from device.status import Status
from device.stills import STILL_NAME, StillServer
from device.store import Store
from device.words import Consent

_STILL_WIDTH: Final = 640
_STILLS_PER_S: Final = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """The hardware of a box, real or not; nothing of it is open yet."""

    clock: Clock
    panel: Panel
    microphone: Microphone
    camera: Camera | None
    simulated: tuple[str, ...]
    stills: Camera | None = None  # the same camera, sending JPEG for a framing check


def service_of(
    parts: Parts,
    *,
    box: str,
    store: Store,
    recipients: list[KeyRecipient],
    session: SessionSection,
    standing: tuple[SottoError, ...],
    publish: Callable[[Status], None],
    notify: Notify = tell_nobody,
    machine: Callable[[], Readings] = Readings,
    journal: Journal = to_nobody,
    recover: Callable[[Progress], None] = lambda _progress: None,
    upkeep: Upkeep | None = None,
    auditor: Auditor | None = None,
    desk: Desk | None = None,
) -> CaptureService:
    """The capture service of a box. ``standing``: what already keeps it from recording; its lamp will say so.

    ``machine``: how the machine is; a rehearsal knows nothing of that, and loses no picture to a busy one.
    ``recover``: puts the store in order, before anything is recorded and while the box already answers.
    ``upkeep``: looks after the store while nobody is there; a rehearsal is over by then. ``auditor``: the audit log; a
    rehearsal has no box whose log that would be. ``desk``: what the page has named; a rehearsal has no page.

    Raises:
        MissingPackageError: a library that the sound cannot do without is not installed.
    """
    check_flac()
    check_loudness()
    tell = to_no_log if auditor is None else auditor.note
    if auditor is not None:
        store.erasing.on_erased = _noting_erasures(auditor, desk)
    putting_in_order = PuttingInOrder(recover)
    health = _health_of(parts, store, session, standing, putting_in_order, machine, auditor)
    recorder = _recorder_of(parts, box, store, recipients, session, health, tell, desk)
    return CaptureService(
        clock=parts.clock,
        panel=parts.panel,
        session=_session_of(parts, session),
        levels=Levels(),
        recorder=recorder,
        health=health,
        putting_in_order=putting_in_order,
        publish=publish,
        notify=notify,
        journal=journal,
        upkeep=upkeep,
        tell=tell,
        box=box,
        simulated=parts.simulated,
    )


def _recorder_of(
    parts: Parts,
    box: str,
    store: Store,
    recipients: list[KeyRecipient],
    session: SessionSection,
    health: Health,
    tell: Tell,
    desk: Desk | None,
) -> Recorder:
    return Recorder(
        Devices(parts.microphone, parts.camera, parts.stills),
        box=box,
        store=store,
        recipients=recipients,
        clock=parts.clock,
        floor_dbfs=session.floor_dbfs,
        silence_stop_s=session.silence_stop_min * 60,
        surroundings=lambda: health.surroundings,
        tell=tell,
        duty=None if desk is None else desk.duty,
        places=None if desk is None else desk.places,
    )


def _session_of(parts: Parts, section: SessionSection) -> Session:
    most = Consent.SOUND if parts.camera is None else Consent.SOUND_AND_PICTURE
    return Session(Rules(max_length_s=section.max_length_min * 60, most=most))


def _health_of(
    parts: Parts,
    store: Store,
    session: SessionSection,
    standing: tuple[SottoError, ...],
    putting_in_order: PuttingInOrder,
    machine: Callable[[], Readings],
    auditor: Auditor | None,
) -> Health:
    return Health(
        store,
        max_length_s=session.max_length_min * 60,
        bitrate=None if parts.camera is None else parts.camera.bitrate,
        standing=standing,
        putting_in_order=putting_in_order,
        machine=machine,
        audit=lambda: None if auditor is None else auditor.problem,
    )


def recipients_or_fault(config: Config) -> tuple[list[KeyRecipient], tuple[SottoError, ...]]:
    """The recipients; where they cannot be used, none, and the fault that the box then shows."""
    try:
        return recipients_of(config.recipients.keys), ()
    except RecipientError as problem:
        return [], (problem,)


def store_of(config: Config) -> Store:
    """The store, for the one process that writes to it.

    Raises:
        AdminError: the box has no key, or none that can be used.
    """
    return Store(config.store.path, device_key=load_or_make_device_key(config.box.device_key))


def _noting_erasures(auditor: Auditor, desk: Desk | None) -> Callable[[EraseCertificate], None]:
    """What has an erasure noted, durably, before the last trace of it in the store goes."""

    def note(certificate: EraseCertificate) -> None:
        happened = erased(certificate.recording, by=Who(certificate.by.value), digest=certificate.digest)
        if auditor.note_durably(happened, patience_s=PATIENCE_S) is None:
            raise StoreError("an erasure could not be noted in the audit log", "nothing: the box tries again by itself")
        if desk is not None:
            desk.erased(certificate)

    return note


def microphone_of(config: Config, *, clock: Clock) -> Microphone:
    """The microphone that the configuration names; with a second one behind it, if it names one.

    Raises:
        MissingPackageError: it needs a package that is not installed.
    """
    first = _microphone_of(config.microphone, clock=clock)
    if config.second_microphone is None:
        return first
    return FailOver(first, _microphone_of(config.second_microphone, clock=clock))


def _microphone_of(section: MicrophoneSection | AlsaMicrophone, *, clock: Clock) -> Microphone:
    if isinstance(section, MicrophoneSection):
        return SimulatedMicrophone(section.wav, clock=clock, loop=section.loop)
    # Only a box with a real one has the library.
    from device.capture.alsa import Gain, alsa_microphone  # noqa: PLC0415

    if section.device is not None:
        return alsa_microphone(section.device, clock=clock, patience_s=section.appears_within_s)
    identity = Identity(card=section.card, usb_path=section.usb_path, serial=section.serial)
    gain = None
    if section.gain_control is not None and section.gain_percent is not None:
        gain = Gain(section.gain_control, section.gain_percent)
    return alsa_microphone(identity, clock=clock, pcm=section.pcm, gain=gain, patience_s=section.appears_within_s)


def panel_of(config: Config, *, clock: Clock) -> Panel:
    """The panel that the configuration names; there is no falling back to another.

    Raises:
        MissingPackageError: it needs a package that is not installed.
    """
    section = config.panel
    if isinstance(section, SimulatedPanelSection):
        return SimulatedPanel(clock=clock, run=config.box.run)
    # Only a box with a real one has the library.
    from device.panel_gpio import GpioPanel, Pins, lgpio_factory  # noqa: PLC0415

    pins = Pins(**section.model_dump(exclude={"driver", "chip"}))
    return GpioPanel(pins, clock=clock, factory=lambda: lgpio_factory(section.chip))


def camera_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, if it names one."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    size, bitrate = (camera.width, camera.height), camera.bitrate_kbit_s * 1000
    if isinstance(camera, PicameraCamera):
        name, command = f"picamera2: {camera.number}", picamera2_command(camera)
        return ChildCamera(name=name, size=size, command=lambda: command, bitrate=bitrate)
    return clock_camera(size, camera.fps, clock=clock, bitrate=bitrate)


def stills_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, as a framing check looks through it."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    size = (camera.width, camera.height)
    if isinstance(camera, PicameraCamera):
        small = still_size(size)
        command = picamera2_command(camera, stills=small)
        return ChildCamera(name=f"picamera2: {camera.number}", size=small, command=lambda: command)
    return clock_stills(size, clock=clock)


def picamera2_command(camera: PicameraCamera, *, stills: tuple[int, int] | None = None) -> list[str]:
    """The program for a real camera, with all that it is asked for.

    ``stills``: their size, where it is to send stills; all else is as in a recording, so that they show what one will.
    """
    program = [sys.executable, "-m", "device", "picamera2-camera", str(camera.number)]
    program += [f"{camera.width}x{camera.height}", str(camera.fps), camera.frame_format]
    program += ["--bitrate", str(camera.bitrate_kbit_s * 1000), "--framing", camera.framing]
    program += [] if camera.mains_hz is None else ["--mains-hz", str(camera.mains_hz)]
    program += [] if stills is None else ["--stills", f"{stills[0]}x{stills[1]}"]
    return program + ["--mirror"] * camera.mirror + ["--upside-down"] * camera.upside_down


def still_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a still of a picture of ``size``: the same shape, even, 640 pixels wide at most."""
    width, height = size
    small = min(width, _STILL_WIDTH)
    return small, max(2, round(height * small / width / 2) * 2)


def clock_stills(size: tuple[int, int], *, clock: Clock) -> SimulatedCamera:
    """The simulated camera as a framing check looks through it."""
    width, height = small = still_size(size)

    def command(start_us: int) -> list[str]:
        program = [sys.executable, "-m", "device", "simulated-camera", "--stills"]
        return [*program, f"{width}x{height}", str(_STILLS_PER_S), str(start_us)]

    return SimulatedCamera(size=small, fps=_STILLS_PER_S, clock=clock, command=command)


def clock_camera(size: tuple[int, int], fps: int, *, clock: Clock, bitrate: int = MOST_BITS_PER_S) -> SimulatedCamera:
    """The simulated camera, with the program that draws for it."""
    program = [sys.executable, "-m", "device", "simulated-camera", "--bitrate", str(bitrate)]

    def command(start_us: int) -> list[str]:
        width, height = size
        return [*program, f"{width}x{height}", str(fps), str(start_us)]

    return SimulatedCamera(size=size, fps=fps, clock=clock, command=command, bitrate=bitrate)


def this_machine() -> Machine:
    """The machine that this program runs on."""
    return Machine(Path("/"), processors=os.cpu_count() or 1)


def simulated_parts(config: Config) -> tuple[str, ...]:
    """Which parts of the box are programs."""
    parts = {"microphone": config.microphone.driver, "camera": config.camera.driver, "panel": config.panel.driver}
    return tuple(name for name, driver in parts.items() if driver == "simulated")


def requests_server(config: Config, service: CaptureService) -> DatagramServer:
    """The socket on which the page may ask the service to stop, mark or name."""

    def handle(data: bytes) -> None:
        if (request := parse_request(data)) is not None:
            service.request(request)

    return DatagramServer(config.box.run / REQUESTS_NAME, handle)


def auditor_of(config: Config, *, clock: Clock) -> Auditor:
    """The audit log of this box, on a thread of its own; it opens the log once there is something to write.

    Raises:
        AdminError: the box has no key, or none that can be used.
    """
    key, folder = load_or_make_device_key(config.box.device_key), config.store.path / AUDIT_NAME
    return Auditor(lambda: AuditLog(folder, device_key=key), clock=clock, boot=boot_id())


def start_entries(config: Config) -> list[Happened]:
    """What the audit log is told first: that the box starts, with which configuration, and what changed in it."""
    secret = load_or_make_device_key(config.box.device_key).private_bytes_raw()
    try:
        return start_of(config, secret, newest_entries(config.store.path / AUDIT_NAME))
    except StoreError:  # there is no log yet, or it cannot be read: whoever writes to it tells of that
        return start_of(config, secret, ())


def room_test_noter(config: Config, *, clock: Clock) -> Callable[[Happened], None]:
    """What writes into the audit log while the capture service does not run; it has the log only while it writes.

    Raises:
        AdminError: the box's key cannot be used.
    """
    key, folder, boot = load_or_make_device_key(config.box.device_key), config.store.path / AUDIT_NAME, boot_id()

    def note(happened: Happened) -> None:
        with closing(AuditLog(folder, device_key=key)) as log:
            log.append(happened, stamp(clock, boot))

    return note


def audit_server(config: Config, auditor: Auditor) -> AuditServer:
    """The socket on which the page has noted what somebody looked at or pulled."""
    return AuditServer(
        config.box.run / AUDIT_SOCKET_NAME,
        lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
        users=users_named(PAGE_USER),
    )


def stills_server(config: Config, service: CaptureService) -> StillServer:
    """The socket on which the page finds what a framing check sees."""
    return StillServer(config.box.run / STILL_NAME, service.still)
