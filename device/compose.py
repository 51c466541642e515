"""Builds the concrete things and hands them to each other. Nothing below the roof does."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
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
from device.capture.simulated import SimulatedMicrophone
from device.capture.sound_cards import Identity
from device.capture.take import Devices
from device.capture.trail import erased
from device.capture.upkeep import Upkeep
from device.clock import Clock
from device.config import AlsaMicrophone, Config, ConsentSection, SessionSection
from device.config import SimulatedMicrophone as MicrophoneSection
from device.config import SimulatedPanel as SimulatedPanelSection
from device.config_recipients import recipients_of
from device.datagrams import DatagramServer
from device.devicekey import load_or_make_device_key
from device.errors import RecipientError, SottoError, StoreError
from device.journal import Journal, to_nobody
from device.notify import Notify, tell_nobody
from device.panel import Panel
from device.panel_simulated import SimulatedPanel
from device.press import Levels
from device.recording.audited import Tell, Who, to_no_log
from device.recording.erasure import EraseCertificate
from device.recording.manifest import ConsentText
from device.requests import REQUESTS_NAME, parse_request
from device.roster import WhoOpens, the_same_for_all
from device.roster_shelf import RosterShelf
from device.session import Session
from device.session_context import Rules
from device.status import Status
from device.stills import STILL_NAME, StillServer
from device.store import Store
from device.words import Button, Consent


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
    recipients: WhoOpens,
    session: SessionSection,
    consent: ConsentSection | None = None,
    standing: tuple[SottoError, ...],
    publish: Callable[[Status], None],
    notify: Notify = tell_nobody,
    machine: Callable[[], Readings] = Readings,
    journal: Journal = to_nobody,
    recover: Callable[[Progress], None] = lambda _progress: None,
    upkeep: Upkeep | None = None,
    auditor: Auditor | None = None,
    desk: Desk | None = None,
    roster: Callable[[], SottoError | None] = lambda: None,
) -> CaptureService:
    """The capture service of a box. ``standing``: what already keeps it from recording; its lamp will say so.

    ``consent``: which text clients are given to read; a rehearsal has no clients.
    ``machine``: how the machine is; a rehearsal knows nothing of that, and loses no picture to a busy one.
    ``recover``: puts the store in order, before anything is recorded and while the box already answers.
    ``upkeep``: looks after the store while nobody is there; a rehearsal is over by then. ``auditor``: the audit log; a
    rehearsal has no box whose log that would be. ``desk``: what the page has named; a rehearsal has no page.
    ``roster``: reads the roster again, and says what keeps the box from recording; nothing, where there is none.

    Raises:
        MissingPackageError: a library that the sound cannot do without is not installed.
    """
    check_flac()
    check_loudness()
    tell = to_no_log if auditor is None else auditor.note
    if auditor is not None:
        store.erasing.on_erased = _noting_erasures(auditor, desk)
    putting_in_order = PuttingInOrder(recover)
    health = _health_of(parts, store, session, standing, putting_in_order, machine, auditor, roster)
    recorder = _recorder_of(parts, box, store, recipients, session, consent, health, tell, desk)
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
    recipients: WhoOpens,
    session: SessionSection,
    consent: ConsentSection | None,
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
        consent_text=None if consent is None else ConsentText(version=consent.text_version, sha256=consent.text_sha256),
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
    roster: Callable[[], SottoError | None],
) -> Health:
    return Health(
        store,
        max_length_s=session.max_length_min * 60,
        bitrate=None if parts.camera is None else parts.camera.bitrate,
        standing=standing,
        putting_in_order=putting_in_order,
        machine=machine,
        audit=lambda: None if auditor is None else auditor.problem,
        roster=roster,
    )


@dataclass(frozen=True, slots=True)
class Openers:
    """Who can open what is recorded. ``look``: reads the roster again; ``standing``: a fault that will not heal."""

    who: WhoOpens
    look: Callable[[], SottoError | None] = lambda: None
    standing: tuple[SottoError, ...] = ()


def openers_of(config: Config, *, tell: Tell) -> Openers:
    """Who can open what is recorded; where that cannot be used, nobody, and the fault that the box then shows."""
    named = config.recipients
    if named.roster is not None and named.clinic_key is not None:
        key = bytes.fromhex(named.clinic_key)
        shelf = RosterShelf(named.roster, clinic_key=key, box=config.box.name, store=config.store.path, tell=tell)
        return Openers(shelf.recipients_for, shelf.look)
    try:
        return Openers(the_same_for_all(recipients_of(named.keys or ())))
    except RecipientError as problem:
        return Openers(the_same_for_all(()), standing=(problem,))


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
    from device.panel_contacts import Contacts, kernel_lines  # noqa: PLC0415
    from device.panel_gpio import GpioPanel, Pins, lgpio_factory  # noqa: PLC0415

    pins = Pins(**section.model_dump(exclude={"driver", "chip"}))
    lines = {Button.CONSENT: pins.consent, Button.RECORD: pins.record}
    buttons = Contacts(lines, pull_up=pins.pull_up, clock=clock, ask=kernel_lines(section.chip))
    return GpioPanel(pins, clock=clock, factory=lambda: lgpio_factory(section.chip), buttons=buttons)


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


def stills_server(config: Config, service: CaptureService) -> StillServer:
    """The socket on which the page finds what a framing check sees."""
    return StillServer(config.box.run / STILL_NAME, service.still)
